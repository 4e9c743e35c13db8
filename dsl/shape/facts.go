package shape

// Facts are equations that hold where a shape is looked at: assertions, and the conditions of branches.
type Facts struct {
	values map[string]Poly // of atoms that equations solve, without any of these atoms
	zero   []Poly          // each is 0: equations that solve none
	full   bool            // there were too many
}

// maxFacts bounds the equations that are kept: each new one is put into all others. Behind more of them, everything
// may be equal.
const maxFacts = 200

// Assume returns the facts with a == b added.
func (f Facts) Assume(a, b Poly) Facts {
	d := f.reduce(a.Sub(b))
	switch {
	case len(d.terms) == 0:
		return f
	case len(f.values)+len(f.zero) == maxFacts:
		f.full = true
		return f
	}
	atom, value, ok := d.Solve()
	if !ok {
		f.zero = append(f.zero[:len(f.zero):len(f.zero)], d)
		return f
	}
	out := Facts{values: make(map[string]Poly, len(f.values)+1), full: f.full}
	for name, p := range f.values {
		out.values[name] = p.Substitute(atom, value)
	}
	out.values[atom] = value
	for _, z := range f.zero {
		if z = z.Substitute(atom, value).cleared(); len(z.terms) > 0 {
			out.zero = append(out.zero, z)
		}
	}
	return out
}

// maxRounds bounds the replacements of atoms by others: those in sums come to light one after the other.
const maxRounds = 8

// reduce replaces the atoms that the facts solve. The result is 0 where p is.
func (f Facts) reduce(p Poly) Poly {
	p = p.cleared()
	if len(f.values) == 0 {
		return p
	}
	for range maxRounds {
		found := false
		for _, name := range p.Atoms() {
			if value, ok := f.values[name]; ok {
				p, found = p.Substitute(name, value), true
			}
		}
		if !found {
			break
		}
		p = p.cleared()
	}
	return p
}

// Equal reports whether two numbers are the same for every configuration for which the facts hold, as far as this
// package can tell.
func (f Facts) Equal(a, b Poly) bool { return a.Equal(b) || f.isZero(f.reduce(a.Sub(b))) }

// isZero reports whether a polynomial that was reduced is 0.
func (f Facts) isZero(d Poly) bool {
	if len(d.terms) == 0 {
		return true
	}
	for _, z := range f.zero {
		if d.multipleOf(z) {
			return true
		}
	}
	return false
}

// MayEqual reports whether two numbers are Equal, or have something vague in them, so that nobody can say.
func (f Facts) MayEqual(a, b Poly) bool {
	if f.full || a.Equal(b) {
		return true
	}
	d := f.reduce(a.Sub(b))
	return d.IsVague() || f.isZero(d)
}

// multipleOf reports whether p is q times a single term.
func (p Poly) multipleOf(q Poly) bool {
	if len(p.terms) == 0 || len(p.terms) != len(q.terms) {
		return false
	}
	ratio := Poly{p.terms[:1]}.Div(Poly{q.terms[:1]})
	return q.Mul(ratio).Equal(p)
}

// EqualTypes reports whether two types may be the same; see Same.
func (f Facts) EqualTypes(a, b Type) bool {
	return a.DType == b.DType && f.EqualDims(a.Dims, b.Dims)
}

// EqualDims reports whether two lists of dimensions may be the same.
func (f Facts) EqualDims(a, b []Dim) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !f.Same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// Same reports whether two dimensions may be the same: they are, or one of them is not known, or vague.
func (f Facts) Same(a, b Dim) bool { return a.unknown || b.unknown || f.MayEqual(a.Poly, b.Poly) }

// Certain reports whether two dimensions are known to be the same.
func (f Facts) Certain(a, b Dim) bool { return !a.unknown && !b.unknown && f.Equal(a.Poly, b.Poly) }
