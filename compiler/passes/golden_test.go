package passes

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

var update = flag.Bool("update", false, "write the sections after and remarks of testdata/*/*.txtar")

// unchanged stands in the section after where the pass leaves the module as it was.
const unchanged = "unchanged\n"

// TestGoldens runs every case of testdata/<pass>/*.txtar; testdata/README.md tells how to write one.
func TestGoldens(t *testing.T) {
	for _, p := range Table {
		files, err := filepath.Glob(filepath.Join("testdata", p.Name, "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Errorf("pass %s has no cases in testdata/%s (%v)", p.Name, p.Name, err)
		}
		for _, file := range files {
			t.Run(p.Name+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, p, file) })
		}
	}
}

func golden(t *testing.T, p *Pass, file string) {
	c := readCase(t, file)
	m, err := ir.Parse(c.before)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Fatalf("the section before is not valid: %v", err)
	}
	m.SweepWeights() // as after every pass
	before := m.String()
	r, err := runOne(p, Table[slices.Index(Table, p)+1:], m, parseOptions(t, c.comment))
	if err != nil {
		t.Fatal(err)
	}
	after := m.String()
	if after == before {
		after = unchanged
	}
	remarks := remarkLines(r.Remarks)
	if *update {
		got := goldenCase{c.comment, before, after, remarks}
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(c.after, after); diff != "" {
		t.Errorf("the module (-want +got, or run with -update):\n%s", diff)
	}
	if diff := cmp.Diff(c.remarks, remarks); diff != "" {
		t.Errorf("the remarks (-want +got, or run with -update):\n%s", diff)
	}
}

// goldenCase is a case file: a txtar archive with these sections in this order.
type goldenCase struct{ comment, before, after, remarks string }

func (c goldenCase) String() string {
	return c.comment + "-- before --\n" + c.before + "-- after --\n" + c.after + "-- remarks --\n" + c.remarks
}

func readCase(t *testing.T, file string) goldenCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c goldenCase
	section := &c.comment
	for line := range strings.Lines(string(data)) {
		switch strings.TrimSuffix(line, "\n") {
		case "-- before --":
			section = &c.before
		case "-- after --":
			section = &c.after
		case "-- remarks --":
			section = &c.remarks
		default:
			*section += line
		}
	}
	return c
}

// parseOptions reads the lines of a case's comment that are not empty and do not begin with #.
func parseOptions(t *testing.T, comment string) *Options {
	t.Helper()
	o := &Options{}
	for line := range strings.Lines(comment) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch {
		case key == "" || strings.HasPrefix(key, "#"):
		case key == "tp":
			o.TensorParallel, err = strconv.Atoi(value)
		case key == "weights":
			o.Weights, err = dtype.Parse(value)
		case key == "activations":
			o.Activations, err = dtype.Parse(value)
		case key == "device":
			name, mapped := strings.CutSuffix(value, " mapped")
			if o.Device = cost.Devices[name]; o.Device == nil {
				err = fmt.Errorf("there is no device %q", name)
			} else if mapped {
				d := *o.Device
				d.Mapped, o.Device = true, &d
			}
		case key == "keep":
			var rx *regexp.Regexp
			if rx, err = regexp.Compile(value); err == nil {
				o.KeepWeight = rx.MatchString
			}
		case key == "transfer":
			o.Transfer = Transfer{Enabled: true, Async: value == "async", Per: PerLayer}
			if value == PerRequest {
				o.Transfer.Per = PerRequest
			}
		default:
			t.Fatalf("unknown option %q: the options are tp, weights, activations, device, keep and transfer; comments begin with #", key)
		}
		if err != nil {
			t.Fatalf("option %s: %v", key, err)
		}
	}
	return o
}

func remarkLines(remarks []Remark) string {
	var b strings.Builder
	for _, r := range remarks {
		status := "missed"
		if r.Applied {
			status = "applied"
		}
		fmt.Fprintf(&b, "%s %s, %s, layer %d, %s: %s", status, r.ID, r.Entry, r.Layer, r.Source, r.Reason)
		if r.Saves != (Saves{}) {
			fmt.Fprintf(&b, " (saves %d launches, %d bytes", r.Saves.Launches, r.Saves.Bytes)
			if r.Saves.Decode != 0 || r.Saves.Prefill != 0 {
				fmt.Fprintf(&b, ", %v of decode, %v of prefill", r.Saves.Decode, r.Saves.Prefill)
			}
			b.WriteByte(')')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestEveryRemarkHasACase: the IDs that stand in the passes' source are the IDs that the goldens have, and both are
// those that the pass declares.
func TestEveryRemarkHasACase(t *testing.T) {
	var all strings.Builder
	cases, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cases {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, remarks, _ := strings.Cut(string(data), "-- remarks --\n")
		all.WriteString(remarks)
	}
	ids := 0
	for _, p := range Table {
		declared := map[string]RemarkKind{}
		for _, k := range p.Remarks {
			if _, twice := declared[k.ID]; twice || k.Doc == "" {
				t.Errorf("pass %s declares the remark %s twice, or without saying what it means", p.Name, k.ID)
			}
			declared[k.ID] = k
		}
		said, names := map[string]bool{}, p.Name
		if p == mergeQKV || p == mergeGateUp {
			names = "merge_(?:qkv|gate_up)" // one implementation: a case of either will do
		}
		for _, m := range regexp.MustCompile(`(?m)^(applied|missed) `+names+`\.([^,]+),`).FindAllStringSubmatch(all.String(), -1) {
			said[m[2]] = true
			if k, ok := declared[m[2]]; !ok || k.Applied != (m[1] == "applied") {
				t.Errorf("pass %s does not declare the %s remark %s", p.Name, m[1], m[2])
			}
		}
		for id := range declared {
			if !said[id] && p != bucketGraphs { // what that says is up to other passes: bucket_graphs_test.go
				t.Errorf("no case in testdata/%s has the remark %s that the pass declares", p.Name, id)
			}
		}
		for _, id := range remarkIDs(t, p.Name+".go") {
			if _, ok := declared[id]; !ok {
				t.Errorf("pass %s does not declare the remark %s", p.Name, id)
			}
			ids++
		}
	}
	if ids < 20 {
		t.Errorf("only %d remark IDs were found in the source", ids)
	}
}

// remarkIDs finds the string literals that are a missReason's first field, and the IDs in calls of applied and
// missed.
func remarkIDs(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	literal := func(x ast.Expr) {
		if lit, ok := x.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			id, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if name, ok := n.Type.(*ast.Ident); ok && name.Name == "missReason" && len(n.Elts) > 0 {
				literal(n.Elts[0])
			}
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "applied" || sel.Sel.Name == "missed") && len(n.Args) > 2 {
				literal(n.Args[2])
			}
		}
		return true
	})
	return ids
}
