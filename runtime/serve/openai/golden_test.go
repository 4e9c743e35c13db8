package openai

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
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

var update = flag.Bool("update", false, "write the expected answers again")

// TestTranscripts plays the requests of testdata/*.txtar. testdata/README.md says how they are written.
func TestTranscripts(t *testing.T) {
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
			transcript(t, archive)
			if !*update {
				return
			}
			if err := os.WriteFile(name, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// transcript plays the requests of an archive, and compares what they give with what it says, or puts it there.
func transcript(t *testing.T, archive *txtar.Archive) {
	var script []byte
	var last exchange
	for i := range archive.Files {
		f := &archive.Files[i]
		kind, _, _ := strings.Cut(f.Name, " ")
		switch kind {
		case "script":
			script = f.Data
		case "request":
			last = play(t, f.Data, script)
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

// play sends a request: its first line is method and path, the lines up to an empty one are headers, the rest is the body.
func play(t *testing.T, request, script []byte) exchange {
	t.Helper()
	s, err := servicetest.Parse(string(script))
	if err != nil {
		t.Fatal(err)
	}
	backend := &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return s }}
	head, payload, _ := strings.Cut(string(request), "\n\n")
	if payload == "" {
		head, payload, _ = strings.Cut(string(request), "\n")
	}
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	r := httptest.NewRequest(method, path, strings.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler(backend).ServeHTTP(w, r)
	if open := backend.Open(); open != 0 {
		t.Errorf("%d generations were left open", open)
	}
	checkDescribed(t, r, payload, w)
	return exchange{seen: seen(t, backend.Requests()), answer: answer(w)}
}

// handler serves the routes with ids and times that are always the same.
func handler(b service.Backend) http.Handler {
	ids := map[string]int{}
	routes := Routes(b, Options{
		Fingerprint: "fp_test",
		KeepAlive:   20 * time.Millisecond,
		Now:         func() time.Time { return time.Unix(1800000000, 0) },
		NewID:       func(prefix string) string { ids[prefix]++; return fmt.Sprint(prefix, ids[prefix]) },
	})
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(route.WithRequestID(r.Context(), "req-1")))
	})
}

// answer is a response as text: status, headers that matter, and the body. JSON in one piece is indented.
func answer(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, w.Header().Get("Content-Type"))
	if retry := w.Header().Get("Retry-After"); retry != "" {
		fmt.Fprintf(&b, "Retry-After: %s\n", retry)
	}
	var out bytes.Buffer
	if json.Indent(&out, w.Body.Bytes(), "", "  ") == nil {
		b.Write(bytes.TrimSpace(out.Bytes()))
		b.WriteByte('\n')
	} else {
		b.WriteString(abridged(w.Body.String()))
	}
	return b.String()
}

// abridged is a stream in which what every chunk begins with stands in the first one only.
func abridged(stream string) string {
	first, _, _ := strings.Cut(stream, `"choices":`)
	if !strings.HasPrefix(first, `data: {"id"`) {
		return stream
	}
	rest := stream[len(first):]
	return first + strings.ReplaceAll(rest, first, "data: {..., ")
}

// seen shows requests to the backend as JSON, without fields that hold nothing.
func seen(t *testing.T, requests []service.Request) string {
	t.Helper()
	var b strings.Builder
	for _, r := range requests {
		r.ID = ""
		format := r.Format
		v := shown(reflect.ValueOf(r)).(map[string]any)
		if format.Schema != nil {
			v["Format"].(map[string]any)["Schema"] = string(format.Schema)
		}
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", data)
	}
	return b.String()
}

// shown is a value without zero fields.
func shown(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
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
		if raw, ok := v.Interface().(json.RawMessage); ok {
			return string(raw)
		}
		var out []any
		for i := range v.Len() {
			out = append(out, shown(v.Index(i)))
		}
		return out
	}
	return v.Interface()
}

// checkDescribed holds an exchange against the description of the interface.
func checkDescribed(t *testing.T, r *http.Request, payload string, w *httptest.ResponseRecorder) { t.Helper() }
