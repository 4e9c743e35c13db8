"use strict";
(() => {
  // node_modules/preact/dist/preact.mjs
  var n;
  var t;
  var r;
  var u;
  var i;
  var f;
  var o;
  var e;
  var l;
  var c;
  var a;
  var s;
  var h = /* @__PURE__ */ Symbol.for("pv");
  var p = {};
  var y = [];
  var v = /^m(i|n|o|s|text|space)$/;
  var w = Array.isArray;
  var d = y.slice;
  var _ = Object.assign;
  function g(n2) {
    n2 && n2.parentNode && n2.remove();
  }
  function m(r3, u3, i3, f4, o4) {
    var e3 = { type: r3, props: u3, key: i3, ref: f4, __k: null, __: null, __b: 0, __e: null, __c: null, constructor: h, __v: o4 || ++t, __i: -1, __u: 0 };
    return !o4 && n.vnode && n.vnode(e3), e3;
  }
  function $(n2) {
    return n2.children;
  }
  function x(n2, t4) {
    this.props = n2, this.context = t4, this.__g = 0;
  }
  function S(n2, t4) {
    if (null == t4) return n2.__ && S(n2.__, n2.__i + 1);
    for (var r3; t4 < n2.__k.length; t4++) if ((r3 = n2.__k[t4]) && r3.__e) return r3.__e;
    return "function" != typeof n2.type || n2.props.__P ? null : S(n2);
  }
  function C(t4) {
    var r3, u3 = t4.__v, i3 = u3.__e, f4 = [], o4 = [], e3 = t4.__P;
    e3 && ((r3 = _({ constructor: h }, u3)).__v = u3.__v + 1, n.vnode && n.vnode(r3), z(e3, r3, u3, t4.__n, e3.namespaceURI, 32 & u3.__u ? [i3] : null, f4, i3 || S(u3), 32 & u3.__u, o4), r3.__v = u3.__v, r3.__.__k[r3.__i] = r3, E(f4, r3, o4), u3.__ = u3.__e = null, r3.__e != i3 && j(r3));
  }
  function j(n2) {
    if ((n2 = n2.__) && n2.__c && !n2.props.__P) return n2.__e = null, n2.__k.some(function(t4) {
      return t4 && (n2.__e = t4.__e);
    }), j(n2);
  }
  function L(t4) {
    (8 & t4.__g || (t4.__g |= 8, u.push(t4), f++)) && i == n.debounceRendering || ((i = n.debounceRendering) || queueMicrotask)(H);
  }
  function H() {
    try {
      for (var n2, t4 = 1; u.length; ) u.length > t4 && u.sort(o), n2 = u.shift(), t4 = u.length, 8 & n2.__g && C(n2);
    } finally {
      (f = u.length) && (i || queueMicrotask)(H);
    }
  }
  function I(n2, t4, r3, u3, i3, f4, o4, e3, l3, c3, a4) {
    var s3, h3, v3, w3, d3, _3, g3 = u3.__k || y, k2 = t4.length;
    for (l3 = q(r3, t4, g3, l3, k2), s3 = 0; s3 < k2; s3++) null != (v3 = r3.__k[s3]) && (h3 = ~v3.__i && g3[v3.__i] || p, v3.__i = s3, _3 = z(n2, v3, h3, i3, f4, o4, e3, l3, c3, a4), w3 = v3.__e, (h3.ref != v3.ref || 8 & h3.__u) && (h3.ref && G(h3.ref, null, v3, h3), v3.ref && a4.push(v3.ref, v3.__c || w3, v3)), d3 = d3 || w3, 4 & v3.__u ? (l3 = A(v3, l3, n2, !h3.__v), h3.__e && (h3.__e = null)) : "function" == typeof v3.type && void 0 !== _3 ? l3 = _3 : w3 && (l3 = w3.nextSibling), v3.__u &= -21);
    return r3.__e = d3, l3;
  }
  function q(n2, t4, r3, u3, i3) {
    var f4, o4, e3, l3, c3, a4, s3, p3, y3, v3 = r3.length, d3 = v3, _3 = 0, g3 = 0, k2 = n2.__k = Array(i3);
    for (f4 = 0; f4 < i3; f4++) null != (o4 = t4[f4]) && "boolean" != typeof o4 && "function" != typeof o4 ? ("object" != typeof o4 || o4.constructor === String ? o4 = k2[f4] = m(null, o4) : w(o4) ? o4 = k2[f4] = m($, { children: o4 }) : o4.constructor === h && o4.__b ? o4 = k2[f4] = m(o4.type, o4.props, o4.key, o4.ref, o4.__v) : k2[f4] = o4, l3 = f4 + _3, o4.__ = n2, o4.__b = n2.__b + 1, e3 = null, ~(c3 = o4.__i = P(o4, r3, l3, d3)) && (d3--, (e3 = r3[c3]) && (e3.__u |= 2)), e3 && e3.__v ? (o4.__u |= 16, c3 == l3 - 1 ? _3-- : c3 == l3 + 1 ? _3++ : c3 != l3 && (c3 > l3 ? _3-- : _3++, g3 = 1)) : (~c3 || (i3 > v3 ? _3-- : i3 < v3 && _3++), "function" != typeof o4.type && (o4.__u |= 4))) : k2[f4] = null;
    if (g3) {
      for (a4 = [], s3 = [], f4 = 0; f4 < i3; f4++) if ((o4 = k2[f4]) && 16 & o4.__u) {
        for (_3 = 0, p3 = a4.length; _3 < p3; ) a4[y3 = _3 + p3 >> 1] < o4.__i ? _3 = y3 + 1 : p3 = y3;
        a4[_3] = o4.__i, s3[f4] = _3 + 1;
      }
      for (_3 = a4.length; f4--; ) s3[f4] && (s3[f4] == _3 ? _3-- : k2[f4].__u |= 4);
    }
    if (d3) for (f4 = 0; f4 < v3; f4++) !(e3 = r3[f4]) || 2 & e3.__u || (e3.__e == u3 && (u3 = S(e3)), J(e3, e3));
    return u3;
  }
  function A(n2, t4, r3, u3) {
    var i3, f4, o4, e3;
    if ("function" == typeof n2.type) {
      if (n2.props.__P) return t4;
      if (i3 = n2.__k) for (f4 = 0; f4 < i3.length; f4++) i3[f4] && (i3[f4].__ = n2, t4 = A(i3[f4], t4, r3, false));
      return t4;
    }
    for (t4 && !t4.parentNode && (t4 = S(n2)) && !t4.parentNode && (t4 = null), o4 = n2.__e, e3 = t4; e3 && 8 == e3.nodeType; ) e3 = e3.nextSibling;
    for (o4 != e3 && (!u3 && r3.moveBefore && o4.parentNode ? r3.moveBefore(o4, t4) : r3.insertBefore(o4, t4 || null)), t4 = o4; (t4 = t4 && t4.nextSibling) && 8 == t4.nodeType && !t4.data.startsWith("$s"); ) ;
    return t4;
  }
  function P(n2, t4, r3, u3) {
    var i3, f4 = n2.key, o4 = n2.type, e3 = t4[r3], l3 = e3 && !(2 & e3.__u);
    if (null === e3 && null == f4 || l3 && f4 == e3.key && o4 == e3.type) return r3;
    if (u3 > (l3 ? 1 : 0)) {
      for (i3 = r3 - 1; i3 >= 0; i3--) if ((e3 = t4[i3]) && !(2 & e3.__u) && f4 == e3.key && o4 == e3.type) return i3;
      for (i3 = r3 + 1; i3 < t4.length; i3++) if ((e3 = t4[i3]) && !(2 & e3.__u) && f4 == e3.key && o4 == e3.type) return i3;
    }
    return -1;
  }
  function T(n2, t4, r3) {
    null == r3 && (r3 = ""), "-" == t4[0] ? n2.setProperty(t4, r3) : n2[t4] = r3;
  }
  function N(n2, t4, r3, u3, i3) {
    var f4, o4;
    if ("style" == t4) if ("string" == typeof r3) n2.style.cssText = r3;
    else {
      if ("string" == typeof u3 && (n2.style.cssText = u3 = ""), u3) for (t4 in u3) r3 && t4 in r3 || T(n2.style, t4);
      if (r3) for (t4 in r3) u3 && r3[t4] == u3[t4] || T(n2.style, t4, r3[t4]);
    }
    else if ("o" == t4[0] && "n" == t4[1]) "function" != typeof r3 && (r3 = null), "function" != typeof u3 && (u3 = null), (n2.__e || (n2.__e = {}))[t4] = r3, r3 && u3 || (o4 = a[t4] || (a[t4] = V(t4)), (n2.__a || (n2.__a = {}))[t4] = c, f4 = t4 != (t4 = t4.replace(l, "$1")), (t4 = t4.slice(2))[0] < "a" && (t4 = t4.toLowerCase()), r3 ? n2.addEventListener(t4, o4, f4) : n2.removeEventListener(t4, o4, f4));
    else {
      if ("http://www.w3.org/2000/svg" == i3) t4 = t4.replace(/xlink(H|:h)/, "h").replace(/sName$/, "s");
      else if ("width" != t4 && "height" != t4 && "href" != t4 && "list" != t4 && "form" != t4 && "tabIndex" != t4 && "download" != t4 && "rowSpan" != t4 && "colSpan" != t4 && "role" != t4 && "popover" != t4 && t4 in n2) try {
        return void (n2[t4] = null == r3 ? "" : r3);
      } catch (n3) {
      }
      if ("function" == typeof r3) return;
      null == r3 || false === r3 && "-" != t4[4] ? n2.removeAttribute(t4) : n2.setAttribute(t4, "popover" == t4 && 1 == r3 ? "" : r3);
    }
  }
  function V(t4) {
    return function(r3) {
      var u3 = this.__e;
      if (u3) {
        if (u3 = u3[t4], null == r3[e]) r3[e] = c++;
        else if (r3[e] < this.__a[t4]) return;
        return u3(n.event ? n.event(r3) : r3);
      }
    };
  }
  function z(t4, r3, u3, i3, f4, o4, e3, l3, c3, a4) {
    var s3, p3, v3, d3, k2, b, m3, M2, C4, j2, L2, H3, q3, A5, O, P3, T4, N2, V3 = r3.type;
    if (r3.constructor !== h) return null;
    128 & u3.__u && (c3 = 32 & u3.__u, s3 = u3.__c.__z) && (r3.__u |= c3, p3 = o4 = [], 8 == s3.nodeType ? l3 = B(s3, o4) : o4.push(s3), l3 = o4[0] || l3), (s3 = n.__b) && s3(r3);
    n: if ("function" == typeof V3) {
      v3 = e3.length;
      try {
        if (M2 = r3.props, C4 = (s3 = V3.prototype) && s3.render, j2 = (s3 = V3.contextType) && i3[s3.__c], L2 = s3 ? j2 ? j2.props.value : s3.__ : i3, (d3 = u3.__c) ? (r3.__c = d3, 2 & d3.__g && (d3.__g |= 1)) : (C4 ? r3.__c = d3 = new V3(M2, L2) : (r3.__c = d3 = new x(M2, L2), d3.constructor = V3, d3.render = K), j2 && j2.sub(d3), d3.state || (d3.state = {}), d3.__n = i3, d3.__g |= 8, d3.__h = [], d3.__k = []), C4 && (d3.__s || (d3.__s = d3.state), V3.getDerivedStateFromProps && (d3.__s == d3.state && (d3.__s = _({}, d3.__s)), _(d3.__s, V3.getDerivedStateFromProps(M2, d3.__s)))), k2 = d3.props, b = d3.state, d3.__v = r3, u3.__c) {
          if (M2 !== k2 && C4 && !V3.getDerivedStateFromProps && d3.componentWillReceiveProps && d3.componentWillReceiveProps(M2, L2), r3.__v == u3.__v && !(8 & d3.__g) || !(4 & d3.__g) && d3.shouldComponentUpdate && false === d3.shouldComponentUpdate(M2, d3.__s, L2)) {
            r3.__v != u3.__v && (d3.props = M2, d3.state = d3.__s, d3.__g &= -9), r3.__e = u3.__e, r3.__k = u3.__k, r3.__k.some(function(n2) {
              n2 && (n2.__ = r3);
            }), y.push.apply(d3.__h, d3.__k), d3.__k = [], d3.__h.length && e3.push(d3), l3 = S(u3);
            break n;
          }
          d3.componentWillUpdate && d3.componentWillUpdate(M2, d3.__s, L2), C4 && d3.componentDidUpdate && d3.__h.push(function() {
            d3.componentDidUpdate(k2, b, m3);
          });
        } else C4 && !V3.getDerivedStateFromProps && d3.componentWillMount && d3.componentWillMount(), C4 && d3.componentDidMount && d3.__h.push(d3.componentDidMount);
        d3.context = L2, d3.props = M2, d3.__P = t4, d3.__g &= -5, H3 = n.__r, q3 = C4 ? 25 : 0;
        do {
          d3.__g &= -9, H3 && H3(r3), s3 = d3.render(d3.props, d3.state = d3.__s, d3.context);
        } while (8 & d3.__g && ++q3 < 25);
        C4 && (y.push.apply(d3.__h, d3.__k), d3.__k = []), d3.state = d3.__s, d3.getChildContext && (i3 = _({}, i3, d3.getChildContext())), C4 && u3.__c && d3.getSnapshotBeforeUpdate && (m3 = d3.getSnapshotBeforeUpdate(k2, b)), A5 = s3 && s3.type === $ && null == s3.key ? s3.props.children : s3, M2.__P && (s3 = l3, f4 = (t4 = M2.__P).namespaceURI, c3 = o4 = null, u3.props && u3.props.__P != t4 && (u3.__k.some(function(n2) {
          n2 && J(n2, n2);
        }), u3.__k = null), l3 = u3.__k ? S(u3, 0) : null), l3 = I(t4, w(A5) ? A5 : [A5], r3, u3, i3, f4, o4, e3, l3, c3, a4), M2.__P && (r3.__e = null, l3 = s3), r3.__u &= -161, p3 && p3.some(g), d3.__h.length && e3.push(d3), 1 & d3.__g && (d3.__g &= -4);
      } catch (t5) {
        if (e3.length = v3, r3.__v = null, c3 || o4) if (t5 && t5.then) {
          if (r3.__u |= 128 | c3, o4) {
            for (~(T4 = o4.indexOf(l3 || void 0)) || (T4 = o4.length); (N2 = o4[T4 - 1]) && 8 == N2.nodeType; ) T4--;
            for (; T4 < o4.length; T4++) if (N2 = o4[T4]) if (o4[T4] = null, O) {
              if (N2 == P3) break;
            } else {
              if (8 != N2.nodeType) break;
              N2.data.startsWith("$s") && (P3 = B(O = N2));
            }
          }
          if (!O) {
            for (; l3 && 8 == l3.nodeType && l3.nextSibling; ) l3 = l3.nextSibling;
            O = l3;
          }
          (s3 = B(O = r3.__c.__z || (r3.__c.__z = O))) ? (r3.__e = O, l3 = s3) : r3.__e = l3, l3 = l3 && l3.nextSibling;
        } else o4 && o4.some(g);
        else r3.__e = u3.__e;
        r3.__k || (r3.__k = u3.__k || []), t5 && t5.then || D(r3), n.__e(t5, r3, u3);
      }
    } else l3 = r3.__e = F(u3.__e, r3, u3, i3, f4, o4, e3, c3, a4, t4);
    return (s3 = n.diffed) && s3(r3), l3;
  }
  function B(n2, t4) {
    if (n2 && 8 == n2.nodeType && n2.data.startsWith("$s")) for (var r3 = 1; n2 = n2.nextSibling; ) {
      if (8 == n2.nodeType) {
        if (n2.data.startsWith("$s")) r3++;
        else if (n2.data.startsWith("/$s") && !--r3) return n2;
      }
      t4 && t4.push(n2);
    }
  }
  function D(n2) {
    n2 && (n2.__c && (n2.__c.__g |= 4), n2.__k && n2.__k.some(D));
  }
  function E(t4, r3, u3) {
    for (var i3 = 0; i3 < u3.length; ) G(u3[i3++], u3[i3++], u3[i3++]);
    n.__c && n.__c(r3, t4), t4.some(function(r4) {
      try {
        t4 = r4.__h, r4.__h = [], t4.some(function(n2) {
          n2.call(r4);
        });
      } catch (t5) {
        n.__e(t5, r4.__v);
      }
    });
  }
  function F(t4, r3, u3, i3, f4, o4, e3, l3, c3, a4) {
    var s3, h3, y3, _3, k2, b, m3, M2, $3 = u3.props || p, x2 = r3.props, C4 = r3.type;
    if ("svg" == C4 ? f4 = "http://www.w3.org/2000/svg" : "math" == C4 ? f4 = "http://www.w3.org/1998/Math/MathML" : f4 || (f4 = "http://www.w3.org/1999/xhtml"), o4) {
      for (s3 = 0; s3 < o4.length; s3++) if ((k2 = o4[s3]) && (C4 ? k2.localName == C4 : 3 == k2.nodeType)) {
        t4 = k2, o4[s3] = null;
        break;
      }
    }
    if (!t4) {
      if (M2 = a4.ownerDocument || document, !C4) return M2.createTextNode(x2);
      t4 = M2.createElementNS(f4, C4, x2.is ? x2 : a4), l3 && (n.__m && n.__m(r3, o4), l3 = false), o4 = null;
    }
    if (C4) {
      if (a4 = "template" == C4 && t4.content || t4, o4 = "textarea" == C4 && null != x2.defaultValue ? null : o4 && d.call(a4.childNodes), !l3 && o4) for ($3 = {}, s3 = 0; s3 < t4.attributes.length; s3++) $3[(k2 = t4.attributes[s3]).name] = k2.value;
      for (s3 in $3) k2 = $3[s3], "dangerouslySetInnerHTML" == s3 ? y3 = k2 : "children" == s3 || s3 in x2 || "value" == s3 && "defaultValue" in x2 || "checked" == s3 && "defaultChecked" in x2 || N(t4, s3, null, k2, f4);
      for (s3 in x2) k2 = x2[s3], "children" == s3 ? _3 = k2 : "dangerouslySetInnerHTML" == s3 ? h3 = k2 : "value" == s3 ? b = k2 : "checked" == s3 ? m3 = k2 : l3 && "function" != typeof k2 || $3[s3] === k2 || N(t4, s3, k2, $3[s3], f4);
      h3 ? (l3 || y3 && (h3.__html == y3.__html || h3.__html == t4.innerHTML) || (t4.innerHTML = h3.__html), r3.__k = []) : (y3 && (t4.textContent = ""), ("foreignObject" == C4 || "http://www.w3.org/1998/Math/MathML" == f4 && v.test(C4)) && (f4 = "http://www.w3.org/1999/xhtml"), I(a4, w(_3) ? _3 : [_3], r3, u3, i3, f4, o4, e3, o4 ? o4[0] : u3.__k && S(u3, 0), l3, c3), o4 && o4.some(g)), l3 && "textarea" != C4 || (s3 = "value", "progress" == C4 && null == b ? t4.removeAttribute(s3) : null == b || b === t4[s3] && ("progress" != C4 || b) || N(t4, s3, b, $3[s3], f4), s3 = "checked", null != m3 && m3 != t4[s3] && N(t4, s3, m3, $3[s3], f4));
    } else $3 === x2 || l3 && t4.data == x2 || (t4.data = x2);
    return t4;
  }
  function G(t4, r3, u3, i3) {
    try {
      "function" == typeof t4 ? r3 ? r3.__x = t4(r3) || 1 : i3 && (i3 = i3.__c || i3.__e) && (r3 = i3.__x) && (i3.__x = null, "function" == typeof r3 ? r3() : t4(null)) : t4.current = r3;
    } catch (t5) {
      n.__e(t5, u3);
    }
  }
  function J(t4, r3, u3) {
    var i3, f4, o4, e3;
    if (n.unmount && n.unmount(t4), !(i3 = t4.ref) || i3.current && i3.current != t4.__e || G(i3, null, r3, t4), i3 = t4.__c) {
      if (i3.componentWillUnmount) try {
        i3.componentWillUnmount();
      } catch (t5) {
        n.__e(t5, r3);
      }
      i3.__P = i3.__n = null;
    }
    if (i3 = t4.__k) for (e3 = 0; e3 < i3.length; e3++) i3[e3] && J(i3[e3], r3, "function" != typeof t4.type || u3 && !t4.props.__P);
    !u3 && (i3 = t4.__c) && (i3 = i3.__z) && (f4 = B(i3, o4 = [])) && (i3 == t4.__e && o4.some(g), g(f4), g(i3)), u3 || g(t4.__e), t4.__e = t4.__c = t4.__ = null;
  }
  function K(n2, t4, r3) {
    return this.constructor(n2, r3);
  }
  function Q(t4, r3) {
    var u3, i3, f4, o4;
    n.__ && n.__(t4, r3), 9 == r3.nodeType && (r3 = r3.documentElement), i3 = (u3 = t4 && 32 & t4.__u) ? null : r3.__k, r3.__k = m($, { children: [t4] }), f4 = [], o4 = [], z(r3, r3.__k, i3 || p, p, r3.namespaceURI, i3 ? null : r3.firstChild ? d.call(r3.childNodes) : null, f4, i3 ? i3.__e : r3.firstChild, u3, o4), E(f4, r3.__k, o4), r3.__k.props.children = null;
  }
  n = { __e: function(n2, t4, r3, u3) {
    for (var i3, o4, e3; t4 = t4.__; ) if ((i3 = t4.__c) && !(1 & i3.__g)) {
      i3.__g |= 4;
      try {
        if ((e3 = (o4 = i3.constructor) && o4.getDerivedStateFromError) && i3.setState(o4.getDerivedStateFromError(n2)), i3.componentDidCatch && (i3.componentDidCatch(n2, u3 || {}), e3 = 1), e3 && 8 & i3.__g) return void (i3.__g |= 2);
      } catch (t5) {
        n2 = t5;
      }
    }
    throw f = 0, n2;
  } }, t = 0, r = function(n2) {
    return null != n2 && n2.constructor === h;
  }, x.prototype.setState = function(n2, t4) {
    var r3 = this.__s;
    r3 && r3 != this.state || (r3 = this.__s = _({}, this.state)), "function" == typeof n2 && (n2 = n2(_({}, r3), this.props)), n2 && (_(r3, n2), this.__v && (t4 && this.__k.push(t4), L(this)));
  }, x.prototype.forceUpdate = function(n2) {
    this.__v && (this.__g |= 4, n2 && this.__h.push(n2), L(this));
  }, x.prototype.render = $, u = [], f = 0, o = function(n2, t4) {
    return n2.__v.__b - t4.__v.__b;
  }, e = /* @__PURE__ */ Symbol(), l = /(PointerCapture)$|Capture$/i, c = 0, a = {}, s = 0;

  // node_modules/preact/hooks/dist/hooks.mjs
  var t2;
  var r2;
  var u2;
  var i2;
  var o2 = Object.is;
  var f2 = 0;
  var c2 = [];
  var e2 = [];
  var a2 = n;
  var v2 = a2.__b;
  var l2 = a2.__r;
  var m2 = a2.diffed;
  var h2 = a2.__c;
  var s2 = a2.unmount;
  var p2 = a2.__;
  function y2(n2, t4) {
    a2.__h && a2.__h(r2, n2, f2 || t4), f2 = 0;
    var u3 = r2.__H || (r2.__H = { __: [], __h: [] });
    return n2 >= u3.__.length && u3.__.push({}), u3.__[n2];
  }
  function d2(n2) {
    return f2 = 1, _2(G2, n2);
  }
  function _2(n2, u3, i3) {
    var f4 = y2(t2++, 2);
    if (f4.t = n2, !f4.__c && (f4.__ = [i3 ? i3(u3) : G2(void 0, u3), function(n3) {
      var t4 = (f4.__N || f4.__)[0], r3 = f4.t(t4, n3);
      o2(t4, r3) || (f4.__N = [r3, f4.__[1]], f4.__c.setState({}));
    }], f4.__c = r2, !r2.__f)) {
      r2.__f = true;
      var c3 = r2.shouldComponentUpdate;
      r2.shouldComponentUpdate = function(n3, t4, r3) {
        var u4 = this.__H;
        if (!u4) return true;
        var i4 = false, f5 = this.props != n3;
        if (u4.__.some(function(n4) {
          n4.__N && (i4 = true, o2(n4.__[0], n4.__N[0]) || (f5 = true));
        }), c3) {
          var e3 = c3.call(this, n3, t4, r3);
          return i4 ? e3 || f5 : e3;
        }
        return !i4 || f5;
      };
    }
    return f4.__;
  }
  function A2(n2, u3) {
    var i3 = y2(t2++, 3);
    !a2.__s && E2(i3.__H, u3) && (i3.__P = true, i3.__ = n2, i3.u = u3, r2.__H.__h.push(i3));
  }
  function T2(n2) {
    return f2 = 5, w2(function() {
      return { current: n2 };
    }, []);
  }
  function w2(n2, r3) {
    var u3 = y2(t2++, 7);
    return E2(u3.__H, r3) && (u3.__ = n2(), u3.__H = r3), u3.__;
  }
  function g2() {
    var n2;
    do {
      for (; n2 = e2.shift(); ) try {
        C2(n2);
      } catch (t5) {
        a2.__e(t5, { __: (n2 = n2.__P) && n2.__v });
      }
      for (; n2 = c2.shift(); ) {
        var t4 = n2.__H;
        if (n2.__P && t4) try {
          t4.__h.some(C2), t4.__h.some(D2), t4.__h = [];
        } catch (r3) {
          t4.__h = [], a2.__e(r3, n2.__v);
        }
      }
    } while (e2.length);
  }
  a2.__b = function(n2) {
    r2 = null, v2 && v2(n2);
  }, a2.__ = function(n2, t4) {
    n2 && t4.__k && t4.__k.__m && (n2.__m = t4.__k.__m), p2 && p2(n2, t4);
  }, a2.__r = function(n2) {
    l2 && l2(n2), t2 = 0;
    var i3 = (r2 = n2.__c).__H;
    i3 && (u2 == r2 ? r2.__h = [] : (i3.__h.some(C2), i3.__h.some(D2), t2 = 0), i3.__h = [], i3.__.some(function(n3) {
      n3.__N && (n3.__ = n3.__N), n3.u = n3.__N = void 0;
    })), u2 = r2;
  }, a2.diffed = function(n2) {
    m2 && m2(n2);
    var t4 = n2.__c;
    t4 && t4.__H && (t4.__H.__h.length && B2(c2.push(t4)), t4.__H.__.some(function(n3) {
      n3.u && (n3.__H = n3.u);
    })), u2 = r2 = null;
  }, a2.__c = function(n2, t4) {
    t4.some(function(n3) {
      try {
        n3.__h.some(C2), n3.__h = n3.__h.filter(function(n4) {
          return !n4.__ || D2(n4);
        });
      } catch (t5) {
        n3.__h = [function() {
          throw t5;
        }];
      }
    }), h2 && h2(n2, t4);
  }, a2.unmount = function(n2) {
    s2 && s2(n2);
    var t4, r3, u3 = n2.__c;
    u3 && u3.__H && (u3.__H.__.some(function(u4) {
      try {
        if (u4.__P && u4.__c) {
          if (void 0 === r3) {
            for (r3 = n2.__; r3 && (!r3.__c || !r3.__c.__P); ) r3 = r3.__;
            r3 = r3 && r3.__c;
          }
          u4.__P = r3, B2(e2.push(u4));
        } else C2(u4);
      } catch (n3) {
        t4 = n3;
      }
    }), u3.__H = void 0, t4 && a2.__e(t4, u3.__v));
  };
  var k = "function" == typeof requestAnimationFrame;
  function z2(n2) {
    var t4, r3 = function() {
      clearTimeout(u3), k && cancelAnimationFrame(t4), setTimeout(n2);
    }, u3 = setTimeout(r3, 35);
    k && (t4 = requestAnimationFrame(r3));
  }
  function B2(n2) {
    1 != n2 && i2 == a2.requestAnimationFrame || ((i2 = a2.requestAnimationFrame) || z2)(g2);
  }
  function C2(n2) {
    var t4 = r2, u3 = n2.__c;
    "function" == typeof u3 && (n2.__c = void 0, u3()), r2 = t4;
  }
  function D2(n2) {
    var t4 = r2;
    n2.__c = n2.__(), r2 = t4;
  }
  function E2(n2, t4) {
    return !n2 || n2.length != t4.length || t4.some(function(t5, r3) {
      return !o2(t5, n2[r3]);
    });
  }
  function G2(n2, t4) {
    return "function" == typeof t4 ? t4(n2) : t4;
  }

  // src/model.ts
  var data = JSON.parse(document.getElementById("data").textContent);
  var Graph = class {
    constructor(track, stage) {
      this.track = track;
      this.stage = stage;
      this.nodes = track.stages[stage].parts.map((part) => part.map((i3) => data.nodes[i3]));
      this.nodes.forEach((nodes, section) => {
        for (const node of nodes) {
          const at2 = { section, node };
          this.byID.set(node.id, at2);
          for (const r3 of node.out) this.def.set(r3.id, at2);
          for (const o4 of node.in) {
            if (!o4.id) continue;
            const list = this.users.get(o4.id);
            if (!list) this.users.set(o4.id, [at2]);
            else if (list.at(-1) !== at2) list.push(at2);
          }
        }
      });
    }
    track;
    stage;
    nodes;
    // by section
    def = /* @__PURE__ */ new Map();
    users = /* @__PURE__ */ new Map();
    byID = /* @__PURE__ */ new Map();
    has(value2) {
      return this.def.has(value2) || this.users.has(value2);
    }
  };
  var graphs = /* @__PURE__ */ new Map();
  function graph(track, stage) {
    const key = `${track}.${stage}`;
    let g3 = graphs.get(key);
    if (!g3) graphs.set(key, g3 = new Graph(data.tracks[track], stage));
    return g3;
  }
  var lastStage = data.stages.length - 1;
  function stageName(stage) {
    const p3 = data.stages[stage];
    return p3 < 0 ? "as lowered" : data.passes[p3].name;
  }
  function stageOf(pass) {
    return data.stages.indexOf(pass);
  }
  function changed(track, stage) {
    return stage === 0 || data.tracks[track].stages[stage].changes.some((c3) => c3.length > 0);
  }
  function local(track, bucket) {
    return data.tracks[track].layouts.findIndex((l3) => l3.bucket === bucket);
  }
  var entries = [...new Set(data.tracks.map((t4) => t4.entry))];
  function trackFor(entry, bucket) {
    const at2 = data.tracks.findIndex((t4, i3) => t4.entry === entry && local(i3, bucket) >= 0);
    return at2 >= 0 ? at2 : Math.max(0, data.tracks.findIndex((t4) => t4.entry === entry));
  }
  function concerns(r3, t4) {
    return r3.entry === t4.entry && (!r3.buckets || r3.buckets === t4.variant);
  }
  function launches(nodes) {
    return nodes.filter((n2) => !n2.view).length;
  }
  function micros(nodes, bucket) {
    return nodes.reduce((sum, n2) => sum + (n2.us[bucket] ?? 0), 0);
  }
  function layerOf(s3) {
    return s3.layers[0];
  }
  var kinds = ["same", "renamed", "removed", "added", "changed"];
  function rows(track, stage, section) {
    const s3 = data.tracks[track].stages[stage];
    const changes = s3.changes[section];
    if (changes.length === 0) return graph(track, stage).nodes[section].map((n2) => ({ kind: "same", a: stage > 0 ? n2 : void 0, b: n2 }));
    const out = [];
    let removed = [];
    let added = [];
    const flush = () => {
      for (let k2 = 0; k2 < Math.max(removed.length, added.length); k2++) {
        const a4 = removed[k2];
        const b = added[k2];
        out.push(a4 && b ? { kind: "replaced", a: a4, b } : a4 ? { kind: "removed", a: a4 } : { kind: "added", b });
      }
      removed = [];
      added = [];
    };
    for (const [kind, before, after] of changes) {
      const a4 = data.nodes[before];
      const b = data.nodes[after];
      if (kinds[kind] === "removed") removed.push(a4);
      else if (kinds[kind] === "added") added.push(b);
      else {
        flush();
        out.push({ kind: kinds[kind], a: a4, b });
      }
    }
    flush();
    return out;
  }
  function differs(r3) {
    return r3.kind !== "same" && r3.kind !== "renamed";
  }
  function status(list) {
    const out = /* @__PURE__ */ new Map();
    for (const r3 of list) {
      if (r3.a) out.set(r3.a.id, r3.kind === "replaced" ? "removed" : r3.kind);
      if (r3.b) out.set(r3.b.id, r3.kind === "replaced" ? "added" : r3.kind);
    }
    return out;
  }
  var shapes = /* @__PURE__ */ new WeakMap();
  function shape(n2) {
    let s3 = shapes.get(n2);
    if (s3 === void 0) shapes.set(n2, s3 = JSON.stringify([n2.op, n2.out, n2.in, n2.attrs]));
    return s3;
  }
  function source(track, stage, value2) {
    for (const step of [-1, 1]) {
      for (let i3 = stage; i3 >= 0 && i3 <= lastStage; i3 += step) {
        const at2 = graph(track, i3).def.get(value2);
        if (at2) return at2.node.place;
      }
    }
    return void 0;
  }
  function follow(track, value2) {
    const out = [];
    const t4 = data.tracks[track];
    for (let stage = 0; stage < t4.stages.length; stage++) {
      const g3 = graph(track, stage);
      const at2 = g3.def.get(value2);
      const users = g3.users.get(value2) ?? [];
      const operand = users.flatMap((u3) => u3.node.in).find((o4) => o4.id === value2);
      const type2 = at2?.node.out.find((r3) => r3.id === value2)?.type ?? operandType(operand);
      const here = at2 !== void 0 || users.length > 0;
      const last = out.at(-1);
      const was = last !== void 0 && last.what !== "absent" && last.what !== "goes";
      let what;
      if (!here) what = was ? "goes" : "absent";
      else if (!was) what = stage === 0 ? "there" : "appears";
      else if (type2 !== last.type || (at2 && last.at ? shape(at2.node) !== shape(last.at.node) : at2 !== last.at)) what = "changes";
      else if (users.map((u3) => u3.node.id).join() !== last.users.map((u3) => u3.node.id).join()) what = "readers";
      else what = "there";
      const fate = { stage, what, at: at2, type: type2, users, before: last?.type };
      if (what === "goes") {
        const next = t4.stages[stage].replaced.find(([from]) => from === value2)?.[1];
        const heir = next === void 0 ? void 0 : g3.def.get(next);
        fate.into = heir ? [heir] : heirs(graph(track, stage - 1), g3, value2);
      }
      out.push(fate);
    }
    return out;
  }
  function operandType(o4) {
    return o4?.weight ? data.weights[o4.weight - 1].type : o4?.type;
  }
  function heirs(before, after, value2) {
    const start3 = before.def.get(value2);
    if (!start3) return [];
    const group = /* @__PURE__ */ new Set([start3]);
    const edge = /* @__PURE__ */ new Set();
    const work = [start3];
    while (work.length > 0) {
      const at2 = work.pop();
      const near = [];
      for (const o4 of at2.node.in) {
        const from = o4.id ? before.def.get(o4.id) : void 0;
        if (from) near.push(from);
        if (o4.weight) edge.add(data.weights[o4.weight - 1].name);
        else if (o4.id && !(from && !after.byID.has(from.node.id))) edge.add(o4.id);
      }
      for (const r3 of at2.node.out) near.push(...before.users.get(r3.id) ?? []);
      for (const n2 of near) {
        if (n2.section === start3.section && !after.byID.has(n2.node.id) && !group.has(n2)) {
          group.add(n2);
          work.push(n2);
        }
      }
    }
    return after.nodes[start3.section].filter(
      (n2) => !before.byID.has(n2.id) && n2.in.some((o4) => o4.weight ? edge.has(data.weights[o4.weight - 1].name) : o4.id && edge.has(o4.id))
    ).map((node) => ({ section: start3.section, node }));
  }

  // src/store.ts
  var views = ["overview", "passes", "graph", "memory", "timeline", "cost"];
  function initial() {
    let stage = lastStage;
    while (stage > 1 && !changed(0, stage)) stage--;
    return {
      view: "overview",
      track: 0,
      bucket: 0,
      stage,
      pass: Math.max(0, data.passes.findIndex((p3) => p3.applied > 0)),
      section: commonest(0),
      value: 0,
      file: 0,
      line: 0,
      columns: false,
      panel: true
    };
  }
  function commonest(track) {
    const t4 = data.tracks[track];
    if (!t4) return 0;
    let best = 0;
    t4.sections.forEach((s3, i3) => {
      if (s3.count > t4.sections[best].count || s3.layers.length > 0 && t4.sections[best].layers.length === 0) best = i3;
    });
    return best;
  }
  var numbers = ["track", "bucket", "stage", "pass", "section", "value", "file", "line"];
  function parse(hash) {
    const s3 = initial();
    const q3 = new URLSearchParams(hash.replace(/^#/, ""));
    const view = q3.get("view");
    if (views.includes(view)) s3.view = view;
    for (const key of numbers) {
      const n2 = Number.parseInt(q3.get(key) ?? "", 10);
      if (Number.isSafeInteger(n2) && n2 >= 0) s3[key] = n2;
    }
    s3.columns = q3.get("columns") === "1";
    s3.panel = q3.get("panel") !== "0";
    return bounded(s3);
  }
  function bounded(s3) {
    const bucket = Math.min(s3.bucket, Math.max(0, data.buckets.length - 1));
    let t4 = data.tracks[s3.track] ? s3.track : 0;
    if (data.tracks[t4] && local(t4, bucket) < 0) t4 = trackFor(data.tracks[t4].entry, bucket);
    const track = data.tracks[t4];
    return {
      ...s3,
      track: t4,
      bucket,
      stage: Math.min(s3.stage, lastStage),
      pass: Math.min(s3.pass, Math.max(0, data.passes.length - 1)),
      section: Math.min(s3.section, Math.max(0, (track?.sections.length ?? 1) - 1)),
      file: Math.min(s3.file, Math.max(0, data.sources.length - 1))
    };
  }
  function write(s3) {
    const q3 = new URLSearchParams({ view: s3.view });
    const start3 = initial();
    for (const key of numbers) if (s3[key] !== start3[key]) q3.set(key, String(s3[key]));
    if (s3.columns) q3.set("columns", "1");
    if (!s3.panel) q3.set("panel", "0");
    return `#${q3}`;
  }
  var state = parse(location.hash);
  var listeners = /* @__PURE__ */ new Set();
  function get() {
    return state;
  }
  function set(change2) {
    const next = bounded({ ...state, ...change2 });
    const moved = next.view !== state.view || next.stage !== state.stage || next.value !== state.value || next.track !== state.track;
    state = next;
    const hash = write(next);
    if (hash !== location.hash) {
      if (moved) history.pushState(null, "", hash);
      else history.replaceState(null, "", hash);
    }
    for (const l3 of listeners) l3();
  }
  addEventListener("popstate", () => {
    state = parse(location.hash);
    for (const l3 of listeners) l3();
  });
  function useStore() {
    const [, again] = d2(0);
    A2(() => {
      const l3 = () => again((n2) => n2 + 1);
      listeners.add(l3);
      return () => void listeners.delete(l3);
    }, []);
    return state;
  }
  function select(value2, place = source(state.track, state.stage, value2)) {
    const change2 = { value: value2, panel: true };
    if (place && place[1] > 0) Object.assign(change2, { file: place[0], line: place[1] });
    set(change2);
  }

  // src/text.ts
  function bytes(n2) {
    if (n2 < 1024) return `${n2} B`;
    const units = ["KiB", "MiB", "GiB", "TiB"];
    let v3 = n2 / 1024;
    let i3 = 0;
    for (; v3 >= 1023.95 && i3 < units.length - 1; i3++) v3 /= 1024;
    return `${v3.toFixed(1)} ${units[i3]}`;
  }
  function duration(us) {
    if (us >= 999995) return `${(us / 1e6).toFixed(2)} s`;
    if (us >= 999.95) return `${(us / 1e3).toFixed(2)} ms`;
    if (us >= 9.995 || us === 0) return `${us.toFixed(1)} \xB5s`;
    return `${us.toFixed(2)} \xB5s`;
  }
  function count(n2) {
    return n2.toLocaleString("en-GB");
  }
  function big(n2) {
    const units = ["", " k", " M", " G", " T", " P"];
    let i3 = 0;
    for (; n2 >= 999.5 && i3 < units.length - 1; i3++) n2 /= 1e3;
    return `${n2 >= 100 || i3 === 0 ? n2.toFixed(0) : n2.toFixed(1)}${units[i3]}`;
  }
  function plural(n2, noun) {
    return `${count(n2)} ${noun}${n2 === 1 ? "" : "s"}`;
  }
  function change(before, after) {
    if (before === after || before === 0 || Math.abs(after - before) < before * 5e-4) return "\xB10 %";
    const p3 = 100 * (after - before) / before;
    const digits = Math.abs(p3) < 9.95 ? 1 : 0;
    return `${p3 < 0 ? "\u2212" : "+"}${Math.abs(p3).toFixed(digits)} %`;
  }
  function ownName(name, layer) {
    if (layer === void 0) return name;
    const at2 = ".{n}.";
    return name.split(" + ").map((p3) => {
      const i3 = p3.indexOf(at2);
      return i3 < 0 ? p3 : p3.slice(i3 + at2.length);
    }).join(" + ");
  }

  // node_modules/preact/jsx-runtime/dist/jsxRuntime.mjs
  var f3 = /* @__PURE__ */ Symbol.for("pv");
  var o3 = 0;
  function a3(t4, e3, n2, u3, a4, i3) {
    e3 || (e3 = {});
    var c3, l3, p3 = e3;
    if ("ref" in p3 && "function" != typeof t4) for (l3 in p3 = {}, e3) "ref" == l3 ? c3 = e3[l3] : p3[l3] = e3[l3];
    var s3 = { type: t4, props: p3, key: n2, ref: c3, __k: null, __: null, __b: 0, __e: null, __c: null, constructor: f3, __v: --o3, __i: -1, __u: 0 };
    return (a4 || i3) && (s3.__source = a4, s3.__self = i3), n.vnode && n.vnode(s3), s3;
  }

  // src/line.tsx
  function Value({ id: id2, place, children: children2, mark }) {
    const { value: value2 } = useStore();
    return /* @__PURE__ */ a3(
      "button",
      {
        type: "button",
        class: `value${value2 === id2 ? " on" : ""}${mark ? " mark" : ""}`,
        "data-v": id2,
        onClick: (e3) => {
          e3.stopPropagation();
          select(get().value === id2 && !place ? 0 : id2, place);
        },
        children: children2 ?? `%${id2}`
      }
    );
  }
  function shortWeight(name, layer) {
    const parts = ownName(name, layer).split(" + ");
    return parts.length === 1 ? parts[0] : `${parts[0]} +${parts.length - 1}`;
  }
  function operandText(o4, layer) {
    if (!o4.id) return "\u2013";
    if (o4.weight) return shortWeight(data.weights[o4.weight - 1].name, layer);
    if (o4.input) return o4.input;
    if (o4.cache) return "KV cache";
    return `%${o4.id}`;
  }
  function operandTitle(o4) {
    if (o4.weight) {
      const w3 = data.weights[o4.weight - 1];
      return `${o4.name}: ${w3.name}
${w3.type}, ${bytes(w3.bytes)} on each rank
${w3.recipe}`;
    }
    if (o4.cache) return `${o4.name}: KV cache of ${o4.cache}`;
    return `${o4.name}${o4.type ? `: ${o4.type}` : ""}${o4.from ? `, from ${o4.from}` : ""}`;
  }
  function same(a4, b) {
    return a4 !== void 0 && a4.id === b.id && a4.weight === b.weight && a4.type === b.type && a4.cache === b.cache;
  }
  function Line({ node, layer, other, cost }) {
    const { value: value2 } = useStore();
    const touched = value2 !== 0 && (node.out.some((r3) => r3.id === value2) || node.in.some((o4) => o4.id === value2));
    return /* @__PURE__ */ a3("div", { class: `line f-${node.family}${touched ? " touched" : ""}`, title: node.doc, children: [
      /* @__PURE__ */ a3("div", { class: "line-main", children: [
        /* @__PURE__ */ a3("span", { class: "dot", "aria-hidden": "true" }),
        node.out.filter((r3) => r3.type !== "state" || node.out.length === 1).map((r3) => /* @__PURE__ */ a3(Value, { id: r3.id, place: node.place }, r3.id)),
        /* @__PURE__ */ a3("span", { class: "eq", children: "=" }),
        /* @__PURE__ */ a3("b", { class: other && other.op !== node.op ? "chg" : void 0, children: node.op }),
        /* @__PURE__ */ a3("span", { class: "args", children: node.in.map((o4, i3) => /* @__PURE__ */ a3("span", { class: other && !same(other.in[i3], o4) ? "chg" : void 0, title: operandTitle(o4), children: o4.id ? /* @__PURE__ */ a3(
          "button",
          {
            type: "button",
            class: `value k-${o4.weight ? "weight" : o4.cache ? "cache" : o4.input ? "input" : "value"}${value2 === o4.id ? " on" : ""}`,
            "data-v": o4.id,
            onClick: () => o4.weight || o4.cache ? select(o4.id, node.place) : select(o4.id),
            children: operandText(o4, layer)
          }
        ) : null }, i3)) })
      ] }),
      cost !== void 0 && !node.view ? /* @__PURE__ */ a3("span", { class: "cost", children: duration(cost) }) : null,
      /* @__PURE__ */ a3("div", { class: "line-sub", children: [
        node.out.map((r3, i3) => /* @__PURE__ */ a3(TypeOf, { r: r3, other: other?.out[i3], marked: other !== void 0 }, r3.id)),
        weightTypes(node).map(([name, type2], i3) => {
          const before = other ? weightTypes(other)[i3]?.[1] : type2;
          return /* @__PURE__ */ a3("span", { class: before !== type2 ? "chg" : "wt", children: [
            name,
            " ",
            type2
          ] }, name);
        }),
        node.attrs?.map(([k2, v3]) => {
          const before = other ? other.attrs?.find(([x2]) => x2 === k2)?.[1] : v3;
          return /* @__PURE__ */ a3("span", { class: before !== v3 ? "chg" : void 0, children: [
            k2,
            " ",
            v3
          ] }, k2);
        })
      ] })
    ] });
  }
  function TypeOf({ r: r3, other, marked }) {
    if (r3.type === "state") return /* @__PURE__ */ a3("span", { class: "type", children: "cache state" });
    return /* @__PURE__ */ a3("span", { class: marked && other?.type !== r3.type ? "type chg" : "type", children: r3.type });
  }
  function weightTypes(n2) {
    const out = [];
    for (const o4 of n2.in) if (o4.weight) out.push([o4.name, data.weights[o4.weight - 1].type]);
    return out;
  }
  function Where({ place }) {
    const [file, line, column] = place;
    if (file === void 0 || file < 0) return null;
    const name = data.sources[file]?.name ?? "";
    const short2 = name.split("/").at(-1);
    if (!line) return /* @__PURE__ */ a3("span", { class: "where", children: short2 });
    return /* @__PURE__ */ a3("button", { type: "button", class: "where", title: `${name}:${line}:${column}`, onClick: () => set({ file, line, panel: true }), children: [
      short2,
      ":",
      line
    ] });
  }

  // src/cost.tsx
  function Cost() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const timed = t4.stages[0].us.length > 0;
    const steps = data.profile?.tracks[s3.track]?.steps[local(s3.track, s3.bucket)] ?? 0;
    return /* @__PURE__ */ a3("main", { class: "view cost-view", id: "main", children: [
      data.profile ? /* @__PURE__ */ a3("p", { class: "banner", children: [
        "Measured on ",
        data.profile.device,
        data.profile.threads ? `, ${data.profile.threads} threads` : "",
        ":",
        " ",
        steps > 0 ? `mean of ${count(steps)} ${steps === 1 ? "step" : "steps"} in this bucket.` : /* @__PURE__ */ a3($, { children: [
          "no step ran in this bucket; measured are ",
          measuredBuckets(s3.track),
          "."
        ] })
      ] }) : null,
      /* @__PURE__ */ a3(Buckets, {}),
      /* @__PURE__ */ a3(ByOperator, { timed, measured: steps > 0 }),
      /* @__PURE__ */ a3(ByLayer, { timed, measured: steps > 0 })
    ] });
  }
  function measuredBuckets(track) {
    const t4 = data.tracks[track];
    const list = t4.layouts.flatMap((l3, i3) => (data.profile.tracks[track].steps[i3] ?? 0) > 0 ? [{ b: data.buckets[l3.bucket], i: l3.bucket }] : []);
    if (list.length === 0) return "none of this program";
    return list.map(({ b, i: i3 }) => /* @__PURE__ */ a3("button", { type: "button", class: "link", onClick: () => set({ bucket: i3 }), children: [
      b.phase,
      " ",
      b.tokens,
      " "
    ] }, i3));
  }
  function Buckets() {
    const s3 = useStore();
    const entry = data.tracks[s3.track].entry;
    if (data.tracks[s3.track].stages[lastStage].us.length === 0) return null;
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "buckets", children: [
      /* @__PURE__ */ a3("h2", { id: "buckets", children: "A step by its size" }),
      /* @__PURE__ */ a3("div", { class: "bucket-cards", children: data.buckets.map((b, i3) => {
        const track = trackFor(entry, i3);
        if (local(track, i3) < 0) return null;
        const t4 = data.tracks[track];
        const first = t4.stages[0].us[i3];
        const last = t4.stages[lastStage].us[i3];
        const steps = data.profile?.tracks[track]?.steps[local(track, i3)] ?? 0;
        return /* @__PURE__ */ a3("button", { type: "button", class: `bucket${s3.bucket === i3 ? " on" : ""}`, "aria-pressed": s3.bucket === i3, onClick: () => set({ bucket: i3 }), children: [
          /* @__PURE__ */ a3("span", { class: "dim", children: [
            b.phase,
            " ",
            count(b.tokens)
          ] }),
          /* @__PURE__ */ a3("strong", { children: duration(last) }),
          data.complete && first / last >= 1.05 ? /* @__PURE__ */ a3("span", { class: "good", children: [
            (first / last).toFixed(1),
            " \xD7 faster"
          ] }) : null,
          /* @__PURE__ */ a3("span", { class: "dim", children: [
            count(Math.round(b.tokens * 1e6 / last)),
            " tok/s"
          ] }),
          steps > 0 ? /* @__PURE__ */ a3("span", { class: "measured", children: [
            "measured ",
            duration(measuredStep(track, i3))
          ] }) : null
        ] }, i3);
      }) })
    ] });
  }
  function measuredStep(track, bucket) {
    const t4 = data.tracks[track];
    return data.profile.tracks[track].us.reduce((n2, rows2, i3) => n2 + t4.sections[i3].count * rows2.reduce((m3, r3) => m3 + r3[local(track, bucket)], 0), 0);
  }
  function rowsOf(track, bucket, section) {
    const t4 = data.tracks[track];
    const g3 = graph(track, lastStage);
    const layout = local(track, bucket);
    const byOp = /* @__PURE__ */ new Map();
    g3.nodes.forEach((nodes, sec) => {
      if (section !== void 0 && sec !== section) return;
      nodes.forEach((node, i3) => {
        if (node.view) return;
        const key = section === void 0 ? node.op : String(node.id);
        const times = section === void 0 ? t4.sections[sec].count : 1;
        let r3 = byOp.get(key);
        if (!r3) byOp.set(key, r3 = { key, op: node.op, family: node.family, times: 0, us: 0, flops: 0, bytes: 0, comm: 0, measured: 0, bounds: /* @__PURE__ */ new Set(), nodes: [] });
        const w3 = t4.work[sec][i3][layout];
        r3.times += times;
        r3.us += times * (node.us[bucket] ?? 0);
        r3.flops += times * (w3?.f ?? 0);
        r3.bytes += times * (w3?.b ?? 0);
        r3.comm += times * (w3?.c ?? 0);
        r3.measured += times * (data.profile?.tracks[track]?.us[sec]?.[i3]?.[layout] ?? 0);
        if (w3?.by) r3.bounds.add(w3.by);
        r3.nodes.push(node);
      });
    });
    return [...byOp.values()];
  }
  function ByOperator({ timed, measured }) {
    const s3 = useStore();
    const [sort, setSort] = d2(timed ? "us" : "bytes");
    const rows2 = rowsOf(s3.track, s3.bucket);
    if (sort !== "order") rows2.sort((a4, b) => b[sort] - a4[sort]);
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "byop", children: [
      /* @__PURE__ */ a3("h2", { id: "byop", children: "By operator, the whole step" }),
      /* @__PURE__ */ a3(Table, { rows: rows2, timed, measured, sort, onSort: setSort, label: "byop" })
    ] });
  }
  function ByLayer({ timed, measured }) {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const [sort, setSort] = d2("order");
    const rows2 = rowsOf(s3.track, s3.bucket, s3.section);
    if (sort !== "order") rows2.sort((a4, b) => b[sort] - a4[sort]);
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "bylayer", children: [
      /* @__PURE__ */ a3("div", { class: "chart-head", children: [
        /* @__PURE__ */ a3("h2", { id: "bylayer", children: "One layer, operator by operator" }),
        /* @__PURE__ */ a3("label", { children: [
          "Layer",
          /* @__PURE__ */ a3("select", { value: s3.section, onChange: (e3) => set({ section: Number(e3.currentTarget.value) }), children: t4.sections.map((sec, i3) => /* @__PURE__ */ a3("option", { value: i3, children: sec.label }, i3)) })
        ] })
      ] }),
      /* @__PURE__ */ a3(Table, { rows: rows2, timed, measured, sort, onSort: setSort, label: "bylayer", each: true })
    ] });
  }
  function Table({ rows: rows2, timed, measured, sort, onSort, label, each }) {
    const s3 = useStore();
    const most = Math.max(...rows2.map((r3) => Math.max(r3.us, r3.measured)), 1e-9);
    const sum = rows2.reduce((n2, r3) => n2 + r3.us, 0);
    const head = (key, text) => /* @__PURE__ */ a3("th", { scope: "col", class: "r", "aria-sort": sort === key ? "descending" : void 0, children: /* @__PURE__ */ a3("button", { type: "button", class: "sort", onClick: () => onSort(sort === key && each ? "order" : key), children: [
      text,
      sort === key ? " \u2193" : ""
    ] }) });
    return /* @__PURE__ */ a3("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-labelledby": label, children: /* @__PURE__ */ a3("table", { class: "plain costs", children: [
      /* @__PURE__ */ a3("thead", { children: /* @__PURE__ */ a3("tr", { children: [
        /* @__PURE__ */ a3("th", { scope: "col", children: "Operator" }),
        each ? /* @__PURE__ */ a3("th", { scope: "col", children: "Result" }) : head("times", "Launches"),
        timed ? /* @__PURE__ */ a3($, { children: [
          head("us", "Predicted"),
          measured ? head("measured", "Measured") : null,
          /* @__PURE__ */ a3("th", { scope: "col", class: "wide", children: measured ? "Predicted, measured" : "Share" })
        ] }) : null,
        timed ? /* @__PURE__ */ a3("th", { scope: "col", children: "Bound by" }) : null,
        head("flops", "Operations"),
        head("bytes", "Bytes")
      ] }) }),
      /* @__PURE__ */ a3("tbody", { children: rows2.map((r3) => /* @__PURE__ */ a3("tr", { class: r3.nodes.some((n2) => n2.out.some((x2) => x2.id === s3.value)) ? "on" : void 0, children: [
        /* @__PURE__ */ a3("th", { scope: "row", class: `f-${r3.family}`, children: [
          /* @__PURE__ */ a3("span", { class: "dot", "aria-hidden": "true" }),
          r3.op
        ] }),
        each ? /* @__PURE__ */ a3("td", { children: [
          r3.nodes[0].out.filter((x2) => x2.type !== "state").map((x2) => /* @__PURE__ */ a3("button", { type: "button", class: `value${x2.id === s3.value ? " on" : ""}`, onClick: () => select(x2.id, r3.nodes[0].place), children: [
            "%",
            x2.id
          ] }, x2.id)),
          " ",
          /* @__PURE__ */ a3(Where, { place: r3.nodes[0].place })
        ] }) : /* @__PURE__ */ a3("td", { class: "r", children: count(r3.times) }),
        timed ? /* @__PURE__ */ a3($, { children: [
          /* @__PURE__ */ a3("td", { class: "r", children: duration(r3.us) }),
          measured ? /* @__PURE__ */ a3("td", { class: "r", children: [
            r3.measured > 0 ? duration(r3.measured) : "\u2013",
            r3.measured > 0 && r3.us > 0 ? /* @__PURE__ */ a3("span", { class: "dim", children: [
              " ",
              (r3.measured / r3.us).toFixed(1),
              " \xD7"
            ] }) : null
          ] }) : null,
          /* @__PURE__ */ a3("td", { class: "wide", children: /* @__PURE__ */ a3("span", { class: `bars f-${r3.family}`, children: [
            /* @__PURE__ */ a3("svg", { height: measured ? 14 : 10, "aria-hidden": "true", children: [
              /* @__PURE__ */ a3("rect", { class: "share-fill", width: `${100 * r3.us / most}%`, height: measured ? 6 : 10, rx: "2" }),
              measured ? /* @__PURE__ */ a3("rect", { class: "measured-fill", y: "8", width: `${100 * r3.measured / most}%`, height: "6", rx: "2" }) : null
            ] }),
            /* @__PURE__ */ a3("span", { class: "dim r", children: [
              (100 * r3.us / sum).toFixed(1),
              " %"
            ] })
          ] }) })
        ] }) : null,
        timed ? /* @__PURE__ */ a3("td", { class: "dim", children: [...r3.bounds].join(", ") }) : null,
        /* @__PURE__ */ a3("td", { class: "r", children: r3.flops > 0 ? big(r3.flops) : "\u2013" }),
        /* @__PURE__ */ a3("td", { class: "r", children: bytes(Math.round(r3.bytes)) })
      ] }, r3.key)) })
    ] }) });
  }

  // node_modules/@dagrejs/dagre/dist/dagre.esm.js
  var Te = Object.defineProperty;
  var Sn = (e3, n2, t4) => n2 in e3 ? Te(e3, n2, { enumerable: true, configurable: true, writable: true, value: t4 }) : e3[n2] = t4;
  var Mn = (e3, n2) => {
    for (var t4 in n2) Te(e3, t4, { get: n2[t4], enumerable: true });
  };
  var je = (e3, n2, t4) => Sn(e3, typeof n2 != "symbol" ? n2 + "" : n2, t4);
  var ie = {};
  Mn(ie, { Graph: () => T3, alg: () => H2 });
  var Pn = Object.defineProperty;
  var Se = (e3, n2) => {
    for (var t4 in n2) Pn(e3, t4, { get: n2[t4], enumerable: true });
  };
  var Q2 = class {
    constructor(e3) {
      this._isDirected = true, this._isMultigraph = false, this._isCompound = false, this._nodes = {}, this._in = {}, this._preds = {}, this._out = {}, this._sucs = {}, this._edgeObjs = {}, this._edgeLabels = {}, this._nodeCount = 0, this._edgeCount = 0, this._defaultNodeLabelFn = () => {
      }, this._defaultEdgeLabelFn = () => {
      }, e3 && (this._isDirected = "directed" in e3 ? e3.directed : true, this._isMultigraph = "multigraph" in e3 ? e3.multigraph : false, this._isCompound = "compound" in e3 ? e3.compound : false), this._isCompound && (this._parent = {}, this._children = {}, this._children["\0"] = {});
    }
    isDirected() {
      return this._isDirected;
    }
    isMultigraph() {
      return this._isMultigraph;
    }
    isCompound() {
      return this._isCompound;
    }
    setGraph(e3) {
      return this._label = e3, this;
    }
    graph() {
      return this._label;
    }
    setDefaultNodeLabel(e3) {
      return typeof e3 != "function" ? this._defaultNodeLabelFn = () => e3 : this._defaultNodeLabelFn = e3, this;
    }
    nodeCount() {
      return this._nodeCount;
    }
    nodes() {
      return Object.keys(this._nodes);
    }
    sources() {
      return this.nodes().filter((e3) => Object.keys(this._in[e3]).length === 0);
    }
    sinks() {
      return this.nodes().filter((e3) => Object.keys(this._out[e3]).length === 0);
    }
    setNodes(e3, n2) {
      return e3.forEach((t4) => {
        n2 !== void 0 ? this.setNode(t4, n2) : this.setNode(t4);
      }), this;
    }
    setNode(e3, n2) {
      return e3 in this._nodes ? (arguments.length > 1 && (this._nodes[e3] = n2), this) : (this._nodes[e3] = arguments.length > 1 ? n2 : this._defaultNodeLabelFn(e3), this._isCompound && (this._parent[e3] = "\0", this._children[e3] = {}, this._children["\0"][e3] = true), this._in[e3] = {}, this._preds[e3] = {}, this._out[e3] = {}, this._sucs[e3] = {}, ++this._nodeCount, this);
    }
    node(e3) {
      return this._nodes[e3];
    }
    hasNode(e3) {
      return e3 in this._nodes;
    }
    removeNode(e3) {
      if (e3 in this._nodes) {
        let n2 = (t4) => this.removeEdge(this._edgeObjs[t4]);
        delete this._nodes[e3], this._isCompound && (this._removeFromParentsChildList(e3), delete this._parent[e3], this.children(e3).forEach((t4) => {
          this.setParent(t4);
        }), delete this._children[e3]), Object.keys(this._in[e3]).forEach(n2), delete this._in[e3], delete this._preds[e3], Object.keys(this._out[e3]).forEach(n2), delete this._out[e3], delete this._sucs[e3], --this._nodeCount;
      }
      return this;
    }
    setParent(e3, n2) {
      if (!this._isCompound) throw new Error("Cannot set parent in a non-compound graph");
      if (n2 === void 0) n2 = "\0";
      else {
        n2 += "";
        for (let t4 = n2; t4 !== void 0; t4 = this.parent(t4)) if (t4 === e3) throw new Error("Setting " + n2 + " as parent of " + e3 + " would create a cycle");
        this.setNode(n2);
      }
      return this.setNode(e3), this._removeFromParentsChildList(e3), this._parent[e3] = n2, this._children[n2][e3] = true, this;
    }
    parent(e3) {
      if (this._isCompound) {
        let n2 = this._parent[e3];
        if (n2 !== "\0") return n2;
      }
    }
    children(e3 = "\0") {
      if (this._isCompound) {
        let n2 = this._children[e3];
        if (n2) return Object.keys(n2);
      } else {
        if (e3 === "\0") return this.nodes();
        if (this.hasNode(e3)) return [];
      }
      return [];
    }
    predecessors(e3) {
      let n2 = this._preds[e3];
      if (n2) return Object.keys(n2);
    }
    successors(e3) {
      let n2 = this._sucs[e3];
      if (n2) return Object.keys(n2);
    }
    neighbors(e3) {
      let n2 = this.predecessors(e3);
      if (n2) {
        let t4 = new Set(n2), r3 = this.successors(e3);
        if (r3) for (let o4 of r3) t4.add(o4);
        return Array.from(t4.values());
      }
    }
    isLeaf(e3) {
      var n2;
      let t4;
      return this.isDirected() ? t4 = this.successors(e3) : t4 = this.neighbors(e3), ((n2 = t4 == null ? void 0 : t4.length) != null ? n2 : 0) === 0;
    }
    filterNodes(e3) {
      let n2 = new this.constructor({ directed: this._isDirected, multigraph: this._isMultigraph, compound: this._isCompound });
      n2.setGraph(this.graph()), Object.entries(this._nodes).forEach(([o4, i3]) => {
        e3(o4) && n2.setNode(o4, i3);
      }), Object.values(this._edgeObjs).forEach((o4) => {
        n2.hasNode(o4.v) && n2.hasNode(o4.w) && n2.setEdge(o4, this.edge(o4));
      });
      let t4 = {}, r3 = (o4) => {
        let i3 = this.parent(o4);
        return !i3 || n2.hasNode(i3) ? (t4[o4] = i3, i3) : i3 in t4 ? t4[i3] : r3(i3);
      };
      return this._isCompound && n2.nodes().forEach((o4) => n2.setParent(o4, r3(o4))), n2;
    }
    setDefaultEdgeLabel(e3) {
      return typeof e3 != "function" ? this._defaultEdgeLabelFn = () => e3 : this._defaultEdgeLabelFn = e3, this;
    }
    edgeCount() {
      return this._edgeCount;
    }
    edges() {
      return Object.values(this._edgeObjs);
    }
    setPath(e3, n2) {
      return e3.reduce((t4, r3) => (n2 !== void 0 ? this.setEdge(t4, r3, n2) : this.setEdge(t4, r3), r3)), this;
    }
    setEdge(e3, n2, t4, r3) {
      let o4, i3, s3, a4, l3 = false;
      typeof e3 == "object" && e3 !== null && "v" in e3 ? (o4 = e3.v, i3 = e3.w, s3 = e3.name, arguments.length === 2 && (a4 = n2, l3 = true)) : (o4 = e3, i3 = n2, s3 = r3, arguments.length > 2 && (a4 = t4, l3 = true)), o4 = "" + o4, i3 = "" + i3, s3 !== void 0 && (s3 = "" + s3);
      let u3 = z3(this._isDirected, o4, i3, s3);
      if (u3 in this._edgeLabels) return l3 && (this._edgeLabels[u3] = a4), this;
      if (s3 !== void 0 && !this._isMultigraph) throw new Error("Cannot set a named edge when isMultigraph = false");
      this.setNode(o4), this.setNode(i3), this._edgeLabels[u3] = l3 ? a4 : this._defaultEdgeLabelFn(o4, i3, s3);
      let d3 = Fn(this._isDirected, o4, i3, s3);
      return o4 = d3.v, i3 = d3.w, Object.freeze(d3), this._edgeObjs[u3] = d3, Re(this._preds[i3], o4), Re(this._sucs[o4], i3), this._in[i3][u3] = d3, this._out[o4][u3] = d3, this._edgeCount++, this;
    }
    edge(e3, n2, t4) {
      let r3 = arguments.length === 1 ? oe(this._isDirected, e3) : z3(this._isDirected, e3, n2, t4);
      return this._edgeLabels[r3];
    }
    edgeAsObj(e3, n2, t4) {
      let r3 = arguments.length === 1 ? this.edge(e3) : this.edge(e3, n2, t4);
      return typeof r3 != "object" || r3 === null ? { label: r3 } : r3;
    }
    hasEdge(e3, n2, t4) {
      return (arguments.length === 1 ? oe(this._isDirected, e3) : z3(this._isDirected, e3, n2, t4)) in this._edgeLabels;
    }
    removeEdge(e3, n2, t4) {
      let r3 = arguments.length === 1 ? oe(this._isDirected, e3) : z3(this._isDirected, e3, n2, t4), o4 = this._edgeObjs[r3];
      if (o4) {
        let i3 = o4.v, s3 = o4.w;
        delete this._edgeLabels[r3], delete this._edgeObjs[r3], Ie(this._preds[s3], i3), Ie(this._sucs[i3], s3), delete this._in[s3][r3], delete this._out[i3][r3], this._edgeCount--;
      }
      return this;
    }
    inEdges(e3, n2) {
      return this.isDirected() ? this.filterEdges(this._in[e3], e3, n2) : this.nodeEdges(e3, n2);
    }
    outEdges(e3, n2) {
      return this.isDirected() ? this.filterEdges(this._out[e3], e3, n2) : this.nodeEdges(e3, n2);
    }
    nodeEdges(e3, n2) {
      if (e3 in this._nodes) return this.filterEdges({ ...this._in[e3], ...this._out[e3] }, e3, n2);
    }
    _removeFromParentsChildList(e3) {
      delete this._children[this._parent[e3]][e3];
    }
    filterEdges(e3, n2, t4) {
      if (!e3) return;
      let r3 = Object.values(e3);
      return t4 ? r3.filter((o4) => o4.v === n2 && o4.w === t4 || o4.v === t4 && o4.w === n2) : r3;
    }
  };
  function Re(e3, n2) {
    e3[n2] ? e3[n2]++ : e3[n2] = 1;
  }
  function Ie(e3, n2) {
    e3[n2] !== void 0 && !--e3[n2] && delete e3[n2];
  }
  function z3(e3, n2, t4, r3) {
    let o4 = "" + n2, i3 = "" + t4;
    if (!e3 && o4 > i3) {
      let s3 = o4;
      o4 = i3, i3 = s3;
    }
    return o4 + "" + i3 + "" + (r3 === void 0 ? "\0" : r3);
  }
  function Fn(e3, n2, t4, r3) {
    let o4 = "" + n2, i3 = "" + t4;
    if (!e3 && o4 > i3) {
      let a4 = o4;
      o4 = i3, i3 = a4;
    }
    let s3 = { v: o4, w: i3 };
    return r3 && (s3.name = r3), s3;
  }
  function oe(e3, n2) {
    return z3(e3, n2.v, n2.w, n2.name);
  }
  var Dn = {};
  Se(Dn, { read: () => Bn, write: () => An });
  function An(e3) {
    let n2 = { options: { directed: e3.isDirected(), multigraph: e3.isMultigraph(), compound: e3.isCompound() }, nodes: Vn(e3), edges: Yn(e3) }, t4 = e3.graph();
    return t4 !== void 0 && (n2.value = structuredClone(t4)), n2;
  }
  function Vn(e3) {
    return e3.nodes().map((n2) => {
      let t4 = e3.node(n2), r3 = e3.parent(n2), o4 = { v: n2 };
      return t4 !== void 0 && (o4.value = t4), r3 !== void 0 && (o4.parent = r3), o4;
    });
  }
  function Yn(e3) {
    return e3.edges().map((n2) => {
      let t4 = e3.edge(n2), r3 = { v: n2.v, w: n2.w };
      return n2.name !== void 0 && (r3.name = n2.name), t4 !== void 0 && (r3.value = t4), r3;
    });
  }
  function Bn(e3) {
    let n2 = new Q2(e3.options);
    return e3.value !== void 0 && n2.setGraph(e3.value), e3.nodes.forEach((t4) => {
      n2.setNode(t4.v, t4.value), t4.parent && n2.setParent(t4.v, t4.parent);
    }), e3.edges.forEach((t4) => {
      n2.setEdge({ v: t4.v, w: t4.w, name: t4.name }, t4.value);
    }), n2;
  }
  var H2 = {};
  Se(H2, { CycleException: () => K2, bellmanFord: () => Me, components: () => zn, dijkstra: () => J2, dijkstraAll: () => $n, findCycles: () => Un, floydWarshall: () => Kn, isAcyclic: () => Zn, postorder: () => nt, preorder: () => tt, prim: () => rt, shortestPaths: () => ot, tarjan: () => Fe, topsort: () => De });
  var Wn = () => 1;
  function Me(e3, n2, t4, r3) {
    return Xn(e3, String(n2), t4 || Wn, r3 || function(o4) {
      var i3;
      return (i3 = e3.outEdges(o4)) != null ? i3 : [];
    });
  }
  function Xn(e3, n2, t4, r3) {
    let o4 = {}, i3, s3 = 0, a4 = e3.nodes(), l3 = function(c3) {
      let f4 = o4[c3.v], h3 = o4[c3.w];
      if (!f4 || !h3) return;
      let g3 = t4(c3);
      f4.distance + g3 < h3.distance && (o4[c3.w] = { distance: f4.distance + g3, predecessor: c3.v }, i3 = true);
    }, u3 = function() {
      a4.forEach(function(c3) {
        r3(c3).forEach(function(f4) {
          let h3 = f4.v === c3 ? f4.v : f4.w, g3 = h3 === f4.v ? f4.w : f4.v;
          l3({ v: h3, w: g3 });
        });
      });
    };
    a4.forEach(function(c3) {
      let f4 = c3 === n2 ? 0 : Number.POSITIVE_INFINITY;
      o4[c3] = { distance: f4, predecessor: "" };
    });
    let d3 = a4.length;
    for (let c3 = 1; c3 < d3 && (i3 = false, s3++, u3(), !!i3); c3++) ;
    if (s3 === d3 - 1 && (i3 = false, u3(), i3)) throw new Error("The graph contains a negative weight cycle");
    return o4;
  }
  function zn(e3) {
    let n2 = {}, t4 = [], r3;
    function o4(i3) {
      var s3, a4;
      i3 in n2 || (n2[i3] = true, r3.push(i3), (s3 = e3.successors(i3)) == null || s3.forEach(o4), (a4 = e3.predecessors(i3)) == null || a4.forEach(o4));
    }
    return e3.nodes().forEach(function(i3) {
      r3 = [], o4(i3), r3.length && t4.push(r3);
    }), t4;
  }
  var Pe = class {
    constructor() {
      this._arr = [], this._keyIndices = {};
    }
    size() {
      return this._arr.length;
    }
    keys() {
      return this._arr.map((e3) => e3.key);
    }
    has(e3) {
      return e3 in this._keyIndices;
    }
    priority(e3) {
      let n2 = this._keyIndices[e3];
      if (n2 !== void 0) return this._arr[n2].priority;
    }
    min() {
      if (this.size() === 0) throw new Error("Queue underflow");
      return this._arr[0].key;
    }
    add(e3, n2) {
      let t4 = this._keyIndices, r3 = String(e3);
      if (!(r3 in t4)) {
        let o4 = this._arr, i3 = o4.length;
        return t4[r3] = i3, o4.push({ key: r3, priority: n2 }), this._decrease(i3), true;
      }
      return false;
    }
    removeMin() {
      if (this.size() === 0) throw new Error("Queue underflow");
      this._swap(0, this._arr.length - 1);
      let e3 = this._arr.pop();
      return delete this._keyIndices[e3.key], this._heapify(0), e3.key;
    }
    decrease(e3, n2) {
      let t4 = this._keyIndices[e3];
      if (t4 === void 0) throw new Error(`Key not found: ${e3}`);
      let r3 = this._arr[t4].priority;
      if (n2 > r3) throw new Error(`New priority is greater than current priority. Key: ${e3} Old: ${r3} New: ${n2}`);
      this._arr[t4].priority = n2, this._decrease(t4);
    }
    _heapify(e3) {
      let n2 = this._arr, t4 = 2 * e3, r3 = t4 + 1, o4 = e3;
      t4 < n2.length && (o4 = n2[t4].priority < n2[o4].priority ? t4 : o4, r3 < n2.length && (o4 = n2[r3].priority < n2[o4].priority ? r3 : o4), o4 !== e3 && (this._swap(e3, o4), this._heapify(o4)));
    }
    _decrease(e3) {
      let n2 = this._arr, t4 = n2[e3].priority, r3;
      for (; e3 !== 0 && (r3 = e3 >> 1, !(n2[r3].priority < t4)); ) this._swap(e3, r3), e3 = r3;
    }
    _swap(e3, n2) {
      let t4 = this._arr, r3 = this._keyIndices, o4 = t4[e3], i3 = t4[n2];
      t4[e3] = i3, t4[n2] = o4, r3[i3.key] = e3, r3[o4.key] = n2;
    }
  };
  var Hn = () => 1;
  function J2(e3, n2, t4, r3) {
    let o4 = function(i3) {
      var s3;
      return (s3 = e3.outEdges(i3)) != null ? s3 : [];
    };
    return qn(e3, String(n2), t4 || Hn, r3 || o4);
  }
  function qn(e3, n2, t4, r3) {
    let o4 = {}, i3 = new Pe(), s3, a4, l3 = function(u3) {
      let d3 = u3.v !== s3 ? u3.v : u3.w, c3 = o4[d3];
      if (!c3) return;
      let f4 = t4(u3), h3 = a4.distance + f4;
      if (f4 < 0) throw new Error("dijkstra does not allow negative edge weights. Bad edge: " + u3 + " Weight: " + f4);
      h3 < c3.distance && (c3.distance = h3, c3.predecessor = s3, i3.decrease(d3, h3));
    };
    for (e3.nodes().forEach(function(u3) {
      let d3 = u3 === n2 ? 0 : Number.POSITIVE_INFINITY;
      o4[u3] = { distance: d3, predecessor: "" }, i3.add(u3, d3);
    }); i3.size() > 0; ) {
      s3 = i3.removeMin();
      let u3 = o4[s3];
      if (!u3 || u3.distance === Number.POSITIVE_INFINITY) break;
      a4 = u3, r3(s3).forEach(l3);
    }
    return o4;
  }
  function $n(e3, n2, t4) {
    return e3.nodes().reduce(function(r3, o4) {
      return r3[o4] = J2(e3, o4, n2, t4), r3;
    }, {});
  }
  function Fe(e3) {
    let n2 = 0, t4 = [], r3 = {}, o4 = [];
    function i3(s3) {
      var a4;
      let l3 = r3[s3] = { onStack: true, lowlink: n2, index: n2++ };
      if (t4.push(s3), (a4 = e3.successors(s3)) == null || a4.forEach(function(u3) {
        if (u3 in r3) {
          let d3 = r3[u3];
          d3 != null && d3.onStack && (l3.lowlink = Math.min(l3.lowlink, d3.index));
        } else {
          i3(u3);
          let d3 = r3[u3];
          d3 && (l3.lowlink = Math.min(l3.lowlink, d3.lowlink));
        }
      }), l3.lowlink === l3.index) {
        let u3 = [], d3;
        do {
          d3 = t4.pop();
          let c3 = r3[d3];
          c3 && (c3.onStack = false), u3.push(d3);
        } while (s3 !== d3);
        o4.push(u3);
      }
    }
    return e3.nodes().forEach(function(s3) {
      s3 in r3 || i3(s3);
    }), o4;
  }
  function Un(e3) {
    return Fe(e3).filter(function(n2) {
      var t4;
      let r3 = n2[0];
      return r3 ? n2.length > 1 || n2.length === 1 && ((t4 = e3.outEdges(r3, r3)) != null ? t4 : []).length > 0 : false;
    });
  }
  var Jn = () => 1;
  function Kn(e3, n2, t4) {
    return Qn(e3, n2 || Jn, t4 || function(r3) {
      var o4;
      return (o4 = e3.outEdges(r3)) != null ? o4 : [];
    });
  }
  function Qn(e3, n2, t4) {
    let r3 = {}, o4 = e3.nodes();
    return o4.forEach(function(i3) {
      let s3 = {};
      r3[i3] = s3, s3[i3] = { distance: 0, predecessor: "" }, o4.forEach(function(a4) {
        i3 !== a4 && (s3[a4] = { distance: Number.POSITIVE_INFINITY, predecessor: "" });
      }), t4(i3).forEach(function(a4) {
        let l3 = a4.v === i3 ? a4.w : a4.v, u3 = n2(a4);
        s3[l3] = { distance: u3, predecessor: i3 };
      });
    }), o4.forEach(function(i3) {
      let s3 = r3[i3];
      s3 && o4.forEach(function(a4) {
        let l3 = r3[a4];
        l3 && o4.forEach(function(u3) {
          let d3 = l3[i3], c3 = s3[u3], f4 = l3[u3];
          if (d3 && c3 && f4) {
            let h3 = d3.distance + c3.distance;
            h3 < f4.distance && (f4.distance = h3, f4.predecessor = c3.predecessor);
          }
        });
      });
    }), r3;
  }
  var K2 = class extends Error {
    constructor(e3) {
      super(e3), this.name = "CycleException";
    }
  };
  function De(e3) {
    let n2 = {}, t4 = {}, r3 = [];
    function o4(i3) {
      var s3;
      if (i3 in t4) throw new K2();
      i3 in n2 || (t4[i3] = true, n2[i3] = true, (s3 = e3.predecessors(i3)) == null || s3.forEach(o4), delete t4[i3], r3.push(i3));
    }
    if (e3.sinks().forEach(o4), Object.keys(n2).length !== e3.nodeCount()) throw new K2();
    return r3;
  }
  function Zn(e3) {
    try {
      De(e3);
    } catch (n2) {
      if (n2 instanceof K2) return false;
      throw n2;
    }
    return true;
  }
  function et(e3, n2, t4, r3, o4) {
    Array.isArray(n2) || (n2 = [n2]);
    let i3 = ((a4) => {
      var l3;
      return (l3 = e3.isDirected() ? e3.successors(a4) : e3.neighbors(a4)) != null ? l3 : [];
    }), s3 = {};
    return n2.forEach(function(a4) {
      if (!e3.hasNode(a4)) throw new Error("Graph does not have node: " + a4);
      o4 = Ae(e3, a4, t4 === "post", s3, i3, r3, o4);
    }), o4;
  }
  function Ae(e3, n2, t4, r3, o4, i3, s3) {
    return n2 in r3 || (r3[n2] = true, t4 || (s3 = i3(s3, n2)), o4(n2).forEach(function(a4) {
      s3 = Ae(e3, a4, t4, r3, o4, i3, s3);
    }), t4 && (s3 = i3(s3, n2))), s3;
  }
  function Ve(e3, n2, t4) {
    return et(e3, n2, t4, function(r3, o4) {
      return r3.push(o4), r3;
    }, []);
  }
  function nt(e3, n2) {
    return Ve(e3, n2, "post");
  }
  function tt(e3, n2) {
    return Ve(e3, n2, "pre");
  }
  function rt(e3, n2) {
    var t4;
    let r3 = new Q2(), o4 = {}, i3 = new Pe(), s3;
    function a4(d3) {
      let c3 = d3.v === s3 ? d3.w : d3.v, f4 = i3.priority(c3);
      if (f4 !== void 0) {
        let h3 = n2(d3);
        h3 < f4 && (o4[c3] = s3, i3.decrease(c3, h3));
      }
    }
    if (e3.nodeCount() === 0) return r3;
    e3.nodes().forEach(function(d3) {
      i3.add(d3, Number.POSITIVE_INFINITY), r3.setNode(d3);
    });
    let l3 = e3.nodes()[0];
    l3 !== void 0 && i3.decrease(l3, 0);
    let u3 = false;
    for (; i3.size() > 0; ) {
      if (s3 = i3.removeMin(), s3 in o4) r3.setEdge(s3, o4[s3]);
      else {
        if (u3) throw new Error("Input graph is not connected: " + e3);
        u3 = true;
      }
      (t4 = e3.nodeEdges(s3)) == null || t4.forEach(a4);
    }
    return r3;
  }
  function ot(e3, n2, t4, r3) {
    return it(e3, n2, t4, r3 != null ? r3 : ((o4) => {
      var i3;
      return (i3 = e3.outEdges(o4)) != null ? i3 : [];
    }));
  }
  function it(e3, n2, t4, r3) {
    if (t4 === void 0) return J2(e3, n2, t4, r3);
    let o4 = false, i3 = e3.nodes();
    for (let s3 = 0; s3 < i3.length; s3++) {
      let a4 = i3[s3];
      if (a4 === void 0) continue;
      let l3 = r3(a4);
      for (let u3 = 0; u3 < l3.length; u3++) {
        let d3 = l3[u3];
        if (!d3) continue;
        let c3 = d3.v === a4 ? d3.v : d3.w, f4 = c3 === d3.v ? d3.w : d3.v;
        t4({ v: c3, w: f4 }) < 0 && (o4 = true);
      }
      if (o4) return Me(e3, n2, t4, r3);
    }
    return J2(e3, n2, t4, r3);
  }
  var T3 = Q2;
  function M(e3, n2, t4, r3) {
    let o4 = r3;
    for (; e3.hasNode(o4); ) o4 = $2(r3);
    return t4.dummy = n2, e3.setNode(o4, t4), o4;
  }
  function Ye(e3) {
    let n2 = new T3().setGraph(e3.graph());
    return e3.nodes().forEach((t4) => n2.setNode(t4, e3.node(t4))), e3.edges().forEach((t4) => {
      let r3 = n2.edge(t4.v, t4.w) || { weight: 0, minlen: 1 }, o4 = e3.edge(t4);
      n2.setEdge(t4.v, t4.w, { weight: r3.weight + o4.weight, minlen: Math.max(r3.minlen, o4.minlen) });
    }), n2;
  }
  function Z(e3) {
    let n2 = new T3({ multigraph: e3.isMultigraph() }).setGraph(e3.graph());
    return e3.nodes().forEach((t4) => {
      e3.children(t4).length || n2.setNode(t4, e3.node(t4));
    }), e3.edges().forEach((t4) => {
      n2.setEdge(t4, e3.edge(t4));
    }), n2;
  }
  function se(e3, n2) {
    let t4 = e3.x, r3 = e3.y, o4 = n2.x - t4, i3 = n2.y - r3, s3 = e3.width / 2, a4 = e3.height / 2;
    if (!o4 && !i3) throw new Error("Not possible to find intersection inside of the rectangle");
    let l3, u3;
    return o4 === 0 || Math.abs(i3) * s3 > Math.abs(o4) * a4 ? (i3 < 0 && (a4 = -a4), l3 = a4 * o4 / i3, u3 = a4) : (o4 < 0 && (s3 = -s3), l3 = s3, u3 = s3 * i3 / o4), { x: t4 + l3, y: r3 + u3 };
  }
  function P2(e3) {
    let n2 = D3(de(e3) + 1).map(() => []);
    return e3.nodes().forEach((t4) => {
      let r3 = e3.node(t4), o4 = r3.rank;
      o4 !== void 0 && (n2[o4] || (n2[o4] = []), n2[o4][r3.order] = t4);
    }), n2;
  }
  function Be(e3) {
    let n2 = e3.nodes().map((r3) => {
      let o4 = e3.node(r3).rank;
      return o4 === void 0 ? Number.MAX_VALUE : o4;
    }), t4 = S2(Math.min, n2);
    e3.nodes().forEach((r3) => {
      let o4 = e3.node(r3);
      Object.hasOwn(o4, "rank") && (o4.rank -= t4);
    });
  }
  function We(e3) {
    let n2 = e3.nodes().map((s3) => e3.node(s3).rank).filter((s3) => s3 !== void 0), t4 = S2(Math.min, n2), r3 = [];
    e3.nodes().forEach((s3) => {
      let a4 = e3.node(s3).rank - t4;
      r3[a4] || (r3[a4] = []), r3[a4].push(s3);
    });
    let o4 = 0, i3 = e3.graph().nodeRankFactor;
    Array.from(r3).forEach((s3, a4) => {
      s3 === void 0 && a4 % i3 !== 0 ? --o4 : s3 !== void 0 && o4 && s3.forEach((l3) => e3.node(l3).rank += o4);
    });
  }
  function ae(e3, n2, t4, r3) {
    let o4 = { width: 0, height: 0 };
    return arguments.length >= 4 && (o4.rank = t4, o4.order = r3), M(e3, "border", o4, n2);
  }
  function st(e3, n2 = Xe) {
    let t4 = [];
    for (let r3 = 0; r3 < e3.length; r3 += n2) {
      let o4 = e3.slice(r3, r3 + n2);
      t4.push(o4);
    }
    return t4;
  }
  var Xe = 65535;
  function S2(e3, n2) {
    if (n2.length > Xe) {
      let t4 = st(n2);
      return e3(...t4.map((r3) => e3(...r3)));
    } else return e3(...n2);
  }
  function de(e3) {
    let t4 = e3.nodes().map((r3) => {
      let o4 = e3.node(r3).rank;
      return o4 === void 0 ? Number.MIN_VALUE : o4;
    });
    return S2(Math.max, t4);
  }
  function ze(e3, n2) {
    let t4 = { lhs: [], rhs: [] };
    return e3.forEach((r3) => {
      n2(r3) ? t4.lhs.push(r3) : t4.rhs.push(r3);
    }), t4;
  }
  function q2(e3, n2) {
    return n2();
  }
  var at = 0;
  function $2(e3) {
    let n2 = ++at;
    return e3 + ("" + n2);
  }
  function D3(e3, n2, t4 = 1) {
    n2 == null && (n2 = e3, e3 = 0);
    let r3 = (i3) => i3 < n2;
    t4 < 0 && (r3 = (i3) => n2 < i3);
    let o4 = [];
    for (let i3 = e3; r3(i3); i3 += t4) o4.push(i3);
    return o4;
  }
  function W(e3, n2) {
    let t4 = {};
    for (let r3 of n2) e3[r3] !== void 0 && (t4[r3] = e3[r3]);
    return t4;
  }
  function X(e3, n2) {
    let t4;
    return typeof n2 == "string" ? t4 = (r3) => r3[n2] : t4 = n2, Object.entries(e3).reduce((r3, [o4, i3]) => (r3[o4] = t4(i3, o4), r3), {});
  }
  function He(e3, n2) {
    return e3.reduce((t4, r3, o4) => (t4[r3] = n2[o4], t4), {});
  }
  var V2 = "\0";
  function ee(e3, n2, t4) {
    var u3, d3, c3, f4, h3, g3;
    if (!(e3 && n2 && t4 && n2.dummy === "edge" && t4.dummy === "edge" && n2.edgeObj && t4.edgeObj && e3[n2.edgeObj.v] && e3[t4.edgeObj.v] && e3[n2.edgeObj.w] && e3[t4.edgeObj.w])) return 0;
    let r3 = true;
    n2.edgeObj.w === t4.edgeObj.w && (r3 = false);
    let o4 = r3 ? (d3 = (u3 = e3[n2.edgeObj.v]) == null ? void 0 : u3.rank) != null ? d3 : NaN + 1 : (f4 = (c3 = e3[n2.edgeObj.w]) == null ? void 0 : c3.rank) != null ? f4 : NaN - 1, i3 = Object.entries(e3).find((m3) => {
      var L2, y3;
      return ((L2 = m3[1].edgeObj) == null ? void 0 : L2.v) === n2.edgeObj.v && ((y3 = m3[1].edgeObj) == null ? void 0 : y3.w) === n2.edgeObj.w && m3[1].rank === o4;
    }), s3 = Object.entries(e3).find((m3) => {
      var L2, y3;
      return ((L2 = m3[1].edgeObj) == null ? void 0 : L2.v) === t4.edgeObj.v && ((y3 = m3[1].edgeObj) == null ? void 0 : y3.w) === t4.edgeObj.w && m3[1].rank === o4;
    });
    if (!i3 || !s3) return 0;
    let a4 = (h3 = i3[1].order) != null ? h3 : NaN, l3 = (g3 = s3[1].order) != null ? g3 : NaN;
    return isNaN(a4 - l3) ? 0 : a4 - l3;
  }
  var ce = class {
    constructor() {
      je(this, "_sentinel");
      let n2 = {};
      n2._next = n2._prev = n2, this._sentinel = n2;
    }
    dequeue() {
      let n2 = this._sentinel, t4 = n2._prev;
      if (t4 !== n2) return qe(t4), t4;
    }
    enqueue(n2) {
      let t4 = this._sentinel;
      n2._prev && n2._next && qe(n2), n2._next = t4._next, t4._next._prev = n2, t4._next = n2, n2._prev = t4;
    }
    toString() {
      let n2 = [], t4 = this._sentinel, r3 = t4._prev;
      for (; r3 !== t4; ) n2.push(JSON.stringify(r3, dt)), r3 = r3._prev;
      return "[" + n2.join(", ") + "]";
    }
  };
  function qe(e3) {
    e3._prev._next = e3._next, e3._next._prev = e3._prev, delete e3._next, delete e3._prev;
  }
  function dt(e3, n2) {
    if (e3 !== "_next" && e3 !== "_prev") return n2;
  }
  var $e = ce;
  var lt = () => 1;
  function be(e3, n2) {
    if (e3.nodeCount() <= 1) return [];
    let t4 = ct(e3, n2 || lt);
    return ut(t4.graph, t4.buckets, t4.zeroIdx).flatMap((o4) => e3.outEdges(o4.v, o4.w) || []);
  }
  function ut(e3, n2, t4) {
    var a4;
    let r3 = [], o4 = n2[n2.length - 1], i3 = n2[0], s3;
    for (; e3.nodeCount(); ) {
      for (; s3 = i3.dequeue(); ) fe(e3, n2, t4, s3);
      for (; s3 = o4.dequeue(); ) fe(e3, n2, t4, s3);
      if (e3.nodeCount()) {
        for (let l3 = n2.length - 2; l3 > 0; --l3) if (s3 = (a4 = n2[l3]) == null ? void 0 : a4.dequeue(), s3) {
          r3 = r3.concat(fe(e3, n2, t4, s3, true) || []);
          break;
        }
      }
    }
    return r3;
  }
  function fe(e3, n2, t4, r3, o4) {
    let i3 = [], s3 = o4 ? i3 : void 0;
    return (e3.inEdges(r3.v) || []).forEach((a4) => {
      let l3 = e3.edge(a4), u3 = e3.node(a4.v);
      o4 && i3.push({ v: a4.v, w: a4.w }), u3.out -= l3, he(n2, t4, u3);
    }), (e3.outEdges(r3.v) || []).forEach((a4) => {
      let l3 = e3.edge(a4), u3 = a4.w, d3 = e3.node(u3);
      d3.in -= l3, he(n2, t4, d3);
    }), e3.removeNode(r3.v), s3;
  }
  function ct(e3, n2) {
    let t4 = new T3(), r3 = 0, o4 = 0;
    e3.nodes().forEach((a4) => {
      t4.setNode(a4, { v: a4, in: 0, out: 0 });
    }), e3.edges().forEach((a4) => {
      let l3 = t4.edge(a4.v, a4.w) || 0, u3 = n2(a4), d3 = l3 + u3;
      t4.setEdge(a4.v, a4.w, d3);
      let c3 = t4.node(a4.v), f4 = t4.node(a4.w);
      o4 = Math.max(o4, c3.out += u3), r3 = Math.max(r3, f4.in += u3);
    });
    let i3 = ft(o4 + r3 + 3).map(() => new $e()), s3 = r3 + 1;
    return t4.nodes().forEach((a4) => {
      he(i3, s3, t4.node(a4));
    }), { graph: t4, buckets: i3, zeroIdx: s3 };
  }
  function he(e3, n2, t4) {
    var r3, o4, i3;
    t4.out ? t4.in ? (i3 = e3[t4.out - t4.in + n2]) == null || i3.enqueue(t4) : (o4 = e3[e3.length - 1]) == null || o4.enqueue(t4) : (r3 = e3[0]) == null || r3.enqueue(t4);
  }
  function ft(e3) {
    let n2 = [];
    for (let t4 = 0; t4 < e3; t4++) n2.push(t4);
    return n2;
  }
  function Ue(e3, n2) {
    (e3.graph().acyclicer === "greedy" ? be(e3, r3(e3)) : ht(e3, n2 != null ? n2 : null)).forEach((o4) => {
      let i3 = e3.edge(o4);
      e3.removeEdge(o4), i3.forwardName = o4.name, i3.reversed = true, e3.setEdge(o4.w, o4.v, i3, $2("rev"));
    });
    function r3(o4) {
      return (i3) => o4.edge(i3).weight;
    }
  }
  function ht(e3, n2) {
    let t4 = [], r3 = {}, o4 = {};
    function i3(l3) {
      Object.hasOwn(o4, l3) || (o4[l3] = true, r3[l3] = true, e3.outEdges(l3).forEach((u3) => {
        Object.hasOwn(r3, u3.w) ? t4.push(u3) : i3(u3.w);
      }), delete r3[l3]);
    }
    function s3(l3) {
      var u3;
      Object.hasOwn(o4, l3) || (o4[l3] = true, r3[l3] = true, (u3 = e3.outEdges(l3)) == null || u3.forEach((d3) => {
        var c3, f4;
        Object.hasOwn(r3, d3.w) || ((c3 = n2.node(l3)) == null ? void 0 : c3.rank) > ((f4 = n2.node(d3.w)) == null ? void 0 : f4.rank) && bt(e3, d3.w, d3) ? t4.push(d3) : s3(d3.w);
      }), delete r3[l3]);
    }
    let a4 = i3;
    return n2 && typeof n2.node == "function" && (a4 = s3), e3.sources().forEach(a4), e3.nodes().forEach(a4), t4;
  }
  function Je(e3) {
    e3.edges().forEach((n2) => {
      let t4 = e3.edge(n2);
      if (t4.reversed) {
        e3.removeEdge(n2);
        let r3 = t4.forwardName;
        delete t4.reversed, delete t4.forwardName, e3.setEdge(n2.w, n2.v, t4, r3);
      }
    });
  }
  function bt(e3, n2, t4) {
    let r3 = /* @__PURE__ */ new Set();
    function o4(i3) {
      var s3;
      if (e3.sources().includes(i3)) return true;
      r3.add(i3);
      for (let a4 of (s3 = e3.inEdges(i3)) != null ? s3 : []) if (!(a4.v === t4.v && a4.w === t4.w) && !r3.has(a4.v) && o4(a4.v)) return true;
      return false;
    }
    return o4(n2);
  }
  function Ke(e3) {
    e3.graph().dummyChains = [], e3.edges().forEach((n2) => pt(e3, n2));
  }
  function pt(e3, n2) {
    let t4 = n2.v, r3 = e3.node(t4).rank, o4 = n2.w, i3 = e3.node(o4).rank, s3 = n2.name, a4 = e3.edge(n2), l3 = a4.labelRank;
    if (i3 === r3 + 1) return;
    e3.removeEdge(n2);
    let u3, d3, c3;
    for (c3 = 0, ++r3; r3 < i3; ++c3, ++r3) a4.points = [], d3 = { width: 0, height: 0, edgeLabel: a4, edgeObj: n2, rank: r3 }, u3 = M(e3, "edge", d3, "_d"), r3 === l3 && (d3.width = a4.width, d3.height = a4.height, d3.dummy = "edge-label", d3.labelpos = a4.labelpos), e3.setEdge(t4, u3, { weight: a4.weight }, s3), c3 === 0 && e3.graph().dummyChains.push(u3), t4 = u3;
    e3.setEdge(t4, o4, { weight: a4.weight }, s3);
  }
  function Qe(e3) {
    e3.graph().dummyChains.forEach((n2) => {
      let t4 = e3.node(n2), r3 = t4.edgeLabel, o4;
      for (e3.setEdge(t4.edgeObj, r3); t4.dummy; ) o4 = e3.successors(n2)[0], e3.removeNode(n2), r3.points.push({ x: t4.x, y: t4.y }), t4.dummy === "edge-label" && (r3.x = t4.x, r3.y = t4.y, r3.width = t4.width, r3.height = t4.height), n2 = o4, t4 = e3.node(n2);
    });
  }
  function U(e3) {
    let n2 = {};
    function t4(r3) {
      let o4 = e3.node(r3);
      if (Object.hasOwn(n2, r3)) return o4.rank;
      n2[r3] = true;
      let i3 = e3.outEdges(r3), s3 = i3 ? i3.map((l3) => l3 == null ? Number.POSITIVE_INFINITY : t4(l3.w) - e3.edge(l3).minlen) : [], a4 = S2(Math.min, s3);
      return a4 === Number.POSITIVE_INFINITY && (a4 = 0), o4.rank = a4;
    }
    e3.sources().forEach(t4);
  }
  function A3(e3, n2) {
    return e3.node(n2.w).rank - e3.node(n2.v).rank - e3.edge(n2).minlen;
  }
  var ne = Et;
  function Et(e3) {
    let n2 = new T3({ directed: false }), t4 = e3.nodes();
    if (t4.length === 0) throw new Error("Graph must have at least one node");
    let r3 = t4[0], o4 = e3.nodeCount();
    n2.setNode(r3, {});
    let i3, s3;
    for (; Lt(n2, e3) < o4 && (i3 = yt(n2, e3), !!i3); ) s3 = n2.hasNode(i3.v) ? A3(e3, i3) : -A3(e3, i3), wt(n2, e3, s3);
    return n2;
  }
  function Lt(e3, n2) {
    function t4(r3) {
      let o4 = n2.nodeEdges(r3);
      o4 && o4.forEach((i3) => {
        let s3 = i3.v, a4 = r3 === s3 ? i3.w : s3;
        !e3.hasNode(a4) && !A3(n2, i3) && (e3.setNode(a4, {}), e3.setEdge(r3, a4, {}), t4(a4));
      });
    }
    return e3.nodes().forEach(t4), e3.nodeCount();
  }
  function yt(e3, n2) {
    return n2.edges().reduce((r3, o4) => {
      let i3 = Number.POSITIVE_INFINITY;
      return e3.hasNode(o4.v) !== e3.hasNode(o4.w) && (i3 = A3(n2, o4)), i3 < r3[0] ? [i3, o4] : r3;
    }, [Number.POSITIVE_INFINITY, null])[1];
  }
  function wt(e3, n2, t4) {
    e3.nodes().forEach((r3) => n2.node(r3).rank += t4);
  }
  var { preorder: Nt, postorder: Gt } = H2;
  var en = Y;
  Y.initLowLimValues = pe;
  Y.initCutValues = ge;
  Y.calcCutValue = nn;
  Y.leaveEdge = rn;
  Y.enterEdge = on;
  Y.exchangeEdges = sn;
  function Y(e3) {
    e3 = Ye(e3), U(e3);
    let n2 = ne(e3);
    pe(n2), ge(n2, e3);
    let t4, r3;
    for (; t4 = rn(n2); ) r3 = on(n2, e3, t4), sn(n2, e3, t4, r3);
  }
  function ge(e3, n2) {
    let t4 = Gt(e3, e3.nodes());
    t4 = t4.slice(0, t4.length - 1), t4.forEach((r3) => vt(e3, n2, r3));
  }
  function vt(e3, n2, t4) {
    let o4 = e3.node(t4).parent, i3 = e3.edge(t4, o4);
    i3.cutvalue = nn(e3, n2, t4);
  }
  function nn(e3, n2, t4) {
    let o4 = e3.node(t4).parent, i3 = true, s3 = n2.edge(t4, o4), a4 = 0;
    s3 || (i3 = false, s3 = n2.edge(o4, t4)), a4 = s3.weight;
    let l3 = n2.nodeEdges(t4);
    return l3 && l3.forEach((u3) => {
      let d3 = u3.v === t4, c3 = d3 ? u3.w : u3.v;
      if (c3 !== o4) {
        let f4 = d3 === i3, h3 = n2.edge(u3).weight;
        if (a4 += f4 ? h3 : -h3, xt(e3, t4, c3)) {
          let m3 = e3.edge(t4, c3).cutvalue;
          a4 += f4 ? -m3 : m3;
        }
      }
    }), a4;
  }
  function pe(e3, n2) {
    arguments.length < 2 && (n2 = e3.nodes()[0]), tn(e3, {}, 1, n2);
  }
  function tn(e3, n2, t4, r3, o4) {
    let i3 = t4, s3 = e3.node(r3);
    n2[r3] = true;
    let a4 = e3.neighbors(r3);
    return a4 && a4.forEach((l3) => {
      Object.hasOwn(n2, l3) || (t4 = tn(e3, n2, t4, l3, r3));
    }), s3.low = i3, s3.lim = t4++, o4 ? s3.parent = o4 : delete s3.parent, t4;
  }
  function rn(e3) {
    return e3.edges().find((n2) => e3.edge(n2).cutvalue < 0);
  }
  function on(e3, n2, t4) {
    let r3 = t4.v, o4 = t4.w;
    n2.hasEdge(r3, o4) || (r3 = t4.w, o4 = t4.v);
    let i3 = e3.node(r3), s3 = e3.node(o4), a4 = i3, l3 = false;
    return i3.lim > s3.lim && (a4 = s3, l3 = true), n2.edges().filter((d3) => l3 === Ze(e3, e3.node(d3.v), a4) && l3 !== Ze(e3, e3.node(d3.w), a4)).reduce((d3, c3) => A3(n2, c3) < A3(n2, d3) ? c3 : d3);
  }
  function sn(e3, n2, t4, r3) {
    let o4 = t4.v, i3 = t4.w;
    e3.removeEdge(o4, i3), e3.setEdge(r3.v, r3.w, {}), pe(e3), ge(e3, n2), kt(e3, n2);
  }
  function kt(e3, n2) {
    let t4 = e3.nodes().find((o4) => !e3.node(o4).parent);
    if (!t4) return;
    let r3 = Nt(e3, [t4]);
    r3 = r3.slice(1), r3.forEach((o4) => {
      let s3 = e3.node(o4).parent, a4 = n2.edge(o4, s3), l3 = false;
      a4 || (a4 = n2.edge(s3, o4), l3 = true), n2.node(o4).rank = n2.node(s3).rank + (l3 ? a4.minlen : -a4.minlen);
    });
  }
  function xt(e3, n2, t4) {
    return e3.hasEdge(n2, t4);
  }
  function Ze(e3, n2, t4) {
    return t4.low <= n2.lim && n2.lim <= t4.lim;
  }
  var dn = _t;
  function _t(e3) {
    let n2 = e3.graph().ranker;
    if (typeof n2 == "function") return n2(e3);
    switch (n2) {
      case "network-simplex":
        an(e3);
        break;
      case "tight-tree":
        Ct(e3);
        break;
      case "longest-path":
        Ot(e3);
        break;
      case "none":
        break;
      default:
        an(e3);
    }
  }
  var Ot = U;
  function Ct(e3) {
    U(e3), ne(e3);
  }
  function an(e3) {
    en(e3);
  }
  var ln = Tt;
  function Tt(e3) {
    let n2 = Rt(e3), t4 = e3.graph();
    if (!Array.isArray(t4.dummyChains)) return;
    t4.dummyChains.forEach((o4) => {
      let i3 = e3.node(o4), s3 = i3.edgeObj, a4 = jt(e3, n2, s3.v, s3.w), l3 = a4.path, u3 = a4.lca, d3 = 0, c3 = l3[d3], f4 = true;
      for (; o4 !== s3.w; ) {
        if (i3 = e3.node(o4), f4) {
          for (; (c3 = l3[d3]) !== u3 && e3.node(c3).maxRank < i3.rank; ) d3++;
          c3 === u3 && (f4 = false);
        }
        if (!f4) {
          for (; d3 < l3.length - 1 && e3.node(l3[d3 + 1]).minRank <= i3.rank; ) d3++;
          c3 = l3[d3];
        }
        c3 !== void 0 && e3.setParent(o4, c3), o4 = e3.successors(o4)[0];
      }
    });
  }
  function jt(e3, n2, t4, r3) {
    let o4 = [], i3 = [], s3 = Math.min(n2[t4].low, n2[r3].low), a4 = Math.max(n2[t4].lim, n2[r3].lim), l3;
    l3 = t4;
    do
      l3 = e3.parent(l3), o4.push(l3);
    while (l3 && (n2[l3].low > s3 || a4 > n2[l3].lim));
    let u3 = l3, d3 = r3;
    for (; (d3 = e3.parent(d3)) !== u3; ) i3.push(d3);
    return { path: o4.concat(i3.reverse()), lca: u3 };
  }
  function Rt(e3) {
    let n2 = {}, t4 = 0;
    function r3(o4) {
      let i3 = t4;
      e3.children(o4).forEach(r3), n2[o4] = { low: i3, lim: t4++ };
    }
    return e3.children(V2).forEach(r3), n2;
  }
  function un(e3) {
    let n2 = M(e3, "root", {}, "_root"), t4 = It(e3), r3 = Object.values(t4), o4 = S2(Math.max, r3) - 1, i3 = 2 * o4 + 1;
    e3.graph().nestingRoot = n2, e3.edges().forEach((a4) => e3.edge(a4).minlen *= i3);
    let s3 = St(e3) + 1;
    e3.children(V2).forEach((a4) => {
      cn(e3, n2, i3, s3, o4, t4, a4);
    }), e3.graph().nodeRankFactor = i3;
  }
  function cn(e3, n2, t4, r3, o4, i3, s3) {
    var c3;
    let a4 = e3.children(s3);
    if (!a4.length) {
      s3 !== n2 && e3.setEdge(n2, s3, { weight: 0, minlen: t4 });
      return;
    }
    let l3 = ae(e3, "_bt"), u3 = ae(e3, "_bb"), d3 = e3.node(s3);
    e3.setParent(l3, s3), d3.borderTop = l3, e3.setParent(u3, s3), d3.borderBottom = u3, a4.forEach((f4) => {
      var b;
      cn(e3, n2, t4, r3, o4, i3, f4);
      let h3 = e3.node(f4), g3 = h3.borderTop ? h3.borderTop : f4, m3 = h3.borderBottom ? h3.borderBottom : f4, L2 = h3.borderTop ? r3 : 2 * r3, y3 = g3 !== m3 ? 1 : o4 - ((b = i3[s3]) != null ? b : 0) + 1;
      e3.setEdge(l3, g3, { weight: L2, minlen: y3, nestingEdge: true }), e3.setEdge(m3, u3, { weight: L2, minlen: y3, nestingEdge: true });
    }), e3.parent(s3) || e3.setEdge(n2, l3, { weight: 0, minlen: o4 + ((c3 = i3[s3]) != null ? c3 : 0) });
  }
  function It(e3) {
    let n2 = {};
    function t4(r3, o4) {
      let i3 = e3.children(r3);
      i3 && i3.length && i3.forEach((s3) => t4(s3, o4 + 1)), n2[r3] = o4;
    }
    return e3.children(V2).forEach((r3) => t4(r3, 1)), n2;
  }
  function St(e3) {
    return e3.edges().reduce((n2, t4) => n2 + e3.edge(t4).weight, 0);
  }
  function fn(e3) {
    let n2 = e3.graph();
    e3.removeNode(n2.nestingRoot), delete n2.nestingRoot, e3.edges().forEach((t4) => {
      e3.edge(t4).nestingEdge && e3.removeEdge(t4);
    });
  }
  var bn = Pt;
  function Pt(e3) {
    function n2(t4) {
      let r3 = e3.children(t4), o4 = e3.node(t4);
      if (r3.length && r3.forEach(n2), o4 && Object.hasOwn(o4, "minRank")) {
        o4.borderLeft = [], o4.borderRight = [];
        for (let i3 = o4.minRank, s3 = o4.maxRank + 1; i3 < s3; ++i3) hn(e3, "borderLeft", "_bl", t4, o4, i3), hn(e3, "borderRight", "_br", t4, o4, i3);
      }
    }
    e3.children(V2).forEach(n2);
  }
  function hn(e3, n2, t4, r3, o4, i3) {
    let s3 = { width: 0, height: 0, rank: i3, borderType: n2 }, a4 = o4[n2][i3 - 1], l3 = M(e3, "border", s3, t4);
    o4[n2][i3] = l3, e3.setParent(l3, r3), a4 && e3.setEdge(a4, l3, { weight: 1 });
  }
  function pn(e3) {
    var t4;
    let n2 = (t4 = e3.graph().rankdir) == null ? void 0 : t4.toLowerCase();
    (n2 === "lr" || n2 === "rl") && En(e3);
  }
  function mn(e3) {
    var t4;
    let n2 = (t4 = e3.graph().rankdir) == null ? void 0 : t4.toLowerCase();
    (n2 === "bt" || n2 === "rl") && Ft(e3), (n2 === "lr" || n2 === "rl") && (Dt(e3), En(e3));
  }
  function En(e3) {
    e3.nodes().forEach((n2) => gn(e3.node(n2))), e3.edges().forEach((n2) => gn(e3.edge(n2)));
  }
  function gn(e3) {
    let n2 = e3.width;
    e3.width = e3.height, e3.height = n2;
  }
  function Ft(e3) {
    e3.nodes().forEach((n2) => me(e3.node(n2))), e3.edges().forEach((n2) => {
      var r3;
      let t4 = e3.edge(n2);
      (r3 = t4.points) == null || r3.forEach(me), Object.hasOwn(t4, "y") && me(t4);
    });
  }
  function me(e3) {
    e3.y = -e3.y;
  }
  function Dt(e3) {
    e3.nodes().forEach((n2) => Ee(e3.node(n2))), e3.edges().forEach((n2) => {
      var r3;
      let t4 = e3.edge(n2);
      (r3 = t4.points) == null || r3.forEach(Ee), Object.hasOwn(t4, "x") && Ee(t4);
    });
  }
  function Ee(e3) {
    let n2 = e3.x;
    e3.x = e3.y, e3.y = n2;
  }
  function Le(e3, n2 = null) {
    let t4 = {}, r3 = e3.nodes().filter((d3) => !e3.children(d3).length), o4 = r3.map((d3) => e3.node(d3).rank), i3 = S2(Math.max, o4), s3 = D3(i3 + 1).map(() => []);
    function a4(d3) {
      if (t4[d3]) return;
      t4[d3] = true;
      let c3 = e3.node(d3);
      s3[c3.rank].push(d3);
      let f4 = e3.successors(d3);
      f4 && [...f4].sort((g3, m3) => u3(g3, m3)).forEach(a4);
    }
    r3.sort((d3, c3) => e3.node(d3).rank - e3.node(c3).rank).forEach(a4);
    function u3(d3, c3) {
      let f4 = e3.node(d3), h3 = e3.node(c3);
      return ee(n2, f4, h3);
    }
    return s3;
  }
  function ye(e3, n2) {
    let t4 = 0;
    for (let r3 = 1; r3 < n2.length; ++r3) t4 += Vt(e3, n2[r3 - 1], n2[r3]);
    return t4;
  }
  function Vt(e3, n2, t4) {
    let r3 = He(t4, t4.map((u3, d3) => d3)), o4 = n2.flatMap((u3) => {
      let d3 = e3.outEdges(u3);
      return d3 ? d3.map((c3) => ({ pos: r3[c3.w], weight: e3.edge(c3).weight })).sort((c3, f4) => c3.pos - f4.pos) : [];
    }), i3 = 1;
    for (; i3 < t4.length; ) i3 <<= 1;
    let s3 = 2 * i3 - 1;
    i3 -= 1;
    let a4 = new Array(s3).fill(0), l3 = 0;
    return o4.forEach((u3) => {
      let d3 = u3.pos + i3;
      a4[d3] += u3.weight;
      let c3 = 0;
      for (; d3 > 0; ) d3 % 2 && (c3 += a4[d3 + 1]), d3 = d3 - 1 >> 1, a4[d3] += u3.weight;
      l3 += u3.weight * c3;
    }), l3;
  }
  function we(e3, n2 = []) {
    return n2.map((t4) => {
      let r3 = e3.inEdges(t4);
      if (!r3 || !r3.length) return { v: t4 };
      {
        let o4 = r3.reduce((i3, s3) => {
          let a4 = e3.edge(s3), l3 = e3.node(s3.v);
          return { sum: i3.sum + a4.weight * l3.order, weight: i3.weight + a4.weight };
        }, { sum: 0, weight: 0 });
        return { v: t4, barycenter: o4.sum / o4.weight, weight: o4.weight };
      }
    });
  }
  function Ne(e3, n2) {
    let t4 = {};
    e3.forEach((o4, i3) => {
      let s3 = { indegree: 0, in: [], out: [], vs: [o4.v], i: i3 };
      o4.barycenter !== void 0 && (s3.barycenter = o4.barycenter, s3.weight = o4.weight), t4[o4.v] = s3;
    }), n2.edges().forEach((o4) => {
      let i3 = t4[o4.v], s3 = t4[o4.w];
      i3 !== void 0 && s3 !== void 0 && (s3.indegree++, i3.out.push(s3));
    });
    let r3 = Object.values(t4).filter((o4) => !o4.indegree);
    return Yt(r3);
  }
  function Yt(e3) {
    let n2 = [];
    function t4(o4) {
      return (i3) => {
        i3.merged || (i3.barycenter === void 0 || o4.barycenter === void 0 || i3.barycenter >= o4.barycenter) && Bt(o4, i3);
      };
    }
    function r3(o4) {
      return (i3) => {
        i3.in.push(o4), --i3.indegree === 0 && e3.push(i3);
      };
    }
    for (; e3.length; ) {
      let o4 = e3.pop();
      n2.push(o4), o4.in.reverse().forEach(t4(o4)), o4.out.forEach(r3(o4));
    }
    return n2.filter((o4) => !o4.merged).map((o4) => W(o4, ["vs", "i", "barycenter", "weight"]));
  }
  function Bt(e3, n2) {
    let t4 = 0, r3 = 0;
    e3.weight && (t4 += e3.barycenter * e3.weight, r3 += e3.weight), n2.weight && (t4 += n2.barycenter * n2.weight, r3 += n2.weight), e3.vs = n2.vs.concat(e3.vs), e3.barycenter = t4 / r3, e3.weight = r3, e3.i = Math.min(n2.i, e3.i), n2.merged = true;
  }
  function Ge(e3, n2, t4, r3, o4) {
    let i3 = {}, s3 = null, a4 = null, l3 = o4;
    typeof n2 == "boolean" ? (l3 = n2, i3 = {}) : n2 && (i3 = n2, s3 = t4 != null ? t4 : null, a4 = r3 != null ? r3 : null);
    let u3 = ze(e3, (y3) => Object.hasOwn(y3, "barycenter")), d3 = u3.lhs, c3 = u3.rhs.sort((y3, b) => b.i - y3.i), f4 = [], h3 = 0, g3 = 0, m3 = 0;
    d3.sort(Wt(a4, s3, !!l3));
    for (let [y3, b] of Object.entries(i3)) {
      let p3 = d3.findIndex((E4) => E4.vs[0] === y3);
      d3.splice(p3 + 1, 0, b);
    }
    m3 = Ln(f4, c3, m3), d3.forEach((y3) => {
      m3 += y3.vs.length, f4.push(y3.vs), h3 += y3.barycenter * y3.weight, g3 += y3.weight, m3 = Ln(f4, c3, m3);
    });
    let L2 = { vs: f4.flat(1) };
    return g3 && (L2.barycenter = h3 / g3, L2.weight = g3), L2;
  }
  function Ln(e3, n2, t4) {
    let r3;
    for (; n2.length && (r3 = n2[n2.length - 1]).i <= t4; ) n2.pop(), e3.push(r3.vs), t4++;
    return t4;
  }
  function Wt(e3, n2, t4) {
    return (r3, o4) => {
      if (r3.barycenter < o4.barycenter) return -1;
      if (r3.barycenter > o4.barycenter) return 1;
      if (e3 && (typeof r3.vs[0] == "string" || typeof o4.vs[0] == "string")) {
        let i3 = e3.node(r3.vs[0]), s3 = e3.node(o4.vs[0]), a4 = ee(n2, i3, s3);
        if (a4 !== 0) return a4;
      }
      return t4 ? o4.i - r3.i : r3.i - o4.i;
    };
  }
  function te(e3, n2, t4, r3, o4) {
    var y3, b, p3, E4, w3, k2, _3, O, j2, R, I2;
    let i3 = null, s3 = o4;
    typeof r3 == "boolean" ? (s3 = r3, i3 = null) : r3 !== void 0 && (i3 = r3);
    let a4 = e3.children(n2), l3 = e3.node(n2), u3 = l3 ? l3.borderLeft : void 0, d3 = l3 ? l3.borderRight : void 0, c3 = {};
    u3 && (a4 = a4.filter((v3) => v3 !== u3 && v3 !== d3));
    let f4 = we(e3, a4);
    f4.forEach((v3) => {
      if (e3.children(v3.v).length) {
        let { result: x2 } = te(e3, v3.v, t4, i3, s3);
        c3[v3.v] = x2, Object.hasOwn(x2, "barycenter") && zt(v3, x2);
      }
    });
    let h3 = Ne(f4, t4);
    Xt(h3, c3);
    let g3 = {}, m3 = false;
    for (let v3 = 0; v3 < h3.length; v3++) for (let x2 = v3 + 1; x2 < h3.length; x2++) if (!(!h3[v3] || !h3[x2] || !((y3 = h3[v3]) != null && y3.barycenter) || !((b = h3[x2]) != null && b.barycenter)) && ((p3 = h3[v3]) == null ? void 0 : p3.barycenter) === h3[x2].barycenter) {
      let G3 = (w3 = (E4 = h3[v3]) == null ? void 0 : E4.vs[0]) != null ? w3 : "", N2 = (_3 = (k2 = h3[x2]) == null ? void 0 : k2.vs[0]) != null ? _3 : "", C4 = e3.node(G3), B4 = e3.node(N2);
      if (C4.dummy === "edge" && B4.dummy === "edge" && ((O = C4.edgeObj) == null ? void 0 : O.v) === ((j2 = B4.edgeObj) == null ? void 0 : j2.v) && ((R = C4.edgeObj) == null ? void 0 : R.w) === ((I2 = B4.edgeObj) == null ? void 0 : I2.w)) if (C4.edgeLabel.reversed) {
        g3[N2] = h3[v3], h3.splice(v3, 1), v3--;
        break;
      } else g3[G3] || (g3[G3] = h3[x2], h3.splice(x2, 1), x2--);
      else m3 = true;
    }
    let L2 = Ge(h3, g3, i3, e3, s3);
    if (u3 && d3) {
      L2.vs = [u3, L2.vs, d3].flat(1);
      let v3 = e3.predecessors(u3);
      if (v3 && v3.length) {
        let x2 = e3.node(v3[0]), G3 = e3.predecessors(d3), N2 = e3.node(G3[0]);
        Object.hasOwn(L2, "barycenter") || (L2.barycenter = 0, L2.weight = 0), L2.barycenter = (L2.barycenter * L2.weight + x2.order + N2.order) / (L2.weight + 2), L2.weight += 2;
      }
    }
    return Object.defineProperty(L2, "result", { value: L2, enumerable: false, configurable: true, writable: true }), Object.defineProperty(L2, "usedBias", { value: m3, enumerable: false, configurable: true, writable: true }), L2;
  }
  function Xt(e3, n2) {
    e3.forEach((t4) => {
      t4.vs = t4.vs.flatMap((r3) => n2[r3] ? n2[r3].vs : r3);
    });
  }
  function zt(e3, n2) {
    e3.barycenter !== void 0 ? (e3.barycenter = (e3.barycenter * e3.weight + n2.barycenter * n2.weight) / (e3.weight + n2.weight), e3.weight += n2.weight) : (e3.barycenter = n2.barycenter, e3.weight = n2.weight);
  }
  function ve(e3, n2, t4, r3) {
    r3 || (r3 = e3.nodes());
    let o4 = Ht(e3), i3 = new T3({ compound: true }).setGraph({ root: o4 }).setDefaultNodeLabel((s3) => e3.node(s3));
    return r3.forEach((s3) => {
      let a4 = e3.node(s3), l3 = e3.parent(s3);
      if (a4.rank === n2 || a4.minRank <= n2 && n2 <= a4.maxRank) {
        i3.setNode(s3), i3.setParent(s3, l3 || o4);
        let u3 = e3[t4](s3);
        u3 && u3.forEach((d3) => {
          let c3 = d3.v === s3 ? d3.w : d3.v, f4 = i3.edge(c3, s3), h3 = f4 !== void 0 ? f4.weight : 0;
          i3.setEdge(c3, s3, { weight: e3.edge(d3).weight + h3 });
        }), Object.hasOwn(a4, "minRank") && i3.setNode(s3, { borderLeft: a4.borderLeft[n2], borderRight: a4.borderRight[n2] });
      }
    }), i3;
  }
  function Ht(e3) {
    let n2;
    for (; e3.hasNode(n2 = $2("_root")); ) ;
    return n2;
  }
  function ke(e3, n2, t4) {
    let r3 = {}, o4;
    t4.forEach((i3) => {
      let s3 = e3.parent(i3), a4, l3;
      for (; s3; ) {
        if (a4 = e3.parent(s3), a4 ? (l3 = r3[a4], r3[a4] = s3) : (l3 = o4, o4 = s3), l3 && l3 !== s3) {
          n2.setEdge(l3, s3);
          return;
        }
        s3 = a4;
      }
    });
  }
  function re(e3, n2 = {}, t4 = null) {
    if (typeof n2.customOrder == "function") {
      n2.customOrder(e3, re);
      return;
    }
    let r3 = de(e3), o4 = yn(e3, D3(1, r3 + 1), "inEdges"), i3 = yn(e3, D3(r3 - 1, -1, -1), "outEdges"), s3 = Le(e3, t4);
    if (wn(e3, s3), n2.disableOptimalOrderHeuristic) return;
    let a4 = Number.POSITIVE_INFINITY, l3, u3 = n2.constraints || [];
    for (let d3 = 0, c3 = 0; c3 < 4; ++d3, ++c3) {
      qt(d3 % 2 ? o4 : i3, d3 % 4 >= 2, u3, t4), s3 = P2(e3);
      let f4 = ye(e3, s3);
      f4 < a4 ? (c3 = 0, l3 = Object.assign({}, s3), a4 = f4) : f4 === a4 && (l3 = structuredClone(s3));
    }
    wn(e3, l3);
  }
  function yn(e3, n2, t4) {
    let r3 = /* @__PURE__ */ new Map(), o4 = (i3, s3) => {
      r3.has(i3) || r3.set(i3, []), r3.get(i3).push(s3);
    };
    for (let i3 of e3.nodes()) {
      let s3 = e3.node(i3);
      if (typeof s3.rank == "number" && o4(s3.rank, i3), typeof s3.minRank == "number" && typeof s3.maxRank == "number") for (let a4 = s3.minRank; a4 <= s3.maxRank; a4++) a4 !== s3.rank && o4(a4, i3);
    }
    return n2.map(function(i3) {
      return ve(e3, i3, t4, r3.get(i3) || []);
    });
  }
  function qt(e3, n2, t4, r3) {
    let o4 = true, i3 = new T3();
    e3.forEach(function(s3) {
      t4.forEach((d3) => i3.setEdge(d3.left, d3.right));
      let a4 = s3.graph().root, { result: l3, usedBias: u3 } = te(s3, a4, i3, r3, o4);
      n2 && u3 && (o4 = !o4), l3.vs.forEach((d3, c3) => s3.node(d3).order = c3), ke(s3, i3, l3.vs);
    });
  }
  function wn(e3, n2) {
    Object.values(n2).forEach((t4) => t4.forEach((r3, o4) => e3.node(r3).order = o4));
  }
  function $t(e3, n2) {
    let t4 = {};
    function r3(o4, i3) {
      let s3 = 0, a4 = 0, l3 = o4.length, u3 = i3[i3.length - 1];
      return i3.forEach((d3, c3) => {
        let f4 = Jt(e3, d3), h3 = f4 ? e3.node(f4).order : l3;
        (f4 || d3 === u3) && (i3.slice(a4, c3 + 1).forEach((g3) => {
          let m3 = e3.predecessors(g3);
          m3 && m3.forEach((L2) => {
            let y3 = e3.node(L2), b = y3.order;
            (b < s3 || h3 < b) && !(y3.dummy && e3.node(g3).dummy) && Gn(t4, L2, g3);
          });
        }), a4 = c3 + 1, s3 = h3);
      }), i3;
    }
    return n2.length && n2.reduce(r3), t4;
  }
  function Ut(e3, n2) {
    let t4 = {};
    function r3(a4) {
      var l3;
      return ((l3 = e3.node(a4)) == null ? void 0 : l3.dummy) === "border";
    }
    if (!e3.nodes().some(r3)) return t4;
    function i3(a4, l3, u3, d3, c3) {
      D3(l3, u3).forEach((f4) => {
        let h3 = a4[f4];
        if (h3 !== void 0 && e3.node(h3).dummy) {
          let g3 = e3.predecessors(h3);
          g3 && g3.forEach((m3) => {
            if (m3 === void 0) return;
            let L2 = e3.node(m3);
            L2.dummy && (L2.order < d3 || L2.order > c3) && Gn(t4, m3, h3);
          });
        }
      });
    }
    function s3(a4, l3) {
      let u3 = -1, d3 = -1, c3 = 0;
      return l3.forEach((f4, h3) => {
        if (r3(f4)) {
          let g3 = e3.predecessors(f4);
          if (g3 && g3.length) {
            let m3 = g3[0];
            if (m3 === void 0) return;
            d3 = e3.node(m3).order, i3(l3, c3, h3, u3, d3), c3 = h3, u3 = d3;
          }
        }
        i3(l3, c3, l3.length, d3, a4.length);
      }), l3;
    }
    return n2.length && n2.reduce(s3), t4;
  }
  function Jt(e3, n2) {
    if (e3.node(n2).dummy) {
      let t4 = e3.predecessors(n2);
      if (t4) return t4.find((r3) => e3.node(r3).dummy);
    }
  }
  function Gn(e3, n2, t4) {
    if (n2 > t4) {
      let o4 = n2;
      n2 = t4, t4 = o4;
    }
    let r3 = e3[n2];
    r3 || (e3[n2] = r3 = {}), r3[t4] = true;
  }
  function Kt(e3, n2, t4) {
    if (n2 > t4) {
      let o4 = n2;
      n2 = t4, t4 = o4;
    }
    let r3 = e3[n2];
    return r3 !== void 0 && Object.hasOwn(r3, t4);
  }
  function Qt(e3, n2, t4, r3, o4) {
    let i3 = {}, s3 = {}, a4 = {};
    return n2.forEach((l3) => {
      l3.forEach((u3, d3) => {
        i3[u3] = u3, s3[u3] = u3, a4[u3] = d3;
      });
    }), n2.forEach((l3) => {
      let u3 = -1, d3 = -1, c3 = false, f4 = l3, h3 = l3.findIndex((g3) => (o4 == null ? void 0 : o4.includes(g3)) || Nn(g3, e3, o4));
      h3 > 0 && (f4 = [l3[h3], ...l3.slice(0, h3), ...l3.slice(h3 + 1)], c3 = true), f4.forEach((g3) => {
        var L2;
        let m3 = r3(g3);
        if (m3 && m3.length) {
          o4 != null && o4.includes(g3) && (m3 = m3.filter((p3) => Nn(p3, e3, o4)));
          let y3 = m3.sort((p3, E4) => {
            let w3 = a4[p3], k2 = a4[E4];
            return (w3 !== void 0 ? w3 : 0) - (k2 !== void 0 ? k2 : 0);
          }), b = (y3.length - 1) / 2;
          for (let p3 = Math.floor(b), E4 = Math.ceil(b); p3 <= E4; ++p3) {
            let w3 = y3[p3];
            if (w3 === void 0) continue;
            let k2 = a4[w3];
            if (k2 !== void 0 && s3[g3] === g3 && u3 < k2 && a4[w3] !== d3 && !Kt(t4, g3, w3)) {
              let _3 = i3[w3];
              _3 !== void 0 && (s3[w3] = g3, s3[g3] = i3[g3] = _3, u3 = k2, c3 && (u3 = -1, d3 = (L2 = a4[w3]) != null ? L2 : -1, c3 = false));
            }
          }
        }
      });
    }), { root: i3, align: s3 };
  }
  function Zt(e3, n2, t4, r3, o4 = false) {
    let i3 = {}, s3 = er(e3, n2, t4, o4), a4 = o4 ? "borderLeft" : "borderRight";
    function l3(h3, g3) {
      let m3 = s3.nodes().slice(), L2 = {}, y3 = m3.pop();
      for (; y3; ) {
        if (L2[y3]) h3(y3);
        else {
          L2[y3] = true, m3.push(y3);
          for (let b of g3(y3)) m3.push(b);
        }
        y3 = m3.pop();
      }
    }
    function u3(h3) {
      let g3 = s3.inEdges(h3);
      g3 ? i3[h3] = g3.reduce((m3, L2) => {
        var p3;
        let y3 = (p3 = i3[L2.v]) != null ? p3 : 0, b = s3.edge(L2);
        return Math.max(m3, y3 + (b !== void 0 ? b : 0));
      }, 0) : i3[h3] = 0;
    }
    function d3(h3) {
      let g3 = s3.outEdges(h3), m3 = Number.POSITIVE_INFINITY;
      g3 && (m3 = g3.reduce((y3, b) => {
        let p3 = i3[b.w], E4 = s3.edge(b);
        return Math.min(y3, (p3 !== void 0 ? p3 : 0) - (E4 !== void 0 ? E4 : 0));
      }, Number.POSITIVE_INFINITY));
      let L2 = e3.node(h3);
      m3 !== Number.POSITIVE_INFINITY && L2.borderType !== a4 && (i3[h3] = Math.max(i3[h3] !== void 0 ? i3[h3] : 0, m3));
    }
    function c3(h3) {
      return s3.predecessors(h3) || [];
    }
    function f4(h3) {
      return s3.successors(h3) || [];
    }
    return l3(u3, c3), l3(d3, f4), Object.keys(r3).forEach((h3) => {
      var m3;
      let g3 = t4[h3];
      g3 !== void 0 && (i3[h3] = (m3 = i3[g3]) != null ? m3 : 0);
    }), i3;
  }
  function er(e3, n2, t4, r3) {
    let o4 = new T3(), i3 = e3.graph(), s3 = or(i3.nodesep, i3.edgesep, r3);
    return n2.forEach((a4) => {
      let l3;
      a4.forEach((u3) => {
        let d3 = t4[u3];
        if (d3 !== void 0) {
          if (o4.setNode(d3), l3 !== void 0) {
            let c3 = t4[l3];
            if (c3 !== void 0) {
              let f4 = o4.edge(c3, d3);
              o4.setEdge(c3, d3, Math.max(s3(e3, u3, l3), f4 || 0));
            }
          }
          l3 = u3;
        }
      });
    }), o4;
  }
  function nr(e3, n2) {
    return Object.values(n2).reduce((t4, r3) => {
      let o4 = Number.NEGATIVE_INFINITY, i3 = Number.POSITIVE_INFINITY;
      Object.entries(r3).forEach(([a4, l3]) => {
        let u3 = ir(e3, a4) / 2;
        o4 = Math.max(l3 + u3, o4), i3 = Math.min(l3 - u3, i3);
      });
      let s3 = o4 - i3;
      return s3 < t4[0] && (t4 = [s3, r3]), t4;
    }, [Number.POSITIVE_INFINITY, null])[1];
  }
  function tr(e3, n2) {
    let t4 = Object.values(n2), r3 = S2(Math.min, t4), o4 = S2(Math.max, t4);
    ["u", "d"].forEach((i3) => {
      ["l", "r"].forEach((s3) => {
        let a4 = i3 + s3, l3 = e3[a4];
        if (!l3 || l3 === n2) return;
        let u3 = Object.values(l3), d3 = r3 - S2(Math.min, u3);
        s3 !== "l" && (d3 = o4 - S2(Math.max, u3)), d3 && (e3[a4] = X(l3, (c3) => c3 + d3));
      });
    });
  }
  function rr(e3, n2 = void 0) {
    let t4 = e3.ul;
    return t4 ? X(t4, (r3, o4) => {
      var s3, a4;
      if (n2) {
        let l3 = n2.toLowerCase(), u3 = e3[l3];
        if (u3 && u3[o4] !== void 0) return u3[o4];
      }
      let i3 = Object.values(e3).map((l3) => {
        let u3 = l3[o4];
        return u3 !== void 0 ? u3 : 0;
      }).sort((l3, u3) => l3 - u3);
      return (((s3 = i3[1]) != null ? s3 : 0) + ((a4 = i3[2]) != null ? a4 : 0)) / 2;
    }) : {};
  }
  function vn(e3, n2) {
    let t4 = P2(e3), r3 = Object.assign($t(e3, t4), Ut(e3, t4)), o4 = {}, i3;
    ["u", "d"].forEach((a4) => {
      i3 = a4 === "u" ? t4 : Object.values(t4).reverse(), ["l", "r"].forEach((l3) => {
        l3 === "r" && (i3 = i3.map((f4) => Object.values(f4).reverse()));
        let d3 = Qt(e3, i3, r3, (f4) => (a4 === "u" ? e3.predecessors(f4) : e3.successors(f4)) || [], n2), c3 = Zt(e3, i3, d3.root, d3.align, l3 === "r");
        l3 === "r" && (c3 = X(c3, (f4) => -f4)), o4[a4 + l3] = c3;
      });
    });
    let s3 = nr(e3, o4);
    return tr(o4, s3), rr(o4, e3.graph().align);
  }
  function or(e3, n2, t4) {
    return (r3, o4, i3) => {
      let s3 = r3.node(o4), a4 = r3.node(i3), l3 = 0, u3;
      if (l3 += s3.width / 2, Object.hasOwn(s3, "labelpos")) switch (s3.labelpos.toLowerCase()) {
        case "l":
          u3 = -s3.width / 2;
          break;
        case "r":
          u3 = s3.width / 2;
          break;
      }
      if (u3 && (l3 += t4 ? u3 : -u3), u3 = void 0, l3 += (s3.dummy ? n2 : e3) / 2, l3 += (a4.dummy ? n2 : e3) / 2, l3 += a4.width / 2, Object.hasOwn(a4, "labelpos")) switch (a4.labelpos.toLowerCase()) {
        case "l":
          u3 = a4.width / 2;
          break;
        case "r":
          u3 = -a4.width / 2;
          break;
      }
      return u3 && (l3 += t4 ? u3 : -u3), l3;
    };
  }
  function ir(e3, n2) {
    return e3.node(n2).width;
  }
  function Nn(e3, n2, t4) {
    var s3;
    if (!t4) return false;
    let r3 = (s3 = n2.node(e3)) == null ? void 0 : s3.edgeObj;
    if (!r3 || n2.node(e3).edgeLabel.reversed) return false;
    let o4 = t4.indexOf(r3 == null ? void 0 : r3.v), i3 = t4.indexOf(r3 == null ? void 0 : r3.w);
    return o4 !== -1 && i3 !== -1 && o4 === (i3 + 1) % t4.length || o4 === (i3 - 1) % t4.length;
  }
  function kn(e3, n2) {
    e3 = Z(e3), sr(e3), Object.entries(vn(e3, n2)).forEach(([t4, r3]) => e3.node(t4).x = r3);
  }
  function sr(e3) {
    let n2 = P2(e3), t4 = e3.graph(), r3 = t4.ranksep, o4 = t4.rankalign, i3 = 0;
    n2.forEach((s3) => {
      let a4 = s3.reduce((l3, u3) => {
        var c3;
        let d3 = (c3 = e3.node(u3).height) != null ? c3 : 0;
        return l3 > d3 ? l3 : d3;
      }, 0);
      s3.forEach((l3) => {
        let u3 = e3.node(l3);
        o4 === "top" ? u3.y = i3 + u3.height / 2 : o4 === "bottom" ? u3.y = i3 + a4 - u3.height / 2 : u3.y = i3 + a4 / 2;
      }), i3 += a4 + r3;
    });
  }
  var xn = /* @__PURE__ */ new WeakMap();
  function Oe(e3, n2 = {}) {
    return In(e3, q2, n2), e3;
  }
  function _n(e3, n2, t4) {
    let r3 = n2;
    for (; r3 !== void 0; ) {
      let o4 = e3.parent(r3);
      if (o4 === t4) return r3;
      r3 = o4;
    }
  }
  function In(e3, n2, t4) {
    var y3;
    let r3 = e3.nodes().filter((b) => e3.children(b).length), o4 = {};
    r3.forEach((b) => {
      let p3 = e3.node(b);
      if (p3 && p3.rankdir) {
        let E4 = new T3({ multigraph: true, compound: true });
        E4.setGraph({ rankdir: p3.rankdir });
        let w3 = e3.children(b);
        w3.forEach((G3) => {
          let N2 = { ...e3.node(G3) };
          E4.setNode(G3, N2);
          let C4 = e3.parent(G3);
          C4 && C4 !== b && w3.includes(C4) && E4.setParent(G3, C4);
        });
        let k2 = /* @__PURE__ */ new Set();
        e3.edges().forEach((G3) => {
          let N2 = _n(e3, G3.v, b), C4 = _n(e3, G3.w, b);
          if (N2 === G3.v && C4 === G3.w) E4.setEdge(G3, { ...e3.edge(G3) });
          else if (N2 && C4 && N2 !== C4) {
            let B4 = `${N2}\0${C4}`;
            k2.has(B4) || (k2.add(B4), E4.setEdge(N2, C4, { ...e3.edge(G3) }));
          }
        }), In(E4, n2, t4);
        let _3 = Rn(E4);
        Cn(_3, n2, t4, null), Tn(E4, _3);
        let O = 1 / 0, j2 = 1 / 0, R = -1 / 0, I2 = -1 / 0;
        E4.nodes().forEach((G3) => {
          if (G3 === b) return;
          let N2 = E4.node(G3);
          N2 && typeof N2.x == "number" && typeof N2.y == "number" && typeof N2.width == "number" && typeof N2.height == "number" && (O = Math.min(O, N2.x - N2.width / 2), R = Math.max(R, N2.x + N2.width / 2), j2 = Math.min(j2, N2.y - N2.height / 2), I2 = Math.max(I2, N2.y + N2.height / 2));
        }), (!isFinite(O) || !isFinite(j2) || !isFinite(R) || !isFinite(I2)) && (O = j2 = 0, R = I2 = 0);
        let v3 = R - O, x2 = I2 - j2;
        o4[b] = { minX: O, minY: j2, maxX: R, maxY: I2, width: v3, height: x2, offsetX: O, offsetY: j2 }, p3._dagreClusterSubgraph = E4;
      }
    });
    let i3 = [], s3 = (b) => {
      let p3 = [], E4 = (e3.children(b) || []).filter((w3) => w3 !== b);
      for (; E4.length > 0; ) {
        let w3 = E4.shift();
        p3.push(w3), (e3.children(w3) || []).filter((k2) => k2 !== w3).forEach((k2) => E4.push(k2));
      }
      return p3;
    }, a4 = /* @__PURE__ */ new Map();
    r3.forEach((b) => {
      let p3 = e3.node(b);
      p3 && p3.rankdir && o4[b] && a4.set(b, (e3.children(b) || []).filter((E4) => E4 !== b));
    });
    let l3 = new Set([...a4.values()].flat()), u3 = /* @__PURE__ */ new Map();
    a4.forEach((b, p3) => {
      l3.has(p3) || u3.set(p3, s3(p3));
    });
    let d3 = new Set([...u3.values()].flat()), c3 = (b) => {
      for (let [p3, E4] of u3) if (E4.includes(b)) return p3;
      return b;
    }, f4 = [];
    e3.edges().forEach((b) => {
      (d3.has(b.v) || d3.has(b.w)) && f4.push({ edge: b, label: e3.edge(b) });
    });
    let h3 = /* @__PURE__ */ new Map();
    d3.forEach((b) => {
      let p3 = e3.parent(b);
      h3.set(b, typeof p3 == "string" ? p3 : void 0);
    }), u3.forEach((b, p3) => {
      let E4 = e3.node(p3), w3 = [];
      b.forEach((O) => {
        let j2 = e3.node(O);
        j2 && (w3.push({ id: O, node: j2, parent: h3.get(O) }), e3.removeNode(O));
      });
      let k2 = f4.filter(({ edge: O }) => b.includes(O.v) || b.includes(O.w)), _3 = o4[p3];
      E4 && (i3.push({ clusterId: p3, subgraph: E4._dagreClusterSubgraph, bounds: _3, children: b, removedNodes: w3, removedEdges: k2 }), E4.width = _3.width, E4.height = _3.height);
    });
    let g3 = /* @__PURE__ */ new Set();
    f4.forEach(({ edge: b, label: p3 }) => {
      let E4 = c3(b.v), w3 = c3(b.w);
      if (E4 !== w3 && e3.hasNode(E4) && e3.hasNode(w3)) {
        let k2 = `${E4}\0${w3}`;
        g3.has(k2) || (g3.add(k2), e3.setEdge(E4, w3, { ...p3, width: 0, height: 0 }));
      }
    });
    let m3 = Rn(e3), L2 = Cn(m3, n2, t4, (y3 = xn.get(e3)) != null ? y3 : null);
    xn.set(e3, L2), Tn(e3, m3), g3.forEach((b) => {
      let p3 = b.indexOf("\0"), E4 = b.slice(0, p3), w3 = b.slice(p3 + 1);
      e3.hasEdge(E4, w3) && e3.removeEdge(E4, w3);
    }), i3.forEach(({ clusterId: b, subgraph: p3, bounds: E4, removedNodes: w3, removedEdges: k2 }) => {
      var v3, x2;
      let _3 = e3.node(b), O = (v3 = _3 == null ? void 0 : _3.x) != null ? v3 : 0, j2 = (x2 = _3 == null ? void 0 : _3.y) != null ? x2 : 0, R = (E4.minX + E4.maxX) / 2, I2 = (E4.minY + E4.maxY) / 2;
      w3.forEach(({ id: G3, node: N2, parent: C4 }) => {
        e3.setNode(G3, N2), C4 !== void 0 && e3.setParent(G3, C4);
      }), k2.forEach(({ edge: G3, label: N2 }) => {
        e3.setEdge(G3, N2);
      }), p3.nodes().forEach((G3) => {
        if (G3 === b) return;
        let N2 = p3.node(G3), C4 = e3.node(G3);
        C4 && N2 && typeof N2.x == "number" && typeof N2.y == "number" && (C4.x = O + (N2.x - R), C4.y = j2 + (N2.y - I2));
      }), On(e3, p3, O - R, j2 - I2), delete _3._dagreClusterSubgraph;
    }), r3.forEach((b) => {
      var w3, k2;
      let p3 = e3.node(b), E4 = o4[b];
      if (p3 && p3.rankdir && p3._dagreClusterSubgraph && E4) {
        let _3 = p3._dagreClusterSubgraph, O = (w3 = p3.x) != null ? w3 : 0, j2 = (k2 = p3.y) != null ? k2 : 0, R = (E4.minX + E4.maxX) / 2, I2 = (E4.minY + E4.maxY) / 2;
        _3.nodes().forEach((v3) => {
          if (v3 === b) return;
          let x2 = _3.node(v3), G3 = e3.node(v3);
          if (G3 && x2 && typeof x2.x == "number" && typeof x2.y == "number") {
            let N2 = x2.x - R, C4 = x2.y - I2;
            G3.x = O + N2, G3.y = j2 + C4;
          }
        }), On(e3, _3, O - R, j2 - I2), delete p3._dagreClusterSubgraph;
      }
    });
  }
  function On(e3, n2, t4, r3) {
    n2.edges().forEach((o4) => {
      if (!e3.hasEdge(o4)) return;
      let i3 = n2.edge(o4), s3 = e3.edge(o4);
      s3.points = i3.points.map((a4) => ({ x: a4.x + t4, y: a4.y + r3 })), Object.hasOwn(i3, "x") && (s3.x = i3.x + t4, s3.y = i3.y + r3);
    });
  }
  function Cn(e3, n2, t4, r3 = null) {
    var l3, u3;
    let o4 = (t4 == null ? void 0 : t4.useDynamic) !== false, i3 = o4 && (l3 = r3 == null ? void 0 : r3.graph) != null ? l3 : null, s3 = o4 && (u3 = r3 == null ? void 0 : r3.rawNodes) != null ? u3 : null;
    n2("    makeSpaceForEdgeLabels", () => br(e3)), n2("    removeSelfEdges", () => Gr(e3)), n2("    acyclic", () => Ue(e3, i3)), n2("    nestingGraph.run", () => un(e3)), n2("    rank", () => dn(Z(e3))), n2("    injectEdgeLabelProxies", () => gr(e3)), n2("    removeEmptyRanks", () => We(e3)), n2("    nestingGraph.cleanup", () => fn(e3)), n2("    normalizeRanks", () => Be(e3)), n2("    assignRankMinMax", () => pr(e3)), n2("    removeEdgeLabelProxies", () => mr(e3)), n2("    normalize.run", () => Ke(e3)), n2("    parentDummyChains", () => ln(e3)), n2("    addBorderSegments", () => bn(e3)), n2("    order", () => re(e3, t4, s3)), n2("    insertSelfEdges", () => vr(e3)), n2("    adjustCoordinateSystem", () => pn(e3)), n2("    position", () => kn(e3, t4.corePath)), n2("    positionSelfEdges", () => kr(e3));
    let a4 = JSON.parse(JSON.stringify(e3._nodes));
    return n2("    removeBorderNodes", () => Nr(e3)), n2("    normalize.undo", () => Qe(e3)), n2("    fixupEdgeLabelCoords", () => yr(e3)), n2("    undoCoordinateSystem", () => mn(e3)), n2("    translateGraph", () => Er(e3)), n2("    assignNodeIntersects", () => Lr(e3)), n2("    reversePoints", () => wr(e3)), n2("    acyclic.undo", () => Je(e3)), { graph: e3, rawNodes: a4 };
  }
  function Tn(e3, n2) {
    e3.nodes().forEach((t4) => {
      let r3 = e3.node(t4), o4 = n2.node(t4);
      r3 && (r3.x = o4.x, r3.y = o4.y, r3.order = o4.order, r3.rank = o4.rank, n2.children(t4).length && (r3.width = o4.width, r3.height = o4.height));
    }), e3.edges().forEach((t4) => {
      let r3 = e3.edge(t4), o4 = n2.edge(t4);
      r3.points = o4.points, Object.hasOwn(o4, "x") && (r3.x = o4.x, r3.y = o4.y);
    }), e3.graph().width = n2.graph().width, e3.graph().height = n2.graph().height;
  }
  var ar = ["nodesep", "edgesep", "ranksep", "marginx", "marginy"];
  var dr = { ranksep: 50, edgesep: 20, nodesep: 50, rankdir: "TB", rankalign: "center" };
  var lr = ["acyclicer", "ranker", "rankdir", "align", "rankalign"];
  var ur = ["width", "height", "rank"];
  var jn = { width: 0, height: 0 };
  var cr = ["minlen", "weight", "width", "height", "labeloffset"];
  var fr = { minlen: 1, weight: 1, width: 0, height: 0, labeloffset: 10, labelpos: "r" };
  var hr = ["labelpos"];
  function Rn(e3) {
    let n2 = new T3({ multigraph: true, compound: true }), t4 = _e(e3.graph());
    return n2.setGraph(Object.assign({}, dr, xe(t4, ar), W(t4, lr))), e3.nodes().forEach((r3) => {
      let o4 = _e(e3.node(r3)), i3 = xe(o4, ur);
      Object.keys(jn).forEach((a4) => {
        i3[a4] === void 0 && (i3[a4] = jn[a4]);
      }), n2.setNode(r3, i3);
      let s3 = e3.parent(r3);
      s3 !== void 0 && n2.setParent(r3, s3);
    }), e3.edges().forEach((r3) => {
      let o4 = _e(e3.edge(r3));
      n2.setEdge(r3, Object.assign({}, fr, xe(o4, cr), W(o4, hr)));
    }), n2;
  }
  function br(e3) {
    let n2 = e3.graph();
    n2.ranksep /= 2, e3.edges().forEach((t4) => {
      var o4;
      let r3 = e3.edge(t4);
      r3.minlen *= 2, ((o4 = r3.labelpos) != null ? o4 : "r").toLowerCase() !== "c" && (n2.rankdir === "TB" || n2.rankdir === "BT" ? r3.width += r3.labeloffset : r3.height += r3.labeloffset);
    });
  }
  function gr(e3) {
    e3.edges().forEach((n2) => {
      let t4 = e3.edge(n2);
      if (t4.width && t4.height) {
        let r3 = e3.node(n2.v), i3 = { rank: (e3.node(n2.w).rank - r3.rank) / 2 + r3.rank, e: n2 };
        M(e3, "edge-proxy", i3, "_ep");
      }
    });
  }
  function pr(e3) {
    let n2 = 0;
    e3.nodes().forEach((t4) => {
      let r3 = e3.node(t4);
      r3.borderTop && (r3.minRank = e3.node(r3.borderTop).rank, r3.maxRank = e3.node(r3.borderBottom).rank, n2 = Math.max(n2, r3.maxRank));
    }), e3.graph().maxRank = n2;
  }
  function mr(e3) {
    e3.nodes().forEach((n2) => {
      let t4 = e3.node(n2);
      if (t4.dummy === "edge-proxy") {
        let r3 = t4;
        e3.edge(r3.e).labelRank = t4.rank, e3.removeNode(n2);
      }
    });
  }
  function Er(e3) {
    let n2 = Number.POSITIVE_INFINITY, t4 = 0, r3 = Number.POSITIVE_INFINITY, o4 = 0, i3 = e3.graph(), s3 = i3.marginx || 0, a4 = i3.marginy || 0;
    function l3(u3) {
      let d3 = u3.x, c3 = u3.y, f4 = u3.width, h3 = u3.height;
      n2 = Math.min(n2, d3 - f4 / 2), t4 = Math.max(t4, d3 + f4 / 2), r3 = Math.min(r3, c3 - h3 / 2), o4 = Math.max(o4, c3 + h3 / 2);
    }
    e3.nodes().forEach((u3) => l3(e3.node(u3))), e3.edges().forEach((u3) => {
      let d3 = e3.edge(u3);
      Object.hasOwn(d3, "x") && l3(d3);
    }), n2 -= s3, r3 -= a4, e3.nodes().forEach((u3) => {
      let d3 = e3.node(u3);
      d3.x -= n2, d3.y -= r3;
    }), e3.edges().forEach((u3) => {
      let d3 = e3.edge(u3);
      d3.points.forEach((c3) => {
        c3.x -= n2, c3.y -= r3;
      }), Object.hasOwn(d3, "x") && (d3.x -= n2), Object.hasOwn(d3, "y") && (d3.y -= r3);
    }), i3.width = t4 - n2 + s3, i3.height = o4 - r3 + a4;
  }
  function Lr(e3) {
    e3.edges().forEach((n2) => {
      if (n2.v === n2.w) return;
      let t4 = e3.edge(n2), r3 = e3.node(n2.v), o4 = e3.node(n2.w), i3, s3;
      t4.points ? (i3 = t4.points[0], s3 = t4.points[t4.points.length - 1]) : (t4.points = [], i3 = o4, s3 = r3), t4.points.unshift(se(r3, i3)), t4.points.push(se(o4, s3));
    });
  }
  function yr(e3) {
    e3.edges().forEach((n2) => {
      let t4 = e3.edge(n2);
      if (Object.hasOwn(t4, "x")) switch ((t4.labelpos === "l" || t4.labelpos === "r") && (t4.width -= t4.labeloffset), t4.labelpos) {
        case "l":
          t4.x -= t4.width / 2 + t4.labeloffset;
          break;
        case "r":
          t4.x += t4.width / 2 + t4.labeloffset;
          break;
      }
    });
  }
  function wr(e3) {
    e3.edges().forEach((n2) => {
      let t4 = e3.edge(n2);
      t4.reversed && t4.points.reverse();
    });
  }
  function Nr(e3) {
    e3.nodes().forEach((n2) => {
      if (e3.children(n2).length) {
        let t4 = e3.node(n2), r3 = e3.node(t4.borderTop), o4 = e3.node(t4.borderBottom), i3 = e3.node(t4.borderLeft[t4.borderLeft.length - 1]), s3 = e3.node(t4.borderRight[t4.borderRight.length - 1]);
        t4.width = Math.abs(s3.x - i3.x), t4.height = Math.abs(o4.y - r3.y), t4.x = i3.x + t4.width / 2, t4.y = r3.y + t4.height / 2;
      }
    }), e3.nodes().forEach((n2) => {
      e3.node(n2).dummy === "border" && e3.removeNode(n2);
    });
  }
  function Gr(e3) {
    e3.edges().forEach((n2) => {
      if (n2.v === n2.w) {
        let t4 = e3.node(n2.v);
        t4.selfEdges || (t4.selfEdges = []), t4.selfEdges.push({ e: n2, label: e3.edge(n2) }), e3.removeEdge(n2);
      }
    });
  }
  function vr(e3) {
    P2(e3).forEach((t4) => {
      let r3 = 0;
      t4.forEach((o4, i3) => {
        let s3 = e3.node(o4);
        typeof s3.rank != "number" && (s3.rank = 0), s3.order = i3 + r3, (s3.selfEdges || []).forEach((a4) => {
          M(e3, "selfedge", { width: a4.label.width, height: a4.label.height, rank: s3.rank, order: i3 + ++r3, e: a4.e, edgeLabel: a4.label }, "_se"), (!Array.isArray(a4.label.points) || a4.label.points.length !== 7) && (a4.label.points = [{ x: 0, y: -10 }, { x: 0, y: -10 }, { x: 0, y: 0 }, { x: 0, y: 10 }, { x: 0, y: 10 }, { x: 0, y: 0 }, { x: 0, y: 0 }]);
        }), delete s3.selfEdges;
      });
    });
  }
  function kr(e3) {
    e3.nodes().forEach((n2) => {
      let t4 = e3.node(n2), r3 = (o4) => typeof o4 == "number" && isFinite(o4);
      if (t4.dummy === "selfedge") {
        let o4 = t4, i3 = e3.node(o4.e.v), s3 = r3(i3 == null ? void 0 : i3.x) ? i3.x : 0, a4 = r3(i3 == null ? void 0 : i3.y) ? i3.y : 0, l3 = r3(i3 == null ? void 0 : i3.width) ? i3.width : 0, u3 = r3(i3 == null ? void 0 : i3.height) ? i3.height : 0, d3 = r3(t4.x) ? t4.x : s3, c3 = r3(t4.y) ? t4.y : a4, f4 = l3 / 2, h3 = u3 / 2;
        o4.edgeLabel.points = [{ x: d3 + f4, y: c3 - h3 }, { x: d3 + f4, y: c3 - h3 }, { x: d3, y: c3 }, { x: d3 - f4, y: c3 + h3 }, { x: d3 - f4, y: c3 + h3 }, { x: d3, y: c3 }, { x: d3, y: c3 }], o4.edgeLabel.x = d3, o4.edgeLabel.y = c3, e3.setEdge(o4.e, o4.edgeLabel), e3.removeNode(n2);
      } else t4 && Array.isArray(t4.selfEdges) && t4.selfEdges.forEach((o4) => {
        if (!Array.isArray(o4.label.points) || o4.label.points.length !== 7) {
          let i3 = r3(t4.x) ? t4.x : 0, s3 = r3(t4.y) ? t4.y : 0, a4 = r3(t4.width) ? t4.width : 0, l3 = r3(t4.height) ? t4.height : 0, u3 = a4 / 2, d3 = l3 / 2;
          o4.label.points = [{ x: i3 + u3, y: s3 - d3 }, { x: i3 + u3, y: s3 - d3 }, { x: i3, y: s3 }, { x: i3 - u3, y: s3 + d3 }, { x: i3 - u3, y: s3 + d3 }, { x: i3, y: s3 }, { x: i3, y: s3 }];
        }
      });
    });
  }
  function xe(e3, n2) {
    return X(W(e3, n2), Number);
  }
  function _e(e3) {
    let n2 = {};
    return e3 && Object.entries(e3).forEach(([t4, r3]) => {
      typeof t4 == "string" && (t4 = t4.toLowerCase()), n2[t4] = r3;
    }), n2;
  }

  // node_modules/d3-dispatch/dist/d3-dispatch.mjs
  var noop = { value: () => {
  } };
  function dispatch() {
    for (var i3 = 0, n2 = arguments.length, _3 = {}, t4; i3 < n2; ++i3) {
      if (!(t4 = arguments[i3] + "") || t4 in _3 || /[\s.]/.test(t4)) throw new Error("illegal type: " + t4);
      _3[t4] = [];
    }
    return new Dispatch(_3);
  }
  function Dispatch(_3) {
    this._ = _3;
  }
  function parseTypenames(typenames, types) {
    return typenames.trim().split(/^|\s+/).map(function(t4) {
      var name = "", i3 = t4.indexOf(".");
      if (i3 >= 0) name = t4.slice(i3 + 1), t4 = t4.slice(0, i3);
      if (t4 && !types.hasOwnProperty(t4)) throw new Error("unknown type: " + t4);
      return { type: t4, name };
    });
  }
  Dispatch.prototype = dispatch.prototype = {
    constructor: Dispatch,
    on: function(typename, callback) {
      var _3 = this._, T4 = parseTypenames(typename + "", _3), t4, i3 = -1, n2 = T4.length;
      if (arguments.length < 2) {
        while (++i3 < n2) if ((t4 = (typename = T4[i3]).type) && (t4 = get2(_3[t4], typename.name))) return t4;
        return;
      }
      if (callback != null && typeof callback !== "function") throw new Error("invalid callback: " + callback);
      while (++i3 < n2) {
        if (t4 = (typename = T4[i3]).type) _3[t4] = set2(_3[t4], typename.name, callback);
        else if (callback == null) for (t4 in _3) _3[t4] = set2(_3[t4], typename.name, null);
      }
      return this;
    },
    copy: function() {
      var copy = {}, _3 = this._;
      for (var t4 in _3) copy[t4] = _3[t4].slice();
      return new Dispatch(copy);
    },
    call: function(type2, that) {
      if ((n2 = arguments.length - 2) > 0) for (var args = new Array(n2), i3 = 0, n2, t4; i3 < n2; ++i3) args[i3] = arguments[i3 + 2];
      if (!this._.hasOwnProperty(type2)) throw new Error("unknown type: " + type2);
      for (t4 = this._[type2], i3 = 0, n2 = t4.length; i3 < n2; ++i3) t4[i3].value.apply(that, args);
    },
    apply: function(type2, that, args) {
      if (!this._.hasOwnProperty(type2)) throw new Error("unknown type: " + type2);
      for (var t4 = this._[type2], i3 = 0, n2 = t4.length; i3 < n2; ++i3) t4[i3].value.apply(that, args);
    }
  };
  function get2(type2, name) {
    for (var i3 = 0, n2 = type2.length, c3; i3 < n2; ++i3) {
      if ((c3 = type2[i3]).name === name) {
        return c3.value;
      }
    }
  }
  function set2(type2, name, callback) {
    for (var i3 = 0, n2 = type2.length; i3 < n2; ++i3) {
      if (type2[i3].name === name) {
        type2[i3] = noop, type2 = type2.slice(0, i3).concat(type2.slice(i3 + 1));
        break;
      }
    }
    if (callback != null) type2.push({ name, value: callback });
    return type2;
  }

  // node_modules/d3-selection/dist/d3-selection.mjs
  var xhtml = "http://www.w3.org/1999/xhtml";
  var namespaces = {
    svg: "http://www.w3.org/2000/svg",
    xhtml,
    xlink: "http://www.w3.org/1999/xlink",
    xml: "http://www.w3.org/XML/1998/namespace",
    xmlns: "http://www.w3.org/2000/xmlns/"
  };
  function namespace(name) {
    var prefix = name += "", i3 = prefix.indexOf(":");
    if (i3 >= 0 && (prefix = name.slice(0, i3)) !== "xmlns") name = name.slice(i3 + 1);
    return namespaces.hasOwnProperty(prefix) ? { space: namespaces[prefix], local: name } : name;
  }
  function creatorInherit(name) {
    return function() {
      var document2 = this.ownerDocument, uri = this.namespaceURI;
      return uri === xhtml && document2.documentElement.namespaceURI === xhtml ? document2.createElement(name) : document2.createElementNS(uri, name);
    };
  }
  function creatorFixed(fullname) {
    return function() {
      return this.ownerDocument.createElementNS(fullname.space, fullname.local);
    };
  }
  function creator(name) {
    var fullname = namespace(name);
    return (fullname.local ? creatorFixed : creatorInherit)(fullname);
  }
  function none() {
  }
  function selector(selector2) {
    return selector2 == null ? none : function() {
      return this.querySelector(selector2);
    };
  }
  function selection_select(select3) {
    if (typeof select3 !== "function") select3 = selector(select3);
    for (var groups = this._groups, m3 = groups.length, subgroups = new Array(m3), j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, subgroup = subgroups[j2] = new Array(n2), node, subnode, i3 = 0; i3 < n2; ++i3) {
        if ((node = group[i3]) && (subnode = select3.call(node, node.__data__, i3, group))) {
          if ("__data__" in node) subnode.__data__ = node.__data__;
          subgroup[i3] = subnode;
        }
      }
    }
    return new Selection(subgroups, this._parents);
  }
  function array(x2) {
    return x2 == null ? [] : Array.isArray(x2) ? x2 : Array.from(x2);
  }
  function empty() {
    return [];
  }
  function selectorAll(selector2) {
    return selector2 == null ? empty : function() {
      return this.querySelectorAll(selector2);
    };
  }
  function arrayAll(select3) {
    return function() {
      return array(select3.apply(this, arguments));
    };
  }
  function selection_selectAll(select3) {
    if (typeof select3 === "function") select3 = arrayAll(select3);
    else select3 = selectorAll(select3);
    for (var groups = this._groups, m3 = groups.length, subgroups = [], parents = [], j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, node, i3 = 0; i3 < n2; ++i3) {
        if (node = group[i3]) {
          subgroups.push(select3.call(node, node.__data__, i3, group));
          parents.push(node);
        }
      }
    }
    return new Selection(subgroups, parents);
  }
  function matcher(selector2) {
    return function() {
      return this.matches(selector2);
    };
  }
  function childMatcher(selector2) {
    return function(node) {
      return node.matches(selector2);
    };
  }
  var find = Array.prototype.find;
  function childFind(match) {
    return function() {
      return find.call(this.children, match);
    };
  }
  function childFirst() {
    return this.firstElementChild;
  }
  function selection_selectChild(match) {
    return this.select(match == null ? childFirst : childFind(typeof match === "function" ? match : childMatcher(match)));
  }
  var filter = Array.prototype.filter;
  function children() {
    return Array.from(this.children);
  }
  function childrenFilter(match) {
    return function() {
      return filter.call(this.children, match);
    };
  }
  function selection_selectChildren(match) {
    return this.selectAll(match == null ? children : childrenFilter(typeof match === "function" ? match : childMatcher(match)));
  }
  function selection_filter(match) {
    if (typeof match !== "function") match = matcher(match);
    for (var groups = this._groups, m3 = groups.length, subgroups = new Array(m3), j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, subgroup = subgroups[j2] = [], node, i3 = 0; i3 < n2; ++i3) {
        if ((node = group[i3]) && match.call(node, node.__data__, i3, group)) {
          subgroup.push(node);
        }
      }
    }
    return new Selection(subgroups, this._parents);
  }
  function sparse(update) {
    return new Array(update.length);
  }
  function selection_enter() {
    return new Selection(this._enter || this._groups.map(sparse), this._parents);
  }
  function EnterNode(parent, datum2) {
    this.ownerDocument = parent.ownerDocument;
    this.namespaceURI = parent.namespaceURI;
    this._next = null;
    this._parent = parent;
    this.__data__ = datum2;
  }
  EnterNode.prototype = {
    constructor: EnterNode,
    appendChild: function(child) {
      return this._parent.insertBefore(child, this._next);
    },
    insertBefore: function(child, next) {
      return this._parent.insertBefore(child, next);
    },
    querySelector: function(selector2) {
      return this._parent.querySelector(selector2);
    },
    querySelectorAll: function(selector2) {
      return this._parent.querySelectorAll(selector2);
    }
  };
  function constant(x2) {
    return function() {
      return x2;
    };
  }
  function bindIndex(parent, group, enter, update, exit, data2) {
    var i3 = 0, node, groupLength = group.length, dataLength = data2.length;
    for (; i3 < dataLength; ++i3) {
      if (node = group[i3]) {
        node.__data__ = data2[i3];
        update[i3] = node;
      } else {
        enter[i3] = new EnterNode(parent, data2[i3]);
      }
    }
    for (; i3 < groupLength; ++i3) {
      if (node = group[i3]) {
        exit[i3] = node;
      }
    }
  }
  function bindKey(parent, group, enter, update, exit, data2, key) {
    var i3, node, nodeByKeyValue = /* @__PURE__ */ new Map(), groupLength = group.length, dataLength = data2.length, keyValues = new Array(groupLength), keyValue;
    for (i3 = 0; i3 < groupLength; ++i3) {
      if (node = group[i3]) {
        keyValues[i3] = keyValue = key.call(node, node.__data__, i3, group) + "";
        if (nodeByKeyValue.has(keyValue)) {
          exit[i3] = node;
        } else {
          nodeByKeyValue.set(keyValue, node);
        }
      }
    }
    for (i3 = 0; i3 < dataLength; ++i3) {
      keyValue = key.call(parent, data2[i3], i3, data2) + "";
      if (node = nodeByKeyValue.get(keyValue)) {
        update[i3] = node;
        node.__data__ = data2[i3];
        nodeByKeyValue.delete(keyValue);
      } else {
        enter[i3] = new EnterNode(parent, data2[i3]);
      }
    }
    for (i3 = 0; i3 < groupLength; ++i3) {
      if ((node = group[i3]) && nodeByKeyValue.get(keyValues[i3]) === node) {
        exit[i3] = node;
      }
    }
  }
  function datum(node) {
    return node.__data__;
  }
  function selection_data(value2, key) {
    if (!arguments.length) return Array.from(this, datum);
    var bind = key ? bindKey : bindIndex, parents = this._parents, groups = this._groups;
    if (typeof value2 !== "function") value2 = constant(value2);
    for (var m3 = groups.length, update = new Array(m3), enter = new Array(m3), exit = new Array(m3), j2 = 0; j2 < m3; ++j2) {
      var parent = parents[j2], group = groups[j2], groupLength = group.length, data2 = arraylike(value2.call(parent, parent && parent.__data__, j2, parents)), dataLength = data2.length, enterGroup = enter[j2] = new Array(dataLength), updateGroup = update[j2] = new Array(dataLength), exitGroup = exit[j2] = new Array(groupLength);
      bind(parent, group, enterGroup, updateGroup, exitGroup, data2, key);
      for (var i0 = 0, i1 = 0, previous, next; i0 < dataLength; ++i0) {
        if (previous = enterGroup[i0]) {
          if (i0 >= i1) i1 = i0 + 1;
          while (!(next = updateGroup[i1]) && ++i1 < dataLength) ;
          previous._next = next || null;
        }
      }
    }
    update = new Selection(update, parents);
    update._enter = enter;
    update._exit = exit;
    return update;
  }
  function arraylike(data2) {
    return typeof data2 === "object" && "length" in data2 ? data2 : Array.from(data2);
  }
  function selection_exit() {
    return new Selection(this._exit || this._groups.map(sparse), this._parents);
  }
  function selection_join(onenter, onupdate, onexit) {
    var enter = this.enter(), update = this, exit = this.exit();
    if (typeof onenter === "function") {
      enter = onenter(enter);
      if (enter) enter = enter.selection();
    } else {
      enter = enter.append(onenter + "");
    }
    if (onupdate != null) {
      update = onupdate(update);
      if (update) update = update.selection();
    }
    if (onexit == null) exit.remove();
    else onexit(exit);
    return enter && update ? enter.merge(update).order() : update;
  }
  function selection_merge(context) {
    var selection2 = context.selection ? context.selection() : context;
    for (var groups0 = this._groups, groups1 = selection2._groups, m0 = groups0.length, m1 = groups1.length, m3 = Math.min(m0, m1), merges = new Array(m0), j2 = 0; j2 < m3; ++j2) {
      for (var group0 = groups0[j2], group1 = groups1[j2], n2 = group0.length, merge = merges[j2] = new Array(n2), node, i3 = 0; i3 < n2; ++i3) {
        if (node = group0[i3] || group1[i3]) {
          merge[i3] = node;
        }
      }
    }
    for (; j2 < m0; ++j2) {
      merges[j2] = groups0[j2];
    }
    return new Selection(merges, this._parents);
  }
  function selection_order() {
    for (var groups = this._groups, j2 = -1, m3 = groups.length; ++j2 < m3; ) {
      for (var group = groups[j2], i3 = group.length - 1, next = group[i3], node; --i3 >= 0; ) {
        if (node = group[i3]) {
          if (next && node.compareDocumentPosition(next) ^ 4) next.parentNode.insertBefore(node, next);
          next = node;
        }
      }
    }
    return this;
  }
  function selection_sort(compare) {
    if (!compare) compare = ascending;
    function compareNode(a4, b) {
      return a4 && b ? compare(a4.__data__, b.__data__) : !a4 - !b;
    }
    for (var groups = this._groups, m3 = groups.length, sortgroups = new Array(m3), j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, sortgroup = sortgroups[j2] = new Array(n2), node, i3 = 0; i3 < n2; ++i3) {
        if (node = group[i3]) {
          sortgroup[i3] = node;
        }
      }
      sortgroup.sort(compareNode);
    }
    return new Selection(sortgroups, this._parents).order();
  }
  function ascending(a4, b) {
    return a4 < b ? -1 : a4 > b ? 1 : a4 >= b ? 0 : NaN;
  }
  function selection_call() {
    var callback = arguments[0];
    arguments[0] = this;
    callback.apply(null, arguments);
    return this;
  }
  function selection_nodes() {
    return Array.from(this);
  }
  function selection_node() {
    for (var groups = this._groups, j2 = 0, m3 = groups.length; j2 < m3; ++j2) {
      for (var group = groups[j2], i3 = 0, n2 = group.length; i3 < n2; ++i3) {
        var node = group[i3];
        if (node) return node;
      }
    }
    return null;
  }
  function selection_size() {
    let size = 0;
    for (const node of this) ++size;
    return size;
  }
  function selection_empty() {
    return !this.node();
  }
  function selection_each(callback) {
    for (var groups = this._groups, j2 = 0, m3 = groups.length; j2 < m3; ++j2) {
      for (var group = groups[j2], i3 = 0, n2 = group.length, node; i3 < n2; ++i3) {
        if (node = group[i3]) callback.call(node, node.__data__, i3, group);
      }
    }
    return this;
  }
  function attrRemove(name) {
    return function() {
      this.removeAttribute(name);
    };
  }
  function attrRemoveNS(fullname) {
    return function() {
      this.removeAttributeNS(fullname.space, fullname.local);
    };
  }
  function attrConstant(name, value2) {
    return function() {
      this.setAttribute(name, value2);
    };
  }
  function attrConstantNS(fullname, value2) {
    return function() {
      this.setAttributeNS(fullname.space, fullname.local, value2);
    };
  }
  function attrFunction(name, value2) {
    return function() {
      var v3 = value2.apply(this, arguments);
      if (v3 == null) this.removeAttribute(name);
      else this.setAttribute(name, v3);
    };
  }
  function attrFunctionNS(fullname, value2) {
    return function() {
      var v3 = value2.apply(this, arguments);
      if (v3 == null) this.removeAttributeNS(fullname.space, fullname.local);
      else this.setAttributeNS(fullname.space, fullname.local, v3);
    };
  }
  function selection_attr(name, value2) {
    var fullname = namespace(name);
    if (arguments.length < 2) {
      var node = this.node();
      return fullname.local ? node.getAttributeNS(fullname.space, fullname.local) : node.getAttribute(fullname);
    }
    return this.each((value2 == null ? fullname.local ? attrRemoveNS : attrRemove : typeof value2 === "function" ? fullname.local ? attrFunctionNS : attrFunction : fullname.local ? attrConstantNS : attrConstant)(fullname, value2));
  }
  function defaultView(node) {
    return node.ownerDocument && node.ownerDocument.defaultView || node.document && node || node.defaultView;
  }
  function styleRemove(name) {
    return function() {
      this.style.removeProperty(name);
    };
  }
  function styleConstant(name, value2, priority) {
    return function() {
      this.style.setProperty(name, value2, priority);
    };
  }
  function styleFunction(name, value2, priority) {
    return function() {
      var v3 = value2.apply(this, arguments);
      if (v3 == null) this.style.removeProperty(name);
      else this.style.setProperty(name, v3, priority);
    };
  }
  function selection_style(name, value2, priority) {
    return arguments.length > 1 ? this.each((value2 == null ? styleRemove : typeof value2 === "function" ? styleFunction : styleConstant)(name, value2, priority == null ? "" : priority)) : styleValue(this.node(), name);
  }
  function styleValue(node, name) {
    return node.style.getPropertyValue(name) || defaultView(node).getComputedStyle(node, null).getPropertyValue(name);
  }
  function propertyRemove(name) {
    return function() {
      delete this[name];
    };
  }
  function propertyConstant(name, value2) {
    return function() {
      this[name] = value2;
    };
  }
  function propertyFunction(name, value2) {
    return function() {
      var v3 = value2.apply(this, arguments);
      if (v3 == null) delete this[name];
      else this[name] = v3;
    };
  }
  function selection_property(name, value2) {
    return arguments.length > 1 ? this.each((value2 == null ? propertyRemove : typeof value2 === "function" ? propertyFunction : propertyConstant)(name, value2)) : this.node()[name];
  }
  function classArray(string2) {
    return string2.trim().split(/^|\s+/);
  }
  function classList(node) {
    return node.classList || new ClassList(node);
  }
  function ClassList(node) {
    this._node = node;
    this._names = classArray(node.getAttribute("class") || "");
  }
  ClassList.prototype = {
    add: function(name) {
      var i3 = this._names.indexOf(name);
      if (i3 < 0) {
        this._names.push(name);
        this._node.setAttribute("class", this._names.join(" "));
      }
    },
    remove: function(name) {
      var i3 = this._names.indexOf(name);
      if (i3 >= 0) {
        this._names.splice(i3, 1);
        this._node.setAttribute("class", this._names.join(" "));
      }
    },
    contains: function(name) {
      return this._names.indexOf(name) >= 0;
    }
  };
  function classedAdd(node, names4) {
    var list = classList(node), i3 = -1, n2 = names4.length;
    while (++i3 < n2) list.add(names4[i3]);
  }
  function classedRemove(node, names4) {
    var list = classList(node), i3 = -1, n2 = names4.length;
    while (++i3 < n2) list.remove(names4[i3]);
  }
  function classedTrue(names4) {
    return function() {
      classedAdd(this, names4);
    };
  }
  function classedFalse(names4) {
    return function() {
      classedRemove(this, names4);
    };
  }
  function classedFunction(names4, value2) {
    return function() {
      (value2.apply(this, arguments) ? classedAdd : classedRemove)(this, names4);
    };
  }
  function selection_classed(name, value2) {
    var names4 = classArray(name + "");
    if (arguments.length < 2) {
      var list = classList(this.node()), i3 = -1, n2 = names4.length;
      while (++i3 < n2) if (!list.contains(names4[i3])) return false;
      return true;
    }
    return this.each((typeof value2 === "function" ? classedFunction : value2 ? classedTrue : classedFalse)(names4, value2));
  }
  function textRemove() {
    this.textContent = "";
  }
  function textConstant(value2) {
    return function() {
      this.textContent = value2;
    };
  }
  function textFunction(value2) {
    return function() {
      var v3 = value2.apply(this, arguments);
      this.textContent = v3 == null ? "" : v3;
    };
  }
  function selection_text(value2) {
    return arguments.length ? this.each(value2 == null ? textRemove : (typeof value2 === "function" ? textFunction : textConstant)(value2)) : this.node().textContent;
  }
  function htmlRemove() {
    this.innerHTML = "";
  }
  function htmlConstant(value2) {
    return function() {
      this.innerHTML = value2;
    };
  }
  function htmlFunction(value2) {
    return function() {
      var v3 = value2.apply(this, arguments);
      this.innerHTML = v3 == null ? "" : v3;
    };
  }
  function selection_html(value2) {
    return arguments.length ? this.each(value2 == null ? htmlRemove : (typeof value2 === "function" ? htmlFunction : htmlConstant)(value2)) : this.node().innerHTML;
  }
  function raise() {
    if (this.nextSibling) this.parentNode.appendChild(this);
  }
  function selection_raise() {
    return this.each(raise);
  }
  function lower() {
    if (this.previousSibling) this.parentNode.insertBefore(this, this.parentNode.firstChild);
  }
  function selection_lower() {
    return this.each(lower);
  }
  function selection_append(name) {
    var create2 = typeof name === "function" ? name : creator(name);
    return this.select(function() {
      return this.appendChild(create2.apply(this, arguments));
    });
  }
  function constantNull() {
    return null;
  }
  function selection_insert(name, before) {
    var create2 = typeof name === "function" ? name : creator(name), select3 = before == null ? constantNull : typeof before === "function" ? before : selector(before);
    return this.select(function() {
      return this.insertBefore(create2.apply(this, arguments), select3.apply(this, arguments) || null);
    });
  }
  function remove() {
    var parent = this.parentNode;
    if (parent) parent.removeChild(this);
  }
  function selection_remove() {
    return this.each(remove);
  }
  function selection_cloneShallow() {
    var clone = this.cloneNode(false), parent = this.parentNode;
    return parent ? parent.insertBefore(clone, this.nextSibling) : clone;
  }
  function selection_cloneDeep() {
    var clone = this.cloneNode(true), parent = this.parentNode;
    return parent ? parent.insertBefore(clone, this.nextSibling) : clone;
  }
  function selection_clone(deep) {
    return this.select(deep ? selection_cloneDeep : selection_cloneShallow);
  }
  function selection_datum(value2) {
    return arguments.length ? this.property("__data__", value2) : this.node().__data__;
  }
  function contextListener(listener) {
    return function(event) {
      listener.call(this, event, this.__data__);
    };
  }
  function parseTypenames2(typenames) {
    return typenames.trim().split(/^|\s+/).map(function(t4) {
      var name = "", i3 = t4.indexOf(".");
      if (i3 >= 0) name = t4.slice(i3 + 1), t4 = t4.slice(0, i3);
      return { type: t4, name };
    });
  }
  function onRemove(typename) {
    return function() {
      var on2 = this.__on;
      if (!on2) return;
      for (var j2 = 0, i3 = -1, m3 = on2.length, o4; j2 < m3; ++j2) {
        if (o4 = on2[j2], (!typename.type || o4.type === typename.type) && o4.name === typename.name) {
          this.removeEventListener(o4.type, o4.listener, o4.options);
        } else {
          on2[++i3] = o4;
        }
      }
      if (++i3) on2.length = i3;
      else delete this.__on;
    };
  }
  function onAdd(typename, value2, options) {
    return function() {
      var on2 = this.__on, o4, listener = contextListener(value2);
      if (on2) for (var j2 = 0, m3 = on2.length; j2 < m3; ++j2) {
        if ((o4 = on2[j2]).type === typename.type && o4.name === typename.name) {
          this.removeEventListener(o4.type, o4.listener, o4.options);
          this.addEventListener(o4.type, o4.listener = listener, o4.options = options);
          o4.value = value2;
          return;
        }
      }
      this.addEventListener(typename.type, listener, options);
      o4 = { type: typename.type, name: typename.name, value: value2, listener, options };
      if (!on2) this.__on = [o4];
      else on2.push(o4);
    };
  }
  function selection_on(typename, value2, options) {
    var typenames = parseTypenames2(typename + ""), i3, n2 = typenames.length, t4;
    if (arguments.length < 2) {
      var on2 = this.node().__on;
      if (on2) for (var j2 = 0, m3 = on2.length, o4; j2 < m3; ++j2) {
        for (i3 = 0, o4 = on2[j2]; i3 < n2; ++i3) {
          if ((t4 = typenames[i3]).type === o4.type && t4.name === o4.name) {
            return o4.value;
          }
        }
      }
      return;
    }
    on2 = value2 ? onAdd : onRemove;
    for (i3 = 0; i3 < n2; ++i3) this.each(on2(typenames[i3], value2, options));
    return this;
  }
  function dispatchEvent(node, type2, params) {
    var window2 = defaultView(node), event = window2.CustomEvent;
    if (typeof event === "function") {
      event = new event(type2, params);
    } else {
      event = window2.document.createEvent("Event");
      if (params) event.initEvent(type2, params.bubbles, params.cancelable), event.detail = params.detail;
      else event.initEvent(type2, false, false);
    }
    node.dispatchEvent(event);
  }
  function dispatchConstant(type2, params) {
    return function() {
      return dispatchEvent(this, type2, params);
    };
  }
  function dispatchFunction(type2, params) {
    return function() {
      return dispatchEvent(this, type2, params.apply(this, arguments));
    };
  }
  function selection_dispatch(type2, params) {
    return this.each((typeof params === "function" ? dispatchFunction : dispatchConstant)(type2, params));
  }
  function* selection_iterator() {
    for (var groups = this._groups, j2 = 0, m3 = groups.length; j2 < m3; ++j2) {
      for (var group = groups[j2], i3 = 0, n2 = group.length, node; i3 < n2; ++i3) {
        if (node = group[i3]) yield node;
      }
    }
  }
  var root = [null];
  function Selection(groups, parents) {
    this._groups = groups;
    this._parents = parents;
  }
  function selection() {
    return new Selection([[document.documentElement]], root);
  }
  function selection_selection() {
    return this;
  }
  Selection.prototype = selection.prototype = {
    constructor: Selection,
    select: selection_select,
    selectAll: selection_selectAll,
    selectChild: selection_selectChild,
    selectChildren: selection_selectChildren,
    filter: selection_filter,
    data: selection_data,
    enter: selection_enter,
    exit: selection_exit,
    join: selection_join,
    merge: selection_merge,
    selection: selection_selection,
    order: selection_order,
    sort: selection_sort,
    call: selection_call,
    nodes: selection_nodes,
    node: selection_node,
    size: selection_size,
    empty: selection_empty,
    each: selection_each,
    attr: selection_attr,
    style: selection_style,
    property: selection_property,
    classed: selection_classed,
    text: selection_text,
    html: selection_html,
    raise: selection_raise,
    lower: selection_lower,
    append: selection_append,
    insert: selection_insert,
    remove: selection_remove,
    clone: selection_clone,
    datum: selection_datum,
    on: selection_on,
    dispatch: selection_dispatch,
    [Symbol.iterator]: selection_iterator
  };
  function select2(selector2) {
    return typeof selector2 === "string" ? new Selection([[document.querySelector(selector2)]], [document.documentElement]) : new Selection([[selector2]], root);
  }
  var nextId = 0;
  function local2() {
    return new Local();
  }
  function Local() {
    this._ = "@" + (++nextId).toString(36);
  }
  Local.prototype = local2.prototype = {
    constructor: Local,
    get: function(node) {
      var id2 = this._;
      while (!(id2 in node)) if (!(node = node.parentNode)) return;
      return node[id2];
    },
    set: function(node, value2) {
      return node[this._] = value2;
    },
    remove: function(node) {
      return this._ in node && delete node[this._];
    },
    toString: function() {
      return this._;
    }
  };
  function sourceEvent(event) {
    let sourceEvent2;
    while (sourceEvent2 = event.sourceEvent) event = sourceEvent2;
    return event;
  }
  function pointer(event, node) {
    event = sourceEvent(event);
    if (node === void 0) node = event.currentTarget;
    if (node) {
      var svg = node.ownerSVGElement || node;
      if (svg.createSVGPoint) {
        var point = svg.createSVGPoint();
        point.x = event.clientX, point.y = event.clientY;
        point = point.matrixTransform(node.getScreenCTM().inverse());
        return [point.x, point.y];
      }
      if (node.getBoundingClientRect) {
        var rect = node.getBoundingClientRect();
        return [event.clientX - rect.left - node.clientLeft, event.clientY - rect.top - node.clientTop];
      }
    }
    return [event.pageX, event.pageY];
  }

  // node_modules/d3-drag/dist/d3-drag.mjs
  var nonpassivecapture = { capture: true, passive: false };
  function noevent(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  function nodrag(view) {
    var root2 = view.document.documentElement, selection2 = select2(view).on("dragstart.drag", noevent, nonpassivecapture);
    if ("onselectstart" in root2) {
      selection2.on("selectstart.drag", noevent, nonpassivecapture);
    } else {
      root2.__noselect = root2.style.MozUserSelect;
      root2.style.MozUserSelect = "none";
    }
  }
  function yesdrag(view, noclick) {
    var root2 = view.document.documentElement, selection2 = select2(view).on("dragstart.drag", null);
    if (noclick) {
      selection2.on("click.drag", noevent, nonpassivecapture);
      setTimeout(function() {
        selection2.on("click.drag", null);
      }, 0);
    }
    if ("onselectstart" in root2) {
      selection2.on("selectstart.drag", null);
    } else {
      root2.style.MozUserSelect = root2.__noselect;
      delete root2.__noselect;
    }
  }
  function DragEvent(type2, {
    sourceEvent: sourceEvent2,
    subject,
    target,
    identifier,
    active,
    x: x2,
    y: y3,
    dx,
    dy,
    dispatch: dispatch2
  }) {
    Object.defineProperties(this, {
      type: { value: type2, enumerable: true, configurable: true },
      sourceEvent: { value: sourceEvent2, enumerable: true, configurable: true },
      subject: { value: subject, enumerable: true, configurable: true },
      target: { value: target, enumerable: true, configurable: true },
      identifier: { value: identifier, enumerable: true, configurable: true },
      active: { value: active, enumerable: true, configurable: true },
      x: { value: x2, enumerable: true, configurable: true },
      y: { value: y3, enumerable: true, configurable: true },
      dx: { value: dx, enumerable: true, configurable: true },
      dy: { value: dy, enumerable: true, configurable: true },
      _: { value: dispatch2 }
    });
  }
  DragEvent.prototype.on = function() {
    var value2 = this._.on.apply(this._, arguments);
    return value2 === this._ ? this : value2;
  };

  // node_modules/d3-color/dist/d3-color.mjs
  function define(constructor, factory, prototype) {
    constructor.prototype = factory.prototype = prototype;
    prototype.constructor = constructor;
  }
  function extend(parent, definition) {
    var prototype = Object.create(parent.prototype);
    for (var key in definition) prototype[key] = definition[key];
    return prototype;
  }
  function Color() {
  }
  var darker = 0.7;
  var brighter = 1 / darker;
  var reI = "\\s*([+-]?\\d+)\\s*";
  var reN = "\\s*([+-]?(?:\\d*\\.)?\\d+(?:[eE][+-]?\\d+)?)\\s*";
  var reP = "\\s*([+-]?(?:\\d*\\.)?\\d+(?:[eE][+-]?\\d+)?)%\\s*";
  var reHex = /^#([0-9a-f]{3,8})$/;
  var reRgbInteger = new RegExp(`^rgb\\(${reI},${reI},${reI}\\)$`);
  var reRgbPercent = new RegExp(`^rgb\\(${reP},${reP},${reP}\\)$`);
  var reRgbaInteger = new RegExp(`^rgba\\(${reI},${reI},${reI},${reN}\\)$`);
  var reRgbaPercent = new RegExp(`^rgba\\(${reP},${reP},${reP},${reN}\\)$`);
  var reHslPercent = new RegExp(`^hsl\\(${reN},${reP},${reP}\\)$`);
  var reHslaPercent = new RegExp(`^hsla\\(${reN},${reP},${reP},${reN}\\)$`);
  var named = {
    aliceblue: 15792383,
    antiquewhite: 16444375,
    aqua: 65535,
    aquamarine: 8388564,
    azure: 15794175,
    beige: 16119260,
    bisque: 16770244,
    black: 0,
    blanchedalmond: 16772045,
    blue: 255,
    blueviolet: 9055202,
    brown: 10824234,
    burlywood: 14596231,
    cadetblue: 6266528,
    chartreuse: 8388352,
    chocolate: 13789470,
    coral: 16744272,
    cornflowerblue: 6591981,
    cornsilk: 16775388,
    crimson: 14423100,
    cyan: 65535,
    darkblue: 139,
    darkcyan: 35723,
    darkgoldenrod: 12092939,
    darkgray: 11119017,
    darkgreen: 25600,
    darkgrey: 11119017,
    darkkhaki: 12433259,
    darkmagenta: 9109643,
    darkolivegreen: 5597999,
    darkorange: 16747520,
    darkorchid: 10040012,
    darkred: 9109504,
    darksalmon: 15308410,
    darkseagreen: 9419919,
    darkslateblue: 4734347,
    darkslategray: 3100495,
    darkslategrey: 3100495,
    darkturquoise: 52945,
    darkviolet: 9699539,
    deeppink: 16716947,
    deepskyblue: 49151,
    dimgray: 6908265,
    dimgrey: 6908265,
    dodgerblue: 2003199,
    firebrick: 11674146,
    floralwhite: 16775920,
    forestgreen: 2263842,
    fuchsia: 16711935,
    gainsboro: 14474460,
    ghostwhite: 16316671,
    gold: 16766720,
    goldenrod: 14329120,
    gray: 8421504,
    green: 32768,
    greenyellow: 11403055,
    grey: 8421504,
    honeydew: 15794160,
    hotpink: 16738740,
    indianred: 13458524,
    indigo: 4915330,
    ivory: 16777200,
    khaki: 15787660,
    lavender: 15132410,
    lavenderblush: 16773365,
    lawngreen: 8190976,
    lemonchiffon: 16775885,
    lightblue: 11393254,
    lightcoral: 15761536,
    lightcyan: 14745599,
    lightgoldenrodyellow: 16448210,
    lightgray: 13882323,
    lightgreen: 9498256,
    lightgrey: 13882323,
    lightpink: 16758465,
    lightsalmon: 16752762,
    lightseagreen: 2142890,
    lightskyblue: 8900346,
    lightslategray: 7833753,
    lightslategrey: 7833753,
    lightsteelblue: 11584734,
    lightyellow: 16777184,
    lime: 65280,
    limegreen: 3329330,
    linen: 16445670,
    magenta: 16711935,
    maroon: 8388608,
    mediumaquamarine: 6737322,
    mediumblue: 205,
    mediumorchid: 12211667,
    mediumpurple: 9662683,
    mediumseagreen: 3978097,
    mediumslateblue: 8087790,
    mediumspringgreen: 64154,
    mediumturquoise: 4772300,
    mediumvioletred: 13047173,
    midnightblue: 1644912,
    mintcream: 16121850,
    mistyrose: 16770273,
    moccasin: 16770229,
    navajowhite: 16768685,
    navy: 128,
    oldlace: 16643558,
    olive: 8421376,
    olivedrab: 7048739,
    orange: 16753920,
    orangered: 16729344,
    orchid: 14315734,
    palegoldenrod: 15657130,
    palegreen: 10025880,
    paleturquoise: 11529966,
    palevioletred: 14381203,
    papayawhip: 16773077,
    peachpuff: 16767673,
    peru: 13468991,
    pink: 16761035,
    plum: 14524637,
    powderblue: 11591910,
    purple: 8388736,
    rebeccapurple: 6697881,
    red: 16711680,
    rosybrown: 12357519,
    royalblue: 4286945,
    saddlebrown: 9127187,
    salmon: 16416882,
    sandybrown: 16032864,
    seagreen: 3050327,
    seashell: 16774638,
    sienna: 10506797,
    silver: 12632256,
    skyblue: 8900331,
    slateblue: 6970061,
    slategray: 7372944,
    slategrey: 7372944,
    snow: 16775930,
    springgreen: 65407,
    steelblue: 4620980,
    tan: 13808780,
    teal: 32896,
    thistle: 14204888,
    tomato: 16737095,
    turquoise: 4251856,
    violet: 15631086,
    wheat: 16113331,
    white: 16777215,
    whitesmoke: 16119285,
    yellow: 16776960,
    yellowgreen: 10145074
  };
  define(Color, color, {
    copy(channels) {
      return Object.assign(new this.constructor(), this, channels);
    },
    displayable() {
      return this.rgb().displayable();
    },
    hex: color_formatHex,
    // Deprecated! Use color.formatHex.
    formatHex: color_formatHex,
    formatHex8: color_formatHex8,
    formatHsl: color_formatHsl,
    formatRgb: color_formatRgb,
    toString: color_formatRgb
  });
  function color_formatHex() {
    return this.rgb().formatHex();
  }
  function color_formatHex8() {
    return this.rgb().formatHex8();
  }
  function color_formatHsl() {
    return hslConvert(this).formatHsl();
  }
  function color_formatRgb() {
    return this.rgb().formatRgb();
  }
  function color(format2) {
    var m3, l3;
    format2 = (format2 + "").trim().toLowerCase();
    return (m3 = reHex.exec(format2)) ? (l3 = m3[1].length, m3 = parseInt(m3[1], 16), l3 === 6 ? rgbn(m3) : l3 === 3 ? new Rgb(m3 >> 8 & 15 | m3 >> 4 & 240, m3 >> 4 & 15 | m3 & 240, (m3 & 15) << 4 | m3 & 15, 1) : l3 === 8 ? rgba(m3 >> 24 & 255, m3 >> 16 & 255, m3 >> 8 & 255, (m3 & 255) / 255) : l3 === 4 ? rgba(m3 >> 12 & 15 | m3 >> 8 & 240, m3 >> 8 & 15 | m3 >> 4 & 240, m3 >> 4 & 15 | m3 & 240, ((m3 & 15) << 4 | m3 & 15) / 255) : null) : (m3 = reRgbInteger.exec(format2)) ? new Rgb(m3[1], m3[2], m3[3], 1) : (m3 = reRgbPercent.exec(format2)) ? new Rgb(m3[1] * 255 / 100, m3[2] * 255 / 100, m3[3] * 255 / 100, 1) : (m3 = reRgbaInteger.exec(format2)) ? rgba(m3[1], m3[2], m3[3], m3[4]) : (m3 = reRgbaPercent.exec(format2)) ? rgba(m3[1] * 255 / 100, m3[2] * 255 / 100, m3[3] * 255 / 100, m3[4]) : (m3 = reHslPercent.exec(format2)) ? hsla(m3[1], m3[2] / 100, m3[3] / 100, 1) : (m3 = reHslaPercent.exec(format2)) ? hsla(m3[1], m3[2] / 100, m3[3] / 100, m3[4]) : named.hasOwnProperty(format2) ? rgbn(named[format2]) : format2 === "transparent" ? new Rgb(NaN, NaN, NaN, 0) : null;
  }
  function rgbn(n2) {
    return new Rgb(n2 >> 16 & 255, n2 >> 8 & 255, n2 & 255, 1);
  }
  function rgba(r3, g3, b, a4) {
    if (a4 <= 0) r3 = g3 = b = NaN;
    return new Rgb(r3, g3, b, a4);
  }
  function rgbConvert(o4) {
    if (!(o4 instanceof Color)) o4 = color(o4);
    if (!o4) return new Rgb();
    o4 = o4.rgb();
    return new Rgb(o4.r, o4.g, o4.b, o4.opacity);
  }
  function rgb(r3, g3, b, opacity) {
    return arguments.length === 1 ? rgbConvert(r3) : new Rgb(r3, g3, b, opacity == null ? 1 : opacity);
  }
  function Rgb(r3, g3, b, opacity) {
    this.r = +r3;
    this.g = +g3;
    this.b = +b;
    this.opacity = +opacity;
  }
  define(Rgb, rgb, extend(Color, {
    brighter(k2) {
      k2 = k2 == null ? brighter : Math.pow(brighter, k2);
      return new Rgb(this.r * k2, this.g * k2, this.b * k2, this.opacity);
    },
    darker(k2) {
      k2 = k2 == null ? darker : Math.pow(darker, k2);
      return new Rgb(this.r * k2, this.g * k2, this.b * k2, this.opacity);
    },
    rgb() {
      return this;
    },
    clamp() {
      return new Rgb(clampi(this.r), clampi(this.g), clampi(this.b), clampa(this.opacity));
    },
    displayable() {
      return -0.5 <= this.r && this.r < 255.5 && (-0.5 <= this.g && this.g < 255.5) && (-0.5 <= this.b && this.b < 255.5) && (0 <= this.opacity && this.opacity <= 1);
    },
    hex: rgb_formatHex,
    // Deprecated! Use color.formatHex.
    formatHex: rgb_formatHex,
    formatHex8: rgb_formatHex8,
    formatRgb: rgb_formatRgb,
    toString: rgb_formatRgb
  }));
  function rgb_formatHex() {
    return `#${hex(this.r)}${hex(this.g)}${hex(this.b)}`;
  }
  function rgb_formatHex8() {
    return `#${hex(this.r)}${hex(this.g)}${hex(this.b)}${hex((isNaN(this.opacity) ? 1 : this.opacity) * 255)}`;
  }
  function rgb_formatRgb() {
    const a4 = clampa(this.opacity);
    return `${a4 === 1 ? "rgb(" : "rgba("}${clampi(this.r)}, ${clampi(this.g)}, ${clampi(this.b)}${a4 === 1 ? ")" : `, ${a4})`}`;
  }
  function clampa(opacity) {
    return isNaN(opacity) ? 1 : Math.max(0, Math.min(1, opacity));
  }
  function clampi(value2) {
    return Math.max(0, Math.min(255, Math.round(value2) || 0));
  }
  function hex(value2) {
    value2 = clampi(value2);
    return (value2 < 16 ? "0" : "") + value2.toString(16);
  }
  function hsla(h3, s3, l3, a4) {
    if (a4 <= 0) h3 = s3 = l3 = NaN;
    else if (l3 <= 0 || l3 >= 1) h3 = s3 = NaN;
    else if (s3 <= 0) h3 = NaN;
    return new Hsl(h3, s3, l3, a4);
  }
  function hslConvert(o4) {
    if (o4 instanceof Hsl) return new Hsl(o4.h, o4.s, o4.l, o4.opacity);
    if (!(o4 instanceof Color)) o4 = color(o4);
    if (!o4) return new Hsl();
    if (o4 instanceof Hsl) return o4;
    o4 = o4.rgb();
    var r3 = o4.r / 255, g3 = o4.g / 255, b = o4.b / 255, min2 = Math.min(r3, g3, b), max2 = Math.max(r3, g3, b), h3 = NaN, s3 = max2 - min2, l3 = (max2 + min2) / 2;
    if (s3) {
      if (r3 === max2) h3 = (g3 - b) / s3 + (g3 < b) * 6;
      else if (g3 === max2) h3 = (b - r3) / s3 + 2;
      else h3 = (r3 - g3) / s3 + 4;
      s3 /= l3 < 0.5 ? max2 + min2 : 2 - max2 - min2;
      h3 *= 60;
    } else {
      s3 = l3 > 0 && l3 < 1 ? 0 : h3;
    }
    return new Hsl(h3, s3, l3, o4.opacity);
  }
  function hsl(h3, s3, l3, opacity) {
    return arguments.length === 1 ? hslConvert(h3) : new Hsl(h3, s3, l3, opacity == null ? 1 : opacity);
  }
  function Hsl(h3, s3, l3, opacity) {
    this.h = +h3;
    this.s = +s3;
    this.l = +l3;
    this.opacity = +opacity;
  }
  define(Hsl, hsl, extend(Color, {
    brighter(k2) {
      k2 = k2 == null ? brighter : Math.pow(brighter, k2);
      return new Hsl(this.h, this.s, this.l * k2, this.opacity);
    },
    darker(k2) {
      k2 = k2 == null ? darker : Math.pow(darker, k2);
      return new Hsl(this.h, this.s, this.l * k2, this.opacity);
    },
    rgb() {
      var h3 = this.h % 360 + (this.h < 0) * 360, s3 = isNaN(h3) || isNaN(this.s) ? 0 : this.s, l3 = this.l, m22 = l3 + (l3 < 0.5 ? l3 : 1 - l3) * s3, m1 = 2 * l3 - m22;
      return new Rgb(
        hsl2rgb(h3 >= 240 ? h3 - 240 : h3 + 120, m1, m22),
        hsl2rgb(h3, m1, m22),
        hsl2rgb(h3 < 120 ? h3 + 240 : h3 - 120, m1, m22),
        this.opacity
      );
    },
    clamp() {
      return new Hsl(clamph(this.h), clampt(this.s), clampt(this.l), clampa(this.opacity));
    },
    displayable() {
      return (0 <= this.s && this.s <= 1 || isNaN(this.s)) && (0 <= this.l && this.l <= 1) && (0 <= this.opacity && this.opacity <= 1);
    },
    formatHsl() {
      const a4 = clampa(this.opacity);
      return `${a4 === 1 ? "hsl(" : "hsla("}${clamph(this.h)}, ${clampt(this.s) * 100}%, ${clampt(this.l) * 100}%${a4 === 1 ? ")" : `, ${a4})`}`;
    }
  }));
  function clamph(value2) {
    value2 = (value2 || 0) % 360;
    return value2 < 0 ? value2 + 360 : value2;
  }
  function clampt(value2) {
    return Math.max(0, Math.min(1, value2 || 0));
  }
  function hsl2rgb(h3, m1, m22) {
    return (h3 < 60 ? m1 + (m22 - m1) * h3 / 60 : h3 < 180 ? m22 : h3 < 240 ? m1 + (m22 - m1) * (240 - h3) / 60 : m1) * 255;
  }
  var radians = Math.PI / 180;
  var degrees = 180 / Math.PI;
  var K3 = 18;
  var Xn2 = 0.96422;
  var Yn2 = 1;
  var Zn2 = 0.82521;
  var t0 = 4 / 29;
  var t1 = 6 / 29;
  var t22 = 3 * t1 * t1;
  var t3 = t1 * t1 * t1;
  function labConvert(o4) {
    if (o4 instanceof Lab) return new Lab(o4.l, o4.a, o4.b, o4.opacity);
    if (o4 instanceof Hcl) return hcl2lab(o4);
    if (!(o4 instanceof Rgb)) o4 = rgbConvert(o4);
    var r3 = rgb2lrgb(o4.r), g3 = rgb2lrgb(o4.g), b = rgb2lrgb(o4.b), y3 = xyz2lab((0.2225045 * r3 + 0.7168786 * g3 + 0.0606169 * b) / Yn2), x2, z4;
    if (r3 === g3 && g3 === b) x2 = z4 = y3;
    else {
      x2 = xyz2lab((0.4360747 * r3 + 0.3850649 * g3 + 0.1430804 * b) / Xn2);
      z4 = xyz2lab((0.0139322 * r3 + 0.0971045 * g3 + 0.7141733 * b) / Zn2);
    }
    return new Lab(116 * y3 - 16, 500 * (x2 - y3), 200 * (y3 - z4), o4.opacity);
  }
  function lab(l3, a4, b, opacity) {
    return arguments.length === 1 ? labConvert(l3) : new Lab(l3, a4, b, opacity == null ? 1 : opacity);
  }
  function Lab(l3, a4, b, opacity) {
    this.l = +l3;
    this.a = +a4;
    this.b = +b;
    this.opacity = +opacity;
  }
  define(Lab, lab, extend(Color, {
    brighter(k2) {
      return new Lab(this.l + K3 * (k2 == null ? 1 : k2), this.a, this.b, this.opacity);
    },
    darker(k2) {
      return new Lab(this.l - K3 * (k2 == null ? 1 : k2), this.a, this.b, this.opacity);
    },
    rgb() {
      var y3 = (this.l + 16) / 116, x2 = isNaN(this.a) ? y3 : y3 + this.a / 500, z4 = isNaN(this.b) ? y3 : y3 - this.b / 200;
      x2 = Xn2 * lab2xyz(x2);
      y3 = Yn2 * lab2xyz(y3);
      z4 = Zn2 * lab2xyz(z4);
      return new Rgb(
        lrgb2rgb(3.1338561 * x2 - 1.6168667 * y3 - 0.4906146 * z4),
        lrgb2rgb(-0.9787684 * x2 + 1.9161415 * y3 + 0.033454 * z4),
        lrgb2rgb(0.0719453 * x2 - 0.2289914 * y3 + 1.4052427 * z4),
        this.opacity
      );
    }
  }));
  function xyz2lab(t4) {
    return t4 > t3 ? Math.pow(t4, 1 / 3) : t4 / t22 + t0;
  }
  function lab2xyz(t4) {
    return t4 > t1 ? t4 * t4 * t4 : t22 * (t4 - t0);
  }
  function lrgb2rgb(x2) {
    return 255 * (x2 <= 31308e-7 ? 12.92 * x2 : 1.055 * Math.pow(x2, 1 / 2.4) - 0.055);
  }
  function rgb2lrgb(x2) {
    return (x2 /= 255) <= 0.04045 ? x2 / 12.92 : Math.pow((x2 + 0.055) / 1.055, 2.4);
  }
  function hclConvert(o4) {
    if (o4 instanceof Hcl) return new Hcl(o4.h, o4.c, o4.l, o4.opacity);
    if (!(o4 instanceof Lab)) o4 = labConvert(o4);
    if (o4.a === 0 && o4.b === 0) return new Hcl(NaN, 0 < o4.l && o4.l < 100 ? 0 : NaN, o4.l, o4.opacity);
    var h3 = Math.atan2(o4.b, o4.a) * degrees;
    return new Hcl(h3 < 0 ? h3 + 360 : h3, Math.sqrt(o4.a * o4.a + o4.b * o4.b), o4.l, o4.opacity);
  }
  function hcl(h3, c3, l3, opacity) {
    return arguments.length === 1 ? hclConvert(h3) : new Hcl(h3, c3, l3, opacity == null ? 1 : opacity);
  }
  function Hcl(h3, c3, l3, opacity) {
    this.h = +h3;
    this.c = +c3;
    this.l = +l3;
    this.opacity = +opacity;
  }
  function hcl2lab(o4) {
    if (isNaN(o4.h)) return new Lab(o4.l, 0, 0, o4.opacity);
    var h3 = o4.h * radians;
    return new Lab(o4.l, Math.cos(h3) * o4.c, Math.sin(h3) * o4.c, o4.opacity);
  }
  define(Hcl, hcl, extend(Color, {
    brighter(k2) {
      return new Hcl(this.h, this.c, this.l + K3 * (k2 == null ? 1 : k2), this.opacity);
    },
    darker(k2) {
      return new Hcl(this.h, this.c, this.l - K3 * (k2 == null ? 1 : k2), this.opacity);
    },
    rgb() {
      return hcl2lab(this).rgb();
    }
  }));
  var A4 = -0.14861;
  var B3 = 1.78277;
  var C3 = -0.29227;
  var D4 = -0.90649;
  var E3 = 1.97294;
  var ED = E3 * D4;
  var EB = E3 * B3;
  var BC_DA = B3 * C3 - D4 * A4;
  function cubehelixConvert(o4) {
    if (o4 instanceof Cubehelix) return new Cubehelix(o4.h, o4.s, o4.l, o4.opacity);
    if (!(o4 instanceof Rgb)) o4 = rgbConvert(o4);
    var r3 = o4.r / 255, g3 = o4.g / 255, b = o4.b / 255, l3 = (BC_DA * b + ED * r3 - EB * g3) / (BC_DA + ED - EB), bl = b - l3, k2 = (E3 * (g3 - l3) - C3 * bl) / D4, s3 = Math.sqrt(k2 * k2 + bl * bl) / (E3 * l3 * (1 - l3)), h3 = s3 ? Math.atan2(k2, bl) * degrees - 120 : NaN;
    return new Cubehelix(h3 < 0 ? h3 + 360 : h3, s3, l3, o4.opacity);
  }
  function cubehelix(h3, s3, l3, opacity) {
    return arguments.length === 1 ? cubehelixConvert(h3) : new Cubehelix(h3, s3, l3, opacity == null ? 1 : opacity);
  }
  function Cubehelix(h3, s3, l3, opacity) {
    this.h = +h3;
    this.s = +s3;
    this.l = +l3;
    this.opacity = +opacity;
  }
  define(Cubehelix, cubehelix, extend(Color, {
    brighter(k2) {
      k2 = k2 == null ? brighter : Math.pow(brighter, k2);
      return new Cubehelix(this.h, this.s, this.l * k2, this.opacity);
    },
    darker(k2) {
      k2 = k2 == null ? darker : Math.pow(darker, k2);
      return new Cubehelix(this.h, this.s, this.l * k2, this.opacity);
    },
    rgb() {
      var h3 = isNaN(this.h) ? 0 : (this.h + 120) * radians, l3 = +this.l, a4 = isNaN(this.s) ? 0 : this.s * l3 * (1 - l3), cosh2 = Math.cos(h3), sinh2 = Math.sin(h3);
      return new Rgb(
        255 * (l3 + a4 * (A4 * cosh2 + B3 * sinh2)),
        255 * (l3 + a4 * (C3 * cosh2 + D4 * sinh2)),
        255 * (l3 + a4 * (E3 * cosh2)),
        this.opacity
      );
    }
  }));

  // node_modules/d3-interpolate/dist/d3-interpolate.mjs
  function basis(t12, v0, v1, v22, v3) {
    var t23 = t12 * t12, t32 = t23 * t12;
    return ((1 - 3 * t12 + 3 * t23 - t32) * v0 + (4 - 6 * t23 + 3 * t32) * v1 + (1 + 3 * t12 + 3 * t23 - 3 * t32) * v22 + t32 * v3) / 6;
  }
  function basis$1(values) {
    var n2 = values.length - 1;
    return function(t4) {
      var i3 = t4 <= 0 ? t4 = 0 : t4 >= 1 ? (t4 = 1, n2 - 1) : Math.floor(t4 * n2), v1 = values[i3], v22 = values[i3 + 1], v0 = i3 > 0 ? values[i3 - 1] : 2 * v1 - v22, v3 = i3 < n2 - 1 ? values[i3 + 2] : 2 * v22 - v1;
      return basis((t4 - i3 / n2) * n2, v0, v1, v22, v3);
    };
  }
  function basisClosed(values) {
    var n2 = values.length;
    return function(t4) {
      var i3 = Math.floor(((t4 %= 1) < 0 ? ++t4 : t4) * n2), v0 = values[(i3 + n2 - 1) % n2], v1 = values[i3 % n2], v22 = values[(i3 + 1) % n2], v3 = values[(i3 + 2) % n2];
      return basis((t4 - i3 / n2) * n2, v0, v1, v22, v3);
    };
  }
  var constant2 = (x2) => () => x2;
  function linear(a4, d3) {
    return function(t4) {
      return a4 + t4 * d3;
    };
  }
  function exponential(a4, b, y3) {
    return a4 = Math.pow(a4, y3), b = Math.pow(b, y3) - a4, y3 = 1 / y3, function(t4) {
      return Math.pow(a4 + t4 * b, y3);
    };
  }
  function hue$1(a4, b) {
    var d3 = b - a4;
    return d3 ? linear(a4, d3 > 180 || d3 < -180 ? d3 - 360 * Math.round(d3 / 360) : d3) : constant2(isNaN(a4) ? b : a4);
  }
  function gamma(y3) {
    return (y3 = +y3) === 1 ? nogamma : function(a4, b) {
      return b - a4 ? exponential(a4, b, y3) : constant2(isNaN(a4) ? b : a4);
    };
  }
  function nogamma(a4, b) {
    var d3 = b - a4;
    return d3 ? linear(a4, d3) : constant2(isNaN(a4) ? b : a4);
  }
  var rgb2 = (function rgbGamma(y3) {
    var color2 = gamma(y3);
    function rgb3(start3, end) {
      var r3 = color2((start3 = rgb(start3)).r, (end = rgb(end)).r), g3 = color2(start3.g, end.g), b = color2(start3.b, end.b), opacity = nogamma(start3.opacity, end.opacity);
      return function(t4) {
        start3.r = r3(t4);
        start3.g = g3(t4);
        start3.b = b(t4);
        start3.opacity = opacity(t4);
        return start3 + "";
      };
    }
    rgb3.gamma = rgbGamma;
    return rgb3;
  })(1);
  function rgbSpline(spline) {
    return function(colors) {
      var n2 = colors.length, r3 = new Array(n2), g3 = new Array(n2), b = new Array(n2), i3, color2;
      for (i3 = 0; i3 < n2; ++i3) {
        color2 = rgb(colors[i3]);
        r3[i3] = color2.r || 0;
        g3[i3] = color2.g || 0;
        b[i3] = color2.b || 0;
      }
      r3 = spline(r3);
      g3 = spline(g3);
      b = spline(b);
      color2.opacity = 1;
      return function(t4) {
        color2.r = r3(t4);
        color2.g = g3(t4);
        color2.b = b(t4);
        return color2 + "";
      };
    };
  }
  var rgbBasis = rgbSpline(basis$1);
  var rgbBasisClosed = rgbSpline(basisClosed);
  function numberArray(a4, b) {
    if (!b) b = [];
    var n2 = a4 ? Math.min(b.length, a4.length) : 0, c3 = b.slice(), i3;
    return function(t4) {
      for (i3 = 0; i3 < n2; ++i3) c3[i3] = a4[i3] * (1 - t4) + b[i3] * t4;
      return c3;
    };
  }
  function isNumberArray(x2) {
    return ArrayBuffer.isView(x2) && !(x2 instanceof DataView);
  }
  function genericArray(a4, b) {
    var nb = b ? b.length : 0, na = a4 ? Math.min(nb, a4.length) : 0, x2 = new Array(na), c3 = new Array(nb), i3;
    for (i3 = 0; i3 < na; ++i3) x2[i3] = value(a4[i3], b[i3]);
    for (; i3 < nb; ++i3) c3[i3] = b[i3];
    return function(t4) {
      for (i3 = 0; i3 < na; ++i3) c3[i3] = x2[i3](t4);
      return c3;
    };
  }
  function date(a4, b) {
    var d3 = /* @__PURE__ */ new Date();
    return a4 = +a4, b = +b, function(t4) {
      return d3.setTime(a4 * (1 - t4) + b * t4), d3;
    };
  }
  function number(a4, b) {
    return a4 = +a4, b = +b, function(t4) {
      return a4 * (1 - t4) + b * t4;
    };
  }
  function object(a4, b) {
    var i3 = {}, c3 = {}, k2;
    if (a4 === null || typeof a4 !== "object") a4 = {};
    if (b === null || typeof b !== "object") b = {};
    for (k2 in b) {
      if (k2 in a4) {
        i3[k2] = value(a4[k2], b[k2]);
      } else {
        c3[k2] = b[k2];
      }
    }
    return function(t4) {
      for (k2 in i3) c3[k2] = i3[k2](t4);
      return c3;
    };
  }
  var reA = /[-+]?(?:\d+\.?\d*|\.?\d+)(?:[eE][-+]?\d+)?/g;
  var reB = new RegExp(reA.source, "g");
  function zero(b) {
    return function() {
      return b;
    };
  }
  function one(b) {
    return function(t4) {
      return b(t4) + "";
    };
  }
  function string(a4, b) {
    var bi = reA.lastIndex = reB.lastIndex = 0, am, bm, bs, i3 = -1, s3 = [], q3 = [];
    a4 = a4 + "", b = b + "";
    while ((am = reA.exec(a4)) && (bm = reB.exec(b))) {
      if ((bs = bm.index) > bi) {
        bs = b.slice(bi, bs);
        if (s3[i3]) s3[i3] += bs;
        else s3[++i3] = bs;
      }
      if ((am = am[0]) === (bm = bm[0])) {
        if (s3[i3]) s3[i3] += bm;
        else s3[++i3] = bm;
      } else {
        s3[++i3] = null;
        q3.push({ i: i3, x: number(am, bm) });
      }
      bi = reB.lastIndex;
    }
    if (bi < b.length) {
      bs = b.slice(bi);
      if (s3[i3]) s3[i3] += bs;
      else s3[++i3] = bs;
    }
    return s3.length < 2 ? q3[0] ? one(q3[0].x) : zero(b) : (b = q3.length, function(t4) {
      for (var i4 = 0, o4; i4 < b; ++i4) s3[(o4 = q3[i4]).i] = o4.x(t4);
      return s3.join("");
    });
  }
  function value(a4, b) {
    var t4 = typeof b, c3;
    return b == null || t4 === "boolean" ? constant2(b) : (t4 === "number" ? number : t4 === "string" ? (c3 = color(b)) ? (b = c3, rgb2) : string : b instanceof color ? rgb2 : b instanceof Date ? date : isNumberArray(b) ? numberArray : Array.isArray(b) ? genericArray : typeof b.valueOf !== "function" && typeof b.toString !== "function" || isNaN(b) ? object : number)(a4, b);
  }
  function round(a4, b) {
    return a4 = +a4, b = +b, function(t4) {
      return Math.round(a4 * (1 - t4) + b * t4);
    };
  }
  var degrees2 = 180 / Math.PI;
  var identity = {
    translateX: 0,
    translateY: 0,
    rotate: 0,
    skewX: 0,
    scaleX: 1,
    scaleY: 1
  };
  function decompose(a4, b, c3, d3, e3, f4) {
    var scaleX, scaleY, skewX;
    if (scaleX = Math.sqrt(a4 * a4 + b * b)) a4 /= scaleX, b /= scaleX;
    if (skewX = a4 * c3 + b * d3) c3 -= a4 * skewX, d3 -= b * skewX;
    if (scaleY = Math.sqrt(c3 * c3 + d3 * d3)) c3 /= scaleY, d3 /= scaleY, skewX /= scaleY;
    if (a4 * d3 < b * c3) a4 = -a4, b = -b, skewX = -skewX, scaleX = -scaleX;
    return {
      translateX: e3,
      translateY: f4,
      rotate: Math.atan2(b, a4) * degrees2,
      skewX: Math.atan(skewX) * degrees2,
      scaleX,
      scaleY
    };
  }
  var svgNode;
  function parseCss(value2) {
    const m3 = new (typeof DOMMatrix === "function" ? DOMMatrix : WebKitCSSMatrix)(value2 + "");
    return m3.isIdentity ? identity : decompose(m3.a, m3.b, m3.c, m3.d, m3.e, m3.f);
  }
  function parseSvg(value2) {
    if (value2 == null) return identity;
    if (!svgNode) svgNode = document.createElementNS("http://www.w3.org/2000/svg", "g");
    svgNode.setAttribute("transform", value2);
    if (!(value2 = svgNode.transform.baseVal.consolidate())) return identity;
    value2 = value2.matrix;
    return decompose(value2.a, value2.b, value2.c, value2.d, value2.e, value2.f);
  }
  function interpolateTransform(parse2, pxComma, pxParen, degParen) {
    function pop(s3) {
      return s3.length ? s3.pop() + " " : "";
    }
    function translate(xa, ya, xb, yb, s3, q3) {
      if (xa !== xb || ya !== yb) {
        var i3 = s3.push("translate(", null, pxComma, null, pxParen);
        q3.push({ i: i3 - 4, x: number(xa, xb) }, { i: i3 - 2, x: number(ya, yb) });
      } else if (xb || yb) {
        s3.push("translate(" + xb + pxComma + yb + pxParen);
      }
    }
    function rotate(a4, b, s3, q3) {
      if (a4 !== b) {
        if (a4 - b > 180) b += 360;
        else if (b - a4 > 180) a4 += 360;
        q3.push({ i: s3.push(pop(s3) + "rotate(", null, degParen) - 2, x: number(a4, b) });
      } else if (b) {
        s3.push(pop(s3) + "rotate(" + b + degParen);
      }
    }
    function skewX(a4, b, s3, q3) {
      if (a4 !== b) {
        q3.push({ i: s3.push(pop(s3) + "skewX(", null, degParen) - 2, x: number(a4, b) });
      } else if (b) {
        s3.push(pop(s3) + "skewX(" + b + degParen);
      }
    }
    function scale(xa, ya, xb, yb, s3, q3) {
      if (xa !== xb || ya !== yb) {
        var i3 = s3.push(pop(s3) + "scale(", null, ",", null, ")");
        q3.push({ i: i3 - 4, x: number(xa, xb) }, { i: i3 - 2, x: number(ya, yb) });
      } else if (xb !== 1 || yb !== 1) {
        s3.push(pop(s3) + "scale(" + xb + "," + yb + ")");
      }
    }
    return function(a4, b) {
      var s3 = [], q3 = [];
      a4 = parse2(a4), b = parse2(b);
      translate(a4.translateX, a4.translateY, b.translateX, b.translateY, s3, q3);
      rotate(a4.rotate, b.rotate, s3, q3);
      skewX(a4.skewX, b.skewX, s3, q3);
      scale(a4.scaleX, a4.scaleY, b.scaleX, b.scaleY, s3, q3);
      a4 = b = null;
      return function(t4) {
        var i3 = -1, n2 = q3.length, o4;
        while (++i3 < n2) s3[(o4 = q3[i3]).i] = o4.x(t4);
        return s3.join("");
      };
    };
  }
  var interpolateTransformCss = interpolateTransform(parseCss, "px, ", "px)", "deg)");
  var interpolateTransformSvg = interpolateTransform(parseSvg, ", ", ")", ")");
  var epsilon2 = 1e-12;
  function cosh(x2) {
    return ((x2 = Math.exp(x2)) + 1 / x2) / 2;
  }
  function sinh(x2) {
    return ((x2 = Math.exp(x2)) - 1 / x2) / 2;
  }
  function tanh(x2) {
    return ((x2 = Math.exp(2 * x2)) - 1) / (x2 + 1);
  }
  var zoom = (function zoomRho(rho, rho2, rho4) {
    function zoom2(p0, p1) {
      var ux0 = p0[0], uy0 = p0[1], w0 = p0[2], ux1 = p1[0], uy1 = p1[1], w1 = p1[2], dx = ux1 - ux0, dy = uy1 - uy0, d22 = dx * dx + dy * dy, i3, S3;
      if (d22 < epsilon2) {
        S3 = Math.log(w1 / w0) / rho;
        i3 = function(t4) {
          return [
            ux0 + t4 * dx,
            uy0 + t4 * dy,
            w0 * Math.exp(rho * t4 * S3)
          ];
        };
      } else {
        var d1 = Math.sqrt(d22), b02 = (w1 * w1 - w0 * w0 + rho4 * d22) / (2 * w0 * rho2 * d1), b12 = (w1 * w1 - w0 * w0 - rho4 * d22) / (2 * w1 * rho2 * d1), r0 = Math.log(Math.sqrt(b02 * b02 + 1) - b02), r1 = Math.log(Math.sqrt(b12 * b12 + 1) - b12);
        S3 = (r1 - r0) / rho;
        i3 = function(t4) {
          var s3 = t4 * S3, coshr0 = cosh(r0), u3 = w0 / (rho2 * d1) * (coshr0 * tanh(rho * s3 + r0) - sinh(r0));
          return [
            ux0 + u3 * dx,
            uy0 + u3 * dy,
            w0 * coshr0 / cosh(rho * s3 + r0)
          ];
        };
      }
      i3.duration = Math.abs(S3) * 1e3 * rho / Math.SQRT2;
      return i3;
    }
    zoom2.rho = function(_3) {
      var _1 = Math.max(1e-3, +_3), _22 = _1 * _1, _4 = _22 * _22;
      return zoomRho(_1, _22, _4);
    };
    return zoom2;
  })(Math.SQRT2, 2, 4);
  function hsl2(hue) {
    return function(start3, end) {
      var h3 = hue((start3 = hsl(start3)).h, (end = hsl(end)).h), s3 = nogamma(start3.s, end.s), l3 = nogamma(start3.l, end.l), opacity = nogamma(start3.opacity, end.opacity);
      return function(t4) {
        start3.h = h3(t4);
        start3.s = s3(t4);
        start3.l = l3(t4);
        start3.opacity = opacity(t4);
        return start3 + "";
      };
    };
  }
  var hsl_default = hsl2(hue$1);
  var hslLong = hsl2(nogamma);
  function hcl2(hue) {
    return function(start3, end) {
      var h3 = hue((start3 = hcl(start3)).h, (end = hcl(end)).h), c3 = nogamma(start3.c, end.c), l3 = nogamma(start3.l, end.l), opacity = nogamma(start3.opacity, end.opacity);
      return function(t4) {
        start3.h = h3(t4);
        start3.c = c3(t4);
        start3.l = l3(t4);
        start3.opacity = opacity(t4);
        return start3 + "";
      };
    };
  }
  var hcl_default = hcl2(hue$1);
  var hclLong = hcl2(nogamma);
  function cubehelix2(hue) {
    return (function cubehelixGamma(y3) {
      y3 = +y3;
      function cubehelix3(start3, end) {
        var h3 = hue((start3 = cubehelix(start3)).h, (end = cubehelix(end)).h), s3 = nogamma(start3.s, end.s), l3 = nogamma(start3.l, end.l), opacity = nogamma(start3.opacity, end.opacity);
        return function(t4) {
          start3.h = h3(t4);
          start3.s = s3(t4);
          start3.l = l3(Math.pow(t4, y3));
          start3.opacity = opacity(t4);
          return start3 + "";
        };
      }
      cubehelix3.gamma = cubehelixGamma;
      return cubehelix3;
    })(1);
  }
  var cubehelix_default = cubehelix2(hue$1);
  var cubehelixLong = cubehelix2(nogamma);

  // node_modules/d3-timer/dist/d3-timer.mjs
  var frame = 0;
  var timeout$1 = 0;
  var interval$1 = 0;
  var pokeDelay = 1e3;
  var taskHead;
  var taskTail;
  var clockLast = 0;
  var clockNow = 0;
  var clockSkew = 0;
  var clock = typeof performance === "object" && performance.now ? performance : Date;
  var setFrame = typeof window === "object" && window.requestAnimationFrame ? window.requestAnimationFrame.bind(window) : function(f4) {
    setTimeout(f4, 17);
  };
  function now() {
    return clockNow || (setFrame(clearNow), clockNow = clock.now() + clockSkew);
  }
  function clearNow() {
    clockNow = 0;
  }
  function Timer() {
    this._call = this._time = this._next = null;
  }
  Timer.prototype = timer.prototype = {
    constructor: Timer,
    restart: function(callback, delay, time) {
      if (typeof callback !== "function") throw new TypeError("callback is not a function");
      time = (time == null ? now() : +time) + (delay == null ? 0 : +delay);
      if (!this._next && taskTail !== this) {
        if (taskTail) taskTail._next = this;
        else taskHead = this;
        taskTail = this;
      }
      this._call = callback;
      this._time = time;
      sleep();
    },
    stop: function() {
      if (this._call) {
        this._call = null;
        this._time = Infinity;
        sleep();
      }
    }
  };
  function timer(callback, delay, time) {
    var t4 = new Timer();
    t4.restart(callback, delay, time);
    return t4;
  }
  function timerFlush() {
    now();
    ++frame;
    var t4 = taskHead, e3;
    while (t4) {
      if ((e3 = clockNow - t4._time) >= 0) t4._call.call(void 0, e3);
      t4 = t4._next;
    }
    --frame;
  }
  function wake() {
    clockNow = (clockLast = clock.now()) + clockSkew;
    frame = timeout$1 = 0;
    try {
      timerFlush();
    } finally {
      frame = 0;
      nap();
      clockNow = 0;
    }
  }
  function poke() {
    var now2 = clock.now(), delay = now2 - clockLast;
    if (delay > pokeDelay) clockSkew -= delay, clockLast = now2;
  }
  function nap() {
    var t02, t12 = taskHead, t23, time = Infinity;
    while (t12) {
      if (t12._call) {
        if (time > t12._time) time = t12._time;
        t02 = t12, t12 = t12._next;
      } else {
        t23 = t12._next, t12._next = null;
        t12 = t02 ? t02._next = t23 : taskHead = t23;
      }
    }
    taskTail = t02;
    sleep(time);
  }
  function sleep(time) {
    if (frame) return;
    if (timeout$1) timeout$1 = clearTimeout(timeout$1);
    var delay = time - clockNow;
    if (delay > 24) {
      if (time < Infinity) timeout$1 = setTimeout(wake, Math.ceil(time - clock.now() - clockSkew) + 1);
      if (interval$1) interval$1 = clearInterval(interval$1);
    } else {
      if (!interval$1) clockLast = clock.now(), interval$1 = setInterval(poke, pokeDelay);
      frame = 1, setFrame(wake);
    }
  }
  function timeout(callback, delay, time) {
    var t4 = new Timer();
    delay = delay == null ? 0 : +delay;
    t4.restart((elapsed) => {
      t4.stop();
      callback(elapsed + delay);
    }, delay, time);
    return t4;
  }

  // node_modules/d3-ease/dist/d3-ease.mjs
  function cubicInOut(t4) {
    return ((t4 *= 2) <= 1 ? t4 * t4 * t4 : (t4 -= 2) * t4 * t4 + 2) / 2;
  }
  var exponent = 3;
  var polyIn = (function custom(e3) {
    e3 = +e3;
    function polyIn2(t4) {
      return Math.pow(t4, e3);
    }
    polyIn2.exponent = custom;
    return polyIn2;
  })(exponent);
  var polyOut = (function custom2(e3) {
    e3 = +e3;
    function polyOut2(t4) {
      return 1 - Math.pow(1 - t4, e3);
    }
    polyOut2.exponent = custom2;
    return polyOut2;
  })(exponent);
  var polyInOut = (function custom3(e3) {
    e3 = +e3;
    function polyInOut2(t4) {
      return ((t4 *= 2) <= 1 ? Math.pow(t4, e3) : 2 - Math.pow(2 - t4, e3)) / 2;
    }
    polyInOut2.exponent = custom3;
    return polyInOut2;
  })(exponent);
  var pi = Math.PI;
  var halfPi = pi / 2;
  function tpmt(x2) {
    return (Math.pow(2, -10 * x2) - 9765625e-10) * 1.0009775171065494;
  }
  var b1 = 4 / 11;
  var b2 = 6 / 11;
  var b3 = 8 / 11;
  var b4 = 3 / 4;
  var b5 = 9 / 11;
  var b6 = 10 / 11;
  var b7 = 15 / 16;
  var b8 = 21 / 22;
  var b9 = 63 / 64;
  var b0 = 1 / b1 / b1;
  var overshoot = 1.70158;
  var backIn = (function custom4(s3) {
    s3 = +s3;
    function backIn2(t4) {
      return (t4 = +t4) * t4 * (s3 * (t4 - 1) + t4);
    }
    backIn2.overshoot = custom4;
    return backIn2;
  })(overshoot);
  var backOut = (function custom5(s3) {
    s3 = +s3;
    function backOut2(t4) {
      return --t4 * t4 * ((t4 + 1) * s3 + t4) + 1;
    }
    backOut2.overshoot = custom5;
    return backOut2;
  })(overshoot);
  var backInOut = (function custom6(s3) {
    s3 = +s3;
    function backInOut2(t4) {
      return ((t4 *= 2) < 1 ? t4 * t4 * ((s3 + 1) * t4 - s3) : (t4 -= 2) * t4 * ((s3 + 1) * t4 + s3) + 2) / 2;
    }
    backInOut2.overshoot = custom6;
    return backInOut2;
  })(overshoot);
  var tau = 2 * Math.PI;
  var amplitude = 1;
  var period = 0.3;
  var elasticIn = (function custom7(a4, p3) {
    var s3 = Math.asin(1 / (a4 = Math.max(1, a4))) * (p3 /= tau);
    function elasticIn2(t4) {
      return a4 * tpmt(- --t4) * Math.sin((s3 - t4) / p3);
    }
    elasticIn2.amplitude = function(a5) {
      return custom7(a5, p3 * tau);
    };
    elasticIn2.period = function(p4) {
      return custom7(a4, p4);
    };
    return elasticIn2;
  })(amplitude, period);
  var elasticOut = (function custom8(a4, p3) {
    var s3 = Math.asin(1 / (a4 = Math.max(1, a4))) * (p3 /= tau);
    function elasticOut2(t4) {
      return 1 - a4 * tpmt(t4 = +t4) * Math.sin((t4 + s3) / p3);
    }
    elasticOut2.amplitude = function(a5) {
      return custom8(a5, p3 * tau);
    };
    elasticOut2.period = function(p4) {
      return custom8(a4, p4);
    };
    return elasticOut2;
  })(amplitude, period);
  var elasticInOut = (function custom9(a4, p3) {
    var s3 = Math.asin(1 / (a4 = Math.max(1, a4))) * (p3 /= tau);
    function elasticInOut2(t4) {
      return ((t4 = t4 * 2 - 1) < 0 ? a4 * tpmt(-t4) * Math.sin((s3 - t4) / p3) : 2 - a4 * tpmt(t4) * Math.sin((s3 + t4) / p3)) / 2;
    }
    elasticInOut2.amplitude = function(a5) {
      return custom9(a5, p3 * tau);
    };
    elasticInOut2.period = function(p4) {
      return custom9(a4, p4);
    };
    return elasticInOut2;
  })(amplitude, period);

  // node_modules/d3-transition/dist/d3-transition.mjs
  var emptyOn = dispatch("start", "end", "cancel", "interrupt");
  var emptyTween = [];
  var CREATED = 0;
  var SCHEDULED = 1;
  var STARTING = 2;
  var STARTED = 3;
  var RUNNING = 4;
  var ENDING = 5;
  var ENDED = 6;
  function schedule(node, name, id2, index, group, timing) {
    var schedules = node.__transition;
    if (!schedules) node.__transition = {};
    else if (id2 in schedules) return;
    create(node, id2, {
      name,
      index,
      // For context during callback.
      group,
      // For context during callback.
      on: emptyOn,
      tween: emptyTween,
      time: timing.time,
      delay: timing.delay,
      duration: timing.duration,
      ease: timing.ease,
      timer: null,
      state: CREATED
    });
  }
  function init(node, id2) {
    var schedule3 = get3(node, id2);
    if (schedule3.state > CREATED) throw new Error("too late; already scheduled");
    return schedule3;
  }
  function set3(node, id2) {
    var schedule3 = get3(node, id2);
    if (schedule3.state > STARTED) throw new Error("too late; already running");
    return schedule3;
  }
  function get3(node, id2) {
    var schedule3 = node.__transition;
    if (!schedule3 || !(schedule3 = schedule3[id2])) throw new Error("transition not found");
    return schedule3;
  }
  function create(node, id2, self) {
    var schedules = node.__transition, tween;
    schedules[id2] = self;
    self.timer = timer(schedule3, 0, self.time);
    function schedule3(elapsed) {
      self.state = SCHEDULED;
      self.timer.restart(start3, self.delay, self.time);
      if (self.delay <= elapsed) start3(elapsed - self.delay);
    }
    function start3(elapsed) {
      var i3, j2, n2, o4;
      if (self.state !== SCHEDULED) return stop();
      for (i3 in schedules) {
        o4 = schedules[i3];
        if (o4.name !== self.name) continue;
        if (o4.state === STARTED) return timeout(start3);
        if (o4.state === RUNNING) {
          o4.state = ENDED;
          o4.timer.stop();
          o4.on.call("interrupt", node, node.__data__, o4.index, o4.group);
          delete schedules[i3];
        } else if (+i3 < id2) {
          o4.state = ENDED;
          o4.timer.stop();
          o4.on.call("cancel", node, node.__data__, o4.index, o4.group);
          delete schedules[i3];
        }
      }
      timeout(function() {
        if (self.state === STARTED) {
          self.state = RUNNING;
          self.timer.restart(tick, self.delay, self.time);
          tick(elapsed);
        }
      });
      self.state = STARTING;
      self.on.call("start", node, node.__data__, self.index, self.group);
      if (self.state !== STARTING) return;
      self.state = STARTED;
      tween = new Array(n2 = self.tween.length);
      for (i3 = 0, j2 = -1; i3 < n2; ++i3) {
        if (o4 = self.tween[i3].value.call(node, node.__data__, self.index, self.group)) {
          tween[++j2] = o4;
        }
      }
      tween.length = j2 + 1;
    }
    function tick(elapsed) {
      var t4 = elapsed < self.duration ? self.ease.call(null, elapsed / self.duration) : (self.timer.restart(stop), self.state = ENDING, 1), i3 = -1, n2 = tween.length;
      while (++i3 < n2) {
        tween[i3].call(node, t4);
      }
      if (self.state === ENDING) {
        self.on.call("end", node, node.__data__, self.index, self.group);
        stop();
      }
    }
    function stop() {
      self.state = ENDED;
      self.timer.stop();
      delete schedules[id2];
      for (var i3 in schedules) return;
      delete node.__transition;
    }
  }
  function interrupt(node, name) {
    var schedules = node.__transition, schedule3, active, empty3 = true, i3;
    if (!schedules) return;
    name = name == null ? null : name + "";
    for (i3 in schedules) {
      if ((schedule3 = schedules[i3]).name !== name) {
        empty3 = false;
        continue;
      }
      active = schedule3.state > STARTING && schedule3.state < ENDING;
      schedule3.state = ENDED;
      schedule3.timer.stop();
      schedule3.on.call(active ? "interrupt" : "cancel", node, node.__data__, schedule3.index, schedule3.group);
      delete schedules[i3];
    }
    if (empty3) delete node.__transition;
  }
  function selection_interrupt(name) {
    return this.each(function() {
      interrupt(this, name);
    });
  }
  function tweenRemove(id2, name) {
    var tween0, tween1;
    return function() {
      var schedule3 = set3(this, id2), tween = schedule3.tween;
      if (tween !== tween0) {
        tween1 = tween0 = tween;
        for (var i3 = 0, n2 = tween1.length; i3 < n2; ++i3) {
          if (tween1[i3].name === name) {
            tween1 = tween1.slice();
            tween1.splice(i3, 1);
            break;
          }
        }
      }
      schedule3.tween = tween1;
    };
  }
  function tweenFunction(id2, name, value2) {
    var tween0, tween1;
    if (typeof value2 !== "function") throw new Error();
    return function() {
      var schedule3 = set3(this, id2), tween = schedule3.tween;
      if (tween !== tween0) {
        tween1 = (tween0 = tween).slice();
        for (var t4 = { name, value: value2 }, i3 = 0, n2 = tween1.length; i3 < n2; ++i3) {
          if (tween1[i3].name === name) {
            tween1[i3] = t4;
            break;
          }
        }
        if (i3 === n2) tween1.push(t4);
      }
      schedule3.tween = tween1;
    };
  }
  function transition_tween(name, value2) {
    var id2 = this._id;
    name += "";
    if (arguments.length < 2) {
      var tween = get3(this.node(), id2).tween;
      for (var i3 = 0, n2 = tween.length, t4; i3 < n2; ++i3) {
        if ((t4 = tween[i3]).name === name) {
          return t4.value;
        }
      }
      return null;
    }
    return this.each((value2 == null ? tweenRemove : tweenFunction)(id2, name, value2));
  }
  function tweenValue(transition2, name, value2) {
    var id2 = transition2._id;
    transition2.each(function() {
      var schedule3 = set3(this, id2);
      (schedule3.value || (schedule3.value = {}))[name] = value2.apply(this, arguments);
    });
    return function(node) {
      return get3(node, id2).value[name];
    };
  }
  function interpolate(a4, b) {
    var c3;
    return (typeof b === "number" ? number : b instanceof color ? rgb2 : (c3 = color(b)) ? (b = c3, rgb2) : string)(a4, b);
  }
  function attrRemove2(name) {
    return function() {
      this.removeAttribute(name);
    };
  }
  function attrRemoveNS2(fullname) {
    return function() {
      this.removeAttributeNS(fullname.space, fullname.local);
    };
  }
  function attrConstant2(name, interpolate2, value1) {
    var string00, string1 = value1 + "", interpolate0;
    return function() {
      var string0 = this.getAttribute(name);
      return string0 === string1 ? null : string0 === string00 ? interpolate0 : interpolate0 = interpolate2(string00 = string0, value1);
    };
  }
  function attrConstantNS2(fullname, interpolate2, value1) {
    var string00, string1 = value1 + "", interpolate0;
    return function() {
      var string0 = this.getAttributeNS(fullname.space, fullname.local);
      return string0 === string1 ? null : string0 === string00 ? interpolate0 : interpolate0 = interpolate2(string00 = string0, value1);
    };
  }
  function attrFunction2(name, interpolate2, value2) {
    var string00, string10, interpolate0;
    return function() {
      var string0, value1 = value2(this), string1;
      if (value1 == null) return void this.removeAttribute(name);
      string0 = this.getAttribute(name);
      string1 = value1 + "";
      return string0 === string1 ? null : string0 === string00 && string1 === string10 ? interpolate0 : (string10 = string1, interpolate0 = interpolate2(string00 = string0, value1));
    };
  }
  function attrFunctionNS2(fullname, interpolate2, value2) {
    var string00, string10, interpolate0;
    return function() {
      var string0, value1 = value2(this), string1;
      if (value1 == null) return void this.removeAttributeNS(fullname.space, fullname.local);
      string0 = this.getAttributeNS(fullname.space, fullname.local);
      string1 = value1 + "";
      return string0 === string1 ? null : string0 === string00 && string1 === string10 ? interpolate0 : (string10 = string1, interpolate0 = interpolate2(string00 = string0, value1));
    };
  }
  function transition_attr(name, value2) {
    var fullname = namespace(name), i3 = fullname === "transform" ? interpolateTransformSvg : interpolate;
    return this.attrTween(name, typeof value2 === "function" ? (fullname.local ? attrFunctionNS2 : attrFunction2)(fullname, i3, tweenValue(this, "attr." + name, value2)) : value2 == null ? (fullname.local ? attrRemoveNS2 : attrRemove2)(fullname) : (fullname.local ? attrConstantNS2 : attrConstant2)(fullname, i3, value2));
  }
  function attrInterpolate(name, i3) {
    return function(t4) {
      this.setAttribute(name, i3.call(this, t4));
    };
  }
  function attrInterpolateNS(fullname, i3) {
    return function(t4) {
      this.setAttributeNS(fullname.space, fullname.local, i3.call(this, t4));
    };
  }
  function attrTweenNS(fullname, value2) {
    var t02, i0;
    function tween() {
      var i3 = value2.apply(this, arguments);
      if (i3 !== i0) t02 = (i0 = i3) && attrInterpolateNS(fullname, i3);
      return t02;
    }
    tween._value = value2;
    return tween;
  }
  function attrTween(name, value2) {
    var t02, i0;
    function tween() {
      var i3 = value2.apply(this, arguments);
      if (i3 !== i0) t02 = (i0 = i3) && attrInterpolate(name, i3);
      return t02;
    }
    tween._value = value2;
    return tween;
  }
  function transition_attrTween(name, value2) {
    var key = "attr." + name;
    if (arguments.length < 2) return (key = this.tween(key)) && key._value;
    if (value2 == null) return this.tween(key, null);
    if (typeof value2 !== "function") throw new Error();
    var fullname = namespace(name);
    return this.tween(key, (fullname.local ? attrTweenNS : attrTween)(fullname, value2));
  }
  function delayFunction(id2, value2) {
    return function() {
      init(this, id2).delay = +value2.apply(this, arguments);
    };
  }
  function delayConstant(id2, value2) {
    return value2 = +value2, function() {
      init(this, id2).delay = value2;
    };
  }
  function transition_delay(value2) {
    var id2 = this._id;
    return arguments.length ? this.each((typeof value2 === "function" ? delayFunction : delayConstant)(id2, value2)) : get3(this.node(), id2).delay;
  }
  function durationFunction(id2, value2) {
    return function() {
      set3(this, id2).duration = +value2.apply(this, arguments);
    };
  }
  function durationConstant(id2, value2) {
    return value2 = +value2, function() {
      set3(this, id2).duration = value2;
    };
  }
  function transition_duration(value2) {
    var id2 = this._id;
    return arguments.length ? this.each((typeof value2 === "function" ? durationFunction : durationConstant)(id2, value2)) : get3(this.node(), id2).duration;
  }
  function easeConstant(id2, value2) {
    if (typeof value2 !== "function") throw new Error();
    return function() {
      set3(this, id2).ease = value2;
    };
  }
  function transition_ease(value2) {
    var id2 = this._id;
    return arguments.length ? this.each(easeConstant(id2, value2)) : get3(this.node(), id2).ease;
  }
  function easeVarying(id2, value2) {
    return function() {
      var v3 = value2.apply(this, arguments);
      if (typeof v3 !== "function") throw new Error();
      set3(this, id2).ease = v3;
    };
  }
  function transition_easeVarying(value2) {
    if (typeof value2 !== "function") throw new Error();
    return this.each(easeVarying(this._id, value2));
  }
  function transition_filter(match) {
    if (typeof match !== "function") match = matcher(match);
    for (var groups = this._groups, m3 = groups.length, subgroups = new Array(m3), j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, subgroup = subgroups[j2] = [], node, i3 = 0; i3 < n2; ++i3) {
        if ((node = group[i3]) && match.call(node, node.__data__, i3, group)) {
          subgroup.push(node);
        }
      }
    }
    return new Transition(subgroups, this._parents, this._name, this._id);
  }
  function transition_merge(transition2) {
    if (transition2._id !== this._id) throw new Error();
    for (var groups0 = this._groups, groups1 = transition2._groups, m0 = groups0.length, m1 = groups1.length, m3 = Math.min(m0, m1), merges = new Array(m0), j2 = 0; j2 < m3; ++j2) {
      for (var group0 = groups0[j2], group1 = groups1[j2], n2 = group0.length, merge = merges[j2] = new Array(n2), node, i3 = 0; i3 < n2; ++i3) {
        if (node = group0[i3] || group1[i3]) {
          merge[i3] = node;
        }
      }
    }
    for (; j2 < m0; ++j2) {
      merges[j2] = groups0[j2];
    }
    return new Transition(merges, this._parents, this._name, this._id);
  }
  function start(name) {
    return (name + "").trim().split(/^|\s+/).every(function(t4) {
      var i3 = t4.indexOf(".");
      if (i3 >= 0) t4 = t4.slice(0, i3);
      return !t4 || t4 === "start";
    });
  }
  function onFunction(id2, name, listener) {
    var on0, on1, sit = start(name) ? init : set3;
    return function() {
      var schedule3 = sit(this, id2), on2 = schedule3.on;
      if (on2 !== on0) (on1 = (on0 = on2).copy()).on(name, listener);
      schedule3.on = on1;
    };
  }
  function transition_on(name, listener) {
    var id2 = this._id;
    return arguments.length < 2 ? get3(this.node(), id2).on.on(name) : this.each(onFunction(id2, name, listener));
  }
  function removeFunction(id2) {
    return function() {
      var parent = this.parentNode;
      for (var i3 in this.__transition) if (+i3 !== id2) return;
      if (parent) parent.removeChild(this);
    };
  }
  function transition_remove() {
    return this.on("end.remove", removeFunction(this._id));
  }
  function transition_select(select3) {
    var name = this._name, id2 = this._id;
    if (typeof select3 !== "function") select3 = selector(select3);
    for (var groups = this._groups, m3 = groups.length, subgroups = new Array(m3), j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, subgroup = subgroups[j2] = new Array(n2), node, subnode, i3 = 0; i3 < n2; ++i3) {
        if ((node = group[i3]) && (subnode = select3.call(node, node.__data__, i3, group))) {
          if ("__data__" in node) subnode.__data__ = node.__data__;
          subgroup[i3] = subnode;
          schedule(subgroup[i3], name, id2, i3, subgroup, get3(node, id2));
        }
      }
    }
    return new Transition(subgroups, this._parents, name, id2);
  }
  function transition_selectAll(select3) {
    var name = this._name, id2 = this._id;
    if (typeof select3 !== "function") select3 = selectorAll(select3);
    for (var groups = this._groups, m3 = groups.length, subgroups = [], parents = [], j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, node, i3 = 0; i3 < n2; ++i3) {
        if (node = group[i3]) {
          for (var children2 = select3.call(node, node.__data__, i3, group), child, inherit2 = get3(node, id2), k2 = 0, l3 = children2.length; k2 < l3; ++k2) {
            if (child = children2[k2]) {
              schedule(child, name, id2, k2, children2, inherit2);
            }
          }
          subgroups.push(children2);
          parents.push(node);
        }
      }
    }
    return new Transition(subgroups, parents, name, id2);
  }
  var Selection2 = selection.prototype.constructor;
  function transition_selection() {
    return new Selection2(this._groups, this._parents);
  }
  function styleNull(name, interpolate2) {
    var string00, string10, interpolate0;
    return function() {
      var string0 = styleValue(this, name), string1 = (this.style.removeProperty(name), styleValue(this, name));
      return string0 === string1 ? null : string0 === string00 && string1 === string10 ? interpolate0 : interpolate0 = interpolate2(string00 = string0, string10 = string1);
    };
  }
  function styleRemove2(name) {
    return function() {
      this.style.removeProperty(name);
    };
  }
  function styleConstant2(name, interpolate2, value1) {
    var string00, string1 = value1 + "", interpolate0;
    return function() {
      var string0 = styleValue(this, name);
      return string0 === string1 ? null : string0 === string00 ? interpolate0 : interpolate0 = interpolate2(string00 = string0, value1);
    };
  }
  function styleFunction2(name, interpolate2, value2) {
    var string00, string10, interpolate0;
    return function() {
      var string0 = styleValue(this, name), value1 = value2(this), string1 = value1 + "";
      if (value1 == null) string1 = value1 = (this.style.removeProperty(name), styleValue(this, name));
      return string0 === string1 ? null : string0 === string00 && string1 === string10 ? interpolate0 : (string10 = string1, interpolate0 = interpolate2(string00 = string0, value1));
    };
  }
  function styleMaybeRemove(id2, name) {
    var on0, on1, listener0, key = "style." + name, event = "end." + key, remove2;
    return function() {
      var schedule3 = set3(this, id2), on2 = schedule3.on, listener = schedule3.value[key] == null ? remove2 || (remove2 = styleRemove2(name)) : void 0;
      if (on2 !== on0 || listener0 !== listener) (on1 = (on0 = on2).copy()).on(event, listener0 = listener);
      schedule3.on = on1;
    };
  }
  function transition_style(name, value2, priority) {
    var i3 = (name += "") === "transform" ? interpolateTransformCss : interpolate;
    return value2 == null ? this.styleTween(name, styleNull(name, i3)).on("end.style." + name, styleRemove2(name)) : typeof value2 === "function" ? this.styleTween(name, styleFunction2(name, i3, tweenValue(this, "style." + name, value2))).each(styleMaybeRemove(this._id, name)) : this.styleTween(name, styleConstant2(name, i3, value2), priority).on("end.style." + name, null);
  }
  function styleInterpolate(name, i3, priority) {
    return function(t4) {
      this.style.setProperty(name, i3.call(this, t4), priority);
    };
  }
  function styleTween(name, value2, priority) {
    var t4, i0;
    function tween() {
      var i3 = value2.apply(this, arguments);
      if (i3 !== i0) t4 = (i0 = i3) && styleInterpolate(name, i3, priority);
      return t4;
    }
    tween._value = value2;
    return tween;
  }
  function transition_styleTween(name, value2, priority) {
    var key = "style." + (name += "");
    if (arguments.length < 2) return (key = this.tween(key)) && key._value;
    if (value2 == null) return this.tween(key, null);
    if (typeof value2 !== "function") throw new Error();
    return this.tween(key, styleTween(name, value2, priority == null ? "" : priority));
  }
  function textConstant2(value2) {
    return function() {
      this.textContent = value2;
    };
  }
  function textFunction2(value2) {
    return function() {
      var value1 = value2(this);
      this.textContent = value1 == null ? "" : value1;
    };
  }
  function transition_text(value2) {
    return this.tween("text", typeof value2 === "function" ? textFunction2(tweenValue(this, "text", value2)) : textConstant2(value2 == null ? "" : value2 + ""));
  }
  function textInterpolate(i3) {
    return function(t4) {
      this.textContent = i3.call(this, t4);
    };
  }
  function textTween(value2) {
    var t02, i0;
    function tween() {
      var i3 = value2.apply(this, arguments);
      if (i3 !== i0) t02 = (i0 = i3) && textInterpolate(i3);
      return t02;
    }
    tween._value = value2;
    return tween;
  }
  function transition_textTween(value2) {
    var key = "text";
    if (arguments.length < 1) return (key = this.tween(key)) && key._value;
    if (value2 == null) return this.tween(key, null);
    if (typeof value2 !== "function") throw new Error();
    return this.tween(key, textTween(value2));
  }
  function transition_transition() {
    var name = this._name, id0 = this._id, id1 = newId();
    for (var groups = this._groups, m3 = groups.length, j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, node, i3 = 0; i3 < n2; ++i3) {
        if (node = group[i3]) {
          var inherit2 = get3(node, id0);
          schedule(node, name, id1, i3, group, {
            time: inherit2.time + inherit2.delay + inherit2.duration,
            delay: 0,
            duration: inherit2.duration,
            ease: inherit2.ease
          });
        }
      }
    }
    return new Transition(groups, this._parents, name, id1);
  }
  function transition_end() {
    var on0, on1, that = this, id2 = that._id, size = that.size();
    return new Promise(function(resolve, reject) {
      var cancel = { value: reject }, end = { value: function() {
        if (--size === 0) resolve();
      } };
      that.each(function() {
        var schedule3 = set3(this, id2), on2 = schedule3.on;
        if (on2 !== on0) {
          on1 = (on0 = on2).copy();
          on1._.cancel.push(cancel);
          on1._.interrupt.push(cancel);
          on1._.end.push(end);
        }
        schedule3.on = on1;
      });
      if (size === 0) resolve();
    });
  }
  var id = 0;
  function Transition(groups, parents, name, id2) {
    this._groups = groups;
    this._parents = parents;
    this._name = name;
    this._id = id2;
  }
  function transition(name) {
    return selection().transition(name);
  }
  function newId() {
    return ++id;
  }
  var selection_prototype = selection.prototype;
  Transition.prototype = transition.prototype = {
    constructor: Transition,
    select: transition_select,
    selectAll: transition_selectAll,
    selectChild: selection_prototype.selectChild,
    selectChildren: selection_prototype.selectChildren,
    filter: transition_filter,
    merge: transition_merge,
    selection: transition_selection,
    transition: transition_transition,
    call: selection_prototype.call,
    nodes: selection_prototype.nodes,
    node: selection_prototype.node,
    size: selection_prototype.size,
    empty: selection_prototype.empty,
    each: selection_prototype.each,
    on: transition_on,
    attr: transition_attr,
    attrTween: transition_attrTween,
    style: transition_style,
    styleTween: transition_styleTween,
    text: transition_text,
    textTween: transition_textTween,
    remove: transition_remove,
    tween: transition_tween,
    delay: transition_delay,
    duration: transition_duration,
    ease: transition_ease,
    easeVarying: transition_easeVarying,
    end: transition_end,
    [Symbol.iterator]: selection_prototype[Symbol.iterator]
  };
  var defaultTiming = {
    time: null,
    // Set on use.
    delay: 0,
    duration: 250,
    ease: cubicInOut
  };
  function inherit(node, id2) {
    var timing;
    while (!(timing = node.__transition) || !(timing = timing[id2])) {
      if (!(node = node.parentNode)) {
        throw new Error(`transition ${id2} not found`);
      }
    }
    return timing;
  }
  function selection_transition(name) {
    var id2, timing;
    if (name instanceof Transition) {
      id2 = name._id, name = name._name;
    } else {
      id2 = newId(), (timing = defaultTiming).time = now(), name = name == null ? null : name + "";
    }
    for (var groups = this._groups, m3 = groups.length, j2 = 0; j2 < m3; ++j2) {
      for (var group = groups[j2], n2 = group.length, node, i3 = 0; i3 < n2; ++i3) {
        if (node = group[i3]) {
          schedule(node, name, id2, i3, group, timing || inherit(node, id2));
        }
      }
    }
    return new Transition(groups, this._parents, name, id2);
  }
  selection.prototype.interrupt = selection_interrupt;
  selection.prototype.transition = selection_transition;

  // node_modules/d3-brush/dist/d3-brush.mjs
  var constant3 = (x2) => () => x2;
  function BrushEvent(type2, {
    sourceEvent: sourceEvent2,
    target,
    selection: selection2,
    mode,
    dispatch: dispatch2
  }) {
    Object.defineProperties(this, {
      type: { value: type2, enumerable: true, configurable: true },
      sourceEvent: { value: sourceEvent2, enumerable: true, configurable: true },
      target: { value: target, enumerable: true, configurable: true },
      selection: { value: selection2, enumerable: true, configurable: true },
      mode: { value: mode, enumerable: true, configurable: true },
      _: { value: dispatch2 }
    });
  }
  function nopropagation(event) {
    event.stopImmediatePropagation();
  }
  function noevent2(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  var MODE_DRAG = { name: "drag" };
  var MODE_SPACE = { name: "space" };
  var MODE_HANDLE = { name: "handle" };
  var MODE_CENTER = { name: "center" };
  var { abs, max, min } = Math;
  function number1(e3) {
    return [+e3[0], +e3[1]];
  }
  function number2(e3) {
    return [number1(e3[0]), number1(e3[1])];
  }
  var X2 = {
    name: "x",
    handles: ["w", "e"].map(type),
    input: function(x2, e3) {
      return x2 == null ? null : [[+x2[0], e3[0][1]], [+x2[1], e3[1][1]]];
    },
    output: function(xy) {
      return xy && [xy[0][0], xy[1][0]];
    }
  };
  var Y2 = {
    name: "y",
    handles: ["n", "s"].map(type),
    input: function(y3, e3) {
      return y3 == null ? null : [[e3[0][0], +y3[0]], [e3[1][0], +y3[1]]];
    },
    output: function(xy) {
      return xy && [xy[0][1], xy[1][1]];
    }
  };
  var XY = {
    name: "xy",
    handles: ["n", "w", "e", "s", "nw", "ne", "sw", "se"].map(type),
    input: function(xy) {
      return xy == null ? null : number2(xy);
    },
    output: function(xy) {
      return xy;
    }
  };
  var cursors = {
    overlay: "crosshair",
    selection: "move",
    n: "ns-resize",
    e: "ew-resize",
    s: "ns-resize",
    w: "ew-resize",
    nw: "nwse-resize",
    ne: "nesw-resize",
    se: "nwse-resize",
    sw: "nesw-resize"
  };
  var flipX = {
    e: "w",
    w: "e",
    nw: "ne",
    ne: "nw",
    se: "sw",
    sw: "se"
  };
  var flipY = {
    n: "s",
    s: "n",
    nw: "sw",
    ne: "se",
    se: "ne",
    sw: "nw"
  };
  var signsX = {
    overlay: 1,
    selection: 1,
    n: null,
    e: 1,
    s: null,
    w: -1,
    nw: -1,
    ne: 1,
    se: 1,
    sw: -1
  };
  var signsY = {
    overlay: 1,
    selection: 1,
    n: -1,
    e: null,
    s: 1,
    w: null,
    nw: -1,
    ne: -1,
    se: 1,
    sw: 1
  };
  function type(t4) {
    return { type: t4 };
  }
  function defaultFilter(event) {
    return !event.ctrlKey && !event.button;
  }
  function defaultExtent() {
    var svg = this.ownerSVGElement || this;
    if (svg.hasAttribute("viewBox")) {
      svg = svg.viewBox.baseVal;
      return [[svg.x, svg.y], [svg.x + svg.width, svg.y + svg.height]];
    }
    return [[0, 0], [svg.width.baseVal.value, svg.height.baseVal.value]];
  }
  function defaultTouchable() {
    return navigator.maxTouchPoints || "ontouchstart" in this;
  }
  function local3(node) {
    while (!node.__brush) if (!(node = node.parentNode)) return;
    return node.__brush;
  }
  function empty2(extent) {
    return extent[0][0] === extent[1][0] || extent[0][1] === extent[1][1];
  }
  function brushX() {
    return brush(X2);
  }
  function brush(dim) {
    var extent = defaultExtent, filter2 = defaultFilter, touchable = defaultTouchable, keys = true, listeners2 = dispatch("start", "brush", "end"), handleSize = 6, touchending;
    function brush2(group) {
      var overlay = group.property("__brush", initialize).selectAll(".overlay").data([type("overlay")]);
      overlay.enter().append("rect").attr("class", "overlay").attr("pointer-events", "all").attr("cursor", cursors.overlay).merge(overlay).each(function() {
        var extent2 = local3(this).extent;
        select2(this).attr("x", extent2[0][0]).attr("y", extent2[0][1]).attr("width", extent2[1][0] - extent2[0][0]).attr("height", extent2[1][1] - extent2[0][1]);
      });
      group.selectAll(".selection").data([type("selection")]).enter().append("rect").attr("class", "selection").attr("cursor", cursors.selection).attr("fill", "#777").attr("fill-opacity", 0.3).attr("stroke", "#fff").attr("shape-rendering", "crispEdges");
      var handle = group.selectAll(".handle").data(dim.handles, function(d3) {
        return d3.type;
      });
      handle.exit().remove();
      handle.enter().append("rect").attr("class", function(d3) {
        return "handle handle--" + d3.type;
      }).attr("cursor", function(d3) {
        return cursors[d3.type];
      });
      group.each(redraw).attr("fill", "none").attr("pointer-events", "all").on("mousedown.brush", started).filter(touchable).on("touchstart.brush", started).on("touchmove.brush", touchmoved).on("touchend.brush touchcancel.brush", touchended).style("touch-action", "none").style("-webkit-tap-highlight-color", "rgba(0,0,0,0)");
    }
    brush2.move = function(group, selection2, event) {
      if (group.tween) {
        group.on("start.brush", function(event2) {
          emitter(this, arguments).beforestart().start(event2);
        }).on("interrupt.brush end.brush", function(event2) {
          emitter(this, arguments).end(event2);
        }).tween("brush", function() {
          var that = this, state2 = that.__brush, emit = emitter(that, arguments), selection0 = state2.selection, selection1 = dim.input(typeof selection2 === "function" ? selection2.apply(this, arguments) : selection2, state2.extent), i3 = value(selection0, selection1);
          function tween(t4) {
            state2.selection = t4 === 1 && selection1 === null ? null : i3(t4);
            redraw.call(that);
            emit.brush();
          }
          return selection0 !== null && selection1 !== null ? tween : tween(1);
        });
      } else {
        group.each(function() {
          var that = this, args = arguments, state2 = that.__brush, selection1 = dim.input(typeof selection2 === "function" ? selection2.apply(that, args) : selection2, state2.extent), emit = emitter(that, args).beforestart();
          interrupt(that);
          state2.selection = selection1 === null ? null : selection1;
          redraw.call(that);
          emit.start(event).brush(event).end(event);
        });
      }
    };
    brush2.clear = function(group, event) {
      brush2.move(group, null, event);
    };
    function redraw() {
      var group = select2(this), selection2 = local3(this).selection;
      if (selection2) {
        group.selectAll(".selection").style("display", null).attr("x", selection2[0][0]).attr("y", selection2[0][1]).attr("width", selection2[1][0] - selection2[0][0]).attr("height", selection2[1][1] - selection2[0][1]);
        group.selectAll(".handle").style("display", null).attr("x", function(d3) {
          return d3.type[d3.type.length - 1] === "e" ? selection2[1][0] - handleSize / 2 : selection2[0][0] - handleSize / 2;
        }).attr("y", function(d3) {
          return d3.type[0] === "s" ? selection2[1][1] - handleSize / 2 : selection2[0][1] - handleSize / 2;
        }).attr("width", function(d3) {
          return d3.type === "n" || d3.type === "s" ? selection2[1][0] - selection2[0][0] + handleSize : handleSize;
        }).attr("height", function(d3) {
          return d3.type === "e" || d3.type === "w" ? selection2[1][1] - selection2[0][1] + handleSize : handleSize;
        });
      } else {
        group.selectAll(".selection,.handle").style("display", "none").attr("x", null).attr("y", null).attr("width", null).attr("height", null);
      }
    }
    function emitter(that, args, clean) {
      var emit = that.__brush.emitter;
      return emit && (!clean || !emit.clean) ? emit : new Emitter(that, args, clean);
    }
    function Emitter(that, args, clean) {
      this.that = that;
      this.args = args;
      this.state = that.__brush;
      this.active = 0;
      this.clean = clean;
    }
    Emitter.prototype = {
      beforestart: function() {
        if (++this.active === 1) this.state.emitter = this, this.starting = true;
        return this;
      },
      start: function(event, mode) {
        if (this.starting) this.starting = false, this.emit("start", event, mode);
        else this.emit("brush", event);
        return this;
      },
      brush: function(event, mode) {
        this.emit("brush", event, mode);
        return this;
      },
      end: function(event, mode) {
        if (--this.active === 0) delete this.state.emitter, this.emit("end", event, mode);
        return this;
      },
      emit: function(type2, event, mode) {
        var d3 = select2(this.that).datum();
        listeners2.call(
          type2,
          this.that,
          new BrushEvent(type2, {
            sourceEvent: event,
            target: brush2,
            selection: dim.output(this.state.selection),
            mode,
            dispatch: listeners2
          }),
          d3
        );
      }
    };
    function started(event) {
      if (touchending && !event.touches) return;
      if (!filter2.apply(this, arguments)) return;
      var that = this, type2 = event.target.__data__.type, mode = (keys && event.metaKey ? type2 = "overlay" : type2) === "selection" ? MODE_DRAG : keys && event.altKey ? MODE_CENTER : MODE_HANDLE, signX = dim === Y2 ? null : signsX[type2], signY = dim === X2 ? null : signsY[type2], state2 = local3(that), extent2 = state2.extent, selection2 = state2.selection, W2 = extent2[0][0], w0, w1, N2 = extent2[0][1], n0, n1, E4 = extent2[1][0], e0, e1, S3 = extent2[1][1], s0, s1, dx = 0, dy = 0, moving, shifting = signX && signY && keys && event.shiftKey, lockX, lockY, points = Array.from(event.touches || [event], (t4) => {
        const i3 = t4.identifier;
        t4 = pointer(t4, that);
        t4.point0 = t4.slice();
        t4.identifier = i3;
        return t4;
      });
      interrupt(that);
      var emit = emitter(that, arguments, true).beforestart();
      if (type2 === "overlay") {
        if (selection2) moving = true;
        const pts = [points[0], points[1] || points[0]];
        state2.selection = selection2 = [[
          w0 = dim === Y2 ? W2 : min(pts[0][0], pts[1][0]),
          n0 = dim === X2 ? N2 : min(pts[0][1], pts[1][1])
        ], [
          e0 = dim === Y2 ? E4 : max(pts[0][0], pts[1][0]),
          s0 = dim === X2 ? S3 : max(pts[0][1], pts[1][1])
        ]];
        if (points.length > 1) move(event);
      } else {
        w0 = selection2[0][0];
        n0 = selection2[0][1];
        e0 = selection2[1][0];
        s0 = selection2[1][1];
      }
      w1 = w0;
      n1 = n0;
      e1 = e0;
      s1 = s0;
      var group = select2(that).attr("pointer-events", "none");
      var overlay = group.selectAll(".overlay").attr("cursor", cursors[type2]);
      if (event.touches) {
        emit.moved = moved;
        emit.ended = ended;
      } else {
        var view = select2(event.view).on("mousemove.brush", moved, true).on("mouseup.brush", ended, true);
        if (keys) view.on("keydown.brush", keydowned, true).on("keyup.brush", keyupped, true);
        nodrag(event.view);
      }
      redraw.call(that);
      emit.start(event, mode.name);
      function moved(event2) {
        for (const p3 of event2.changedTouches || [event2]) {
          for (const d3 of points)
            if (d3.identifier === p3.identifier) d3.cur = pointer(p3, that);
        }
        if (shifting && !lockX && !lockY && points.length === 1) {
          const point = points[0];
          if (abs(point.cur[0] - point[0]) > abs(point.cur[1] - point[1]))
            lockY = true;
          else
            lockX = true;
        }
        for (const point of points)
          if (point.cur) point[0] = point.cur[0], point[1] = point.cur[1];
        moving = true;
        noevent2(event2);
        move(event2);
      }
      function move(event2) {
        const point = points[0], point0 = point.point0;
        var t4;
        dx = point[0] - point0[0];
        dy = point[1] - point0[1];
        switch (mode) {
          case MODE_SPACE:
          case MODE_DRAG: {
            if (signX) dx = max(W2 - w0, min(E4 - e0, dx)), w1 = w0 + dx, e1 = e0 + dx;
            if (signY) dy = max(N2 - n0, min(S3 - s0, dy)), n1 = n0 + dy, s1 = s0 + dy;
            break;
          }
          case MODE_HANDLE: {
            if (points[1]) {
              if (signX) w1 = max(W2, min(E4, points[0][0])), e1 = max(W2, min(E4, points[1][0])), signX = 1;
              if (signY) n1 = max(N2, min(S3, points[0][1])), s1 = max(N2, min(S3, points[1][1])), signY = 1;
            } else {
              if (signX < 0) dx = max(W2 - w0, min(E4 - w0, dx)), w1 = w0 + dx, e1 = e0;
              else if (signX > 0) dx = max(W2 - e0, min(E4 - e0, dx)), w1 = w0, e1 = e0 + dx;
              if (signY < 0) dy = max(N2 - n0, min(S3 - n0, dy)), n1 = n0 + dy, s1 = s0;
              else if (signY > 0) dy = max(N2 - s0, min(S3 - s0, dy)), n1 = n0, s1 = s0 + dy;
            }
            break;
          }
          case MODE_CENTER: {
            if (signX) w1 = max(W2, min(E4, w0 - dx * signX)), e1 = max(W2, min(E4, e0 + dx * signX));
            if (signY) n1 = max(N2, min(S3, n0 - dy * signY)), s1 = max(N2, min(S3, s0 + dy * signY));
            break;
          }
        }
        if (e1 < w1) {
          signX *= -1;
          t4 = w0, w0 = e0, e0 = t4;
          t4 = w1, w1 = e1, e1 = t4;
          if (type2 in flipX) overlay.attr("cursor", cursors[type2 = flipX[type2]]);
        }
        if (s1 < n1) {
          signY *= -1;
          t4 = n0, n0 = s0, s0 = t4;
          t4 = n1, n1 = s1, s1 = t4;
          if (type2 in flipY) overlay.attr("cursor", cursors[type2 = flipY[type2]]);
        }
        if (state2.selection) selection2 = state2.selection;
        if (lockX) w1 = selection2[0][0], e1 = selection2[1][0];
        if (lockY) n1 = selection2[0][1], s1 = selection2[1][1];
        if (selection2[0][0] !== w1 || selection2[0][1] !== n1 || selection2[1][0] !== e1 || selection2[1][1] !== s1) {
          state2.selection = [[w1, n1], [e1, s1]];
          redraw.call(that);
          emit.brush(event2, mode.name);
        }
      }
      function ended(event2) {
        nopropagation(event2);
        if (event2.touches) {
          if (event2.touches.length) return;
          if (touchending) clearTimeout(touchending);
          touchending = setTimeout(function() {
            touchending = null;
          }, 500);
        } else {
          yesdrag(event2.view, moving);
          view.on("keydown.brush keyup.brush mousemove.brush mouseup.brush", null);
        }
        group.attr("pointer-events", "all");
        overlay.attr("cursor", cursors.overlay);
        if (state2.selection) selection2 = state2.selection;
        if (empty2(selection2)) state2.selection = null, redraw.call(that);
        emit.end(event2, mode.name);
      }
      function keydowned(event2) {
        switch (event2.keyCode) {
          case 16: {
            shifting = signX && signY;
            break;
          }
          case 18: {
            if (mode === MODE_HANDLE) {
              if (signX) e0 = e1 - dx * signX, w0 = w1 + dx * signX;
              if (signY) s0 = s1 - dy * signY, n0 = n1 + dy * signY;
              mode = MODE_CENTER;
              move(event2);
            }
            break;
          }
          case 32: {
            if (mode === MODE_HANDLE || mode === MODE_CENTER) {
              if (signX < 0) e0 = e1 - dx;
              else if (signX > 0) w0 = w1 - dx;
              if (signY < 0) s0 = s1 - dy;
              else if (signY > 0) n0 = n1 - dy;
              mode = MODE_SPACE;
              overlay.attr("cursor", cursors.selection);
              move(event2);
            }
            break;
          }
          default:
            return;
        }
        noevent2(event2);
      }
      function keyupped(event2) {
        switch (event2.keyCode) {
          case 16: {
            if (shifting) {
              lockX = lockY = shifting = false;
              move(event2);
            }
            break;
          }
          case 18: {
            if (mode === MODE_CENTER) {
              if (signX < 0) e0 = e1;
              else if (signX > 0) w0 = w1;
              if (signY < 0) s0 = s1;
              else if (signY > 0) n0 = n1;
              mode = MODE_HANDLE;
              move(event2);
            }
            break;
          }
          case 32: {
            if (mode === MODE_SPACE) {
              if (event2.altKey) {
                if (signX) e0 = e1 - dx * signX, w0 = w1 + dx * signX;
                if (signY) s0 = s1 - dy * signY, n0 = n1 + dy * signY;
                mode = MODE_CENTER;
              } else {
                if (signX < 0) e0 = e1;
                else if (signX > 0) w0 = w1;
                if (signY < 0) s0 = s1;
                else if (signY > 0) n0 = n1;
                mode = MODE_HANDLE;
              }
              overlay.attr("cursor", cursors[type2]);
              move(event2);
            }
            break;
          }
          default:
            return;
        }
        noevent2(event2);
      }
    }
    function touchmoved(event) {
      emitter(this, arguments).moved(event);
    }
    function touchended(event) {
      emitter(this, arguments).ended(event);
    }
    function initialize() {
      var state2 = this.__brush || { selection: null };
      state2.extent = number2(extent.apply(this, arguments));
      state2.dim = dim;
      return state2;
    }
    brush2.extent = function(_3) {
      return arguments.length ? (extent = typeof _3 === "function" ? _3 : constant3(number2(_3)), brush2) : extent;
    };
    brush2.filter = function(_3) {
      return arguments.length ? (filter2 = typeof _3 === "function" ? _3 : constant3(!!_3), brush2) : filter2;
    };
    brush2.touchable = function(_3) {
      return arguments.length ? (touchable = typeof _3 === "function" ? _3 : constant3(!!_3), brush2) : touchable;
    };
    brush2.handleSize = function(_3) {
      return arguments.length ? (handleSize = +_3, brush2) : handleSize;
    };
    brush2.keyModifiers = function(_3) {
      return arguments.length ? (keys = !!_3, brush2) : keys;
    };
    brush2.on = function() {
      var value2 = listeners2.on.apply(listeners2, arguments);
      return value2 === listeners2 ? brush2 : value2;
    };
    return brush2;
  }

  // node_modules/d3-array/dist/d3-array.mjs
  function ascending2(a4, b) {
    return a4 == null || b == null ? NaN : a4 < b ? -1 : a4 > b ? 1 : a4 >= b ? 0 : NaN;
  }
  function descending(a4, b) {
    return a4 == null || b == null ? NaN : b < a4 ? -1 : b > a4 ? 1 : b >= a4 ? 0 : NaN;
  }
  function bisector(f4) {
    let compare1, compare2, delta;
    if (f4.length !== 2) {
      compare1 = ascending2;
      compare2 = (d3, x2) => ascending2(f4(d3), x2);
      delta = (d3, x2) => f4(d3) - x2;
    } else {
      compare1 = f4 === ascending2 || f4 === descending ? f4 : zero2;
      compare2 = f4;
      delta = f4;
    }
    function left3(a4, x2, lo = 0, hi = a4.length) {
      if (lo < hi) {
        if (compare1(x2, x2) !== 0) return hi;
        do {
          const mid = lo + hi >>> 1;
          if (compare2(a4[mid], x2) < 0) lo = mid + 1;
          else hi = mid;
        } while (lo < hi);
      }
      return lo;
    }
    function right(a4, x2, lo = 0, hi = a4.length) {
      if (lo < hi) {
        if (compare1(x2, x2) !== 0) return hi;
        do {
          const mid = lo + hi >>> 1;
          if (compare2(a4[mid], x2) <= 0) lo = mid + 1;
          else hi = mid;
        } while (lo < hi);
      }
      return lo;
    }
    function center(a4, x2, lo = 0, hi = a4.length) {
      const i3 = left3(a4, x2, lo, hi - 1);
      return i3 > lo && delta(a4[i3 - 1], x2) > -delta(a4[i3], x2) ? i3 - 1 : i3;
    }
    return { left: left3, center, right };
  }
  function zero2() {
    return 0;
  }
  function number3(x2) {
    return x2 === null ? NaN : +x2;
  }
  var ascendingBisect = bisector(ascending2);
  var bisectRight = ascendingBisect.right;
  var bisectLeft = ascendingBisect.left;
  var bisectCenter = bisector(number3).center;
  var blur2 = Blur2(blurf);
  var blurImage = Blur2(blurfImage);
  function Blur2(blur) {
    return function(data2, rx, ry = rx) {
      if (!((rx = +rx) >= 0)) throw new RangeError("invalid rx");
      if (!((ry = +ry) >= 0)) throw new RangeError("invalid ry");
      let { data: values, width, height: height2 } = data2;
      if (!((width = Math.floor(width)) >= 0)) throw new RangeError("invalid width");
      if (!((height2 = Math.floor(height2 !== void 0 ? height2 : values.length / width)) >= 0)) throw new RangeError("invalid height");
      if (!width || !height2 || !rx && !ry) return data2;
      const blurx = rx && blur(rx);
      const blury = ry && blur(ry);
      const temp = values.slice();
      if (blurx && blury) {
        blurh(blurx, temp, values, width, height2);
        blurh(blurx, values, temp, width, height2);
        blurh(blurx, temp, values, width, height2);
        blurv(blury, values, temp, width, height2);
        blurv(blury, temp, values, width, height2);
        blurv(blury, values, temp, width, height2);
      } else if (blurx) {
        blurh(blurx, values, temp, width, height2);
        blurh(blurx, temp, values, width, height2);
        blurh(blurx, values, temp, width, height2);
      } else if (blury) {
        blurv(blury, values, temp, width, height2);
        blurv(blury, temp, values, width, height2);
        blurv(blury, values, temp, width, height2);
      }
      return data2;
    };
  }
  function blurh(blur, T4, S3, w3, h3) {
    for (let y3 = 0, n2 = w3 * h3; y3 < n2; ) {
      blur(T4, S3, y3, y3 += w3, 1);
    }
  }
  function blurv(blur, T4, S3, w3, h3) {
    for (let x2 = 0, n2 = w3 * h3; x2 < w3; ++x2) {
      blur(T4, S3, x2, x2 + n2, w3);
    }
  }
  function blurfImage(radius) {
    const blur = blurf(radius);
    return (T4, S3, start3, stop, step) => {
      start3 <<= 2, stop <<= 2, step <<= 2;
      blur(T4, S3, start3 + 0, stop + 0, step);
      blur(T4, S3, start3 + 1, stop + 1, step);
      blur(T4, S3, start3 + 2, stop + 2, step);
      blur(T4, S3, start3 + 3, stop + 3, step);
    };
  }
  function blurf(radius) {
    const radius0 = Math.floor(radius);
    if (radius0 === radius) return bluri(radius);
    const t4 = radius - radius0;
    const w3 = 2 * radius + 1;
    return (T4, S3, start3, stop, step) => {
      if (!((stop -= step) >= start3)) return;
      let sum = radius0 * S3[start3];
      const s0 = step * radius0;
      const s1 = s0 + step;
      for (let i3 = start3, j2 = start3 + s0; i3 < j2; i3 += step) {
        sum += S3[Math.min(stop, i3)];
      }
      for (let i3 = start3, j2 = stop; i3 <= j2; i3 += step) {
        sum += S3[Math.min(stop, i3 + s0)];
        T4[i3] = (sum + t4 * (S3[Math.max(start3, i3 - s1)] + S3[Math.min(stop, i3 + s1)])) / w3;
        sum -= S3[Math.max(start3, i3 - s0)];
      }
    };
  }
  function bluri(radius) {
    const w3 = 2 * radius + 1;
    return (T4, S3, start3, stop, step) => {
      if (!((stop -= step) >= start3)) return;
      let sum = radius * S3[start3];
      const s3 = step * radius;
      for (let i3 = start3, j2 = start3 + s3; i3 < j2; i3 += step) {
        sum += S3[Math.min(stop, i3)];
      }
      for (let i3 = start3, j2 = stop; i3 <= j2; i3 += step) {
        sum += S3[Math.min(stop, i3 + s3)];
        T4[i3] = sum / w3;
        sum -= S3[Math.max(start3, i3 - s3)];
      }
    };
  }
  var array2 = Array.prototype;
  var slice = array2.slice;
  var e10 = Math.sqrt(50);
  var e5 = Math.sqrt(10);
  var e22 = Math.sqrt(2);
  function tickSpec(start3, stop, count2) {
    const step = (stop - start3) / Math.max(0, count2), power = Math.floor(Math.log10(step)), error = step / Math.pow(10, power), factor = error >= e10 ? 10 : error >= e5 ? 5 : error >= e22 ? 2 : 1;
    let i1, i22, inc;
    if (power < 0) {
      inc = Math.pow(10, -power) / factor;
      i1 = Math.round(start3 * inc);
      i22 = Math.round(stop * inc);
      if (i1 / inc < start3) ++i1;
      if (i22 / inc > stop) --i22;
      inc = -inc;
    } else {
      inc = Math.pow(10, power) * factor;
      i1 = Math.round(start3 / inc);
      i22 = Math.round(stop / inc);
      if (i1 * inc < start3) ++i1;
      if (i22 * inc > stop) --i22;
    }
    if (i22 < i1 && 0.5 <= count2 && count2 < 2) return tickSpec(start3, stop, count2 * 2);
    return [i1, i22, inc];
  }
  function ticks(start3, stop, count2) {
    stop = +stop, start3 = +start3, count2 = +count2;
    if (!(count2 > 0)) return [];
    if (start3 === stop) return [start3];
    const reverse = stop < start3, [i1, i22, inc] = reverse ? tickSpec(stop, start3, count2) : tickSpec(start3, stop, count2);
    if (!(i22 >= i1)) return [];
    const n2 = i22 - i1 + 1, ticks2 = new Array(n2);
    if (reverse) {
      if (inc < 0) for (let i3 = 0; i3 < n2; ++i3) ticks2[i3] = (i22 - i3) / -inc;
      else for (let i3 = 0; i3 < n2; ++i3) ticks2[i3] = (i22 - i3) * inc;
    } else {
      if (inc < 0) for (let i3 = 0; i3 < n2; ++i3) ticks2[i3] = (i1 + i3) / -inc;
      else for (let i3 = 0; i3 < n2; ++i3) ticks2[i3] = (i1 + i3) * inc;
    }
    return ticks2;
  }
  function tickIncrement(start3, stop, count2) {
    stop = +stop, start3 = +start3, count2 = +count2;
    return tickSpec(start3, stop, count2)[2];
  }
  function tickStep(start3, stop, count2) {
    stop = +stop, start3 = +start3, count2 = +count2;
    const reverse = stop < start3, inc = reverse ? tickIncrement(stop, start3, count2) : tickIncrement(start3, stop, count2);
    return (reverse ? -1 : 1) * (inc < 0 ? 1 / -inc : inc);
  }
  var shuffle = shuffler(Math.random);
  function shuffler(random) {
    return function shuffle2(array3, i0 = 0, i1 = array3.length) {
      let m3 = i1 - (i0 = +i0);
      while (m3) {
        const i3 = random() * m3-- | 0, t4 = array3[m3 + i0];
        array3[m3 + i0] = array3[i3 + i0];
        array3[i3 + i0] = t4;
      }
      return array3;
    };
  }

  // node_modules/d3-format/dist/d3-format.mjs
  function formatDecimal(x2) {
    return Math.abs(x2 = Math.round(x2)) >= 1e21 ? x2.toLocaleString("en").replace(/,/g, "") : x2.toString(10);
  }
  function formatDecimalParts(x2, p3) {
    if (!isFinite(x2) || x2 === 0) return null;
    var i3 = (x2 = p3 ? x2.toExponential(p3 - 1) : x2.toExponential()).indexOf("e"), coefficient = x2.slice(0, i3);
    return [
      coefficient.length > 1 ? coefficient[0] + coefficient.slice(2) : coefficient,
      +x2.slice(i3 + 1)
    ];
  }
  function exponent2(x2) {
    return x2 = formatDecimalParts(Math.abs(x2)), x2 ? x2[1] : NaN;
  }
  function formatGroup(grouping, thousands) {
    return function(value2, width) {
      var i3 = value2.length, t4 = [], j2 = 0, g3 = grouping[0], length = 0;
      while (i3 > 0 && g3 > 0) {
        if (length + g3 + 1 > width) g3 = Math.max(1, width - length);
        t4.push(value2.substring(i3 -= g3, i3 + g3));
        if ((length += g3 + 1) > width) break;
        g3 = grouping[j2 = (j2 + 1) % grouping.length];
      }
      return t4.reverse().join(thousands);
    };
  }
  function formatNumerals(numerals) {
    return function(value2) {
      return value2.replace(/[0-9]/g, function(i3) {
        return numerals[+i3];
      });
    };
  }
  var re2 = /^(?:(.)?([<>=^]))?([+\-( ])?([$#])?(0)?(\d+)?(,)?(\.\d+)?(~)?([a-z%])?$/i;
  function formatSpecifier(specifier) {
    if (!(match = re2.exec(specifier))) throw new Error("invalid format: " + specifier);
    var match;
    return new FormatSpecifier({
      fill: match[1],
      align: match[2],
      sign: match[3],
      symbol: match[4],
      zero: match[5],
      width: match[6],
      comma: match[7],
      precision: match[8] && match[8].slice(1),
      trim: match[9],
      type: match[10]
    });
  }
  formatSpecifier.prototype = FormatSpecifier.prototype;
  function FormatSpecifier(specifier) {
    this.fill = specifier.fill === void 0 ? " " : specifier.fill + "";
    this.align = specifier.align === void 0 ? ">" : specifier.align + "";
    this.sign = specifier.sign === void 0 ? "-" : specifier.sign + "";
    this.symbol = specifier.symbol === void 0 ? "" : specifier.symbol + "";
    this.zero = !!specifier.zero;
    this.width = specifier.width === void 0 ? void 0 : +specifier.width;
    this.comma = !!specifier.comma;
    this.precision = specifier.precision === void 0 ? void 0 : +specifier.precision;
    this.trim = !!specifier.trim;
    this.type = specifier.type === void 0 ? "" : specifier.type + "";
  }
  FormatSpecifier.prototype.toString = function() {
    return this.fill + this.align + this.sign + this.symbol + (this.zero ? "0" : "") + (this.width === void 0 ? "" : Math.max(1, this.width | 0)) + (this.comma ? "," : "") + (this.precision === void 0 ? "" : "." + Math.max(0, this.precision | 0)) + (this.trim ? "~" : "") + this.type;
  };
  function formatTrim(s3) {
    out: for (var n2 = s3.length, i3 = 1, i0 = -1, i1; i3 < n2; ++i3) {
      switch (s3[i3]) {
        case ".":
          i0 = i1 = i3;
          break;
        case "0":
          if (i0 === 0) i0 = i3;
          i1 = i3;
          break;
        default:
          if (!+s3[i3]) break out;
          if (i0 > 0) i0 = 0;
          break;
      }
    }
    return i0 > 0 ? s3.slice(0, i0) + s3.slice(i1 + 1) : s3;
  }
  var prefixExponent;
  function formatPrefixAuto(x2, p3) {
    var d3 = formatDecimalParts(x2, p3);
    if (!d3) return prefixExponent = void 0, x2.toPrecision(p3);
    var coefficient = d3[0], exponent3 = d3[1], i3 = exponent3 - (prefixExponent = Math.max(-8, Math.min(8, Math.floor(exponent3 / 3))) * 3) + 1, n2 = coefficient.length;
    return i3 === n2 ? coefficient : i3 > n2 ? coefficient + new Array(i3 - n2 + 1).join("0") : i3 > 0 ? coefficient.slice(0, i3) + "." + coefficient.slice(i3) : "0." + new Array(1 - i3).join("0") + formatDecimalParts(x2, Math.max(0, p3 + i3 - 1))[0];
  }
  function formatRounded(x2, p3) {
    var d3 = formatDecimalParts(x2, p3);
    if (!d3) return x2 + "";
    var coefficient = d3[0], exponent3 = d3[1];
    return exponent3 < 0 ? "0." + new Array(-exponent3).join("0") + coefficient : coefficient.length > exponent3 + 1 ? coefficient.slice(0, exponent3 + 1) + "." + coefficient.slice(exponent3 + 1) : coefficient + new Array(exponent3 - coefficient.length + 2).join("0");
  }
  var formatTypes = {
    "%": (x2, p3) => (x2 * 100).toFixed(p3),
    "b": (x2) => Math.round(x2).toString(2),
    "c": (x2) => x2 + "",
    "d": formatDecimal,
    "e": (x2, p3) => x2.toExponential(p3),
    "f": (x2, p3) => x2.toFixed(p3),
    "g": (x2, p3) => x2.toPrecision(p3),
    "o": (x2) => Math.round(x2).toString(8),
    "p": (x2, p3) => formatRounded(x2 * 100, p3),
    "r": formatRounded,
    "s": formatPrefixAuto,
    "X": (x2) => Math.round(x2).toString(16).toUpperCase(),
    "x": (x2) => Math.round(x2).toString(16)
  };
  function identity2(x2) {
    return x2;
  }
  var map = Array.prototype.map;
  var prefixes = ["y", "z", "a", "f", "p", "n", "\xB5", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y"];
  function formatLocale(locale2) {
    var group = locale2.grouping === void 0 || locale2.thousands === void 0 ? identity2 : formatGroup(map.call(locale2.grouping, Number), locale2.thousands + ""), currencyPrefix = locale2.currency === void 0 ? "" : locale2.currency[0] + "", currencySuffix = locale2.currency === void 0 ? "" : locale2.currency[1] + "", decimal = locale2.decimal === void 0 ? "." : locale2.decimal + "", numerals = locale2.numerals === void 0 ? identity2 : formatNumerals(map.call(locale2.numerals, String)), percent = locale2.percent === void 0 ? "%" : locale2.percent + "", minus = locale2.minus === void 0 ? "\u2212" : locale2.minus + "", nan = locale2.nan === void 0 ? "NaN" : locale2.nan + "";
    function newFormat(specifier, options) {
      specifier = formatSpecifier(specifier);
      var fill = specifier.fill, align = specifier.align, sign = specifier.sign, symbol = specifier.symbol, zero3 = specifier.zero, width = specifier.width, comma = specifier.comma, precision = specifier.precision, trim = specifier.trim, type2 = specifier.type;
      if (type2 === "n") comma = true, type2 = "g";
      else if (!formatTypes[type2]) precision === void 0 && (precision = 12), trim = true, type2 = "g";
      if (zero3 || fill === "0" && align === "=") zero3 = true, fill = "0", align = "=";
      var prefix = (options && options.prefix !== void 0 ? options.prefix : "") + (symbol === "$" ? currencyPrefix : symbol === "#" && /[boxX]/.test(type2) ? "0" + type2.toLowerCase() : ""), suffix = (symbol === "$" ? currencySuffix : /[%p]/.test(type2) ? percent : "") + (options && options.suffix !== void 0 ? options.suffix : "");
      var formatType = formatTypes[type2], maybeSuffix = /[defgprs%]/.test(type2);
      precision = precision === void 0 ? 6 : /[gprs]/.test(type2) ? Math.max(1, Math.min(21, precision)) : Math.max(0, Math.min(20, precision));
      function format2(value2) {
        var valuePrefix = prefix, valueSuffix = suffix, i3, n2, c3;
        if (type2 === "c") {
          valueSuffix = formatType(value2) + valueSuffix;
          value2 = "";
        } else {
          value2 = +value2;
          var valueNegative = value2 < 0 || 1 / value2 < 0;
          value2 = isNaN(value2) ? nan : formatType(Math.abs(value2), precision);
          if (trim) value2 = formatTrim(value2);
          if (valueNegative && +value2 === 0 && sign !== "+") valueNegative = false;
          valuePrefix = (valueNegative ? sign === "(" ? sign : minus : sign === "-" || sign === "(" ? "" : sign) + valuePrefix;
          valueSuffix = (type2 === "s" && !isNaN(value2) && prefixExponent !== void 0 ? prefixes[8 + prefixExponent / 3] : "") + valueSuffix + (valueNegative && sign === "(" ? ")" : "");
          if (maybeSuffix) {
            i3 = -1, n2 = value2.length;
            while (++i3 < n2) {
              if (c3 = value2.charCodeAt(i3), 48 > c3 || c3 > 57) {
                valueSuffix = (c3 === 46 ? decimal + value2.slice(i3 + 1) : value2.slice(i3)) + valueSuffix;
                value2 = value2.slice(0, i3);
                break;
              }
            }
          }
        }
        if (comma && !zero3) value2 = group(value2, Infinity);
        var length = valuePrefix.length + value2.length + valueSuffix.length, padding = length < width ? new Array(width - length + 1).join(fill) : "";
        if (comma && zero3) value2 = group(padding + value2, padding.length ? width - valueSuffix.length : Infinity), padding = "";
        switch (align) {
          case "<":
            value2 = valuePrefix + value2 + valueSuffix + padding;
            break;
          case "=":
            value2 = valuePrefix + padding + value2 + valueSuffix;
            break;
          case "^":
            value2 = padding.slice(0, length = padding.length >> 1) + valuePrefix + value2 + valueSuffix + padding.slice(length);
            break;
          default:
            value2 = padding + valuePrefix + value2 + valueSuffix;
            break;
        }
        return numerals(value2);
      }
      format2.toString = function() {
        return specifier + "";
      };
      return format2;
    }
    function formatPrefix2(specifier, value2) {
      var e3 = Math.max(-8, Math.min(8, Math.floor(exponent2(value2) / 3))) * 3, k2 = Math.pow(10, -e3), f4 = newFormat((specifier = formatSpecifier(specifier), specifier.type = "f", specifier), { suffix: prefixes[8 + e3 / 3] });
      return function(value3) {
        return f4(k2 * value3);
      };
    }
    return {
      format: newFormat,
      formatPrefix: formatPrefix2
    };
  }
  var locale;
  var format;
  var formatPrefix;
  defaultLocale({
    thousands: ",",
    grouping: [3],
    currency: ["$", ""]
  });
  function defaultLocale(definition) {
    locale = formatLocale(definition);
    format = locale.format;
    formatPrefix = locale.formatPrefix;
    return locale;
  }
  function precisionFixed(step) {
    return Math.max(0, -exponent2(Math.abs(step)));
  }
  function precisionPrefix(step, value2) {
    return Math.max(0, Math.max(-8, Math.min(8, Math.floor(exponent2(value2) / 3))) * 3 - exponent2(Math.abs(step)));
  }
  function precisionRound(step, max2) {
    step = Math.abs(step), max2 = Math.abs(max2) - step;
    return Math.max(0, exponent2(max2) - exponent2(step)) + 1;
  }

  // node_modules/d3-scale/dist/d3-scale.mjs
  function initRange(domain, range2) {
    switch (arguments.length) {
      case 0:
        break;
      case 1:
        this.range(domain);
        break;
      default:
        this.range(range2).domain(domain);
        break;
    }
    return this;
  }
  function constants(x2) {
    return function() {
      return x2;
    };
  }
  function number$1(x2) {
    return +x2;
  }
  var unit = [0, 1];
  function identity$1(x2) {
    return x2;
  }
  function normalize(a4, b) {
    return (b -= a4 = +a4) ? function(x2) {
      return (x2 - a4) / b;
    } : constants(isNaN(b) ? NaN : 0.5);
  }
  function clamper(a4, b) {
    var t4;
    if (a4 > b) t4 = a4, a4 = b, b = t4;
    return function(x2) {
      return Math.max(a4, Math.min(b, x2));
    };
  }
  function bimap(domain, range2, interpolate2) {
    var d0 = domain[0], d1 = domain[1], r0 = range2[0], r1 = range2[1];
    if (d1 < d0) d0 = normalize(d1, d0), r0 = interpolate2(r1, r0);
    else d0 = normalize(d0, d1), r0 = interpolate2(r0, r1);
    return function(x2) {
      return r0(d0(x2));
    };
  }
  function polymap(domain, range2, interpolate2) {
    var j2 = Math.min(domain.length, range2.length) - 1, d3 = new Array(j2), r3 = new Array(j2), i3 = -1;
    if (domain[j2] < domain[0]) {
      domain = domain.slice().reverse();
      range2 = range2.slice().reverse();
    }
    while (++i3 < j2) {
      d3[i3] = normalize(domain[i3], domain[i3 + 1]);
      r3[i3] = interpolate2(range2[i3], range2[i3 + 1]);
    }
    return function(x2) {
      var i4 = bisectRight(domain, x2, 1, j2) - 1;
      return r3[i4](d3[i4](x2));
    };
  }
  function copy$1(source2, target) {
    return target.domain(source2.domain()).range(source2.range()).interpolate(source2.interpolate()).clamp(source2.clamp()).unknown(source2.unknown());
  }
  function transformer$2() {
    var domain = unit, range2 = unit, interpolate$1 = value, transform, untransform, unknown, clamp = identity$1, piecewise2, output, input;
    function rescale() {
      var n2 = Math.min(domain.length, range2.length);
      if (clamp !== identity$1) clamp = clamper(domain[0], domain[n2 - 1]);
      piecewise2 = n2 > 2 ? polymap : bimap;
      output = input = null;
      return scale;
    }
    function scale(x2) {
      return x2 == null || isNaN(x2 = +x2) ? unknown : (output || (output = piecewise2(domain.map(transform), range2, interpolate$1)))(transform(clamp(x2)));
    }
    scale.invert = function(y3) {
      return clamp(untransform((input || (input = piecewise2(range2, domain.map(transform), number)))(y3)));
    };
    scale.domain = function(_3) {
      return arguments.length ? (domain = Array.from(_3, number$1), rescale()) : domain.slice();
    };
    scale.range = function(_3) {
      return arguments.length ? (range2 = Array.from(_3), rescale()) : range2.slice();
    };
    scale.rangeRound = function(_3) {
      return range2 = Array.from(_3), interpolate$1 = round, rescale();
    };
    scale.clamp = function(_3) {
      return arguments.length ? (clamp = _3 ? true : identity$1, rescale()) : clamp !== identity$1;
    };
    scale.interpolate = function(_3) {
      return arguments.length ? (interpolate$1 = _3, rescale()) : interpolate$1;
    };
    scale.unknown = function(_3) {
      return arguments.length ? (unknown = _3, scale) : unknown;
    };
    return function(t4, u3) {
      transform = t4, untransform = u3;
      return rescale();
    };
  }
  function continuous() {
    return transformer$2()(identity$1, identity$1);
  }
  function tickFormat(start3, stop, count2, specifier) {
    var step = tickStep(start3, stop, count2), precision;
    specifier = formatSpecifier(specifier == null ? ",f" : specifier);
    switch (specifier.type) {
      case "s": {
        var value2 = Math.max(Math.abs(start3), Math.abs(stop));
        if (specifier.precision == null && !isNaN(precision = precisionPrefix(step, value2))) specifier.precision = precision;
        return formatPrefix(specifier, value2);
      }
      case "":
      case "e":
      case "g":
      case "p":
      case "r": {
        if (specifier.precision == null && !isNaN(precision = precisionRound(step, Math.max(Math.abs(start3), Math.abs(stop))))) specifier.precision = precision - (specifier.type === "e");
        break;
      }
      case "f":
      case "%": {
        if (specifier.precision == null && !isNaN(precision = precisionFixed(step))) specifier.precision = precision - (specifier.type === "%") * 2;
        break;
      }
    }
    return format(specifier);
  }
  function linearish(scale) {
    var domain = scale.domain;
    scale.ticks = function(count2) {
      var d3 = domain();
      return ticks(d3[0], d3[d3.length - 1], count2 == null ? 10 : count2);
    };
    scale.tickFormat = function(count2, specifier) {
      var d3 = domain();
      return tickFormat(d3[0], d3[d3.length - 1], count2 == null ? 10 : count2, specifier);
    };
    scale.nice = function(count2) {
      if (count2 == null) count2 = 10;
      var d3 = domain();
      var i0 = 0;
      var i1 = d3.length - 1;
      var start3 = d3[i0];
      var stop = d3[i1];
      var prestep;
      var step;
      var maxIter = 10;
      if (stop < start3) {
        step = start3, start3 = stop, stop = step;
        step = i0, i0 = i1, i1 = step;
      }
      while (maxIter-- > 0) {
        step = tickIncrement(start3, stop, count2);
        if (step === prestep) {
          d3[i0] = start3;
          d3[i1] = stop;
          return domain(d3);
        } else if (step > 0) {
          start3 = Math.floor(start3 / step) * step;
          stop = Math.ceil(stop / step) * step;
        } else if (step < 0) {
          start3 = Math.ceil(start3 * step) / step;
          stop = Math.floor(stop * step) / step;
        } else {
          break;
        }
        prestep = step;
      }
      return scale;
    };
    return scale;
  }
  function linear2() {
    var scale = continuous();
    scale.copy = function() {
      return copy$1(scale, linear2());
    };
    initRange.apply(scale, arguments);
    return linearish(scale);
  }

  // src/axis.tsx
  function useWidth() {
    const ref = T2(null);
    const [width, setWidth] = d2(900);
    A2(() => {
      if (!ref.current) return;
      const o4 = new ResizeObserver((entries2) => setWidth(Math.max(320, Math.floor(entries2[0].contentRect.width))));
      o4.observe(ref.current);
      return () => o4.disconnect();
    }, []);
    return [ref, width];
  }
  function Strip({ width, height: height2, end, range: range2, onRange, label, children: children2 }) {
    const g3 = T2(null);
    const moving = T2(false);
    A2(() => {
      const x2 = linear2([0, end], [0, width]);
      const brush2 = brushX().extent([
        [0, 0],
        [width, height2]
      ]).on("brush end", (e3) => {
        if (!e3.sourceEvent) return;
        const s3 = e3.selection;
        moving.current = true;
        if (!s3) onRange([0, end]);
        else onRange([x2.invert(s3[0]), Math.max(x2.invert(s3[1]), x2.invert(s3[0]) + end / 2e3)]);
        moving.current = false;
      });
      const sel = select2(g3.current);
      brush2(sel);
      brush2.move(sel, [x2(range2[0]), x2(range2[1])]);
      return () => void sel.on(".brush", null);
    }, [width, height2, end, range2[0], range2[1]]);
    return /* @__PURE__ */ a3(
      "svg",
      {
        class: "strip-chart",
        width,
        height: height2,
        tabindex: 0,
        role: "slider",
        "aria-label": label,
        "aria-valuemin": 0,
        "aria-valuemax": Math.round(end),
        "aria-valuenow": Math.round(range2[0]),
        "aria-valuetext": `${Math.round(range2[0])} to ${Math.round(range2[1])} of ${Math.round(end)}`,
        onKeyDown: (e3) => {
          const w3 = range2[1] - range2[0];
          const shift = (d3) => {
            const from = Math.max(0, Math.min(end - w3, range2[0] + d3));
            onRange([from, from + w3]);
          };
          const grow = (f4) => {
            const mid = (range2[0] + range2[1]) / 2;
            const half = Math.min(end, Math.max(end / 2e3, w3 * f4)) / 2;
            const from = Math.max(0, Math.min(end - 2 * half, mid - half));
            onRange([from, from + 2 * half]);
          };
          const act = {
            ArrowLeft: () => shift(-w3 / 4),
            ArrowRight: () => shift(w3 / 4),
            Home: () => shift(-end),
            End: () => shift(end),
            "+": () => grow(0.5),
            "=": () => grow(0.5),
            "-": () => grow(2),
            "0": () => onRange([0, end])
          };
          if (act[e3.key]) {
            e3.preventDefault();
            act[e3.key]();
          }
        },
        children: [
          children2,
          /* @__PURE__ */ a3("g", { ref: g3, class: "brush" })
        ]
      }
    );
  }
  function binaryTicks(most) {
    let step = 2 ** Math.ceil(Math.log2(Math.max(64, most / 6)));
    if (most / step < 3) step /= 2;
    const out = [];
    for (let v3 = 0; v3 <= most; v3 += step) out.push(v3);
    return out;
  }
  function spans(track, at2) {
    const out = [];
    data.tracks[track].program.forEach((p3, i3) => {
      const last = out.at(-1);
      if (last && last.layer === p3.l) last.to = at2(i3 + 1);
      else if (p3.l < 0 || !out.some((x2) => x2.layer === p3.l)) out.push({ from: at2(i3), to: at2(i3 + 1), layer: p3.l, section: p3.s });
    });
    return out;
  }
  function layerText(layer) {
    return layer < 0 ? "" : String(layer);
  }
  function Bands({ list, x: x2, y: y3, height: height2, width }) {
    return /* @__PURE__ */ a3("g", { class: "bands", children: list.map((b, i3) => {
      const from = Math.max(0, x2(b.from));
      const to = Math.min(width, x2(b.to));
      if (to <= 0 || from >= width || to - from < 0.5) return null;
      const wide = to - from;
      const text = wide > 60 && b.layer >= 0 ? `layer ${b.layer}` : layerText(b.layer);
      return /* @__PURE__ */ a3("g", { children: [
        /* @__PURE__ */ a3("rect", { x: from, width: wide, y: y3, height: height2, class: i3 % 2 ? "odd" : "even" }),
        wide > text.length * 7 + 6 ? /* @__PURE__ */ a3("text", { x: (from + to) / 2, y: y3 + 13, "text-anchor": "middle", children: text }) : null
      ] }, i3);
    }) });
  }
  function XAxis({ x: x2, y: y3, format: format2, width }) {
    return /* @__PURE__ */ a3("g", { class: "axis", children: x2.ticks(Math.max(2, Math.floor(width / 110))).map((t4) => /* @__PURE__ */ a3("g", { transform: `translate(${x2(t4)},${y3})`, children: [
      /* @__PURE__ */ a3("line", { y2: "5" }),
      /* @__PURE__ */ a3("text", { y: "17", "text-anchor": "middle", children: format2(t4) })
    ] }, t4)) });
  }

  // src/graph.tsx
  var charWidth = 6.3;
  var lineHeight = 15;
  var margin = 16;
  function cut(text, most) {
    return text.length > most ? `${text.slice(0, most - 1)}\u2026` : text;
  }
  function boxOf(n2, layer) {
    const lines = [];
    const title = n2.view && n2.attrs ? cut(`${n2.op} ${n2.attrs.map(([, v3]) => v3).join(" ")}`, 34) : n2.op;
    for (const o4 of n2.in) {
      if (!o4.weight) continue;
      const w3 = data.weights[o4.weight - 1];
      lines.push(cut(`${shortWeight(w3.name, layer)}`, 34), cut(`${w3.type}, ${bytes(w3.bytes)}`, 34));
    }
    if (n2.attrs && lines.length === 0 && !n2.view) {
      const text = n2.attrs.filter(([, v3]) => v3 !== "").map(([k2, v3]) => `${k2} ${v3}`).join(", ");
      if (text) lines.push(cut(text, 34));
    }
    const longest = Math.max(title.length * (n2.view ? 1.05 : 1.12), ...lines.map((l3) => l3.length));
    return {
      key: `n${n2.id}`,
      x: 0,
      y: 0,
      w: Math.max(84, longest * charWidth + 26),
      h: n2.view ? 24 : 26 + lines.length * lineHeight + (lines.length ? 4 : 0),
      node: n2,
      title,
      lines,
      values: n2.out.map((r3) => r3.id)
    };
  }
  function draw(nodes, layer) {
    const g3 = new T3({ multigraph: true });
    g3.setGraph({ rankdir: "TB", nodesep: 18, ranksep: 30, edgesep: 14, marginx: margin, marginy: margin });
    g3.setDefaultEdgeLabel(() => ({}));
    const boxes = /* @__PURE__ */ new Map();
    const add = (b) => {
      if (boxes.has(b.key)) return;
      boxes.set(b.key, b);
      g3.setNode(b.key, { width: b.w, height: b.h });
    };
    const defs = /* @__PURE__ */ new Map();
    for (const n2 of nodes) {
      add(boxOf(n2, layer));
      for (const r3 of n2.out) defs.set(r3.id, `n${n2.id}`);
    }
    const edges = [];
    const connect = (from, to, value2, label, state2) => {
      const name = `${edges.length}`;
      const twin = edges.find((e3) => e3.from === from && e3.to === to);
      edges.push({ value: value2, label, state: state2, name: twin ? twin.name : name, from, to, beside: twin !== void 0 });
      if (twin) return;
      g3.setEdge(from, to, { weight: state2 ? 1 : 3, width: 0, height: 0 }, name);
    };
    const outer = (key, title, value2) => add({ key, x: 0, y: 0, w: Math.max(60, title.length * charWidth + 22), h: 24, title, lines: [], values: [value2] });
    for (const n2 of nodes) {
      const seen = /* @__PURE__ */ new Set();
      for (const o4 of n2.in) {
        if (!o4.id || o4.weight || seen.has(o4.id)) continue;
        seen.add(o4.id);
        const from = defs.get(o4.id);
        if (from) connect(from, `n${n2.id}`, o4.id, o4.type ?? "", !!o4.state);
        else if (o4.cache) {
          outer(`c${o4.id}`, "KV cache", o4.id);
          connect(`c${o4.id}`, `n${n2.id}`, o4.id, "", true);
        } else if (o4.from) {
          outer(`f${o4.id}`, o4.from, o4.id);
          connect(`f${o4.id}`, `n${n2.id}`, o4.id, o4.type ?? "", false);
        }
      }
      for (const r3 of n2.out) {
        if (!r3.to && !r3.out) continue;
        const to = r3.out ? "output" : r3.to.map((l3) => l3 < 0 ? "behind" : `layer ${l3}`).join(", ");
        outer(`o${r3.id}`, cut(to, 24), r3.id);
        connect(`n${n2.id}`, `o${r3.id}`, r3.id, r3.type, false);
      }
    }
    Oe(g3);
    for (const b of boxes.values()) {
      const at2 = g3.node(b.key);
      b.x = at2.x;
      b.y = at2.y;
    }
    const size = g3.graph();
    const drawn = edges.map((e3) => {
      const points = g3.edge(e3.from, e3.to, e3.name).points;
      return { value: e3.value, label: e3.label, state: e3.state, points: ends(points, boxes.get(e3.from), boxes.get(e3.to), e3.beside ? 16 : 0) };
    });
    const xs = drawn.flatMap((e3) => e3.points.map((p3) => p3.x));
    const left3 = Math.min(0, ...xs.map((x2) => x2 - margin));
    return {
      boxes: [...boxes.values()],
      edges: drawn,
      left: left3,
      width: Math.max(size.width ?? 0, ...xs.map((x2) => x2 + margin)) - left3,
      height: size.height ?? 0
    };
  }
  function ends(points, from, to, beside) {
    const inside = points.slice(1, -1).map((p3) => ({ x: p3.x + beside, y: p3.y }));
    const clamp = (b, x2) => Math.max(b.x - b.w / 2 + 14, Math.min(b.x + b.w / 2 - 14, x2));
    const towards = inside[0]?.x ?? to.x + beside;
    const away = inside.at(-1)?.x ?? from.x + beside;
    const first = { x: clamp(from, towards), y: from.y + from.h / 2 };
    const last = { x: clamp(to, away), y: to.y - to.h / 2 };
    return [first, ...inside, last];
  }
  function smooth(p3) {
    let d3 = `M${p3[0].x},${p3[0].y}`;
    for (let i3 = 1; i3 < p3.length; i3++) {
      const a4 = p3[i3 - 1];
      const b = p3[i3];
      const mid = (a4.y + b.y) / 2;
      d3 += `C${a4.x},${mid} ${b.x},${mid} ${b.x},${b.y}`;
    }
    return d3;
  }
  function GraphView() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const [chosen, setZoom] = d2(0);
    const [panes, width] = useWidth();
    const before = s3.stage > 0 ? graph(s3.track, s3.stage - 1).nodes[s3.section] : void 0;
    const after = graph(s3.track, s3.stage).nodes[s3.section];
    const marks = w2(() => status(rows(s3.track, s3.stage, s3.section)), [s3.track, s3.stage, s3.section]);
    const same2 = before !== void 0 && t4.stages[s3.stage].changes[s3.section].length === 0;
    const scroll = (e3) => {
      for (const p3 of panes.current?.querySelectorAll(".canvas") ?? []) {
        if (p3 !== e3.currentTarget) p3.scrollTop = e3.currentTarget.scrollTop;
      }
    };
    const layer = layerOf(t4.sections[s3.section]);
    const widest = w2(() => Math.max(draw(after, layer).width, before && !same2 ? draw(before, layer).width : 0), [before, after, layer]);
    const stacked = width < 720;
    const room = before && !same2 && !stacked ? (width - 14) / 2 : width;
    const zoom2 = chosen || Math.max(0.6, Math.min(1.15, (room - 24) / widest));
    const kinds2 = new Set([...before ?? [], ...after].map((n2) => n2.family));
    return /* @__PURE__ */ a3("main", { class: "view graph", id: "main", children: [
      /* @__PURE__ */ a3("div", { class: "toolbar", children: [
        /* @__PURE__ */ a3("label", { children: [
          "Layer",
          /* @__PURE__ */ a3("select", { value: s3.section, onChange: (e3) => set({ section: Number(e3.currentTarget.value) }), children: t4.sections.map((sec, i3) => /* @__PURE__ */ a3("option", { value: i3, children: sec.label }, i3)) })
        ] }),
        /* @__PURE__ */ a3("div", { class: "seg", role: "group", "aria-label": "Size", children: [
          /* @__PURE__ */ a3("button", { type: "button", "aria-label": "Smaller", onClick: () => setZoom(Math.max(0.3, zoom2 - 0.1)), children: "\u2212" }),
          /* @__PURE__ */ a3("span", { class: "zoom", children: [
            Math.round(zoom2 * 100),
            " %"
          ] }),
          /* @__PURE__ */ a3("button", { type: "button", "aria-label": "Larger", onClick: () => setZoom(Math.min(2, zoom2 + 0.1)), children: "+" })
        ] }),
        /* @__PURE__ */ a3(Legend, { kinds: kinds2 }),
        before ? /* @__PURE__ */ a3("ul", { class: "legend-row", children: [
          /* @__PURE__ */ a3("li", { class: "l-del", children: "taken out" }),
          /* @__PURE__ */ a3("li", { class: "l-ins", children: "put in" }),
          /* @__PURE__ */ a3("li", { class: "l-chg", children: "changed" })
        ] }) : null
      ] }),
      /* @__PURE__ */ a3("div", { class: `canvases${before && !same2 ? " two-panes" : ""}${stacked ? " stacked" : ""}`, ref: panes, children: [
        before && !same2 ? /* @__PURE__ */ a3(Canvas, { title: `before ${stageName(s3.stage)}`, nodes: before, layer, marks, zoom: zoom2, onScroll: scroll }) : null,
        /* @__PURE__ */ a3(
          Canvas,
          {
            title: same2 ? `${stageName(s3.stage)} leaves this as it is` : before ? `after ${stageName(s3.stage)}` : stageName(s3.stage),
            nodes: after,
            layer,
            marks,
            zoom: zoom2,
            onScroll: scroll
          }
        )
      ] })
    ] });
  }
  var families = [
    ["linear", "product"],
    ["experts", "experts"],
    ["attention", "attention"],
    ["route", "routing"],
    ["norm", "norm"],
    ["element", "elementwise"],
    ["comm", "collective"],
    ["send", "transfer"],
    ["view", "view, free"]
  ];
  function Legend({ kinds: kinds2 }) {
    return /* @__PURE__ */ a3("ul", { class: "legend-row", "aria-label": "Colours", children: families.filter(([f4]) => kinds2.has(f4)).map(([f4, name]) => /* @__PURE__ */ a3("li", { class: `f-${f4}`, children: [
      /* @__PURE__ */ a3("span", { class: "dot", "aria-hidden": "true" }),
      name
    ] }, f4)) });
  }
  function Canvas({ title, nodes, layer, marks, zoom: zoom2, onScroll }) {
    const { value: value2 } = useStore();
    const d3 = w2(() => draw(nodes, layer), [nodes, layer]);
    return /* @__PURE__ */ a3("figure", { class: "drawing", children: [
      /* @__PURE__ */ a3("figcaption", { children: [
        title,
        " ",
        /* @__PURE__ */ a3("span", { class: "dim", children: launches(nodes) === 1 ? "1 launch" : `${launches(nodes)} launches` })
      ] }),
      /* @__PURE__ */ a3("div", { class: "canvas", tabindex: 0, onScroll, role: "region", "aria-label": `Drawing ${title}`, children: [
        nodes.length === 0 ? /* @__PURE__ */ a3("p", { class: "empty", children: "Nothing stands here at this stage." }) : null,
        /* @__PURE__ */ a3("svg", { width: d3.width * zoom2, height: d3.height * zoom2, viewBox: `${d3.left} 0 ${d3.width} ${d3.height}`, role: "group", "aria-label": `${nodes.length} operators`, children: [
          d3.edges.map((e3, i3) => /* @__PURE__ */ a3("g", { class: `edge${e3.state ? " state" : ""}${e3.value === value2 ? " on" : ""}`, onClick: () => select(e3.value), children: [
            /* @__PURE__ */ a3("title", { children: `%${e3.value} ${e3.label}` }),
            /* @__PURE__ */ a3("path", { d: smooth(e3.points), class: "hit" }),
            /* @__PURE__ */ a3("path", { d: smooth(e3.points), class: "wire" }),
            /* @__PURE__ */ a3(Arrow, { points: e3.points })
          ] }, i3)),
          d3.boxes.map((b) => /* @__PURE__ */ a3(BoxView, { b, mark: b.node ? marks.get(b.node.id) : void 0, on: b.values.includes(value2) }, b.key))
        ] })
      ] })
    ] });
  }
  function Arrow({ points }) {
    const p3 = points.at(-1);
    return /* @__PURE__ */ a3("path", { class: "arrow", d: `M${p3.x - 3.5},${p3.y - 6}L${p3.x},${p3.y}L${p3.x + 3.5},${p3.y - 6}Z` });
  }
  function BoxView({ b, mark, on: on2 }) {
    const pick = () => select(b.values[0] ?? 0, b.node?.place);
    return /* @__PURE__ */ a3(
      "g",
      {
        class: `box f-${b.node?.family ?? "outer"} m-${mark ?? "same"}${on2 ? " on" : ""}`,
        transform: `translate(${b.x - b.w / 2},${b.y - b.h / 2})`,
        tabindex: 0,
        role: "button",
        "aria-label": `${b.title}${mark && mark !== "same" && mark !== "renamed" ? `, ${mark}` : ""}${b.lines.length ? `: ${b.lines.join(" ")}` : ""}`,
        onClick: pick,
        onKeyDown: (e3) => {
          if (e3.key === "Enter" || e3.key === " ") {
            e3.preventDefault();
            pick();
          }
        },
        children: [
          /* @__PURE__ */ a3("title", { children: b.node ? `${b.node.op} ${b.node.out.map((r3) => `%${r3.id} ${r3.type}`).join(", ")}
${b.node.path}
${b.node.doc ?? ""}` : b.title }),
          /* @__PURE__ */ a3("rect", { width: b.w, height: b.h, rx: b.node ? 6 : 12 }),
          b.node && !b.node.view ? /* @__PURE__ */ a3("rect", { class: "stripe", width: "4", height: b.h - 8, x: "4", y: "4", rx: "2" }) : null,
          /* @__PURE__ */ a3("text", { x: b.node && !b.node.view ? 14 : b.w / 2, y: b.node?.view || !b.node ? 16 : 18, class: "op", "text-anchor": b.node && !b.node.view ? "start" : "middle", children: b.title }),
          b.lines.map((l3, i3) => /* @__PURE__ */ a3("text", { x: "14", y: 34 + i3 * lineHeight, class: "sub", children: l3 }, i3))
        ]
      }
    );
  }

  // src/memory.tsx
  function program(track) {
    const g3 = graph(track, lastStage);
    return data.tracks[track].program.map((p3) => ({ node: g3.nodes[p3.s][p3.i], section: p3.s, layer: p3.l, stream: p3.t ?? 0, waits: p3.w ?? [] }));
  }
  function Memory() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    if (!t4.layouts[local(s3.track, s3.bucket)]) return /* @__PURE__ */ a3("main", { class: "view", id: "main", children: /* @__PURE__ */ a3("p", { class: "empty", children: "The plan has no layouts." }) });
    return /* @__PURE__ */ a3(Arena, {}, s3.track);
  }
  function Arena() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const layout = local(s3.track, s3.bucket);
    const bucket = t4.layouts[layout];
    const prog = w2(() => program(s3.track), [s3.track]);
    const pieces = w2(() => piecesOf(s3.track, layout, prog), [s3.track, layout]);
    const live = w2(() => liveBytes(pieces, layout, prog.length), [pieces]);
    const peak = live.indexOf(Math.max(...live));
    return /* @__PURE__ */ a3("main", { class: "view memory", id: "main", children: [
      /* @__PURE__ */ a3("div", { class: "summary", children: [
        /* @__PURE__ */ a3(Fact, { label: "Arena", value: bytes(bucket.arena) }),
        /* @__PURE__ */ a3(
          Fact,
          {
            label: "Alive at once, at most",
            value: bytes(bucket.bound),
            note: bucket.arena === bucket.bound ? "the arena is at this bound" : `the arena is ${(100 * bucket.arena / bucket.bound - 100).toFixed(1)} % above`
          }
        ),
        /* @__PURE__ */ a3(Fact, { label: "Without sharing", value: bytes(pieces.reduce((n2, p3) => n2 + p3.size, 0)), note: plural(pieces.length, "buffer") }),
        /* @__PURE__ */ a3(Fact, { label: "Fullest at step", value: count(peak), note: prog[peak]?.node.op })
      ] }),
      /* @__PURE__ */ a3(ArenaChart, { pieces, live, peak, arena: bucket.arena, bound: bucket.bound }),
      /* @__PURE__ */ a3(Fullest, { pieces: pieces.filter((p3) => p3.b.a <= peak && p3.b.z >= peak) })
    ] });
  }
  var left = 74;
  var height = 400;
  function ArenaChart({ pieces, live, peak, arena, bound }) {
    const s3 = useStore();
    const steps = live.length;
    const [box, width] = useWidth();
    const [range2, setRange] = d2(() => start2(s3.track, steps));
    const [whole, setWhole] = d2(false);
    const [hover, setHover] = d2(null);
    const inner = width - left - 26;
    const x2 = linear2(range2, [0, inner]);
    const shown = pieces.filter((p3) => p3.b.z + 1 > range2[0] && p3.b.a < range2[1]);
    const highest = whole ? arena : Math.max(...shown.map((p3) => p3.offset + p3.size), 64);
    const y3 = linear2([0, highest * 1.04], [height, 0]);
    const stripY = linear2([0, Math.max(...live, 1)], [54, 4]);
    const area = `M0,54${live.map((n2, i3) => `L${(i3 * inner / steps).toFixed(1)},${stripY(n2).toFixed(1)}`).join("")}L${inner},54Z`;
    return /* @__PURE__ */ a3("section", { class: "card chart", "aria-label": "Arena over time", children: [
      /* @__PURE__ */ a3("div", { class: "chart-head", children: [
        /* @__PURE__ */ a3("h2", { children: "Arena by step" }),
        /* @__PURE__ */ a3(Legend, { kinds: new Set(shown.map((p3) => p3.node.family)) }),
        /* @__PURE__ */ a3("button", { type: "button", class: "small", "aria-pressed": whole, onClick: () => setWhole(!whole), children: "Whole arena" }),
        /* @__PURE__ */ a3("button", { type: "button", class: "small", onClick: () => setRange([0, steps]), children: "Whole step" }),
        /* @__PURE__ */ a3("button", { type: "button", class: "small", onClick: () => setRange(around(peak, steps)), children: "Fullest place" })
      ] }),
      /* @__PURE__ */ a3("div", { ref: box, class: "chart-box", children: [
        /* @__PURE__ */ a3(
          "svg",
          {
            width,
            height: height + 52,
            class: "arena",
            role: "img",
            "aria-label": `Arena of ${bytes(arena)}: ${shown.length} buffers in steps ${Math.round(range2[0])} to ${Math.round(range2[1])}`,
            children: /* @__PURE__ */ a3("g", { transform: `translate(${left},26)`, children: [
              /* @__PURE__ */ a3(Bands, { list: spans(s3.track, (i3) => i3), x: x2, y: -22, height: 18, width: inner }),
              binaryTicks(highest).map((v3) => /* @__PURE__ */ a3("g", { class: "grid", transform: `translate(0,${y3(v3)})`, children: [
                /* @__PURE__ */ a3("line", { x2: inner }),
                /* @__PURE__ */ a3("text", { x: "-8", dy: "4", "text-anchor": "end", children: bytes(v3) })
              ] }, v3)),
              shown.map((p3) => /* @__PURE__ */ a3(PieceView, { p: p3, from: Math.max(0, x2(p3.b.a)), to: Math.min(inner, x2(p3.end)), top: y3(p3.offset + p3.size), bottom: y3(p3.offset), onHover: setHover }, `${p3.b.v}:${p3.b.a}`)),
              bound <= highest ? /* @__PURE__ */ a3("line", { class: "bound", x2: inner, y1: y3(bound), y2: y3(bound) }) : null,
              /* @__PURE__ */ a3(XAxis, { x: x2, y: height, width: inner, format: (n2) => Number.isInteger(n2) ? String(n2) : "" })
            ] })
          }
        ),
        /* @__PURE__ */ a3("div", { class: "strip-box", children: [
          /* @__PURE__ */ a3(Strip, { width: inner, height: 58, end: steps, range: range2, onRange: setRange, label: "Steps that are shown", children: /* @__PURE__ */ a3("path", { class: "live", d: area }) }),
          /* @__PURE__ */ a3("span", { class: "strip-label", children: [
            "bytes alive, all ",
            count(steps),
            " steps"
          ] })
        ] })
      ] }),
      hover ? /* @__PURE__ */ a3(Tip, { ...hover }) : null
    ] });
  }
  function PieceView({ p: p3, from, to, top, bottom, onHover }) {
    const { value: value2 } = useStore();
    const h3 = Math.max(0.75, bottom - top);
    const gap = to - from > 4 ? 1 : 0;
    const width = Math.max(0.5, to - from - gap);
    const hover = (e3) => onHover({ p: p3, x: e3.clientX, y: e3.clientY });
    return /* @__PURE__ */ a3("g", { class: `piece f-${p3.node.family}${p3.value === value2 ? " on" : ""}`, children: [
      /* @__PURE__ */ a3(
        "rect",
        {
          x: from + gap / 2,
          y: top + (h3 > 4 ? 0.5 : 0),
          width,
          height: h3 > 4 ? h3 - 1 : h3,
          rx: Math.min(3, h3 / 3, width / 3),
          onPointerEnter: hover,
          onPointerMove: hover,
          onPointerLeave: () => onHover(null),
          onClick: () => select(p3.value, p3.node.place)
        }
      ),
      to - from > 52 && h3 > 15 ? /* @__PURE__ */ a3("text", { x: from + 6, y: top + Math.min(h3 / 2 + 4, 18), children: fit(p3.node.op, to - from - 10) }) : null
    ] });
  }
  function Fullest({ pieces }) {
    const { value: value2 } = useStore();
    const most = 12;
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "peak", children: [
      /* @__PURE__ */ a3("h2", { id: "peak", children: "Alive at the fullest step" }),
      /* @__PURE__ */ a3("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-labelledby": "peak", children: /* @__PURE__ */ a3("table", { class: "plain", children: [
        /* @__PURE__ */ a3("thead", { children: /* @__PURE__ */ a3("tr", { children: [
          /* @__PURE__ */ a3("th", { scope: "col", children: "Value" }),
          /* @__PURE__ */ a3("th", { scope: "col", children: "Made by" }),
          /* @__PURE__ */ a3("th", { scope: "col", children: "For" }),
          /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Bytes" }),
          /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Offset" }),
          /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Steps" })
        ] }) }),
        /* @__PURE__ */ a3("tbody", { children: [...pieces].sort((a4, b) => b.size - a4.size).slice(0, most).map((p3) => /* @__PURE__ */ a3("tr", { children: [
          /* @__PURE__ */ a3("td", { children: [
            /* @__PURE__ */ a3("button", { type: "button", class: `value${p3.value === value2 ? " on" : ""}`, onClick: () => select(p3.value, p3.node.place), children: [
              "%",
              p3.b.v
            ] }),
            " ",
            /* @__PURE__ */ a3("code", { children: p3.node.out.find((r3) => r3.id === p3.value)?.type })
          ] }),
          /* @__PURE__ */ a3("td", { children: p3.node.op }),
          /* @__PURE__ */ a3("td", { class: "dim", children: p3.layer >= 0 ? `layer ${p3.layer}` : "" }),
          /* @__PURE__ */ a3("td", { class: "r", children: bytes(p3.size) }),
          /* @__PURE__ */ a3("td", { class: "r", children: bytes(p3.offset) }),
          /* @__PURE__ */ a3("td", { class: "r", children: [
            p3.b.a,
            "\u2013",
            p3.b.z
          ] })
        ] }, p3.b.v)) })
      ] }) }),
      pieces.length > most ? /* @__PURE__ */ a3("p", { class: "dim", children: [
        "and ",
        plural(pieces.length - most, "smaller buffer")
      ] }) : null
    ] });
  }
  function Fact({ label, value: value2, note }) {
    return /* @__PURE__ */ a3("div", { class: "fact", children: [
      /* @__PURE__ */ a3("span", { class: "fact-label", children: label }),
      /* @__PURE__ */ a3("strong", { children: value2 }),
      note ? /* @__PURE__ */ a3("span", { class: "dim", children: note }) : null
    ] });
  }
  function fit(text, width) {
    const n2 = Math.floor(width / 7);
    return text.length <= n2 ? text : n2 < 4 ? "" : `${text.slice(0, n2 - 1)}\u2026`;
  }
  function start2(track, steps) {
    const all = spans(track, (i3) => i3);
    const layers = all.filter((b) => b.layer >= 0);
    if (layers.length <= 4) return [0, steps];
    return [0, Math.min(steps, layers[4].to)];
  }
  function around(step, steps) {
    const half = Math.min(30, steps / 2);
    const from = Math.max(0, Math.min(steps - 2 * half, step - half));
    return [from, from + 2 * half];
  }
  function piecesOf(track, layout, prog) {
    const t4 = data.tracks[track];
    const over = new Set(t4.buffers.flatMap((b) => b.p?.includes(layout) ? [`${b.o[layout]}:${b.a}`] : []));
    return t4.buffers.flatMap((b) => {
      const p3 = prog[b.a];
      if (!p3) return [];
      const value2 = p3.node.out[b.r ?? 0]?.id ?? 0;
      return [{ b, size: t4.sizes[b.k][layout], offset: b.o[layout], end: over.has(`${b.o[layout]}:${b.z}`) ? b.z : b.z + 1, value: value2, node: p3.node, layer: p3.layer }];
    });
  }
  function liveBytes(pieces, layout, steps) {
    const change2 = new Array(steps + 2).fill(0);
    for (const p3 of pieces) {
      const size = Math.ceil(p3.size / 64) * 64;
      change2[p3.b.p?.includes(layout) ? p3.b.a + 1 : p3.b.a] += size;
      change2[Math.min(p3.b.z, steps) + 1] -= size;
    }
    let n2 = 0;
    return change2.slice(0, steps).map((c3) => n2 += c3);
  }
  function Tip({ p: p3, x: x2, y: y3 }) {
    const s3 = useStore();
    const flip = x2 > innerWidth - 300;
    return /* @__PURE__ */ a3("div", { class: "tip", style: { left: `${flip ? x2 - 290 : x2 + 14}px`, top: `${Math.min(y3 + 14, innerHeight - 130)}px` }, role: "tooltip", children: [
      /* @__PURE__ */ a3("div", { children: [
        /* @__PURE__ */ a3("b", { children: p3.node.op }),
        " ",
        /* @__PURE__ */ a3("span", { class: "dim", children: [
          "%",
          p3.b.v
        ] })
      ] }),
      /* @__PURE__ */ a3("div", { children: /* @__PURE__ */ a3("code", { children: p3.node.out.find((r3) => r3.id === p3.value)?.type }) }),
      /* @__PURE__ */ a3("div", { class: "dim", children: [
        p3.layer >= 0 ? `layer ${p3.layer}, ` : "",
        bytes(p3.size),
        " at ",
        bytes(p3.offset),
        ", steps ",
        p3.b.a,
        " to ",
        p3.b.z
      ] }),
      p3.b.p?.includes(local(s3.track, s3.bucket)) ? /* @__PURE__ */ a3("div", { class: "dim", children: "in the bytes of an operand" }) : null,
      /* @__PURE__ */ a3("div", { class: "dim break", children: p3.node.path })
    ] });
  }

  // src/passes.tsx
  function Rail() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const most = Math.max(...t4.stages.map((x2) => x2.launches));
    return /* @__PURE__ */ a3("nav", { class: "rail", "aria-label": "Passes", children: [
      /* @__PURE__ */ a3("h2", { children: "Passes" }),
      /* @__PURE__ */ a3("ol", { children: [
        !data.complete ? null : /* @__PURE__ */ a3("li", { children: /* @__PURE__ */ a3("button", { type: "button", class: `pass${s3.stage === 0 ? " on" : ""}`, "aria-current": s3.stage === 0, onClick: () => set({ stage: 0 }), children: [
          /* @__PURE__ */ a3("span", { class: "name", children: "as lowered" }),
          /* @__PURE__ */ a3("span", { class: "bar", "aria-hidden": "true", children: /* @__PURE__ */ a3(Bar, { share: t4.stages[0].launches / most }) }),
          /* @__PURE__ */ a3("span", { class: "num", children: count(t4.stages[0].launches) })
        ] }) }),
        data.passes.map((p3, i3) => {
          const stage = data.complete ? stageOf(i3) : -1;
          const quiet = stage < 0 || !changed(s3.track, stage);
          const at2 = stage < 0 ? void 0 : t4.stages[stage];
          const before = stage > 0 ? t4.stages[stage - 1] : void 0;
          const on2 = data.complete ? stage >= 0 && s3.stage === stage : s3.pass === i3;
          return /* @__PURE__ */ a3("li", { children: /* @__PURE__ */ a3(
            "button",
            {
              type: "button",
              class: `pass${on2 ? " on" : ""}${quiet ? " quiet" : ""}`,
              "aria-current": on2,
              disabled: data.complete && stage < 0,
              title: p3.doc,
              onClick: () => set(data.complete ? { stage } : { pass: i3 }),
              children: [
                /* @__PURE__ */ a3("span", { class: "name", children: p3.name }),
                quiet ? /* @__PURE__ */ a3("span", { class: "note", children: p3.disabled ? "disabled" : p3.applied + p3.missed > 0 ? sites(p3.applied, p3.missed) : data.complete ? "no change" : "no sites" }) : /* @__PURE__ */ a3($, { children: [
                  /* @__PURE__ */ a3("span", { class: "bar", "aria-hidden": "true", children: /* @__PURE__ */ a3(Bar, { share: at2.launches / most, before: before ? before.launches / most : void 0 }) }),
                  /* @__PURE__ */ a3("span", { class: "num", children: count(at2.launches) }),
                  /* @__PURE__ */ a3("span", { class: "sites", children: [
                    count(p3.applied),
                    " applied",
                    p3.missed ? /* @__PURE__ */ a3("em", { children: [
                      " \xB7 ",
                      count(p3.missed),
                      " missed"
                    ] }) : null
                  ] }),
                  before && before.launches !== at2.launches ? /* @__PURE__ */ a3("span", { class: `delta ${at2.launches < before.launches ? "good" : "more"}`, children: [
                    at2.launches < before.launches ? "\u2212" : "+",
                    count(Math.abs(at2.launches - before.launches))
                  ] }) : null
                ] })
              ]
            }
          ) }, p3.name);
        })
      ] }),
      data.complete ? /* @__PURE__ */ a3("p", { class: "legend", children: "Bars and numbers: kernel launches of one step behind each pass." }) : null
    ] });
  }
  function sites(applied, missed) {
    if (missed === 0) return `${count(applied)} applied`;
    return applied === 0 ? `${count(missed)} missed` : `${count(applied)} applied, ${count(missed)} missed`;
  }
  function Bar({ share, before }) {
    return /* @__PURE__ */ a3("svg", { width: "100%", height: "6", preserveAspectRatio: "none", children: [
      /* @__PURE__ */ a3("rect", { class: "bar-back", width: "100%", height: "6", rx: "3" }),
      before !== void 0 && before > share ? /* @__PURE__ */ a3("rect", { class: "bar-cut", width: `${100 * before}%`, height: "6", rx: "3" }) : null,
      /* @__PURE__ */ a3("rect", { class: "bar-fill", width: `${100 * share}%`, height: "6", rx: "3" })
    ] });
  }
  function Passes() {
    const s3 = useStore();
    return /* @__PURE__ */ a3("main", { class: "view passes", id: "main", children: [
      /* @__PURE__ */ a3(PassHead, {}),
      s3.columns && data.complete ? /* @__PURE__ */ a3(Columns, {}) : /* @__PURE__ */ a3(Sides, {})
    ] });
  }
  function PassHead() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const at2 = t4.stages[s3.stage];
    const before = s3.stage > 0 ? t4.stages[s3.stage - 1] : void 0;
    const p3 = data.passes[data.complete ? data.stages[s3.stage] : s3.pass];
    return /* @__PURE__ */ a3("header", { class: "pass-head", children: [
      /* @__PURE__ */ a3("div", { class: "pass-title", children: [
        /* @__PURE__ */ a3("h1", { children: p3?.name ?? "as lowered" }),
        p3 ? /* @__PURE__ */ a3("span", { class: `badge n-${p3.numeric.replaceAll(" ", "-")}`, children: p3.numeric }) : null,
        data.complete ? /* @__PURE__ */ a3("div", { class: "seg", role: "group", "aria-label": "Layout", children: [
          /* @__PURE__ */ a3("button", { type: "button", "aria-pressed": !s3.columns, onClick: () => set({ columns: false }), children: "Side by side" }),
          /* @__PURE__ */ a3("button", { type: "button", "aria-pressed": s3.columns, onClick: () => set({ columns: true }), children: "All columns" })
        ] }) : null
      ] }),
      /* @__PURE__ */ a3("p", { class: "doc", children: p3 ? sentence(p3.doc) : "The graph as the model is written, before any pass." }),
      /* @__PURE__ */ a3("ul", { class: "chips", children: [
        p3 ? /* @__PURE__ */ a3($, { children: [
          /* @__PURE__ */ a3("li", { class: "ok", children: [
            plural(p3.applied, "site"),
            " applied"
          ] }),
          p3.missed ? /* @__PURE__ */ a3("li", { class: "miss", children: [
            count(p3.missed),
            " missed"
          ] }) : null,
          p3.proof ? /* @__PURE__ */ a3(Proof, { proof: p3.proof }) : null
        ] }) : null,
        /* @__PURE__ */ a3("li", { children: [
          data.complete ? null : "in the end: ",
          before ? `${count(before.launches)} \u2192 ` : "",
          plural(at2.launches, "launch").replace(/launchs$/, "launches"),
          before && before.launches !== at2.launches ? /* @__PURE__ */ a3("b", { children: [
            " ",
            change(before.launches, at2.launches)
          ] }) : null
        ] }),
        at2.us.length > 0 ? /* @__PURE__ */ a3("li", { children: [
          before ? `${duration(before.us[s3.bucket])} \u2192 ` : "",
          duration(at2.us[s3.bucket]),
          " predicted",
          before && before.us[s3.bucket] !== at2.us[s3.bucket] ? /* @__PURE__ */ a3("b", { children: [
            " ",
            change(before.us[s3.bucket], at2.us[s3.bucket])
          ] }) : null
        ] }) : null
      ] }),
      p3 && p3.after.length > 0 ? /* @__PURE__ */ a3("details", { class: "order", children: [
        /* @__PURE__ */ a3("summary", { children: "Why at this place" }),
        /* @__PURE__ */ a3("ul", { children: p3.after.map((o4, i3) => /* @__PURE__ */ a3("li", { children: [
          "after ",
          /* @__PURE__ */ a3("b", { children: o4.pass }),
          ": ",
          o4.why
        ] }, i3)) })
      ] }) : null,
      p3 ? /* @__PURE__ */ a3(Remarks, { remarks: p3.remarks.filter((r3) => concerns(r3, t4)) }) : null
    ] });
  }
  function Proof({ proof }) {
    if (proof.status !== "proven") return /* @__PURE__ */ a3("li", { children: proof.status === "idle" ? "validated: it changed nothing" : `not validated: ${proof.status}` });
    const error = proof.maxError === 0 ? "to the bit" : `to ${proof.maxError.toPrecision(2)} of ${proof.bound.toPrecision(2)} allowed`;
    return /* @__PURE__ */ a3("li", { class: "ok", title: "The graph before and behind the pass, run on the reference kernels with random weights and inputs", children: [
      "validated: ",
      plural(proof.cases, "result"),
      " equal ",
      error
    ] });
  }
  function sentence(text) {
    return text === "" ? "" : text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
  }
  function Remarks({ remarks }) {
    const [all, setAll] = d2(false);
    if (remarks.length === 0) return null;
    const most = 3;
    const shown = all ? remarks : remarks.slice(0, most);
    return /* @__PURE__ */ a3("div", { class: "remarks", children: [
      /* @__PURE__ */ a3("ul", { children: shown.map((r3, i3) => /* @__PURE__ */ a3(RemarkRow, { r: r3 }, i3)) }),
      remarks.length > most ? /* @__PURE__ */ a3("button", { type: "button", class: "more", onClick: () => setAll(!all), children: all ? "Show less" : `Show all ${remarks.length} remarks` }) : null
    ] });
  }
  function RemarkRow({ r: r3, pass }) {
    return /* @__PURE__ */ a3("li", { class: r3.applied ? "remark applied" : "remark missed", children: [
      /* @__PURE__ */ a3("span", { class: "state", children: r3.applied ? "applied" : "missed" }),
      /* @__PURE__ */ a3("span", { class: "text", children: [
        /* @__PURE__ */ a3("span", { class: "reason", children: r3.reason }),
        /* @__PURE__ */ a3("span", { class: "meta", children: [
          pass ? /* @__PURE__ */ a3("b", { children: pass }) : null,
          /* @__PURE__ */ a3("code", { children: r3.id }),
          /* @__PURE__ */ a3(RemarkWhere, { r: r3 }),
          r3.buckets ? /* @__PURE__ */ a3("span", { children: r3.buckets }) : null,
          /* @__PURE__ */ a3(Where, { place: r3.place }),
          r3.saves ? /* @__PURE__ */ a3("span", { class: "saves", children: [
            "saves ",
            r3.saves
          ] }) : null
        ] })
      ] })
    ] });
  }
  function RemarkWhere({ r: r3 }) {
    const s3 = useStore();
    const sections = data.tracks[s3.track].sections;
    const at2 = sections.findIndex((x2) => x2.layers.some((l3) => r3.layers.includes(l3)));
    if (!r3.where || at2 < 0) return /* @__PURE__ */ a3("span", { children: r3.where || r3.entry });
    return /* @__PURE__ */ a3("button", { type: "button", class: "link", title: "Open these layers", onClick: () => set({ section: at2 }), children: r3.where });
  }
  function Sides() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const after = graph(s3.track, s3.stage);
    const before = s3.stage > 0 ? graph(s3.track, s3.stage - 1) : void 0;
    const differ = t4.stages[s3.stage].changes.map((c3) => c3.length > 0);
    const first = differ[s3.section] || !differ.includes(true) ? s3.section : differ.indexOf(true);
    return /* @__PURE__ */ a3("div", { class: "sides", children: [
      /* @__PURE__ */ a3("div", { class: "sides-head", "aria-hidden": "true", children: [
        before ? /* @__PURE__ */ a3("span", { children: stageName(s3.stage - 1) }) : null,
        /* @__PURE__ */ a3("span", { children: data.complete ? stageName(s3.stage) : "the final graph" })
      ] }),
      t4.sections.map((sec, i3) => /* @__PURE__ */ a3(SideSection, { section: i3, label: sec.label, before: before?.nodes[i3], after: after.nodes[i3], first: i3 === first }, `${s3.track}.${s3.stage}.${i3}`))
    ] });
  }
  function SideSection({ section, label, before, after, first }) {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const layer = layerOf(t4.sections[section]);
    const rows2 = rows(s3.track, s3.stage, section);
    const differs2 = rows2.some((r3) => r3.kind !== "same");
    const holds = s3.value !== 0 && [...before ?? [], ...after].some((n2) => n2.out.some((r3) => r3.id === s3.value) || n2.in.some((o4) => o4.id === s3.value));
    const [open, setOpen] = d2(void 0);
    const shown = open ?? (first || holds);
    const box = T2(null);
    A2(() => {
      if (s3.section === section && section > 0 && s3.value !== 0) {
        box.current?.querySelector(".value.on")?.scrollIntoView({ block: "nearest" });
      }
    }, [s3.value, s3.section]);
    const a4 = before ? launches(before) : void 0;
    const b = launches(after);
    return /* @__PURE__ */ a3("section", { class: `side-section${differs2 ? " differs" : ""}`, ref: box, "aria-label": label, children: [
      /* @__PURE__ */ a3("h2", { children: /* @__PURE__ */ a3("button", { type: "button", "aria-expanded": shown, onClick: () => setOpen(!shown), children: [
        /* @__PURE__ */ a3("span", { class: "twist", "aria-hidden": "true", children: shown ? "\u25BE" : "\u25B8" }),
        label,
        /* @__PURE__ */ a3("span", { class: "tail", children: [
          a4 !== void 0 && a4 !== b ? /* @__PURE__ */ a3("span", { children: [
            a4,
            " \u2192 ",
            /* @__PURE__ */ a3("b", { children: b }),
            " launches"
          ] }) : /* @__PURE__ */ a3("span", { children: b === 1 ? "1 launch" : `${b} launches` }),
          before && after[0]?.us.length ? /* @__PURE__ */ a3(Micros, { a: micros(before, s3.bucket), b: micros(after, s3.bucket) }) : null,
          before ? /* @__PURE__ */ a3("em", { children: differs2 ? rows2.filter(differs).length === 1 ? "1 change" : `${rows2.filter(differs).length} changes` : "unchanged" }) : null
        ] })
      ] }) }),
      shown ? /* @__PURE__ */ a3(Rows, { rows: rows2, layer, alone: !before }) : null
    ] });
  }
  function Micros({ a: a4, b }) {
    if (Math.abs(a4 - b) < 5e-3) return /* @__PURE__ */ a3("span", { children: duration(b) });
    return /* @__PURE__ */ a3("span", { children: [
      duration(a4),
      " \u2192 ",
      /* @__PURE__ */ a3("b", { children: duration(b) })
    ] });
  }
  function Rows({ rows: rows2, layer, alone }) {
    const s3 = useStore();
    const [open, setOpen] = d2(/* @__PURE__ */ new Set());
    const out = [];
    for (let i3 = 0; i3 < rows2.length; ) {
      let j2 = i3;
      while (j2 < rows2.length && !differs(rows2[j2])) j2++;
      const touches = (r3) => s3.value !== 0 && (r3.b ?? r3.a).out.concat((r3.b ?? r3.a).in.filter((o4) => o4.id).map((o4) => ({ id: o4.id, type: "" }))).some((x2) => x2.id === s3.value);
      const context = 1;
      const from = i3 === 0 ? i3 : i3 + context;
      const to = j2 === rows2.length ? j2 : j2 - context;
      if (!alone && to - from > 2 && !open.has(i3) && !rows2.slice(from, to).some(touches)) {
        for (let k2 = i3; k2 < from; k2++) out.push(/* @__PURE__ */ a3(RowPair, { row: rows2[k2], layer, alone }, k2));
        const at2 = i3;
        out.push(
          /* @__PURE__ */ a3("button", { type: "button", class: "fold", onClick: () => setOpen(/* @__PURE__ */ new Set([...open, at2])), children: [
            to - from,
            " operators as they were"
          ] }, `f${i3}`)
        );
        for (let k2 = to; k2 < j2; k2++) out.push(/* @__PURE__ */ a3(RowPair, { row: rows2[k2], layer, alone }, k2));
      } else {
        for (let k2 = i3; k2 < j2; k2++) out.push(/* @__PURE__ */ a3(RowPair, { row: rows2[k2], layer, alone }, k2));
      }
      for (i3 = j2; i3 < rows2.length && differs(rows2[i3]); i3++) out.push(/* @__PURE__ */ a3(RowPair, { row: rows2[i3], layer, alone }, i3));
    }
    return /* @__PURE__ */ a3("div", { class: `rows${alone ? " alone" : ""}`, children: out });
  }
  function RowPair({ row, layer, alone }) {
    const { bucket } = useStore();
    const a4 = row.a;
    const b = row.b;
    const pair = row.kind === "changed" || row.kind === "renamed";
    const tint = row.kind === "changed";
    return /* @__PURE__ */ a3("div", { class: `pair ${row.kind}`, children: [
      alone ? null : /* @__PURE__ */ a3("div", { class: `cell ${a4 && differs(row) ? tint ? "was" : "del" : ""}`, children: a4 ? /* @__PURE__ */ a3(Line, { node: a4, layer, other: pair ? b : void 0, cost: a4.us[bucket] }) : null }),
      /* @__PURE__ */ a3("div", { class: `cell ${b && differs(row) ? tint ? "now" : "ins" : ""}`, children: b ? /* @__PURE__ */ a3(Line, { node: b, layer, other: pair ? a4 : void 0, cost: b.us[bucket] }) : null })
    ] });
  }
  function Columns() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const here = T2(null);
    A2(() => here.current?.scrollIntoView({ inline: "center", block: "nearest" }), [s3.stage, s3.columns]);
    return /* @__PURE__ */ a3("div", { class: "columns", tabindex: 0, role: "region", "aria-label": "A column for each pass", children: t4.stages.map((_3, stage) => {
      if (stage > 0 && !changed(s3.track, stage)) {
        return /* @__PURE__ */ a3("button", { type: "button", class: "strip", title: "This pass changed nothing here", onClick: () => set({ stage }), children: /* @__PURE__ */ a3("span", { children: stageName(stage) }) }, stage);
      }
      return /* @__PURE__ */ a3("section", { class: `column${stage === s3.stage ? " on" : ""}`, ref: stage === s3.stage ? here : void 0, "aria-label": stageName(stage), children: [
        /* @__PURE__ */ a3("h2", { children: [
          /* @__PURE__ */ a3("button", { type: "button", onClick: () => set({ stage }), children: stageName(stage) }),
          /* @__PURE__ */ a3("span", { class: "dim", children: count(t4.stages[stage].launches) })
        ] }),
        t4.sections.map((sec, i3) => /* @__PURE__ */ a3(ColumnSection, { label: sec.label, layer: layerOf(sec), rows: rows(s3.track, stage, i3) }, i3))
      ] }, stage);
    }) });
  }
  function ColumnSection({ label, layer, rows: rows2 }) {
    const removed = rows2.filter((r3) => r3.a && !r3.b).length + rows2.filter((r3) => r3.kind === "replaced").length;
    return /* @__PURE__ */ a3("div", { class: "column-section", children: [
      /* @__PURE__ */ a3("h3", { children: [
        label,
        " ",
        removed > 0 ? /* @__PURE__ */ a3("span", { class: "gone", children: [
          "\u2212",
          removed
        ] }) : null
      ] }),
      rows2.map(
        (r3) => r3.b ? /* @__PURE__ */ a3("div", { class: `cell ${!differs(r3) ? "" : r3.kind === "changed" ? "now" : "ins"}`, children: /* @__PURE__ */ a3(Line, { node: r3.b, layer, other: r3.kind === "changed" || r3.kind === "renamed" ? r3.a : void 0 }) }, r3.b.id) : null
      )
    ] });
  }

  // src/overview.tsx
  function Overview() {
    return /* @__PURE__ */ a3("main", { class: "view overview", id: "main", children: [
      /* @__PURE__ */ a3(Tiles, {}),
      /* @__PURE__ */ a3(Savings, {}),
      /* @__PURE__ */ a3("div", { class: "two", children: [
        /* @__PURE__ */ a3(Anatomy, {}),
        /* @__PURE__ */ a3(Missed, {})
      ] })
    ] });
  }
  function Tile({ label, value: value2, before, note, good }) {
    return /* @__PURE__ */ a3("div", { class: "tile", children: [
      /* @__PURE__ */ a3("dt", { children: label }),
      /* @__PURE__ */ a3("dd", { children: [
        /* @__PURE__ */ a3("strong", { children: value2 }),
        before ? /* @__PURE__ */ a3("span", { class: "before", children: [
          "was ",
          before
        ] }) : null,
        note ? /* @__PURE__ */ a3("span", { class: good ? "note good" : "note", children: note }) : null
      ] })
    ] });
  }
  function Tiles() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const first = t4.stages[0];
    const last = t4.stages[lastStage];
    const kind = commonest(s3.track);
    const a4 = launches(graph(s3.track, 0).nodes[kind]);
    const b = launches(graph(s3.track, lastStage).nodes[kind]);
    const decode = data.buckets.findIndex((x2) => x2.phase === "decode");
    const prefill = data.buckets.findLastIndex((x2) => x2.phase === "prefill");
    const timed = last.us.length > 0;
    const applied = data.passes.reduce((n2, p3) => n2 + p3.applied, 0);
    const missed = data.passes.reduce((n2, p3) => n2 + p3.missed, 0);
    return /* @__PURE__ */ a3("dl", { class: "tiles", children: [
      /* @__PURE__ */ a3(
        Tile,
        {
          label: "Kernel launches a step",
          value: count(last.launches),
          before: data.complete ? count(first.launches) : void 0,
          note: data.complete ? change(first.launches, last.launches) : void 0,
          good: last.launches < first.launches
        }
      ),
      t4.sections[kind] && t4.sections[kind].layers.length > 0 ? /* @__PURE__ */ a3(
        Tile,
        {
          label: `Launches, ${t4.sections[kind].label}`,
          value: `${b} a layer`,
          before: data.complete ? String(a4) : void 0,
          note: data.complete ? change(a4, b) : void 0,
          good: b < a4
        }
      ) : null,
      timed && decode >= 0 ? /* @__PURE__ */ a3(TimeTile, { label: `Predicted ${t4.entry === "forward" ? "TPOT" : "step"}, batch of ${data.buckets[decode].tokens}`, bucket: decode }) : null,
      timed && prefill >= 0 ? /* @__PURE__ */ a3(TimeTile, { label: `Predicted prefill, ${count(data.buckets[prefill].tokens)} tokens`, bucket: prefill }) : null,
      /* @__PURE__ */ a3(Tile, { label: "Weights on each rank", value: bytes(data.memory.weights), note: `${plural(data.ranks, "rank")}` }),
      /* @__PURE__ */ a3(
        Tile,
        {
          label: "Arena on each rank",
          value: bytes(data.memory.arena),
          note: data.memory.arena <= data.memory.bound ? "at the live-range bound" : `bound ${bytes(data.memory.bound)}`,
          good: data.memory.arena <= data.memory.bound
        }
      ),
      /* @__PURE__ */ a3(Tile, { label: "KV cache a token and rank", value: bytes(data.memory.perToken) }),
      /* @__PURE__ */ a3(Tile, { label: data.tracks.length > 1 ? "Rewrites applied, all entries" : "Rewrites applied", value: count(applied), note: missed > 0 ? `${count(missed)} missed, each with its reason` : "none missed" })
    ] });
  }
  function TimeTile({ label, bucket }) {
    const s3 = useStore();
    const t4 = data.tracks[trackFor(data.tracks[s3.track].entry, bucket)];
    const a4 = t4.stages[0].us[bucket];
    const b = t4.stages[lastStage].us[bucket];
    return /* @__PURE__ */ a3(Tile, { label, value: duration(b), before: data.complete ? `${duration(a4)}${data.ranks > 1 ? " on one rank" : ""}` : void 0, note: data.complete ? change(a4, b) : void 0, good: b < a4 });
  }
  function Savings() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    if (!data.complete) {
      return /* @__PURE__ */ a3("p", { class: "banner", children: [
        "This page was made from a plan without its source: it has the remarks of the passes and the final graph. Made from the ",
        /* @__PURE__ */ a3("code", { children: ".glm" }),
        " file it shows the graph behind every pass too."
      ] });
    }
    const first = t4.stages[0];
    const small = t4.layouts[0]?.bucket ?? 0;
    const large = t4.layouts.at(-1)?.bucket ?? 0;
    const timed = first.us.length > 0;
    const name = (i3) => data.buckets[i3] ? `${data.buckets[i3].phase} ${count(data.buckets[i3].tokens)}` : "";
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "savings", children: [
      /* @__PURE__ */ a3("h2", { id: "savings", children: "What each pass did" }),
      /* @__PURE__ */ a3("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-labelledby": "savings", children: /* @__PURE__ */ a3("table", { class: "savings", children: [
        /* @__PURE__ */ a3("thead", { children: /* @__PURE__ */ a3("tr", { children: [
          /* @__PURE__ */ a3("th", { scope: "col", children: "Pass" }),
          /* @__PURE__ */ a3("th", { scope: "col", children: "Numeric class" }),
          /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Applied" }),
          /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Missed" }),
          /* @__PURE__ */ a3("th", { scope: "col", children: "Launches a step" }),
          timed ? /* @__PURE__ */ a3("th", { scope: "col", children: [
            "Predicted, ",
            name(small)
          ] }) : null,
          timed && large !== small ? /* @__PURE__ */ a3("th", { scope: "col", children: [
            "Predicted, ",
            name(large)
          ] }) : null
        ] }) }),
        /* @__PURE__ */ a3("tbody", { children: [
          /* @__PURE__ */ a3("tr", { class: "start", children: [
            /* @__PURE__ */ a3("th", { scope: "row", children: "as lowered" }),
            /* @__PURE__ */ a3("td", {}),
            /* @__PURE__ */ a3("td", {}),
            /* @__PURE__ */ a3("td", {}),
            /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: first.launches, max: first.launches, text: count(first.launches) }) }),
            timed ? /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: first.us[small], max: first.us[small], text: duration(first.us[small]) }) }) : null,
            timed && large !== small ? /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: first.us[large], max: first.us[large], text: duration(first.us[large]) }) }) : null
          ] }),
          data.passes.map((p3, i3) => {
            const stage = stageOf(i3);
            if (stage < 1) return null;
            const at2 = t4.stages[stage];
            const before = t4.stages[stage - 1];
            const quiet = !changed(s3.track, stage);
            return /* @__PURE__ */ a3("tr", { class: quiet ? "quiet" : void 0, children: [
              /* @__PURE__ */ a3("th", { scope: "row", children: /* @__PURE__ */ a3("button", { type: "button", class: "link", title: p3.doc, onClick: () => set({ view: "passes", stage }), children: p3.name }) }),
              /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3("span", { class: `badge n-${p3.numeric.replaceAll(" ", "-")}`, children: p3.numeric }) }),
              /* @__PURE__ */ a3("td", { class: "r", children: count(p3.applied) }),
              /* @__PURE__ */ a3("td", { class: "r", children: p3.missed ? count(p3.missed) : /* @__PURE__ */ a3("span", { class: "dim", children: "\u2013" }) }),
              /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: at2.launches, before: before.launches, max: first.launches, text: count(at2.launches) }) }),
              timed ? /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: at2.us[small], before: before.us[small], max: first.us[small], text: duration(at2.us[small]) }) }) : null,
              timed && large !== small ? /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: at2.us[large], before: before.us[large], max: first.us[large], text: duration(at2.us[large]) }) }) : null
            ] }, p3.name);
          })
        ] })
      ] }) })
    ] });
  }
  function Meter({ now: now2, before, max: max2, text }) {
    const share = (n2) => `${Math.min(100, 100 * n2 / max2)}%`;
    return /* @__PURE__ */ a3("span", { class: "meter", children: [
      /* @__PURE__ */ a3("svg", { height: "8", "aria-hidden": "true", children: [
        /* @__PURE__ */ a3("rect", { class: "bar-back", width: "100%", height: "8", rx: "2" }),
        before !== void 0 && before > now2 ? /* @__PURE__ */ a3("rect", { class: "bar-cut", width: share(before), height: "8", rx: "2" }) : null,
        /* @__PURE__ */ a3("rect", { class: before !== void 0 && now2 > before ? "bar-fill rise" : "bar-fill", width: share(now2), height: "8", rx: "2" })
      ] }),
      /* @__PURE__ */ a3("span", { class: "meter-text", children: text }),
      /* @__PURE__ */ a3("span", { class: "meter-delta", children: before !== void 0 && before !== now2 ? change(before, now2) : "" })
    ] });
  }
  function Anatomy() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const g3 = graph(s3.track, lastStage);
    const timed = t4.stages[0].us.length > 0;
    const total = t4.sections.reduce((n2, sec, i3) => n2 + sec.count * (timed ? micros(g3.nodes[i3], s3.bucket) : launches(g3.nodes[i3])), 0);
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "anatomy", children: [
      /* @__PURE__ */ a3("h2", { id: "anatomy", children: "Layers by kind" }),
      /* @__PURE__ */ a3("table", { class: "plain", children: [
        /* @__PURE__ */ a3("thead", { children: /* @__PURE__ */ a3("tr", { children: [
          /* @__PURE__ */ a3("th", { scope: "col", children: "Layers" }),
          /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Launches each" }),
          timed ? /* @__PURE__ */ a3("th", { scope: "col", class: "r", children: "Each" }) : null,
          /* @__PURE__ */ a3("th", { scope: "col", children: "Share of the step" })
        ] }) }),
        /* @__PURE__ */ a3("tbody", { children: t4.sections.map((sec, i3) => {
          const nodes = g3.nodes[i3];
          const was = launches(graph(s3.track, 0).nodes[i3]);
          const each = timed ? micros(nodes, s3.bucket) : launches(nodes);
          return /* @__PURE__ */ a3("tr", { children: [
            /* @__PURE__ */ a3("th", { scope: "row", children: /* @__PURE__ */ a3("button", { type: "button", class: "link", onClick: () => set({ view: "graph", section: i3 }), children: sec.label }) }),
            /* @__PURE__ */ a3("td", { class: "r", children: [
              data.complete && was !== launches(nodes) ? /* @__PURE__ */ a3("span", { class: "dim", children: [
                was,
                " \u2192 "
              ] }) : null,
              launches(nodes)
            ] }),
            timed ? /* @__PURE__ */ a3("td", { class: "r", children: duration(each) }) : null,
            /* @__PURE__ */ a3("td", { children: /* @__PURE__ */ a3(Meter, { now: sec.count * each, max: total, text: `${(100 * sec.count * each / total).toFixed(1)} %` }) })
          ] }, i3);
        }) })
      ] })
    ] });
  }
  function Missed() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    const missed = data.passes.flatMap((p3) => p3.remarks.filter((r3) => !r3.applied && concerns(r3, t4)).map((r3) => ({ pass: p3.name, r: r3 })));
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "missed", children: [
      /* @__PURE__ */ a3("h2", { id: "missed", children: "Where a pass did not apply" }),
      missed.length === 0 ? /* @__PURE__ */ a3("p", { class: "empty", children: "Every pass applied at every place that it looked at." }) : /* @__PURE__ */ a3("div", { class: "remarks", children: /* @__PURE__ */ a3("ul", { children: missed.map(({ pass, r: r3 }, i3) => /* @__PURE__ */ a3(RemarkRow, { r: r3, pass }, i3)) }) })
    ] });
  }

  // src/panel.tsx
  function Panel() {
    const s3 = useStore();
    return /* @__PURE__ */ a3("aside", { class: "panel", "aria-label": "Value and source", children: [
      /* @__PURE__ */ a3(Journey, {}),
      data.sources.length > 0 ? /* @__PURE__ */ a3(SourcePane, { file: s3.file, line: s3.line }, "source") : null
    ] });
  }
  function Journey() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    if (s3.value === 0) {
      return /* @__PURE__ */ a3("section", { class: "pane journey", "aria-label": "Value", children: [
        /* @__PURE__ */ a3("h2", { children: "Value" }),
        /* @__PURE__ */ a3("p", { class: "empty", children: [
          "Click a value such as ",
          /* @__PURE__ */ a3("code", { children: [
            "%",
            firstValue(s3.track)
          ] }),
          " to follow it through every pass and into the source."
        ] })
      ] });
    }
    const fates = follow(s3.track, s3.value);
    const known = fates.filter((f4) => f4.what !== "absent");
    if (known.length === 0) {
      return /* @__PURE__ */ a3("section", { class: "pane journey", "aria-label": "Value", children: [
        /* @__PURE__ */ a3("h2", { children: [
          "%",
          s3.value
        ] }),
        /* @__PURE__ */ a3("p", { class: "empty", children: [
          "There is no such value in ",
          t4.entry,
          "."
        ] })
      ] });
    }
    const shown = known.findLast((f4) => f4.stage <= s3.stage && f4.what !== "goes") ?? known[0];
    const operand = shown.users.flatMap((u3) => u3.node.in).find((o4) => o4.id === s3.value);
    const section = shown.at?.section ?? shown.users[0]?.section;
    return /* @__PURE__ */ a3("section", { class: "pane journey", "aria-label": `Value ${s3.value}`, "aria-live": "polite", children: [
      /* @__PURE__ */ a3("header", { children: [
        /* @__PURE__ */ a3("h2", { children: [
          /* @__PURE__ */ a3("span", { class: "value on big", children: [
            "%",
            s3.value
          ] }),
          /* @__PURE__ */ a3("code", { children: shown.type })
        ] }),
        /* @__PURE__ */ a3("button", { type: "button", class: "icon", "aria-label": "Let go of the value", onClick: () => set({ value: 0 }), children: "\xD7" })
      ] }),
      /* @__PURE__ */ a3("dl", { class: "facts", children: [
        /* @__PURE__ */ a3("dt", { children: "Made by" }),
        /* @__PURE__ */ a3("dd", { children: shown.at ? /* @__PURE__ */ a3($, { children: [
          /* @__PURE__ */ a3("b", { children: shown.at.node.op }),
          " ",
          /* @__PURE__ */ a3(Where, { place: shown.at.node.place }),
          /* @__PURE__ */ a3("div", { class: "dim", children: shown.at.node.path })
        ] }) : operand?.weight ? /* @__PURE__ */ a3(WeightFacts, { index: operand.weight }) : operand?.cache ? /* @__PURE__ */ a3($, { children: [
          "KV cache of ",
          operand.cache
        ] }) : /* @__PURE__ */ a3($, { children: [
          "input of the step: ",
          operand?.input ?? ""
        ] }) }),
        /* @__PURE__ */ a3("dt", { children: "Read by" }),
        /* @__PURE__ */ a3("dd", { children: /* @__PURE__ */ a3(Readers, { users: shown.users, at: shown.at, value: s3.value }) }),
        section !== void 0 ? /* @__PURE__ */ a3($, { children: [
          /* @__PURE__ */ a3("dt", { children: "In" }),
          /* @__PURE__ */ a3("dd", { children: t4.sections[section].label })
        ] }) : null
      ] }),
      /* @__PURE__ */ a3("h3", { children: "Through the passes" }),
      /* @__PURE__ */ a3("ol", { class: "fates", children: folded(fates) })
    ] });
  }
  function WeightFacts({ index }) {
    const w3 = data.weights[index - 1];
    return /* @__PURE__ */ a3($, { children: [
      /* @__PURE__ */ a3("div", { class: "break", children: w3.name }),
      /* @__PURE__ */ a3("div", { class: "dim break", children: [
        w3.type,
        ", ",
        bytes(w3.bytes),
        " on each rank"
      ] }),
      /* @__PURE__ */ a3("div", { class: "dim break", children: w3.recipe })
    ] });
  }
  function Readers({ users, at: at2, value: value2 }) {
    const to = at2?.node.out.find((r3) => r3.id === value2);
    if (users.length === 0 && !to?.to && !to?.out) return /* @__PURE__ */ a3("span", { class: "dim", children: "nobody" });
    return /* @__PURE__ */ a3($, { children: [
      users.map((u3) => /* @__PURE__ */ a3("span", { class: "reader", children: [
        /* @__PURE__ */ a3("b", { children: u3.node.op }),
        u3.node.out[0] ? /* @__PURE__ */ a3(Value, { id: u3.node.out.find((r3) => r3.type !== "state")?.id ?? u3.node.out[0].id, place: u3.node.place }) : null
      ] }, u3.node.id)),
      to?.to ? /* @__PURE__ */ a3("span", { class: "dim", children: to.to.map((l3) => l3 < 0 ? "behind the layers" : `layer ${l3}`).join(", ") }) : null,
      to?.out ? /* @__PURE__ */ a3("span", { class: "dim", children: " returned by the entry" }) : null
    ] });
  }
  function folded(fates) {
    const out = [];
    let quiet = [];
    const flush = () => {
      if (quiet.length > 0) out.push(/* @__PURE__ */ a3(Quiet, { fates: quiet }, `q${quiet[0].stage}`));
      quiet = [];
    };
    let before = true;
    for (const f4 of fates) {
      if (f4.what !== "absent") before = false;
      if (f4.what === "there" && f4.stage > 0 || f4.what === "absent") {
        if (!(f4.what === "absent" && before)) quiet.push(f4);
        continue;
      }
      flush();
      out.push(/* @__PURE__ */ a3(FateRow, { fate: f4 }, f4.stage));
    }
    flush();
    return out;
  }
  function Quiet({ fates }) {
    const [open, setOpen] = d2(false);
    const gone = fates[0].what === "absent";
    if (open) {
      return /* @__PURE__ */ a3($, { children: fates.map((f4) => /* @__PURE__ */ a3("li", { class: "fate quiet", children: /* @__PURE__ */ a3("button", { type: "button", onClick: () => set({ stage: f4.stage, view: "passes" }), children: stageName(f4.stage) }) }, f4.stage)) });
    }
    const n2 = fates.length;
    return /* @__PURE__ */ a3("li", { class: "fate quiet", children: /* @__PURE__ */ a3("button", { type: "button", onClick: () => setOpen(true), children: gone ? `not there behind ${n2 === 1 ? stageName(fates[0].stage) : `${n2} more passes`}` : `the same behind ${n2 === 1 ? stageName(fates[0].stage) : `${n2} passes`}` }) });
  }
  function FateRow({ fate }) {
    const s3 = useStore();
    return /* @__PURE__ */ a3("li", { class: `fate w-${fate.what}${s3.stage === fate.stage ? " here" : ""}`, children: [
      /* @__PURE__ */ a3("button", { type: "button", class: "stage", onClick: () => set({ stage: fate.stage, view: s3.view === "graph" ? "graph" : "passes", section: fate.at?.section ?? s3.section }), children: stageName(fate.stage) }),
      /* @__PURE__ */ a3("div", { class: "fate-text", children: /* @__PURE__ */ a3(What, { fate }) })
    ] });
  }
  function What({ fate }) {
    const op = fate.at ? /* @__PURE__ */ a3("b", { children: fate.at.node.op }) : null;
    switch (fate.what) {
      case "there":
        return op ? /* @__PURE__ */ a3($, { children: [
          "made by ",
          op,
          ", read by ",
          names(fate.users)
        ] }) : /* @__PURE__ */ a3($, { children: [
          "read by ",
          names(fate.users)
        ] });
      case "appears":
        return op ? /* @__PURE__ */ a3($, { children: [
          "new: made by ",
          op,
          ", read by ",
          names(fate.users)
        ] }) : /* @__PURE__ */ a3($, { children: [
          "new: read by ",
          names(fate.users)
        ] });
      case "changes":
        return /* @__PURE__ */ a3($, { children: fate.type !== fate.before ? /* @__PURE__ */ a3("code", { class: "types", children: [
          /* @__PURE__ */ a3("del", { children: fate.before }),
          " ",
          /* @__PURE__ */ a3("ins", { children: fate.type })
        ] }) : /* @__PURE__ */ a3($, { children: [
          op ?? "it",
          " takes other operands or attributes"
        ] }) });
      case "readers":
        return /* @__PURE__ */ a3($, { children: [
          "now read by ",
          names(fate.users)
        ] });
      case "goes":
        return fate.into && fate.into.length > 0 ? /* @__PURE__ */ a3($, { children: [
          "became part of",
          " ",
          fate.into.map((x2) => /* @__PURE__ */ a3("span", { class: "reader", children: [
            /* @__PURE__ */ a3("b", { children: x2.node.op }),
            x2.node.out[0] ? /* @__PURE__ */ a3(Value, { id: x2.node.out.find((r3) => r3.type !== "state")?.id ?? x2.node.out[0].id, place: x2.node.place }) : null
          ] }, x2.node.id))
        ] }) : /* @__PURE__ */ a3($, { children: "no longer needed" });
    }
    return null;
  }
  function names(users) {
    const list = [...new Set(users.map((u3) => u3.node.op))];
    return list.length === 0 ? "nobody here" : list.join(", ");
  }
  function firstValue(track) {
    for (const nodes of graph(track, lastStage).nodes) for (const n2 of nodes) for (const r3 of n2.out) return r3.id;
    return 1;
  }
  function SourcePane({ file, line }) {
    const s3 = useStore();
    const pre = T2(null);
    const source2 = data.sources[file];
    A2(() => {
      const box = pre.current;
      const row = box?.querySelector(".row.on");
      if (box && row) box.scrollTop = row.offsetTop - box.clientHeight / 2 + 10;
    }, [file, line]);
    const g3 = graph(s3.track, Math.min(s3.stage, lastStage));
    const byLine = /* @__PURE__ */ new Map();
    for (const at2 of g3.byID.values()) {
      const [f4, l3] = at2.node.place;
      if (f4 === file && l3 > 0) byLine.set(l3, [...byLine.get(l3) ?? [], at2]);
    }
    return /* @__PURE__ */ a3("section", { class: "pane source", "aria-label": "Source", children: [
      /* @__PURE__ */ a3("header", { children: [
        /* @__PURE__ */ a3("h2", { children: "Source" }),
        data.sources.length > 1 ? /* @__PURE__ */ a3("select", { "aria-label": "File", value: file, onChange: (e3) => set({ file: Number(e3.currentTarget.value), line: 0 }), children: data.sources.map((x2, i3) => /* @__PURE__ */ a3("option", { value: i3, children: x2.name }, i3)) }) : /* @__PURE__ */ a3("span", { class: "dim break", children: source2.name })
      ] }),
      source2.text === "" ? /* @__PURE__ */ a3("p", { class: "empty", children: [
        "The text of this file is not part of the plan",
        line > 0 ? `: look at line ${line} of it` : "",
        "."
      ] }) : /* @__PURE__ */ a3("div", { class: "code", ref: pre, tabindex: 0, role: "region", "aria-label": source2.name, children: highlight(source2.text).map((parts, i3) => {
        const n2 = i3 + 1;
        const at2 = byLine.get(n2);
        return /* @__PURE__ */ a3("div", { class: `row${n2 === line ? " on" : ""}${at2 ? " has" : ""}`, "aria-current": n2 === line ? "location" : void 0, children: [
          at2 ? /* @__PURE__ */ a3(
            "button",
            {
              type: "button",
              class: "num",
              title: `${at2.map((x2) => x2.node.op).join(", ")}: click for the value`,
              "aria-label": `Line ${n2}: ${at2.map((x2) => x2.node.op).join(", ")}`,
              onClick: () => {
                const values = at2.flatMap((x2) => x2.node.out.filter((r3) => r3.type !== "state").map((r3) => r3.id));
                const next = values[(values.indexOf(s3.value) + 1) % values.length];
                if (next !== void 0) select(next, [file, n2]);
              },
              children: n2
            }
          ) : /* @__PURE__ */ a3("span", { class: "num", children: n2 }),
          /* @__PURE__ */ a3("code", { children: parts })
        ] }, n2);
      }) })
    ] });
  }
  var keywords = new Set(
    "model for config assert let block entry when return if then else in at as pipeline import from checkpoint alias ignore because optional or and not require".split(" ")
  );
  var token = /(\/\/.*)|("(?:[^"\\]|\\.)*")|(\b\d[\w.]*(?:[eE][+-]?\d+)?\b)|(\b[A-Za-z_]\w*\b)|(\s+|.)/g;
  var highlighted = /* @__PURE__ */ new Map();
  function highlight(text) {
    let lines = highlighted.get(text);
    if (!lines) {
      lines = text.split("\n").map(
        (l3) => [...l3.matchAll(token)].map((m3, i3) => {
          const kind = m3[1] ? "c" : m3[2] ? "s" : m3[3] ? "n" : m3[4] && keywords.has(m3[4]) ? "k" : m3[4] && l3[m3.index + m3[4].length] === "(" ? "f" : "";
          return kind ? /* @__PURE__ */ a3("span", { class: `t-${kind}`, children: m3[0] }, i3) : m3[0];
        })
      );
      highlighted.set(text, lines);
    }
    return lines;
  }

  // src/search.tsx
  var order = ["pass", "value", "weight", "remark", "source"];
  var names2 = { pass: "Pass", value: "Value", weight: "Weight", remark: "Remark", source: "Source" };
  function collect(track) {
    const t4 = data.tracks[track];
    const hits = [];
    data.passes.forEach((p3, i3) => {
      const stage = stageOf(i3);
      hits.push({ kind: "pass", text: p3.name, sub: p3.doc, hay: `${p3.name} ${p3.doc}`, go: () => set(stage < 0 ? { view: "overview" } : { view: "passes", stage, columns: false }) });
      for (const r3 of p3.remarks) {
        if (!concerns(r3, t4)) continue;
        hits.push({
          kind: "remark",
          text: r3.reason,
          sub: `${r3.applied ? "applied" : "missed"} \xB7 ${r3.id} \xB7 ${r3.where || r3.entry}`,
          hay: `${r3.id} ${r3.reason} ${r3.where}`,
          go: () => set({ view: "passes", stage: stage < 0 ? get().stage : stage, file: Math.max(0, r3.place[0]), line: r3.place[1], panel: true, columns: false })
        });
      }
    });
    const seen = /* @__PURE__ */ new Set();
    const weights = /* @__PURE__ */ new Set();
    for (let stage = t4.stages.length - 1; stage >= 0; stage--) {
      const g3 = graph(track, stage);
      const show = (section) => ({ view: get().view === "graph" ? "graph" : "passes", stage, section, columns: false });
      g3.nodes.forEach((nodes, section) => {
        for (const n2 of nodes) {
          const label = t4.sections[section].label;
          if (!seen.has(n2.id)) {
            seen.add(n2.id);
            const ids = n2.out.filter((r3) => r3.type !== "state").map((r3) => `%${r3.id}`).join(", ");
            hits.push({
              kind: "value",
              text: `${ids} = ${n2.op}`,
              sub: `${label} \xB7 ${n2.out[0]?.type ?? ""}${stage < t4.stages.length - 1 ? ` \xB7 until ${stageName(stage + 1)}` : ""}`,
              hay: `${ids} ${n2.op} ${n2.path} ${n2.out.map((r3) => r3.type).join(" ")} ${label}`,
              go: () => {
                set(show(section));
                select(n2.out.find((r3) => r3.type !== "state")?.id ?? n2.out[0]?.id ?? 0, n2.place);
              }
            });
          }
          for (const o4 of n2.in) {
            if (!o4.weight) continue;
            const w3 = data.weights[o4.weight - 1];
            if (weights.has(w3.name)) continue;
            weights.add(w3.name);
            hits.push({
              kind: "weight",
              text: w3.name,
              sub: `${w3.type} \xB7 ${label}`,
              hay: `${w3.name} ${w3.type}`,
              go: () => {
                set(show(section));
                select(o4.id, n2.place);
              }
            });
          }
        }
      });
    }
    data.sources.forEach((f4, file) => {
      if (!f4.text) return;
      f4.text.split("\n").forEach((l3, i3) => {
        if (l3.trim()) hits.push({ kind: "source", text: l3.trim(), sub: `${f4.name}:${i3 + 1}`, hay: l3, go: () => set({ file, line: i3 + 1, panel: true }) });
      });
    });
    for (const h3 of hits) h3.hay = h3.hay.toLowerCase();
    return hits;
  }
  function find2(hits, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const found = hits.filter((h3) => words.every((w3) => h3.hay.includes(w3)));
    const exact = (h3) => h3.hay.startsWith(words[0]) || h3.hay.split(/[\s,]/).includes(words[0]) ? 0 : 1;
    found.sort((a4, b) => exact(a4) - exact(b) || order.indexOf(a4.kind) - order.indexOf(b.kind));
    const per = /* @__PURE__ */ new Map();
    return found.filter((h3) => {
      const n2 = (per.get(h3.kind) ?? 0) + 1;
      per.set(h3.kind, n2);
      return n2 <= 8;
    }).slice(0, 30);
  }
  function Search() {
    const s3 = useStore();
    const [query, setQuery] = d2("");
    const [open, setOpen] = d2(false);
    const [at2, setAt] = d2(0);
    const input = T2(null);
    const list = T2(null);
    const hits = w2(() => open ? collect(s3.track) : [], [open, s3.track]);
    const found = w2(() => find2(hits, query), [hits, query]);
    A2(() => {
      const key = (e3) => {
        const typing = e3.target instanceof HTMLElement && (e3.target.matches("input, select, textarea") || e3.target.isContentEditable);
        if (e3.key === "/" && !typing && !e3.ctrlKey && !e3.metaKey && !e3.altKey) {
          e3.preventDefault();
          input.current?.focus();
          input.current?.select();
        }
      };
      addEventListener("keydown", key);
      return () => removeEventListener("keydown", key);
    }, []);
    A2(() => list.current?.children[at2]?.scrollIntoView({ block: "nearest" }), [at2]);
    const choose = (h3) => {
      if (!h3) return;
      h3.go();
      setOpen(false);
      input.current?.blur();
    };
    const shown = open && query.trim() !== "";
    return /* @__PURE__ */ a3("div", { class: "search", role: "search", children: [
      /* @__PURE__ */ a3(
        "input",
        {
          ref: input,
          type: "search",
          placeholder: "Search operators, weights, values, remarks",
          "aria-label": "Search",
          role: "combobox",
          list: void 0,
          "aria-expanded": shown,
          "aria-controls": "hits",
          "aria-autocomplete": "list",
          "aria-activedescendant": shown && found[at2] ? `hit${at2}` : void 0,
          autocomplete: "off",
          spellcheck: false,
          value: query,
          onFocus: () => setOpen(true),
          onBlur: () => setTimeout(() => setOpen(false), 150),
          onInput: (e3) => {
            setQuery(e3.currentTarget.value);
            setAt(0);
            setOpen(true);
          },
          onKeyDown: (e3) => {
            if (e3.key === "ArrowDown") setAt(Math.min(found.length - 1, at2 + 1));
            else if (e3.key === "ArrowUp") setAt(Math.max(0, at2 - 1));
            else if (e3.key === "Enter") choose(found[at2]);
            else if (e3.key === "Escape") {
              setOpen(false);
              e3.currentTarget.blur();
            } else return;
            e3.preventDefault();
          }
        }
      ),
      /* @__PURE__ */ a3("kbd", { "aria-hidden": "true", children: "/" }),
      shown ? /* @__PURE__ */ a3("ul", { id: "hits", class: "hits", role: "listbox", ref: list, "aria-label": "What was found", children: [
        found.length === 0 ? /* @__PURE__ */ a3("li", { class: "none", children: "Nothing of that name in this program." }) : null,
        found.map((h3, i3) => /* @__PURE__ */ a3(
          "li",
          {
            id: `hit${i3}`,
            role: "option",
            "aria-selected": i3 === at2,
            class: i3 === at2 ? "on" : void 0,
            onPointerDown: (e3) => {
              e3.preventDefault();
              choose(h3);
            },
            children: [
              /* @__PURE__ */ a3("span", { class: `kind k-${h3.kind}`, children: names2[h3.kind] }),
              /* @__PURE__ */ a3("span", { class: "hit-text", children: [
                /* @__PURE__ */ a3("span", { class: "hit-main", children: h3.text }),
                /* @__PURE__ */ a3("span", { class: "hit-sub", children: h3.sub })
              ] })
            ]
          },
          i3
        ))
      ] }) : null
    ] });
  }

  // src/timeline.tsx
  function schedule2(track, bucket) {
    const free = [];
    const items = [];
    for (const p3 of program(track)) {
      const waits = p3.waits.flatMap((w3) => items[w3] ?? []);
      const from = Math.max(free[p3.stream] ?? 0, ...waits.map((w3) => w3.to));
      const to = from + (p3.node.view ? 0 : p3.node.us[bucket] ?? 0);
      free[p3.stream] = to;
      items.push({ node: p3.node, layer: p3.layer, stream: p3.stream, from, to, waits });
    }
    return { items, end: Math.max(0, ...free.filter((f4) => f4 !== void 0)) };
  }
  function Timeline() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    if (!data.buckets[s3.bucket] || t4.stages[0].us.length === 0) {
      return /* @__PURE__ */ a3("main", { class: "view", id: "main", children: /* @__PURE__ */ a3("p", { class: "empty", children: [
        "glmc has no cost model for ",
        data.target,
        ": there is no time to draw."
      ] }) });
    }
    return /* @__PURE__ */ a3(Lanes, {}, `${s3.track}.${s3.bucket}`);
  }
  function Lanes() {
    const s3 = useStore();
    const { items, end } = w2(() => schedule2(s3.track, s3.bucket), [s3.track, s3.bucket]);
    const streams = [...new Set(items.map((i3) => i3.stream))].sort((a4, b) => a4 - b);
    const busy = /* @__PURE__ */ new Map();
    for (const i3 of items) busy.set(i3.node.family, (busy.get(i3.node.family) ?? 0) + i3.to - i3.from);
    const bucket = data.buckets[s3.bucket];
    const rate = count(Math.round(bucket.tokens * 1e6 / end));
    const share = (us) => `${(us / end * 100).toFixed(1)} % of the step`;
    return /* @__PURE__ */ a3("main", { class: "view timeline", id: "main", children: [
      /* @__PURE__ */ a3("div", { class: "summary", children: [
        bucket.phase === "decode" ? /* @__PURE__ */ a3(Fact, { label: "One step, predicted", value: duration(end), note: `${rate} tokens a second` }) : /* @__PURE__ */ a3(Fact, { label: "One chunk, predicted", value: duration(end), note: `${rate} prompt tokens a second` }),
        /* @__PURE__ */ a3(Fact, { label: "Launches", value: count(items.filter((i3) => !i3.node.view).length) }),
        /* @__PURE__ */ a3(Fact, { label: "Collectives", value: duration(busy.get("comm") ?? 0), note: share(busy.get("comm") ?? 0) }),
        /* @__PURE__ */ a3(Fact, { label: "Streams", value: String(streams.length), note: streams.length === 1 ? "one after the other" : void 0 })
      ] }),
      /* @__PURE__ */ a3(LaneChart, { items, end, streams }),
      /* @__PURE__ */ a3(Shares, { busy, end })
    ] });
  }
  var left2 = 74;
  function LaneChart({ items, end, streams }) {
    const s3 = useStore();
    const [box, width] = useWidth();
    const bands = spans(s3.track, (i3) => items[i3]?.from ?? end);
    const [range2, setRange] = d2(() => {
      const layers = bands.filter((b) => b.layer >= 0);
      const at2 = Math.max(0, layers.findIndex((b) => b.section === s3.section) - 1);
      return layers.length <= 3 ? [0, end] : [layers[at2].from, layers[Math.min(layers.length - 1, at2 + 2)].to];
    });
    const [hover, setHover] = d2(null);
    const lane = streams.length > 1 ? 64 : 92;
    const inner = width - left2 - 26;
    const x2 = linear2(range2, [0, inner]);
    const height2 = streams.length * (lane + 14);
    const laneY = (stream) => streams.indexOf(stream) * (lane + 14) + 6;
    const middle = (stream) => laneY(stream) + lane / 2;
    const edge = (stream, other) => laneY(stream) + (other > stream ? lane - 4 : 4);
    const shown = items.filter((i3) => i3.to > range2[0] && i3.from < range2[1] && !i3.node.view);
    return /* @__PURE__ */ a3("section", { class: "card chart", "aria-label": "Operators over time", children: [
      /* @__PURE__ */ a3("div", { class: "chart-head", children: [
        /* @__PURE__ */ a3("h2", { children: "One step on the time axis" }),
        /* @__PURE__ */ a3(Legend, { kinds: new Set(shown.map((i3) => i3.node.family)) }),
        /* @__PURE__ */ a3("button", { type: "button", class: "small", onClick: () => setRange([0, end]), children: "Whole step" })
      ] }),
      /* @__PURE__ */ a3("div", { ref: box, class: "chart-box", children: [
        /* @__PURE__ */ a3("svg", { width, height: height2 + 56, class: "lanes", role: "img", "aria-label": `${shown.length} operators from ${duration(range2[0])} to ${duration(range2[1])}`, children: /* @__PURE__ */ a3("g", { transform: `translate(${left2},26)`, children: [
          /* @__PURE__ */ a3(Bands, { list: bands, x: x2, y: -22, height: 18, width: inner }),
          streams.map((st2) => /* @__PURE__ */ a3("g", { children: [
            /* @__PURE__ */ a3("rect", { class: "lane", x: "0", y: laneY(st2), width: inner, height: lane, rx: "4" }),
            /* @__PURE__ */ a3("text", { class: "lane-name", x: "-10", y: middle(st2) + 4, "text-anchor": "end", children: laneName(st2, items) })
          ] }, st2)),
          shown.map((i3, k2) => /* @__PURE__ */ a3(ItemView, { i: i3, from: Math.max(0, x2(i3.from)), to: Math.min(inner, x2(i3.to)), top: laneY(i3.stream), lane, onHover: setHover }, k2)),
          shown.flatMap((i3, k2) => i3.waits.map((w3, j2) => /* @__PURE__ */ a3("path", { class: "wait", d: `M${x2(w3.to)},${edge(w3.stream, i3.stream)}L${x2(i3.from)},${edge(i3.stream, w3.stream)}` }, `${k2}.${j2}`))),
          /* @__PURE__ */ a3(XAxis, { x: x2, y: height2, width: inner, format: (n2) => n2 === 0 ? "0" : duration(n2) })
        ] }) }),
        /* @__PURE__ */ a3("div", { class: "strip-box", children: [
          /* @__PURE__ */ a3(Strip, { width: inner, height: 40, end, range: range2, onRange: setRange, label: "Time that is shown", children: runs(items).map((r3, k2) => {
            const all = inner / end;
            const h3 = 28 / streams.length;
            return /* @__PURE__ */ a3("rect", { class: `f-${r3.family}`, x: r3.from * all, width: Math.max(0.4, (r3.to - r3.from) * all), y: 6 + h3 * streams.indexOf(r3.stream), height: h3 - 1 }, k2);
          }) }),
          /* @__PURE__ */ a3("span", { class: "strip-label", children: [
            "the whole step, ",
            duration(end)
          ] })
        ] })
      ] }),
      hover ? /* @__PURE__ */ a3(Tip2, { ...hover }) : null
    ] });
  }
  function laneName(stream, items) {
    if (stream === 0) return "main";
    return items.every((i3) => i3.stream !== stream || i3.node.family === "send") ? "transfer" : `stream ${stream}`;
  }
  function ItemView({ i: i3, from, to, top, lane, onHover }) {
    const { value: value2 } = useStore();
    const wide = to - from;
    const on2 = i3.node.out.some((r3) => r3.id === value2);
    const hover = (e3) => onHover({ i: i3, x: e3.clientX, y: e3.clientY });
    return /* @__PURE__ */ a3("g", { class: `piece f-${i3.node.family}${on2 ? " on" : ""}`, children: [
      /* @__PURE__ */ a3(
        "rect",
        {
          x: from,
          width: Math.max(0.6, wide - (wide > 4 ? 1 : 0)),
          y: top + 4,
          height: lane - 8,
          rx: Math.min(3, wide / 3),
          onPointerEnter: hover,
          onPointerMove: hover,
          onPointerLeave: () => onHover(null),
          onClick: () => select(i3.node.out.find((r3) => r3.type !== "state")?.id ?? i3.node.out[0]?.id ?? 0, i3.node.place)
        }
      ),
      wide > 34 ? /* @__PURE__ */ a3("text", { x: from + 6, y: top + 22, children: short(i3.node.op, wide - 10) }) : null,
      wide > 56 ? /* @__PURE__ */ a3("text", { class: "sub", x: from + 6, y: top + 38, children: duration(i3.to - i3.from) }) : null
    ] });
  }
  function Tip2({ i: i3, x: x2, y: y3 }) {
    return /* @__PURE__ */ a3("div", { class: "tip", style: { left: `${x2 > innerWidth - 300 ? x2 - 290 : x2 + 14}px`, top: `${Math.min(y3 + 14, innerHeight - 120)}px` }, role: "tooltip", children: [
      /* @__PURE__ */ a3("div", { children: [
        /* @__PURE__ */ a3("b", { children: i3.node.op }),
        " ",
        /* @__PURE__ */ a3("span", { class: "dim", children: i3.layer >= 0 ? `layer ${i3.layer}` : "" })
      ] }),
      /* @__PURE__ */ a3("div", { children: [
        duration(i3.to - i3.from),
        " predicted, from ",
        duration(i3.from)
      ] }),
      /* @__PURE__ */ a3("div", { class: "dim break", children: i3.node.path })
    ] });
  }
  function Shares({ busy, end }) {
    return /* @__PURE__ */ a3("section", { class: "card", "aria-labelledby": "kinds", children: [
      /* @__PURE__ */ a3("h2", { id: "kinds", children: "Where the time goes" }),
      /* @__PURE__ */ a3("ul", { class: "shares", children: [...busy].filter(([, us]) => us > 0).sort((a4, b) => b[1] - a4[1]).map(([f4, us]) => /* @__PURE__ */ a3("li", { class: `f-${f4}`, children: [
        /* @__PURE__ */ a3("span", { class: "share-name", children: [
          /* @__PURE__ */ a3("span", { class: "dot", "aria-hidden": "true" }),
          names3[f4] ?? f4
        ] }),
        /* @__PURE__ */ a3("svg", { height: "10", "aria-hidden": "true", children: [
          /* @__PURE__ */ a3("rect", { class: "bar-back", width: "100%", height: "10", rx: "3" }),
          /* @__PURE__ */ a3("rect", { class: "share-fill", width: `${100 * us / end}%`, height: "10", rx: "3" })
        ] }),
        /* @__PURE__ */ a3("span", { class: "r", children: duration(us) }),
        /* @__PURE__ */ a3("span", { class: "r dim", children: [
          (100 * us / end).toFixed(1),
          " %"
        ] })
      ] }, f4)) })
    ] });
  }
  var names3 = {
    linear: "dense products",
    experts: "experts",
    attention: "attention",
    route: "routing",
    norm: "norms",
    element: "elementwise",
    comm: "collectives",
    send: "transfers"
  };
  function short(text, width) {
    const n2 = Math.floor(width / 7);
    if (text.length <= n2) return text;
    const tail = text.split(".").at(-1);
    return tail.length <= n2 ? tail : n2 < 4 ? "" : `${tail.slice(0, n2 - 1)}\u2026`;
  }
  function runs(items) {
    const out = [];
    const last = /* @__PURE__ */ new Map();
    for (const i3 of items) {
      if (i3.to === i3.from) continue;
      const l3 = last.get(i3.stream);
      if (l3 && l3.family === i3.node.family && l3.to === i3.from) l3.to = i3.to;
      else {
        const r3 = { family: i3.node.family, stream: i3.stream, from: i3.from, to: i3.to };
        last.set(i3.stream, r3);
        out.push(r3);
      }
    }
    return out;
  }

  // src/main.tsx
  var titles = { overview: "Overview", passes: "Passes", graph: "Graph", memory: "Memory", timeline: "Timeline", cost: "Cost" };
  function Page() {
    const s3 = useStore();
    useHover();
    useKeys();
    useShown(s3.view, s3.stage, s3.pass);
    const rail = s3.view === "passes" || s3.view === "graph";
    const panel = s3.panel && (s3.view === "passes" || s3.value !== 0 || s3.line !== 0);
    return /* @__PURE__ */ a3($, { children: [
      /* @__PURE__ */ a3("a", { class: "skip", href: "#main", onClick: (e3) => {
        e3.preventDefault();
        document.getElementById("main")?.scrollIntoView();
      }, children: "To the content" }),
      /* @__PURE__ */ a3(Top, {}),
      /* @__PURE__ */ a3("div", { class: `body${rail ? " with-rail" : ""}${panel ? " with-panel" : ""}`, children: data.tracks.length === 0 ? /* @__PURE__ */ a3("main", { class: "view", children: /* @__PURE__ */ a3("p", { class: "empty", children: "The plan has no program." }) }) : /* @__PURE__ */ a3($, { children: [
        rail ? /* @__PURE__ */ a3(Rail, {}) : null,
        s3.view === "overview" ? /* @__PURE__ */ a3(Overview, {}) : null,
        s3.view === "passes" ? /* @__PURE__ */ a3(Passes, {}) : null,
        s3.view === "graph" ? /* @__PURE__ */ a3(GraphView, {}) : null,
        s3.view === "memory" ? /* @__PURE__ */ a3(Memory, {}) : null,
        s3.view === "timeline" ? /* @__PURE__ */ a3(Timeline, {}) : null,
        s3.view === "cost" ? /* @__PURE__ */ a3(Cost, {}) : null,
        panel ? /* @__PURE__ */ a3(Panel, {}) : null
      ] }) })
    ] });
  }
  function Top() {
    const s3 = useStore();
    const t4 = data.tracks[s3.track];
    return /* @__PURE__ */ a3("header", { class: "top", children: [
      /* @__PURE__ */ a3("div", { class: "top-row", children: [
        /* @__PURE__ */ a3("div", { class: "brand", children: [
          /* @__PURE__ */ a3(Mark, {}),
          /* @__PURE__ */ a3("div", { children: [
            /* @__PURE__ */ a3("strong", { children: data.model }),
            /* @__PURE__ */ a3("span", { children: [
              "for ",
              data.target,
              ", ",
              plural(data.ranks, "rank"),
              data.pipeline ? `, pipeline ${data.pipeline}` : ""
            ] })
          ] })
        ] }),
        /* @__PURE__ */ a3(Search, {}),
        /* @__PURE__ */ a3(Theme, {})
      ] }),
      /* @__PURE__ */ a3("div", { class: "top-row second", children: [
        /* @__PURE__ */ a3("nav", { class: "tabs", "aria-label": "Views", children: views.map((v3) => /* @__PURE__ */ a3("button", { type: "button", "aria-current": s3.view === v3 ? "page" : void 0, onClick: () => set({ view: v3 }), children: titles[v3] }, v3)) }),
        /* @__PURE__ */ a3("div", { class: "pickers", children: [
          entries.length > 1 ? /* @__PURE__ */ a3("label", { children: [
            "Entry",
            /* @__PURE__ */ a3(
              "select",
              {
                value: t4?.entry,
                onChange: (e3) => {
                  const track = trackFor(e3.currentTarget.value, s3.bucket);
                  set({ track, value: 0, section: commonest(track) });
                },
                children: entries.map((x2) => /* @__PURE__ */ a3("option", { value: x2, children: x2 }, x2))
              }
            )
          ] }) : null,
          t4 && data.buckets.length > 0 ? /* @__PURE__ */ a3("label", { title: t4.variant ? `This program is for ${t4.variant}` : void 0, children: [
            "Step",
            /* @__PURE__ */ a3("select", { value: s3.bucket, onChange: (e3) => set({ bucket: Number(e3.currentTarget.value) }), children: data.buckets.map(
              (b, i3) => local(trackFor(t4.entry, i3), i3) < 0 ? null : /* @__PURE__ */ a3("option", { value: i3, children: [
                b.phase,
                " ",
                count(b.tokens)
              ] }, i3)
            ) })
          ] }) : null,
          /* @__PURE__ */ a3("button", { type: "button", class: "small", "aria-pressed": s3.panel, onClick: () => set({ panel: !s3.panel }), children: "Details" })
        ] })
      ] })
    ] });
  }
  function Mark() {
    return /* @__PURE__ */ a3("svg", { class: "logo", width: "30", height: "30", viewBox: "0 0 30 30", "aria-hidden": "true", children: [
      /* @__PURE__ */ a3("rect", { width: "30", height: "30", rx: "8", class: "logo-back" }),
      /* @__PURE__ */ a3("path", { d: "M8 9h14M8 15h9M8 21h5", class: "logo-lines" }),
      /* @__PURE__ */ a3("circle", { cx: "21.5", cy: "15", r: "2.2", class: "logo-dot" }),
      /* @__PURE__ */ a3("circle", { cx: "17.5", cy: "21", r: "2.2", class: "logo-dot" })
    ] });
  }
  function Theme() {
    const [theme, setTheme] = d2("");
    A2(() => {
      if (theme) document.documentElement.dataset.theme = theme;
    }, [theme]);
    const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    return /* @__PURE__ */ a3("button", { type: "button", class: "icon theme", "aria-label": dark ? "Light colours" : "Dark colours", onClick: () => setTheme(dark ? "light" : "dark"), children: dark ? "\u2600" : "\u263E" });
  }
  function useKeys() {
    A2(() => {
      const key = (e3) => {
        const typing = e3.target instanceof HTMLElement && e3.target.matches("input, select, textarea");
        const step = e3.key === "[" ? -1 : e3.key === "]" ? 1 : 0;
        if (typing || step === 0 || e3.ctrlKey || e3.metaKey || e3.altKey || !data.complete) return;
        const s3 = get();
        let stage = s3.stage + step;
        while (stage > 0 && stage < lastStage && !changed(s3.track, stage)) stage += step;
        if (stage >= 0 && stage <= lastStage) set({ stage, view: s3.view === "graph" ? "graph" : "passes" });
      };
      addEventListener("keydown", key);
      return () => removeEventListener("keydown", key);
    }, []);
  }
  function useHover() {
    A2(() => {
      let lit = [];
      const over = (e3) => {
        const v3 = e3.target instanceof Element ? e3.target.closest("[data-v]")?.dataset.v : void 0;
        for (const x2 of lit) x2.classList.remove("lit");
        lit = v3 ? [...document.querySelectorAll(`[data-v="${Number(v3)}"]`)] : [];
        for (const x2 of lit) x2.classList.add("lit");
      };
      document.addEventListener("pointerover", over);
      return () => document.removeEventListener("pointerover", over);
    }, []);
  }
  function useShown(...chosen) {
    A2(() => {
      for (const box of document.querySelectorAll(".tabs, .rail")) {
        const item = box.querySelector('[aria-current="page"], [aria-current="true"]');
        if (!item) continue;
        const a4 = item.getBoundingClientRect();
        const b = box.getBoundingClientRect();
        box.scrollTop += Math.min(a4.top - b.top - 8, 0) + Math.max(a4.bottom - b.bottom + 8, 0);
        box.scrollLeft += Math.min(a4.left - b.left, 0) + Math.max(a4.right - b.right, 0);
      }
    }, chosen);
  }
  Q(/* @__PURE__ */ a3(Page, {}), document.getElementById("page"));
  document.documentElement.dataset.ready = "1";
})();
