package dataset

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	const text = `{"prompt": "a", "output_len": 2, "other": 1}

  {"prompt": [1, 2], "response": [3]}
{"messages": [{"role": "user"}], "tools": [], "max_tokens": 4}
{"prompt": "b", "response": "c", "messages": null, "tools": null}
{"prompt": null, "response": null, "messages": [{}]}`
	two, four := 2, 4
	want := []Record{
		{Prompt: json.RawMessage(`"a"`), OutputLen: &two},
		{Prompt: json.RawMessage(`[1, 2]`), Response: json.RawMessage(`[3]`)},
		{Messages: []json.RawMessage{[]byte(`{"role": "user"}`)}, Tools: json.RawMessage(`[]`), MaxTokens: &four},
		{Prompt: json.RawMessage(`"b"`), Response: json.RawMessage(`"c"`)},
		{Messages: []json.RawMessage{[]byte(`{}`)}},
	}
	var got []Record
	read := func(most int) error {
		got = nil
		return Read(strings.NewReader(text), func(r *Record) (bool, error) {
			got = append(got, *r)
			return len(got) < most, nil
		})
	}
	for most := 1; most <= 6; most++ {
		if err := read(most); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:min(most, 5)], got); diff != "" {
			t.Errorf("at most %d (-want +got):\n%s", most, diff)
		}
	}
	if ids, ok := IDs(got[1].Prompt); !ok || !cmp.Equal(ids, []int32{1, 2}) {
		t.Errorf("%v %t", ids, ok)
	}
	for _, i := range []int{0, 2, 3} {
		if ids, ok := IDs(got[i].Prompt); ok {
			t.Errorf("line %d has the ids %v", i, ids)
		}
	}
}

// TestMistakes: errors name the line, those of the caller too.
func TestMistakes(t *testing.T) {
	broken := errors.New("broken")
	for text, want := range map[string]string{
		"\n[]":                  "line 2: wants one JSON object: json: cannot unmarshal array",
		"{}\n{":                 "line 2: wants one JSON object: unexpected end of JSON input",
		"{}\n\n{\"prompt\": 1}": "line 3: broken",
		"{}\n" + strings.Repeat(" ", maxLine) + "{}": "line 2: bufio.Scanner: token too long",
	} {
		err := Read(strings.NewReader(text), func(r *Record) (bool, error) {
			if r.Prompt != nil {
				return true, broken
			}
			return true, nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}
