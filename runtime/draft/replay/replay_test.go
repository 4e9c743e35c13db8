package replay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/text/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// letters has a token for each byte, and marks messages with upper-case letters.
func letters(conv chat.Conversation, generate bool) ([]int32, error) {
	text := ""
	for _, m := range conv.Messages {
		text += strings.ToUpper(m.Role[:1]) + m.Content
	}
	if generate {
		text += "A"
	}
	if strings.Contains(text, "?") {
		return nil, errors.New("a question")
	}
	ids := make([]int32, len(text))
	for i, b := range []byte(text) {
		ids[i] = int32(b)
	}
	return ids, nil
}

func ids(text string) []int32 {
	list, _ := letters(chat.Conversation{}, false)
	for _, b := range []byte(text) {
		list = append(list, int32(b))
	}
	return list
}

func TestReadSessions(t *testing.T) {
	const data = `{"messages": [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "cd"}, {"role": "user", "content": "e"}, {"role": "assistant", "content": "f"}]}

{"messages": [{"role": "user", "content": "nobody replies"}]}
{"prompt": [1, 2], "response": [3]}
`
	want := []Session{{{ids("UabA"), ids("cd")}, {ids("UabAcdUeA"), ids("f")}}, {{[]int32{1, 2}, []int32{3}}}}
	got, err := ReadSessions(strings.NewReader(data), letters, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got, err = ReadSessions(strings.NewReader(data), letters, 1); err != nil || cmp.Diff([]Session{want[0][:1]}, got) != "" {
		t.Errorf("one turn: %v, %v", got, err)
	}
}

func TestReadSessionsErrors(t *testing.T) {
	for _, x := range []struct{ data, want string }{
		{"", "there is no reply in it to draft"},
		{`{"messages": [{"role": "user", "content": "a"}]}`, "there is no reply in it to draft"},
		{"\nx", "line 2: wants one JSON object: invalid character 'x'"},
		{`{"prompt": [1]}`, "line 1: it has neither messages nor"},
		{`{"prompt": [1], "messages": []}`, "line 1: it has messages and token ids"},
		{`{"messages": [{"role": "king", "content": "a"}]}`, "line 1: messages[0].role"},
		{`{"messages": [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "b"}]}`, "line 1: messages[:1]: a question"},
	} {
		if _, err := ReadSessions(strings.NewReader(x.data), letters, 0); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, not %s", x.data, err, x.want)
		}
	}
}

// FuzzReadSessions: whatever a line says, it gives an error or sessions with replies.
func FuzzReadSessions(f *testing.F) {
	f.Add(`{"messages": [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "cd"}]}`)
	f.Add(`{"prompt": [1, 2], "response": [3]}`)
	f.Fuzz(func(t *testing.T, data string) {
		sessions, err := ReadSessions(strings.NewReader(data), letters, 0)
		if err == nil && len(sessions) == 0 {
			t.Error("neither sessions nor an error")
		}
		for _, s := range sessions {
			for _, turn := range s {
				if len(turn.Reply) == 0 {
					t.Error("a turn without a reply")
				}
			}
		}
	})
}

// TestRun counts by hand what a replay has to count.
func TestRun(t *testing.T) {
	first := Turn{Prompt: []int32{1, 2, 3, 4, 5, 6, 7, 1, 2}, Reply: []int32{3, 4, 9}}
	second := Turn{Prompt: []int32{50}, Reply: []int32{3, 4, 9}}
	r, err := Run(t.Context(), []Session{{first}, {}, {second}}, Options{Cache: suffix.Config{Options: suffix.Options{Factor: 1, MinProb: 0.1}}})
	if err != nil {
		t.Fatal(err)
	}
	// First turn: behind 1 2 come 3 4, which are right, and 9 is the model's. Second turn: nothing is known behind 50, then 4 and 9 follow 3
	// one by one, since a match of one token gives one.
	if r.Turns != 2 || r.Steps != 3 || r.Tokens != 6 || r.Drafted != 3 || r.Accepted != 3 || r.Local != 1 || r.Others != 1 {
		t.Errorf("%+v", r)
	}
	if r.AcceptanceLength() != 2 || r.AcceptanceRate() != 1 || r.PromptTokens != 10 || r.LocalTokens != 16 || r.Stats.Responses != 2 || r.Stats.Tokens != 6 {
		t.Errorf("%+v", r)
	}
	if len(r.Speculate) != 3 || len(r.Append) != 3 || len(r.Build) != 2 || len(r.Learn) != 2 {
		t.Errorf("%d, %d, %d and %d times", len(r.Speculate), len(r.Append), len(r.Build), len(r.Learn))
	}
}

// TestConcurrent: sessions side by side say the same tokens, and the same sessions give the same drafts each time.
func TestConcurrent(t *testing.T) {
	var sessions []Session
	for s := range int32(5) {
		var session Session
		prompt := []int32{100}
		for k := range int32(3) {
			reply := slices.Repeat([]int32{s % 2, k, 7, 8}, 5)
			session = append(session, Turn{Prompt: slices.Clone(prompt), Reply: reply})
			prompt = append(append(prompt, reply...), 100)
		}
		sessions = append(sessions, session)
	}
	var seen int
	run := func(concurrency int) *Result {
		seen = 0
		r, err := Run(t.Context(), sessions, Options{Concurrency: concurrency, Observe: func(done int) { seen = done }})
		if err != nil {
			t.Fatal(err)
		}
		if r.Turns != 15 || r.Tokens != 300 || seen != 15 {
			t.Errorf("%d turns, %d seen, %d tokens", r.Turns, seen, r.Tokens)
		}
		return r
	}
	run(1)
	a, b := run(4), run(4)
	if a.Steps != b.Steps || a.Drafted != b.Drafted || a.Accepted != b.Accepted {
		t.Errorf("%d, %d, %d and %d, %d, %d", a.Steps, a.Drafted, a.Accepted, b.Steps, b.Drafted, b.Accepted)
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	turn := Turn{Prompt: []int32{1}, Reply: []int32{2, 3}}
	r, err := Run(ctx, []Session{{turn, turn, turn}}, Options{Observe: func(int) { cancel() }})
	if !errors.Is(err, context.Canceled) || r == nil || r.Turns != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Run(t.Context(), nil, Options{Cache: suffix.Config{Depth: 1}}); err == nil {
		t.Error("a depth of 1 is taken")
	}
	if r, err := Run(t.Context(), nil, Options{}); err != nil || r.AcceptanceLength() != 0 || r.Speculate.Mean() != 0 || r.Speculate.Quantile(0.5) != 0 {
		t.Errorf("no sessions: %+v, %v", r, err)
	}
}

func TestQuantile(t *testing.T) {
	times := Times{4, 1, 3, 2}
	if times.Mean() != time.Duration(2) || times.Quantile(0.5) != 3 || times.Quantile(1) != 4 || times.Quantile(0) != 1 {
		t.Errorf("%d, %d, %d, %d", times.Mean(), times.Quantile(0.5), times.Quantile(1), times.Quantile(0))
	}
}
