package engine

// plane is a time as a sum of what each of some numbers adds to it, by least squares over measured points, the older of which count for less
// and less.
type plane struct {
	w  float64 // points
	xx [features][features]float64
	xy [features]float64
}

const (
	features   = 4
	planeKeeps = 1 - 1.0/512 // of the weight of a point, for each that comes after it
	planeKnown = 8           // points from which on a plane says something
	planeRidge = 1e-4        // pulls what points do not tell apart towards 0
	outlier    = 5           // times what was expected: no step counts for more. One that others held up does count, as longer steps are held up more often
)

// point are the numbers that a time depends on.
type point [features]float64

func (x *point) dot(y *point) (s float64) {
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

// add takes a point, weighed by the time that was expected: errors are shares of it. To weigh by what was measured would believe fast steps more.
func (p *plane) add(x point, y float64) {
	expected := y
	if p.known() {
		slopes := p.fit()
		if should := x.dot(&slopes); should > 0 {
			y = min(y, outlier*should)
			expected = max(should, y/outlier)
		}
	}
	scale := 1 / expected
	p.w = p.w*planeKeeps + 1
	for i := range x {
		for j := range x {
			p.xx[i][j] = p.xx[i][j]*planeKeeps + x[i]*x[j]*scale*scale
		}
		p.xy[i] = p.xy[i]*planeKeeps + x[i]*y*scale*scale
	}
}

// known reports whether there are points enough.
func (p *plane) known() bool { return p.w >= planeKnown }

// fit gives what each number adds. It solves the normal equations by elimination; the ridge keeps them regular.
func (p *plane) fit() point {
	a, b := p.xx, p.xy
	for i := range a {
		a[i][i] += a[i][i]*planeRidge + 1e-300
	}
	for i := range a {
		for j := i + 1; j < features; j++ {
			f := a[j][i] / a[i][i]
			for k := i; k < features; k++ {
				a[j][k] -= f * a[i][k]
			}
			b[j] -= f * b[i]
		}
	}
	var x point
	for i := features - 1; i >= 0; i-- {
		sum := b[i]
		for k := i + 1; k < features; k++ {
			sum -= a[i][k] * x[k]
		}
		x[i] = sum / a[i][i]
	}
	return x
}
