package shape

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestString(t *testing.T) {
	heads, dim, hidden := Atom("heads"), Atom("head_dim"), Atom("hidden")
	for _, tt := range []struct {
		p    Poly
		want string
	}{
		{Int(0), "0"},
		{Int(-3), "-3"},
		{Float(0.5), "1 / 2"},
		{heads.Mul(dim), "head_dim * heads"},
		{hidden.Div(heads), "hidden / heads"},
		{hidden.Div(heads).Mul(heads), "hidden"},
		{dim.Mul(Float(0.5)), "head_dim / 2"},
		{heads.Add(Int(1)).Mul(heads.Sub(Int(1))), "heads ^ 2 - 1"},
		{Int(2).Mul(dim).Sub(heads), "2 * head_dim - heads"},
		{Atom("int(a / b)").Mul(heads), "heads * int(a / b)"},
		{heads.Div(dim.Add(Int(1))), "heads / (head_dim + 1)"},
		{heads.Sub(heads), "0"},
		{Fresh("i", 3).Mul(heads), "heads * i"},
		{Int(1).Div(heads), "1 / heads"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if Fresh("i", 1).Equal(Fresh("i", 2)) {
		t.Error("two fresh atoms are the same")
	}
}

// value evaluates a polynomial.
func value(p Poly, env map[string]*big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, t := range p.terms {
		v := new(big.Rat).Set(t.coef)
		for _, f := range t.factors {
			x := env[f.atom]
			if f.sum != nil {
				x = value(*f.sum, env)
			}
			for range max(f.exp, -f.exp) {
				if f.exp > 0 {
					v.Mul(v, x)
				} else {
					v.Quo(v, x)
				}
			}
		}
		sum.Add(sum, v)
	}
	return sum
}

// TestArithmetic compares polynomials with the numbers that they stand for. Bounds are not reached: what is random
// here is small.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		env := map[string]*big.Rat{}
		for _, name := range []string{"a", "b", "c"} {
			env[name] = big.NewRat(rapid.Int64Range(1, 1000).Draw(t, name), 1)
		}
		var build func(depth int) (Poly, *big.Rat)
		build = func(depth int) (Poly, *big.Rat) {
			if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
				if rapid.Bool().Draw(t, "const") {
					n := rapid.Int64Range(-5, 5).Draw(t, "n")
					return Int(n), big.NewRat(n, 1)
				}
				name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "atom")
				return Atom(name), env[name]
			}
			p, x := build(depth - 1)
			q, y := build(depth - 1)
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0:
				return p.Add(q), new(big.Rat).Add(x, y)
			case 1:
				return p.Sub(q), new(big.Rat).Sub(x, y)
			case 2:
				return p.Mul(q), new(big.Rat).Mul(x, y)
			}
			if y.Sign() == 0 {
				return p, x
			}
			return p.Div(q), new(big.Rat).Quo(x, y)
		}
		p, x := build(3)
		q, y := build(3)
		r, z := build(2)
		if got := value(p, env); got.Cmp(x) != 0 {
			t.Fatalf("%s is %s, want %s", p, got, x)
		}
		if !p.Add(q).Equal(q.Add(p)) || !p.Mul(q).Equal(q.Mul(p)) || !p.Sub(q).Add(q).Equal(p) {
			t.Fatalf("the normal forms of %s and %s are not normal", p, q)
		}
		if y.Sign() != 0 && z.Sign() != 0 {
			var f Facts
			if !p.IsVague() && !f.MayEqual(p.Div(q).Mul(q), p) || !f.MayEqual(p.Div(q).Add(r.Div(q)), p.Add(r).Div(q)) || !f.MayEqual(p.Div(q.Mul(r)), p.Div(q).Div(r)) {
				t.Fatalf("division of %s and %s by %s", p, r, q)
			}
		}
		if x.Cmp(y) != 0 && (Facts{}).Equal(p, q) {
			t.Fatalf("%s is %s, and %s is %s", p, x, q, y)
		}
		if s := p.Substitute("a", q); s.has("a") && !q.has("a") {
			t.Fatalf("%s still has a", s)
		}
	})
}

