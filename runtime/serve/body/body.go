// Package body reads requests in JSON. Size, nesting and the kinds and ranges of values are checked before anything is made of
// them, and errors name the field by its path.
package body

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// Bounds of a body.
const (
	MaxBytes = 32 << 20 // where the server sets no lower one
	MaxDepth = 256      // of arrays and objects in each other
	maxKey   = 256      // bytes of a name that errors repeat
)

// Read reads the body of a request, which has to be a JSON object. Its error is an *service.Error.
func Read(w http.ResponseWriter, r *http.Request) (*Object, error) {
	// Only pages of the same origin may send this type without being asked first, so that no web page can use a server
	// that it cannot see otherwise.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &service.Error{Kind: service.Invalid, Message: "the header Content-Type must be application/json", Err: route.ErrMediaType}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &service.Error{Kind: service.Invalid, Message: fmt.Sprintf("the body has more than %d bytes", large.Limit), Err: err}
	case err != nil:
		return nil, &service.Error{Kind: service.Invalid, Message: "the body could not be read to its end", Err: err}
	}
	return Parse(data)
}

// Parse reads a JSON object. Its error is an *service.Error.
func Parse(data []byte) (*Object, error) {
	o := &Object{fault: new(*service.Error)}
	switch {
	case len(data) > MaxBytes:
		o.Fail("", "the body has more than %d bytes", MaxBytes)
	case !utf8.Valid(data):
		o.Fail("", "the body is not valid UTF-8")
	case Depth(data) > MaxDepth:
		o.Fail("", "the body nests deeper than %d", MaxDepth)
	case jsonparts.Kind(data) != "nothing" && !json.Valid(data):
		o.syntax(data)
	default:
		o.read(data)
	}
	return o, o.Err()
}

// Depth is how deep arrays and objects lie in each other in JSON. It counts brackets, so that nothing has to recurse.
func Depth(data []byte) int {
	depth, deepest, text := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// read takes the fields of an object of valid JSON apart.
func (o *Object) read(data []byte) {
	if kind := jsonparts.Kind(data); kind != "an object" {
		o.Wrong("", "must be an object, not %s", kind)
		return
	}
	o.fields = map[string]json.RawMessage{}
	jsonparts.Members(data, func(key string, value []byte) bool {
		// Of equal keys, one reader takes the first and another the last: what a gateway checked may not be what runs.
		if _, ok := o.fields[key]; ok {
			o.Wrong(key, "is there twice")
			return false
		}
		o.fields[key] = value
		return true
	})
}

// syntax says why something is no JSON.
func (o *Object) syntax(data []byte) {
	var value json.RawMessage
	switch err := json.Unmarshal(data, &value); {
	case err.Error() == "unexpected end of JSON input":
		o.Wrong("", "is not JSON: it ends too early")
	case strings.HasSuffix(err.Error(), "after top-level value"):
		o.Wrong("", "has more after its end")
	default:
		o.Wrong("", "is not JSON: %v", err)
	}
}
