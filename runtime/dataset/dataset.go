// Package dataset reads data sets of conversations and prompts: JSON objects, one a line, as the load generator sends them and drafts are
// replayed from.
package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// maxLine bounds a line.
const maxLine = 64 << 20

// Record is a line. Which fields are there says what kind it is; others are passed over. Prompt, Response and Tools that are null are not there:
// tables that became lines have all columns in each.
type Record struct {
	Prompt    json.RawMessage   `json:"prompt"`   // of SGLang's and vLLM's custom data sets: text, or token ids
	Response  json.RawMessage   `json:"response"` // likewise
	Messages  []json.RawMessage `json:"messages"` // OpenAI's
	Tools     json.RawMessage   `json:"tools"`
	OutputLen *int              `json:"output_len"`
	MaxTokens *int              `json:"max_tokens"`
}

// Read calls on for each line that is not empty, until it returns false or an error. Errors name the line.
func Read(r io.Reader, on func(*Record) (more bool, err error)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var rec Record
		more, err := false, json.Unmarshal(line, &rec)
		if err != nil {
			err = fmt.Errorf("wants one JSON object: %w", err)
		} else {
			rec.leaveOutNulls()
			more, err = on(&rec)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if !more {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

func (rec *Record) leaveOutNulls() {
	for _, field := range []*json.RawMessage{&rec.Prompt, &rec.Response, &rec.Tools} {
		if string(*field) == "null" {
			*field = nil
		}
	}
}

// IDs are the token ids that a prompt or a response is given by; false: it is not.
func IDs(field json.RawMessage) ([]int32, bool) {
	var ids []int32
	err := json.Unmarshal(field, &ids)
	return ids, err == nil && ids != nil
}
