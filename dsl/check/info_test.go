package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

const infoSource = `import norm as rms from "lib.glm"
model m {
  config { hidden int = 64  heads int = 4 }
  let dim = hidden / heads
  block attention(x: [T, hidden], n: int) -> [T, heads, dim] {
    q = linear(rms(x, eps = 1e-5), q_proj, hidden) as [T, heads, dim]
    for i in 0 .. n {
      q = silu(q) at "p.{i}"
    }
    return q
  }
  entry forward(tokens: i32[T]) -> [T, heads, dim] {
    ids, weight = top_k(f32(embed(tokens, w, 8, hidden)), k = 2)
    _ = weight
    _ = ids
    return attention(embed(tokens, w, 8, hidden), n = 2)
  }
}
pipeline cpu for m { target cpu }
`

const infoLib = `block norm[n](x: [T, n], eps: float) -> [T, n] { return rms_norm(x, norm, eps = eps) }
`

// TestInspect lists every use of a name as "line:column name: what type -> declaration", and the types of some
// expressions.
func TestInspect(t *testing.T) {
	p, diags := source.Load("m.glm", []byte(infoSource), func(string) ([]byte, error) { return []byte(infoLib), nil })
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	info, diags := Inspect(p.Root, functions)
	if diags.Len() > 0 {
		t.Fatal(diags.All())
	}
	place := func(s syntax.Span) string { return s.Diag().String() }
	got := ""
	for _, r := range info.Refs {
		if r.Use.Pos.Filename == "lib.glm" {
			continue
		}
		line := fmt.Sprintf("%s %s: %s", place(r.Use), r.Name, r.What)
		if r.Type != "" {
			line += " " + r.Type
		}
		if r.Use != r.Def {
			line += " -> " + place(r.Def)
		}
		got += line + "\n"
		if text := string(p.Source("m.glm")[r.Use.Pos.Offset:r.Use.End.Offset]); text != r.Name && r.Name != "rms" {
			t.Errorf("%s: the place of %s has %q", place(r.Use), r.Name, text)
		}
	}
	want := `m.glm:1:8 rms: import block norm[n](x: [T, n], eps: float) -> [T, n] -> lib.glm:1:7
m.glm:1:16 rms: import block norm[n](x: [T, n], eps: float) -> [T, n] -> lib.glm:1:7
m.glm:2:7 m: model
m.glm:3:12 hidden: configuration key int
m.glm:3:29 heads: configuration key int
m.glm:4:7 dim: let int
m.glm:4:13 hidden: configuration key int -> m.glm:3:12
m.glm:4:22 heads: configuration key int -> m.glm:3:29
m.glm:5:9 attention: block block attention(x: [T, hidden], n: int) -> [T, heads, dim]
m.glm:5:19 x: parameter [T, hidden]
m.glm:5:26 hidden: configuration key int -> m.glm:3:12
m.glm:5:35 n: parameter int
m.glm:5:50 heads: configuration key int -> m.glm:3:29
m.glm:5:57 dim: let int -> m.glm:4:7
m.glm:6:5 q: variable [T, heads, dim]
m.glm:6:16 rms: import block norm[n](x: [T, n], eps: float) -> [T, n] -> lib.glm:1:7
m.glm:6:20 x: parameter [T, hidden] -> m.glm:5:19
m.glm:6:23 eps: parameter float -> lib.glm:1:26
m.glm:6:44 hidden: configuration key int -> m.glm:3:12
m.glm:6:59 heads: configuration key int -> m.glm:3:29
m.glm:6:66 dim: let int -> m.glm:4:7
m.glm:7:9 i: loop variable int
m.glm:7:19 n: parameter int -> m.glm:5:35
m.glm:8:7 q: variable [T, heads, dim] -> m.glm:6:5
m.glm:8:16 q: variable [T, heads, dim] -> m.glm:6:5
m.glm:8:26 i: loop variable int -> m.glm:7:9
m.glm:10:12 q: variable [T, heads, dim] -> m.glm:6:5
m.glm:12:9 forward: entry
m.glm:12:17 tokens: parameter i32[T]
m.glm:12:40 heads: configuration key int -> m.glm:3:29
m.glm:12:47 dim: let int -> m.glm:4:7
m.glm:13:5 ids: variable i32[T, 2]
m.glm:13:10 weight: variable f32[T, 2]
m.glm:13:35 tokens: parameter i32[T] -> m.glm:12:17
m.glm:13:49 hidden: configuration key int -> m.glm:3:12
m.glm:14:9 weight: variable f32[T, 2] -> m.glm:13:10
m.glm:15:9 ids: variable i32[T, 2] -> m.glm:13:5
m.glm:16:28 tokens: parameter i32[T] -> m.glm:12:17
m.glm:16:42 hidden: configuration key int -> m.glm:3:12
m.glm:16:12 attention: block block attention(x: [T, hidden], n: int) -> [T, heads, dim] -> m.glm:5:9
m.glm:16:51 n: parameter int -> m.glm:5:35
m.glm:19:10 cpu: pipeline
m.glm:19:18 m: model -> m.glm:2:7
`
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	for at, want := range map[string]string{
		"rms(x, eps":      "[T, hidden]",
		"linear(rms":      "[T, hidden]",
		"top_k(f32":       "i32[T, 2], f32[T, 2]",
		"f32(embed":       "f32[T, hidden]",
		"hidden / heads":  "int",
		"1e-5":            "float",
		"attention(embed": "[T, heads, dim]",
	} {
		offset := strings.Index(infoSource, at)
		found := ""
		for _, typed := range info.Types {
			if typed.Span.Pos.Offset == offset && typed.Span.Pos.Filename == "m.glm" {
				found = typed.Type // the last is the largest
			}
		}
		if at == "linear(rms" {
			if typed, _ := info.TypeAt("m.glm", offset+7); typed.Type != want { // between the name and the first argument
				t.Errorf("%s is %s, want %s", at, typed.Type, want)
			}
			continue
		}
		if found != want {
			t.Errorf("%s is %s, want %s", at, found, want)
		}
	}
	if r := info.At("m.glm", strings.Index(infoSource, "q_proj")); r != nil {
		t.Errorf("a weight is a reference: %+v", r)
	}
	if r := info.At("m.glm", strings.Index(infoSource, "heads, dim] {")); r == nil || r.Name != "heads" {
		t.Errorf("the reference at a place is %+v", r)
	}
}

func sorted(s string) []string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return lines
}
