// Package transcript plays HTTP exchanges that are written as documents, for tests of the interfaces. A txtar archive has, one after
// the other:
//
//	-- script --    what the backend says from here on (package servicetest)
//	-- request --   method and path, headers, an empty line where there are any, and the body
//	-- seen --      what the backend was asked for, as JSON without empty fields
//	-- answer --    status and headers that matter, and the body; JSON is indented; of a stream, what repeats itself stands once
//
// Every exchange has to be as openapi.json describes it. A word behind the first one of a name says what the part is about. The flag -update writes seen and answer again.
package transcript

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/glmc/glmc/runtime/serve/openapi/openapitest"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

var update = flag.Bool("update", false, "write the expected answers again")

// Routes makes the routes over a backend, with a sign of life in streams after so long without an event.
type Routes func(b service.Backend, keepAlive time.Duration) []route.Route

// Run plays testdata/*.txtar. Requests have the id req-1. Only where a script waits do streams say that they are alive: on a busy
// machine they would anywhere.
func Run(t *testing.T, routes Routes) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			play(t, archive, routes)
			if !*update {
				return
			}
			if err := os.WriteFile(name, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// play plays an archive, and compares what comes with what it says, or puts it there.
func play(t *testing.T, archive *txtar.Archive, routes Routes) {
	var script []byte
	var last exchange
	for i := range archive.Files {
		f := &archive.Files[i]
		switch kind, _, _ := strings.Cut(f.Name, " "); kind {
		case "script":
			script = f.Data
		case "request":
			last = send(t, f.Data, script, routes)
		case "seen":
			compare(t, f, last.seen)
		case "answer":
			compare(t, f, last.answer)
		default:
			t.Fatalf("there is no part %q", kind)
		}
	}
}

func compare(t *testing.T, f *txtar.File, got string) {
	t.Helper()
	if *update {
		f.Data = []byte(got)
		return
	}
	if diff := cmp.Diff(strings.Split(string(f.Data), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got)\n%s", f.Name, diff)
	}
}

// exchange is what came of a request.
type exchange struct {
	seen   string // what the backend was asked for
	answer string
}

func send(t *testing.T, request, script []byte, routes Routes) exchange {
	t.Helper()
	s, err := servicetest.Parse(string(script))
	if err != nil {
		t.Fatal(err)
	}
	backend := &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return s }}
	mux := http.NewServeMux()
	keepAlive := time.Hour
	if strings.Contains("\n"+string(script), "\nwait ") {
		keepAlive = 100 * time.Millisecond
	}
	for _, r := range routes(backend, keepAlive) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	w := httptest.NewRecorder()
	r, payload := parse(string(request))
	// Time goes on only where all wait for it: keep-alives come where the script waits, however busy the machine is.
	synctest.Test(t, func(*testing.T) { mux.ServeHTTP(w, r) })
	if err := openapitest.Check(r.Method, r.URL.Path, []byte(payload), w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Errorf("%s\n%v", request, err)
	}
	if open := backend.Open(); open != 0 {
		t.Errorf("%d generations were left open", open)
	}
	return exchange{seen: seen(t, backend.Requests()), answer: answer(w)}
}

// parse reads a request.
func parse(text string) (r *http.Request, payload string) {
	head, payload, _ := strings.Cut(text, "\n\n")
	if payload == "" {
		head, payload, _ = strings.Cut(text, "\n")
	}
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	r = httptest.NewRequest(method, path, strings.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r.WithContext(route.WithRequestID(r.Context(), "req-1")), payload
}

// answer is a response as text.
func answer(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, w.Header().Get("Content-Type"))
	if retry := w.Header().Get("Retry-After"); retry != "" {
		fmt.Fprintf(&b, "Retry-After: %s\n", retry)
	}
	var out bytes.Buffer
	if json.Indent(&out, w.Body.Bytes(), "", "  ") != nil {
		b.WriteString(once(w.Body.String()))
		return b.String()
	}
	b.Write(bytes.TrimSpace(out.Bytes()))
	b.WriteByte('\n')
	return b.String()
}

// once is a stream in which an event that comes several times in a row stands once: how often a stream says that it is alive is
// a matter of time. What all chunks of a completion begin with stands in the first one only.
func once(stream string) string {
	stream = strings.Join(slices.Compact(strings.SplitAfter(stream, "\n\n")), "")
	begin := strings.Index(stream, `data: {"id"`)
	end := strings.Index(stream, `"choices":`)
	if begin < 0 || end < begin {
		return stream
	}
	return stream[:end] + strings.ReplaceAll(stream[end:], stream[begin:end], "data: {..., ")
}

// seen shows requests to the backend as JSON.
func seen(t *testing.T, requests []service.Request) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	for _, r := range requests {
		r.ID = ""
		if err := e.Encode(shown(reflect.ValueOf(r))); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// shown is a value without zero fields, JSON in it as text.
func shown(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return shown(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				out[v.Type().Field(i).Name] = shown(v.Field(i))
			}
		}
		return out
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes())
		}
		var out []any
		for i := range v.Len() {
			out = append(out, shown(v.Index(i)))
		}
		return out
	}
	return v.Interface()
}
