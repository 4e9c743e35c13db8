package kernels

import (
	"fmt"

	"github.com/glmc/glmc/kernels/dtype"
)

// Attrs are the attributes of a plan step. Values are int64, float64, string, bool or []int64.
type Attrs map[string]any

// Int returns an integer attribute.
func (a Attrs) Int(key string) (int, error) {
	v, ok := a[key].(int64)
	if !ok {
		return 0, a.mismatch(key, "an integer")
	}
	return int(v), nil
}

// OptionalInt returns an integer attribute, or def when it is absent.
func (a Attrs) OptionalInt(key string, def int) (int, error) {
	if a[key] == nil {
		return def, nil
	}
	return a.Int(key)
}

// Float returns a floating-point attribute.
func (a Attrs) Float(key string) (float64, error) {
	v, ok := a[key].(float64)
	if !ok {
		return 0, a.mismatch(key, "a float")
	}
	return v, nil
}

// OptionalFloat returns a floating-point attribute, or 0 when it is absent.
func (a Attrs) OptionalFloat(key string) (float64, error) {
	if a[key] == nil {
		return 0, nil
	}
	return a.Float(key)
}

// Str returns a string attribute, or "" when it is absent.
func (a Attrs) Str(key string) (string, error) {
	if a[key] == nil {
		return "", nil
	}
	v, ok := a[key].(string)
	if !ok {
		return "", a.mismatch(key, "a string")
	}
	return v, nil
}

// Ints returns a list of integers.
func (a Attrs) Ints(key string) ([]int64, error) {
	v, ok := a[key].([]int64)
	if !ok {
		return nil, a.mismatch(key, "a list of integers")
	}
	return v, nil
}

func (a Attrs) mismatch(key, want string) error {
	if a[key] == nil {
		return fmt.Errorf("attribute %q is missing: want %s", key, want)
	}
	return fmt.Errorf("attribute %q is %T: want %s", key, a[key], want)
}

// QuantisesRows reads the attribute act: "" or absent, or "fp8_e4m3" when the rows that enter a matrix product
// are quantised first (dtype.QuantizeF8E4M3).
func (a Attrs) QuantisesRows() (bool, error) {
	act, err := a.Str("act")
	switch {
	case err != nil:
		return false, err
	case act != "" && act != dtype.F8E4M3.String():
		return false, fmt.Errorf("attribute \"act\" is %q: want \"\" or %q", act, dtype.F8E4M3)
	}
	return act != "", nil
}

// CheckActivation verifies that the attribute activation is "silu", the only one that experts have here.
func (a Attrs) CheckActivation() error {
	activation, err := a.Str("activation")
	if err != nil {
		return err
	}
	if activation != "silu" {
		return fmt.Errorf("attribute \"activation\" is %q: want \"silu\"", activation)
	}
	return nil
}
