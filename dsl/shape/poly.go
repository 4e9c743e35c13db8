// Package shape computes with dimensions that are not numbers yet. A dimension is a polynomial of configuration
// keys, lets, parameters and the run-time sizes T and B, in a normal form: two dimensions that are equal for every
// configuration, such as heads * head_dim and head_dim * heads, are the same polynomial.
//
// What is no polynomial (int(x), min, max, %) becomes an atom of its own, named by its normal form: it equals itself
// and nothing else. A vague atom equals itself, and may equal anything.
package shape

import (
	"cmp"
	"hash/fnv"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Poly is a polynomial with rational coefficients in normal form: the terms sorted, none of them zero. Exponents
// may be negative, because the language's division is exact. The zero value is 0.
type Poly struct {
	terms []term
}

type term struct {
	coef    *big.Rat // not 0, and never changed
	factors []factor // sorted by atom, each atom once
}

type factor struct {
	atom  string
	exp   int
	vague bool  // see Vague
	sum   *Poly // what the atom is short for: a sum that something was divided by
}

func (f factor) same(g factor) bool { return f.atom == g.atom && f.exp == g.exp }

// maxTerms and what follows bound a polynomial: (a + b + c) ^ 100 in a file must not take the machine. What grows
// beyond becomes a vague atom.
const (
	maxTerms   = 32
	maxFactors = 16 // of a term
	maxBits    = 256
	maxExp     = 64
)

// Int is the constant n.
func Int(n int64) Poly { return constant(new(big.Rat).SetInt64(n)) }

// Float is the constant x, which is finite, by its shortest decimal form: 0.1 is a tenth.
func Float(x float64) Poly {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
	if !ok || !small(r) {
		return Atom(strconv.FormatFloat(x, 'g', -1, 64))
	}
	return constant(r)
}

func constant(r *big.Rat) Poly {
	if r.Sign() == 0 {
		return Poly{}
	}
	return Poly{[]term{{coef: r}}}
}

func small(r *big.Rat) bool { return r.Num().BitLen() <= maxBits && r.Denom().BitLen() <= maxBits }

// maxName bounds what is kept of an atom's name; names are made of names, and would double at each step.
const maxName = 200

// Atom is something that is known only by its name.
func Atom(name string) Poly {
	return Poly{[]term{{big.NewRat(1, 1), []factor{{atom: bounded(name), exp: 1}}}}}
}

// Vague is an atom of which nobody can say that it differs from something else, such as a choice by a condition.
func Vague(name string) Poly {
	return Poly{[]term{{big.NewRat(1, 1), []factor{{atom: bounded(name), exp: 1, vague: true}}}}}
}

// IsVague reports whether the polynomial has a vague atom.
func (p Poly) IsVague() bool { return p.hasFactor(func(f factor) bool { return f.vague }) }

func bounded(name string) string {
	if len(name) > maxName {
		h := fnv.New64a()
		h.Write([]byte(name))
		name = strings.ToValidUTF8(name[:maxName/2], "") + "..." + hidden + strconv.FormatUint(h.Sum64(), 10)
	}
	return name
}

// Equal reports whether two polynomials are the same.
func (p Poly) Equal(q Poly) bool {
	return slices.EqualFunc(p.terms, q.terms, func(a, b term) bool {
		return a.coef.Cmp(b.coef) == 0 && slices.EqualFunc(a.factors, b.factors, factor.same)
	})
}

// IsZero reports whether p is 0.
func (p Poly) IsZero() bool { return len(p.terms) == 0 }

// Of is the atom that a function of polynomials is: "%", "int", or "min" or "max", which take them in any order.
func Of(name string, args ...Poly) Poly {
	var list []string
	atom := Atom
	for _, a := range args {
		list = append(list, a.key())
		if a.IsVague() {
			atom = Vague
		}
	}
	if name == "%" {
		return atom("(" + strings.Join(list, " % ") + ")")
	}
	slices.Sort(list)
	return atom(name + "(" + strings.Join(list, ", ") + ")")
}

// Const returns the value of a polynomial without atoms that is an int.
func (p Poly) Const() (int64, bool) {
	switch {
	case len(p.terms) == 0:
		return 0, true
	case len(p.terms) == 1 && len(p.terms[0].factors) == 0 && p.terms[0].coef.IsInt() && p.terms[0].coef.Num().IsInt64():
		return p.terms[0].coef.Num().Int64(), true
	}
	return 0, false
}

// Add returns p + q.
func (p Poly) Add(q Poly) Poly {
	sum := make([]term, 0, len(p.terms)+len(q.terms))
	i, j := 0, 0
	for i < len(p.terms) && j < len(q.terms) {
		switch c := compare(p.terms[i], q.terms[j]); {
		case c < 0:
			sum = append(sum, p.terms[i])
			i++
		case c > 0:
			sum = append(sum, q.terms[j])
			j++
		default:
			if coef := new(big.Rat).Add(p.terms[i].coef, q.terms[j].coef); coef.Sign() != 0 {
				sum = append(sum, term{coef, p.terms[i].factors})
			}
			i, j = i+1, j+1
		}
	}
	sum = append(append(sum, p.terms[i:]...), q.terms[j:]...)
	return Poly{sum}.bounded(func() string { return "(" + p.key() + " + " + q.key() + ")" })
}

// Neg returns -p.
func (p Poly) Neg() Poly {
	out := Poly{make([]term, len(p.terms))}
	for i, t := range p.terms {
		out.terms[i] = term{new(big.Rat).Neg(t.coef), t.factors}
	}
	return out
}

// Sub returns p - q.
func (p Poly) Sub(q Poly) Poly { return p.Add(q.Neg()) }

// Mul returns p * q.
func (p Poly) Mul(q Poly) Poly {
	if len(p.terms)*len(q.terms) > maxTerms {
		return Vague(p.grouped() + " * " + q.grouped())
	}
	var product Poly
	for _, a := range p.terms {
		for _, b := range q.terms {
			product = product.Add(Poly{[]term{a.mul(b)}})
		}
	}
	return product.bounded(func() string { return p.grouped() + " * " + q.grouped() })
}

// Div returns p / q, which the language promises to be exact; q is not 0.
func (p Poly) Div(q Poly) Poly {
	if len(q.terms) != 1 {
		if p.Equal(q) {
			return Int(1)
		}
		sum := q
		q = Poly{[]term{{big.NewRat(1, 1), []factor{{atom: bounded("(" + sum.key() + ")"), exp: 1, vague: sum.IsVague(), sum: &sum}}}}}
	}
	t := q.terms[0]
	inverse := term{coef: new(big.Rat).Inv(t.coef), factors: slices.Clone(t.factors)}
	for i := range inverse.factors {
		inverse.factors[i].exp = -inverse.factors[i].exp
	}
	return p.Mul(Poly{[]term{inverse}})
}

// Pow returns p ^ n for a small n.
func (p Poly) Pow(n int64) Poly {
	if n < 0 || n > maxExp {
		return Vague(p.grouped() + " ^ " + strconv.FormatInt(n, 10))
	}
	out := Int(1)
	for range n {
		out = out.Mul(p)
	}
	return out
}

// bounded is p, or a vague atom of that name where p is too large.
func (p Poly) bounded(name func() string) Poly {
	large := len(p.terms) > maxTerms || slices.ContainsFunc(p.terms, func(t term) bool {
		return len(t.factors) > maxFactors || !small(t.coef) || slices.ContainsFunc(t.factors, func(f factor) bool { return f.exp > maxExp || f.exp < -maxExp })
	})
	if large {
		return Vague(name())
	}
	return p
}

// grouped is the text of p as an operand.
func (p Poly) grouped() string {
	if len(p.terms) == 1 && len(p.terms[0].factors)+1 <= 2 {
		return p.key()
	}
	return "(" + p.key() + ")"
}

func (t term) mul(u term) term {
	out := term{coef: new(big.Rat).Mul(t.coef, u.coef)}
	i, j := 0, 0
	for i < len(t.factors) || j < len(u.factors) {
		switch {
		case j == len(u.factors) || i < len(t.factors) && t.factors[i].atom < u.factors[j].atom:
			out.factors = append(out.factors, t.factors[i])
			i++
		case i == len(t.factors) || u.factors[j].atom < t.factors[i].atom:
			out.factors = append(out.factors, u.factors[j])
			j++
		default:
			if f := t.factors[i]; f.exp+u.factors[j].exp != 0 {
				f.exp += u.factors[j].exp
				out.factors = append(out.factors, f)
			}
			i, j = i+1, j+1
		}
	}
	return out
}

// compare orders terms: by their atoms, those with more of them first, constants last.
func compare(a, b term) int {
	for i := 0; i < len(a.factors) && i < len(b.factors); i++ {
		if c := cmp.Or(strings.Compare(a.factors[i].atom, b.factors[i].atom), b.factors[i].exp-a.factors[i].exp); c != 0 {
			return c
		}
	}
	return len(b.factors) - len(a.factors)
}

// Atoms returns the names of the polynomial's atoms, each once, sorted.
func (p Poly) Atoms() []string {
	var names []string
	for _, t := range p.terms {
		for _, f := range t.factors {
			names = append(names, f.atom)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Substitute returns p with an atom replaced.
func (p Poly) Substitute(atom string, by Poly) Poly {
	if !p.has(atom) {
		return p
	}
	var out Poly
	for _, t := range p.terms {
		i := slices.IndexFunc(t.factors, func(f factor) bool { return f.atom == atom })
		if i < 0 {
			out = out.Add(Poly{[]term{t}})
			continue
		}
		rest := Poly{[]term{{t.coef, slices.Delete(slices.Clone(t.factors), i, i+1)}}}
		if exp := t.factors[i].exp; exp > 0 {
			rest = rest.Mul(by.Pow(int64(exp)))
		} else if len(by.terms) > 0 {
			rest = rest.Div(by.Pow(int64(-exp)))
		}
		out = out.Add(rest)
	}
	return out
}

func (p Poly) has(atom string) bool {
	return p.hasFactor(func(f factor) bool { return f.atom == atom })
}

func (p Poly) hasFactor(is func(factor) bool) bool {
	return slices.ContainsFunc(p.terms, func(t term) bool { return slices.ContainsFunc(t.factors, is) })
}

// maxCleared bounds the sums that cleared multiplies by: they stand in one another.
const maxCleared = 16

// cleared returns a polynomial without the sums that p was divided by, which is 0 where p is: p times those sums. The
// parts of a division, as in n / (a + b) * a + n / (a + b) * b, come together only so.
func (p Poly) cleared() Poly {
	for range maxCleared {
		var by factor
		lowest := 0
		for _, t := range p.terms {
			for _, f := range t.factors {
				if f.sum == nil || by.sum != nil && f.atom != by.atom {
					continue
				}
				by, lowest = f, min(lowest, f.exp)
			}
		}
		if by.sum == nil {
			return p
		}
		var out Poly
		for _, t := range p.terms {
			rest, exp := t, -lowest
			if i := slices.IndexFunc(t.factors, func(f factor) bool { return f.atom == by.atom }); i >= 0 {
				rest.factors = slices.Delete(slices.Clone(t.factors), i, i+1)
				exp += t.factors[i].exp
			}
			out = out.Add(Poly{[]term{rest}}.Mul(by.sum.Pow(int64(exp))))
		}
		p = out
	}
	return Vague(p.key())
}

// Solve returns an atom and a polynomial without it that equals it wherever p is 0; false where no term is an atom
// alone that stands in no other. Something vague is never the value of what is not.
func (p Poly) Solve() (atom string, value Poly, ok bool) {
	vague := p.IsVague()
	for i, t := range p.terms {
		if len(t.factors) != 1 || t.factors[0].exp != 1 || t.factors[0].vague != vague {
			continue
		}
		rest := Poly{slices.Delete(slices.Clone(p.terms), i, i+1)}
		if !rest.has(t.factors[0].atom) {
			return t.factors[0].atom, rest.Neg().Div(constant(t.coef)), true
		}
	}
	return "", Poly{}, false
}

// String returns the polynomial as the language writes it, with its atoms in alphabetical order.
func (p Poly) String() string { return Shown(p.key()) }

// key is String with what is hidden of the names.
func (p Poly) key() string {
	if len(p.terms) == 0 {
		return "0"
	}
	var b strings.Builder
	for i, t := range p.terms {
		coef := t.coef
		switch {
		case i > 0 && coef.Sign() < 0:
			b.WriteString(" - ")
			coef = new(big.Rat).Neg(coef)
		case i > 0:
			b.WriteString(" + ")
		}
		b.WriteString(t.text(coef))
	}
	return b.String()
}

func (t term) text(coef *big.Rat) string {
	var over, under []string
	if num := coef.Num().String(); num != "1" || len(t.factors) == 0 {
		over = append(over, num)
	}
	for _, f := range t.factors {
		name := f.atom
		exp := max(f.exp, -f.exp)
		if exp > 1 {
			name += " ^ " + strconv.Itoa(exp)
		}
		if f.exp > 0 {
			over = append(over, name)
		} else {
			under = append(under, name)
		}
	}
	if !coef.IsInt() {
		under = append(under, coef.Denom().String())
	}
	if len(over) == 0 {
		over = []string{"1"}
	}
	text := strings.Join(over, " * ")
	for _, u := range under {
		text += " / " + u
	}
	return text
}

// hidden begins the part of an atom's name that tells it from others of the same name.
const hidden = "\x00"

// Fresh is an atom that is shown as name and is another than all with another number.
func Fresh(name string, number int) Poly { return Atom(name + hidden + strconv.Itoa(number)) }

// Shown is an atom's name as messages have it.
func Shown(atom string) string {
	if !strings.Contains(atom, hidden) {
		return atom
	}
	var b strings.Builder
	for i, part := range strings.Split(atom, hidden) {
		if i > 0 {
			part = strings.TrimLeft(part, "0123456789")
		}
		b.WriteString(part)
	}
	return b.String()
}
