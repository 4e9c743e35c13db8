package kernels

import "fmt"

// Choice is what moe.top_k and moe.route choose: K experts, of the Keep best of Groups groups.
type Choice struct{ K, Groups, Keep int }

// ReadChoice reads the attributes k, groups and keep.
func ReadChoice(a Attrs) (Choice, error) {
	var c Choice
	for _, attr := range []struct {
		name string
		dst  *int
	}{{"k", &c.K}, {"groups", &c.Groups}, {"keep", &c.Keep}} {
		v, err := a.Int(attr.name)
		if err != nil {
			return c, err
		}
		if v < 1 {
			return c, fmt.Errorf("attribute %q is %d: want at least 1", attr.name, v)
		}
		*attr.dst = v
	}
	if c.Keep > c.Groups {
		return c, fmt.Errorf("attribute \"keep\" is %d: there are only %d groups", c.Keep, c.Groups)
	}
	return c, nil
}

// Check verifies that a number of experts divides into the groups and is enough.
func (c Choice) Check(experts int) error {
	if experts%c.Groups != 0 {
		return fmt.Errorf("%d experts do not divide into %d groups", experts, c.Groups)
	}
	if open := experts / c.Groups * c.Keep; c.K > open {
		return fmt.Errorf("top %d of the %d experts in %d groups", c.K, open, c.Keep)
	}
	return nil
}

// Routing is all that moe.route does: scores of the logits, the choice, and what becomes of the weights.
type Routing struct {
	Choice
	Softmax      bool    // else a sigmoid
	Normalise    bool    // weights are divided by their sum plus Shift
	Shift        float32 // 0 where there is none: no sum of weights is -0, so that adding it changes nothing
	Scale        float32 // weights are multiplied by it; 1 where there is none
	First, Count int     // experts First, First+1, ... are appended with weight 1
}

// ReadRouting reads the attributes of moe.route.
func ReadRouting(a Attrs) (Routing, error) {
	choice, err := ReadChoice(a)
	if err != nil {
		return Routing{}, err
	}
	r := Routing{Choice: choice, Scale: 1}
	score, err := a.Str("score")
	if err != nil {
		return r, err
	}
	if r.Softmax = score == "softmax"; score != "softmax" && score != "sigmoid" {
		return r, fmt.Errorf("attribute \"score\" is %q: want \"sigmoid\" or \"softmax\"", score)
	}
	normalise, err := a.OptionalInt("normalise", 0)
	if err != nil {
		return r, err
	}
	r.Normalise = normalise != 0
	shift, err := a.OptionalFloat("shift")
	if err != nil {
		return r, err
	}
	r.Shift = float32(shift)
	if a["scale"] != nil {
		scale, err := a.Float("scale")
		if err != nil {
			return r, err
		}
		r.Scale = float32(scale)
	}
	if r.First, err = a.OptionalInt("first", 0); err != nil {
		return r, err
	}
	if r.Count, err = a.OptionalInt("count", 0); err != nil {
		return r, err
	}
	if r.First < 0 || r.Count < 0 {
		return r, fmt.Errorf("shared experts %d to %d: want no negative numbers", r.First, r.First+r.Count-1)
	}
	return r, nil
}

// Weigh finishes a row of K+Count slots whose first K are chosen, with their scores as weights: it renormalises
// and scales those, adding them in order, and appends the others.
func (r *Routing) Weigh(ids []int32, weights []float32) {
	chosen := weights[:r.K]
	if r.Normalise {
		var sum float32
		for _, w := range chosen {
			sum += w
		}
		sum += r.Shift
		for j := range chosen {
			chosen[j] /= sum
		}
	}
	for j := range chosen {
		chosen[j] *= r.Scale
	}
	for j := range r.Count {
		ids[r.K+j], weights[r.K+j] = int32(r.First+j), 1
	}
}