func TestBounds(t *testing.T) {
	p := Atom("a").Add(Atom("b")).Add(Atom("c")).Add(Int(1))
	q := Int(1)
	for range 200 {
		q = q.Mul(p)
	}
	if len(q.terms) > maxTerms {
		t.Errorf("a polynomial of %d terms", len(q.terms))
	}
	if len(q.String()) > 1<<16 {
		t.Errorf("an atom of %d bytes", len(q.String()))
	}
	big := Int(10)
	for range 10 {
		big = big.Mul(big)
	}
	if len(big.String()) > 1<<12 {
		t.Errorf("a number of %d digits", len(big.String()))
	}
}

// TestFactors multiplies more atoms than a term keeps: n of them would take memory in the square of n.
func TestFactors(t *testing.T) {
	p := Int(1)
	for i := range 10000 {
		p = p.Mul(Fresh("a", i))
	}
	if len(p.terms) != 1 || len(p.terms[0].factors) > maxFactors {
		t.Errorf("a product of %d factors", len(p.terms[0].factors))
	}
}

// TestVague has atoms that may be anything.
func TestVague(t *testing.T) {
	var f Facts
	w, n := Vague("w"), Atom("n")
	for _, tt := range []struct {
		a, b       Poly
		equal, may bool
	}{
		{w, w, true, true},
		{w.Mul(n), n.Mul(w), true, true},
		{w, n, false, true},
		{Of("int", w.Mul(Float(0.5))), n, false, true},
		{n.Div(w.Add(Int(1))), n, false, true},
		{n, n.Add(Int(1)), false, false},
		{w.Add(n).Sub(w), n.Add(Int(1)), false, false},
	} {
		if f.Equal(tt.a, tt.b) != tt.equal || f.MayEqual(tt.a, tt.b) != tt.may {
			t.Errorf("%s and %s: equal %t, may be %t", tt.a, tt.b, f.Equal(tt.a, tt.b), f.MayEqual(tt.a, tt.b))
		}
	}
	if g := f.Assume(w, Int(64)); g.MayEqual(w, n) || !g.Equal(w, Int(64)) {
		t.Error("an equation says what something vague is")
	}
}

// TestManyFacts has more equations than are kept.
func TestManyFacts(t *testing.T) {
	var f Facts
	for i := range 10 * maxFacts {
		f = f.Assume(Fresh("a", i), Fresh("a", i+1).Add(Int(1)))
	}
	if len(f.values) != maxFacts || !f.Equal(Fresh("a", 0), Fresh("a", maxFacts).Add(Int(maxFacts))) {
		t.Errorf("%d equations", len(f.values))
	}
	if !f.MayEqual(Atom("x"), Atom("y")) || f.Equal(Atom("x"), Atom("y")) {
		t.Error("of what is not kept nobody can say")
	}
}

func TestFacts(t *testing.T) {
	heads, dim, hidden, rank := Atom("heads"), Atom("head_dim"), Atom("hidden"), Atom("rank")
	var f Facts
	if f.Equal(hidden, heads.Mul(dim)) {
		t.Error("equal without a fact")
	}
	g := f.Assume(hidden, heads.Mul(dim)).Assume(rank, Int(64))
	for _, tt := range []struct{ a, b Poly }{
		{hidden, heads.Mul(dim)},
		{hidden.Mul(T), T.Mul(dim).Mul(heads)},
		{hidden.Add(rank), heads.Mul(dim).Add(Int(64))},
		{hidden.Div(rank.Add(heads)), heads.Div(heads.Add(Int(64))).Mul(dim)},
	} {
		if !g.Equal(tt.a, tt.b) || f.Equal(tt.a, tt.b) {
			t.Errorf("%s and %s", tt.a, tt.b)
		}
	}
	if g.Equal(hidden, heads) || g.Equal(rank, Int(65)) {
		t.Error("a fact makes everything equal")
	}
	h := f.Assume(heads.Mul(dim), rank.Mul(Int(3)).Mul(hidden)) // no atom alone on either side
	if !h.Equal(heads.Mul(dim).Mul(T), hidden.Mul(rank).Mul(T).Mul(Int(3))) || h.Equal(heads, rank) {
		t.Error("a fact between products")
	}
}
