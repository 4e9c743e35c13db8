package grammar

import (
	"slices"
	"sync"
)

// Parts of formats.
const (
	// A day that there is: 29 February in leap years, which are those that 4 divides, but of those that 100 divides only those
	// that 400 does.
	dateForm = `([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))` +
		`|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)`
	timeForm = `([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[-+]([01][0-9]|2[0-3]):[0-5][0-9])`
	byteForm = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4Form = byteForm + `(\.` + byteForm + `){3}`
	hexForm  = `[0-9A-Fa-f]{1,4}`
	// RFC 4291: eight groups, or fewer with :: for what is left out.
	ipv6Form = `(` +
		`(` + hexForm + `:){7}` + hexForm + `|` +
		`(` + hexForm + `:){1,7}:|` +
		`(` + hexForm + `:){1,6}:` + hexForm + `|` +
		`(` + hexForm + `:){1,5}(:` + hexForm + `){1,2}|` +
		`(` + hexForm + `:){1,4}(:` + hexForm + `){1,3}|` +
		`(` + hexForm + `:){1,3}(:` + hexForm + `){1,4}|` +
		`(` + hexForm + `:){1,2}(:` + hexForm + `){1,5}|` +
		hexForm + `:(:` + hexForm + `){1,6}|` +
		`:((:` + hexForm + `){1,7}|:))`
	labelForm = `[A-Za-z0-9]([-A-Za-z0-9]{0,59}[A-Za-z0-9])?`
	hostForm  = labelForm + `(\.` + labelForm + `){0,3}`
	atomForm  = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,15}"
	pathForm  = `([-A-Za-z0-9._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*`
)

// formats are the formats that are enforced. What they take is a part of what the standards do: addresses that are in use, not
// all that could be. Other formats are annotations.
var formats = map[string]string{
	"date":      dateForm,
	"time":      timeForm,
	"date-time": dateForm + `T` + timeForm,
	"duration":  `P([0-9]{1,4}W|([0-9]{1,4}Y([0-9]{1,4}M([0-9]{1,4}D)?)?|[0-9]{1,4}M([0-9]{1,4}D)?|[0-9]{1,4}D)(T` + clockForm + `)?|T` + clockForm + `)`,
	"uuid":      `[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}`,
	"email":     atomForm + `(\.` + atomForm + `){0,3}@` + hostForm,
	"hostname":  hostForm,
	"ipv4":      ipv4Form,
	"ipv6":      ipv6Form,
	"uri":       `[A-Za-z][-A-Za-z0-9+.]{0,31}:(//` + hostForm + `(:[0-9]{1,5})?(/` + pathForm + `)?|[-+A-Za-z0-9._~]` + pathForm + `)(\?` + pathForm + `)?(#` + pathForm + `)?`,
}

// clockForm is the part of a duration behind the T.
const clockForm = `([0-9]{1,4}H([0-9]{1,4}M([0-9]{1,4}S)?)?|[0-9]{1,4}M([0-9]{1,4}S)?|[0-9]{1,4}S)`

// knownFormats gives those that are enforced.
func knownFormats(list []*value) []*value {
	var out []*value
	for _, f := range list {
		if formats[f.text] != "" && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// shared are automata that are made once: of formats, of any text, and of any one character.
var shared sync.Map // of sharedKey to *dfa

type sharedKey struct {
	expr string
	enc  encoding
}

const (
	anyText      = `(?s).*`
	oneCharacter = `(?s).`
)

// sharedExpression compiles an expression of our own, as a whole.
func sharedExpression(expr string, enc encoding) *dfa {
	key := sharedKey{expr, enc}
	if d, ok := shared.Load(key); ok {
		return d.(*dfa)
	}
	d, err := expression(expr, true, enc, newBudget())
	if err != nil || d == nil {
		panic("grammar: expression " + expr + " of our own does not compile")
	}
	shared.Store(key, d)
	return d
}
