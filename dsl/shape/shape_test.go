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
			for range max(f.exp, -f.exp) {
				if f.exp > 0 {
					v.Mul(v, env[f.atom])
				} else {
					v.Quo(v, env[f.atom])
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
			if len(q.terms) != 1 {
				return p, x
			}
			return p.Div(q), new(big.Rat).Quo(x, y)
		}
		p, x := build(3)
		q, _ := build(3)
		if got := value(p, env); got.Cmp(x) != 0 {
			t.Fatalf("%s is %s, want %s", p, got, x)
		}
		if !p.Add(q).Equal(q.Add(p)) || !p.Mul(q).Equal(q.Mul(p)) || !p.Sub(q).Add(q).Equal(p) {
			t.Fatalf("the normal forms of %s and %s are not normal", p, q)
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
