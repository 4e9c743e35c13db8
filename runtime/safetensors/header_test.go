package safetensors

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hugeDimension finds dimensions that an int of 32 bits cannot hold: such a machine refuses them first.
var hugeDimension = regexp.MustCompile(`"shape":\[[0-9,]*[0-9]{10}`)

func TestParse(t *testing.T) {
	tests := []struct {
		name   string
		header string
		data   int
		want   []string // name, format, shape, first byte offset; sorted by name
	}{
		{"no tensors", `{}`, 0, nil},
		{"only metadata", `{"__metadata__":{"format":"pt"}}`, 0, nil},
		{"padding of any white space", "{} \n\t\r ", 0, nil},
		{"white space inside", `{ "a" : { "dtype" : "U8" , "shape" : [ 2 ] , "data_offsets" : [ 0 , 2 ] } }`, 2, []string{"a U8 [2] @0"}},
		{"fields in any order", `{"a":{"data_offsets":[0,2],"shape":[2],"dtype":"U8"}}`, 2, []string{"a U8 [2] @0"}},
		{"scalar", `{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4, []string{"a F32 [] @0"}},
		{"tensors in any order",
			`{"b":{"dtype":"BF16","shape":[3],"data_offsets":[4,10]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 10,
			[]string{"a F32 [1] @0", "b BF16 [3] @4"}},
		{"empty tensors take no room",
			`{"e":{"dtype":"F32","shape":[0,7],"data_offsets":[1,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 1,
			[]string{"a U8 [1] @0", "e F32 [0 7] @1", "f F32 [0] @0"}},
		{"zero before a product that would overflow", `{"a":{"dtype":"U8","shape":[0,4611686018427387904,8],"data_offsets":[0,0]}}`, 0,
			[]string{"a U8 [0 4611686018427387904 8] @0"}},
		{"half bytes", `{"a":{"dtype":"F4","shape":[6],"data_offsets":[0,3]},"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}}`, 6,
			[]string{"a F4 [6] @0", "b F6_E2M3 [4] @3"}},
		{"escapes in names", `{"\u0061\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, []string{"a\n U8 [1] @0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strconv.IntSize == 32 && hugeDimension.MatchString(tt.header) {
				t.Skip("needs 64-bit integers")
			}
			c, err := parse(fileOf(tt.header, tt.data))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, name := range c.Names() {
				x := tensor(t, c, name)
				first := 0
				if len(x.Bytes) > 0 {
					first = int(x.Bytes[0])
				} else {
					first = int(c.where[name].entry.begin)
				}
				got = append(got, fmt.Sprintf("%s %s %v @%d", x.Name, x.FileDType, x.Shape, first))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParseFormats reads one tensor of every format that the reference reader knows.
func TestParseFormats(t *testing.T) {
	sizes := map[string]int{ // bytes of 8 elements
		"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
		"F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
		"C64": 64, "F64": 64, "I64": 64, "U64": 64,
	}
	computable := map[string]string{"I8": "int8", "F8_E4M3": "fp8_e4m3", "F16": "f16", "BF16": "bf16", "I32": "i32", "F32": "f32"}
	if len(sizes) != len(formats) {
		t.Errorf("%d formats, want %d", len(formats), len(sizes))
	}
	for name, size := range sizes {
		c, err := parse(fileOf(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[2,4],"data_offsets":[0,%d]}}`, name, size), size))
		if err != nil {
			t.Error(err)
			continue
		}
		x := tensor(t, c, "a")
		want := computable[name]
		if want == "" {
			want = "invalid"
		}
		if x.FileDType != name || x.DType.String() != want || len(x.Bytes) != size || x.Elems() != 8 {
			t.Errorf("%s: got %s, %v, %d bytes, %d elements", name, x.FileDType, x.DType, len(x.Bytes), x.Elems())
		}
	}
}

func TestParseErrors(t *testing.T) {
	one := func(entry string) string { return `{"layer.0":` + entry + `}` }
	deep := strings.Repeat("[", 20000)
	tests := []struct {
		name   string
		header string
		data   int
		want   []string
	}{
		{"not an object", `["a"] `, 0, []string{"must begin with '{'"}},
		{"space before the object", ` {}`, 0, []string{"must begin with '{'"}},
		{"cut JSON", `{"layer.0":{"dtype":"U8"`, 0, []string{"layer.0", "ends too early"}},
		{"bad JSON", `{"layer.0":{"dtype" "U8"}}`, 0, []string{"layer.0", "not valid JSON near byte"}},
		{"trailing comma", `{"layer.0":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},}`, 0, []string{"not valid JSON near byte"}},
		{"wrong bracket", `{"layer.0":{"dtype":"U8","shape":[1},"data_offsets":[0,1]}}`, 1, []string{"layer.0", "not valid JSON"}},
		{"text after the object", `{} {}`, 0, []string{"want white space only"}},
		{"rubbish after the object", `{} x`, 0, []string{"more than white space follows"}},
		{"zero bytes after the object", "{}\x00\x00", 0, []string{"more than white space follows"}},
		{"invalid UTF-8", "{\"\xff\":{}}", 0, []string{"not UTF-8"}},
		{"lone surrogate", `{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0, []string{"U+FFFD"}},
		{"long name", `{"` + strings.Repeat("n", maxName+1) + `":{}}`, 0, []string{"4097 bytes", "at most 4096"}},

		{"duplicate tensor", `{"layer.0":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"layer.0":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1,
			[]string{`"layer.0" stands twice`}},
		{"duplicate by escape", `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0,
			[]string{`"a" stands twice`}},
		{"duplicate field", one(`{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}`), 1, []string{"layer.0", `"dtype" stands twice`}},
		{"duplicate metadata", `{"__metadata__":{"k":"1","k":"2"}}`, 0, []string{"__metadata__", `"k" stands twice`}},
		{"second metadata", `{"__metadata__":{},"__metadata__":{}}`, 0, []string{"stands twice"}},
		{"metadata not text", `{"__metadata__":{"k":1}}`, 0, []string{"__metadata__", "value of k", "the number 1"}},
		{"metadata not an object", `{"__metadata__":"pt"}`, 0, []string{"__metadata__", "want an object"}},
		{"metadata nested", `{"__metadata__":{"k":{}}}`, 0, []string{"__metadata__", "value of k"}},

		{"tensor is null", one(`null`), 0, []string{"layer.0", "found null"}},
		{"deep nesting", one(deep), 0, []string{"layer.0", "want an object"}},
		{"deep nesting in the shape", one(`{"shape":` + deep), 0, []string{"layer.0", "dimension"}},
		{"missing field", one(`{"dtype":"U8","shape":[1]}`), 1, []string{"layer.0", "needs dtype, shape and data_offsets"}},
		{"unknown field", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1],"scale":2}`), 1, []string{"layer.0", `unknown field "scale"`}},
		{"unknown dtype", one(`{"dtype":"F7","shape":[1],"data_offsets":[0,1]}`), 1, []string{"layer.0", `unknown dtype "F7"`, "BF16"}},
		{"dtype in lower case", one(`{"dtype":"f32","shape":[1],"data_offsets":[0,4]}`), 4, []string{"layer.0", `unknown dtype "f32"`}},
		{"dtype not text", one(`{"dtype":32,"shape":[1],"data_offsets":[0,1]}`), 1, []string{"layer.0", "dtype"}},

		{"shape not a list", one(`{"dtype":"U8","shape":1,"data_offsets":[0,1]}`), 1, []string{"layer.0", "want a list"}},
		{"negative dimension", one(`{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}`), 1, []string{"layer.0", `"-1" is no dimension`}},
		{"fractional dimension", one(`{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}`), 1, []string{"layer.0", `"1.0" is no dimension`}},
		{"exponent", one(`{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}`), 1, []string{"layer.0", `"1e0" is no dimension`}},
		{"dimension as text", one(`{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}`), 1, []string{"layer.0", `the string "1"`}},
		{"dimension over 63 bits", one(`{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}`), 1, []string{"layer.0", "is no dimension"}},
		{"too many dimensions", one(`{"dtype":"U8","shape":[` + strings.Repeat("1,", maxRank) + `1],"data_offsets":[0,1]}`), 1, []string{"layer.0", "more than 64 dimensions"}},
		{"elements overflow", one(`{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}`), 1, []string{"layer.0", "overflows", "elements"}},
		{"elements overflow before a zero", one(`{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}`), 0, []string{"layer.0", "overflows"}},
		{"bytes overflow", one(`{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,1]}`), 1, []string{"layer.0", "overflows", "bytes"}},
		{"half a byte", one(`{"dtype":"F4","shape":[3],"data_offsets":[0,2]}`), 2, []string{"layer.0", "inside a byte"}},

		{"offsets not a list", one(`{"dtype":"U8","shape":[1],"data_offsets":{}}`), 1, []string{"layer.0", "want a list"}},
		{"one offset", one(`{"dtype":"U8","shape":[1],"data_offsets":[0]}`), 1, []string{"layer.0", "must be [begin, end]"}},
		{"three offsets", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}`), 1, []string{"layer.0", "more than [begin, end]"}},
		{"negative offset", one(`{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}`), 1, []string{"layer.0", "is no data offset"}},
		{"end before begin", one(`{"dtype":"U8","shape":[1],"data_offsets":[1,0]}`), 1, []string{"layer.0", "end before they begin"}},
		{"range too small", one(`{"dtype":"F32","shape":[2],"data_offsets":[0,7]}`), 7, []string{"layer.0", "takes 8 bytes", "hold 7"}},
		{"range too large", one(`{"dtype":"F32","shape":[2],"data_offsets":[0,9]}`), 9, []string{"layer.0", "takes 8 bytes", "hold 9"}},
		{"hole at the start", one(`{"dtype":"U8","shape":[1],"data_offsets":[1,2]}`), 2, []string{"layer.0", "1 bytes", "the start of the data", "belong to no tensor"}},
		{"hole inside", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}`, 4,
			[]string{`tensor "b"`, "2 bytes", `"a"`, "belong to no tensor"}},
		{"overlap", `{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}`, 5,
			[]string{`tensor "b"`, `"a" ends at 3`, "overlap"}},
		{"same bytes twice", `{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, 3,
			[]string{`tensor "b"`, "overlap"}},
		{"empty tensor inside another", `{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}`, 3,
			[]string{`tensor "b"`, "overlap"}},
		{"data cut", one(`{"dtype":"U8","shape":[100],"data_offsets":[0,100]}`), 99, []string{"is 170 bytes, header says 171", "truncated download?"}},
		{"data after the last tensor", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`), 2, []string{"is 69 bytes, header says 68", "belongs to none"}},
		{"data without tensors", `{}`, 1, []string{"is 11 bytes, header says 10"}},
		{"huge tensor", one(`{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}`), 0, []string{"truncated download?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(fileOf(tt.header, tt.data))
			if strconv.IntSize == 32 && hugeDimension.MatchString(tt.header) {
				tt.want = []string{"layer.0", "dimension"}
			}
			wantError(t, err, tt.want...)
			if err != nil && len(err.Error()) > 800 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestParseNoHeader(t *testing.T) {
	length := func(n uint64, rest string) string { return string(binary.LittleEndian.AppendUint64(nil, n)) + rest }
	tests := []struct {
		name, content string
		want          []string
	}{
		{"empty", "", []string{"is 0 bytes, too short", "fetch it again"}},
		{"short", "\x02\x00\x00", []string{"is 3 bytes, too short"}},
		{"header cut", length(1000, "{"+strings.Repeat(" ", 90)), []string{"is 99 bytes, header says at least 1008", "truncated download?"}},
		{"header over the limit", length(maxHeader+1, "{}"), []string{"100000001 is over the limit of 100000000"}},
		{"header length overflows", length(1<<64-1, "{}"), []string{"over the limit"}},
		{"header length zero", length(0, "{}"), []string{"must begin with '{'"}},
		{"header of zeros", length(16, strings.Repeat("\x00", 16)), []string{"must begin with '{'"}},
		{"Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", []string{"Git LFS pointer", "git lfs pull"}},
		{"web page", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", []string{"web page", "token"}},
		{"web page after white space", "\r\n  <HTML lang=en>", []string{"web page"}},
		{"XML error", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", []string{"web page"}},
		{"short answer", "Entry not found", []string{`text, not weights (it begins "Entry not found")`}},
		{"very short answer", "Nope", []string{"text, not weights"}},
		{"JSON answer", `{"error":"Repository not found"}`, []string{"text, not weights", "Repository not found"}},
		{"text cut inside a letter", strings.Repeat("x", sniffLen-1) + "\u00e9", []string{"text, not weights"}},
		{"PyTorch archive", "PK\x03\x04\x00\x00\x08\x08\x00\x00archive/data.pkl", []string{"PyTorch pickle"}},
		{"old PyTorch file", legacyTorch + "\x2e\x80\x02", []string{"PyTorch pickle"}},
		{"GGUF", "GGUF\x03\x00\x00\x00\x10\x00\x00\x00", []string{"GGUF"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse([]byte(tt.content))
			wantError(t, err, tt.want...)
		})
	}
}

// TestSniffSparesWeights has files whose first bytes look like another kind but are a header's length.
func TestSniffSparesWeights(t *testing.T) {
	header := `{"torch.weight":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`
	header += strings.Repeat(" ", 0x0280-len(header)) // bytes 0x80, 0x02: how a pickle begins
	if _, err := parse(fileOf(header, 2)); err != nil {
		t.Error(err)
	}
}

func TestMetadata(t *testing.T) {
	c, err := parse(fileOf(`{"__metadata__":{"format":"pt","a":""}}`, 0))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"format": "pt", "a": ""}, c.Metadata()); diff != "" {
		t.Error(diff)
	}
	if c.Has(metadataKey) {
		t.Errorf("%s is listed as a tensor", metadataKey)
	}
}
