//go:build !purego

package cpu

// attnKernelsOf returns what attention with panels needs of a tier, nil where it has no products with panels.
func attnKernelsOf(d *dots) *attnKernels {
	if d.panels == nil {
		return nil
	}
	return &attnKernels{
		keysBF16: attnKeysBF16, keysF8: attnKeysF8, valuesBF16: attnValuesBF16, valuesF8: attnValuesF8,
		softmax: attnSoftmax, softmaxAll: attnSoftmaxAll, shrink: attnShrink, fold: attnFold, divide: attnDivide, round: attnRound, finite: attnFinite, fetch: attnFetch, touch: attnTouch,
		products: &panelsBF16,
	}
}
