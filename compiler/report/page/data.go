package page

import "github.com/glmc/glmc/compiler/history"

// Data is what the page shows: the document that lies in it as JSON. Its form belongs to the page's own script and
// may change with it; `glmc inspect --json` is the form for tools.
type Data struct {
	Version   string    `json:"version"` // of glmc
	Model     string    `json:"model"`
	Pipeline  string    `json:"pipeline"`
	Target    string    `json:"target"`
	Ranks     int       `json:"ranks"`
	Precision string    `json:"precision"` // of products: "exact" or "fast"
	Complete  bool      `json:"complete"`  // the stages are known; else there is only the final graph
	Memory    Memory    `json:"memory"`
	Passes    []Pass    `json:"passes"`
	Stages    []int     `json:"stages"` // the pass that each stage stands behind, as a place in Passes; -1: as lowered
	Sources   []Source  `json:"sources"`
	Weights   []Weight  `json:"weights"`
	Buckets   []Bucket  `json:"buckets"` // sizes of steps of all programs
	Nodes     []Node    `json:"nodes"`   // every state of every operator that is shown
	Tracks    []Track   `json:"tracks"`
	Profile   *Measured `json:"profile"`
}

// Memory is what one rank needs, in bytes.
type Memory struct {
	Weights  int64 `json:"weights"`
	Arena    int64 `json:"arena"`
	Bound    int64 `json:"bound"` // the most that is alive at once: no arena is smaller
	PerToken int64 `json:"perToken"`
}

// Pass is one row of the pass table with what it said.
type Pass struct {
	Name     string   `json:"name"`
	Doc      string   `json:"doc"`
	Numeric  string   `json:"numeric"`
	Disabled bool     `json:"disabled,omitempty"`
	Applied  int      `json:"applied"`
	Missed   int      `json:"missed"`
	After    []Order  `json:"after"`
	Proof    *Proof   `json:"proof,omitempty"` // where the plan has evidence
	Remarks  []Remark `json:"remarks"`
}

// Proof is what validating a pass found: both sides were run on random inputs.
type Proof struct {
	Status   string  `json:"status"`
	Cases    int     `json:"cases"` // results that were compared
	MaxError float64 `json:"maxError"`
	Bound    float64 `json:"bound"`
}

// Order is a constraint on the place of a pass, with its reason.
type Order struct {
	Pass string `json:"pass"`
	Why  string `json:"why"`
}

// Remark is what a pass said of one place, for all layers at once of which it said the same.
type Remark struct {
	Applied bool   `json:"applied"`
	ID      string `json:"id"`
	Entry   string `json:"entry"`
	Buckets string `json:"buckets,omitempty"` // sizes of steps that it is about, where the entry has several programs
	Layers  []int  `json:"layers"`            // rising; -1 outside of the layers
	Where   string `json:"where"`             // the layers in words
	Place   Place  `json:"place"`
	Reason  string `json:"reason"`
	Saves   string `json:"saves,omitempty"`
}

// Place is a place in the source: a file of Sources, line and column from 1 on. Line 0: not known.
type Place [3]int

// Source is one file. Text is empty where only its name is known.
type Source struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Weight is a weight in the form that it has at some stages.
type Weight struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Bytes  int64  `json:"bytes"`
	Recipe string `json:"recipe"`
}

// Node is one operator in one of its states. In names, {n} stands for the number of the layer.
type Node struct {
	ID     int         `json:"id"`
	Op     string      `json:"op"`
	Doc    string      `json:"doc,omitempty"`
	Family string      `json:"family"` // the kind of work, for colours
	View   bool        `json:"view,omitempty"`
	Out    []Result    `json:"out"`
	In     []Operand   `json:"in"`
	Attrs  [][2]string `json:"attrs,omitempty"`
	Path   string      `json:"path"`
	Place  Place       `json:"place"`
	Micros []float64   `json:"us"` // predicted, by bucket of Data
}

// Result is a value that an operator makes.
type Result struct {
	ID   int    `json:"id"`
	Type string `json:"type"`
	To   []int  `json:"to,omitempty"`  // other layers that take it
	Out  bool   `json:"out,omitempty"` // the entry returns it
}

// Operand is what an operator takes: a value, which has an ID, and where it is none of another operator the weight,
// cache or input that it stands for.
type Operand struct {
	Name   string `json:"name"`
	ID     int    `json:"id,omitempty"` // 0: an absent optional operand
	Type   string `json:"type,omitempty"`
	Weight int    `json:"weight,omitempty"` // a place in Weights, from 1 on
	Cache  string `json:"cache,omitempty"`
	Input  string `json:"input,omitempty"`
	From   string `json:"from,omitempty"` // the section of another layer that it comes from, in words
	State  bool   `json:"state,omitempty"`
}

// Track is one program of the plan, and its graph at every stage.
type Track struct {
	Entry    string     `json:"entry"`
	Variant  string     `json:"variant"` // the sizes of steps that it is for; "" where the entry has no other program
	Inputs   []Operand  `json:"inputs"`
	Layouts  []Layout   `json:"layouts"`
	Sections []Section  `json:"sections"`
	Stages   []Stage    `json:"stages"`
	Program  []Step     `json:"program"` // operators in the order of execution
	Work     [][][]Work `json:"work"`    // of the final program: by section, operator, layout
	Buffers  []Buffer   `json:"buffers"`
	Sizes    [][]int64  `json:"sizes"` // bytes of a kind of buffer, by layout
}

// Section is layers that are alike at every stage, or what stands before or behind all layers.
type Section struct {
	Label  string `json:"label"`
	Layers []int  `json:"layers"` // that it stands for; none outside of the layers
	Count  int    `json:"count"`
	key    string
}

// Stage is a track's graph behind a pass.
type Stage struct {
	Parts    [][]int    `json:"parts"`    // places in Nodes, by section
	Changes  [][]Change `json:"changes"`  // what the pass did, by section; none where it did nothing
	Replaced [][2]int   `json:"replaced"` // values, and those that are taken in their place behind the pass
	Launches int        `json:"launches"`
	Micros   []float64  `json:"us"` // predicted for one step, by bucket; 0 where the program is not for it
}

// Change is what a pass did to an operator, a place in Kinds, and the places in Nodes before and behind it, or -1.
type Change [3]int

// Kinds are what can happen to an operator, in the numbers of Change.
var Kinds = []history.ChangeKind{history.Kept, history.Renamed, history.Removed, history.Added, history.Changed}

// Step is an operator of the program.
type Step struct {
	Section int   `json:"s"`
	Place   int   `json:"i"` // in the section
	Layer   int   `json:"l"` // -1 outside of the layers
	Stream  int   `json:"t,omitempty"`
	Waits   []int `json:"w,omitempty"` // steps of other streams that must have ended
}

// Bucket is a size of step.
type Bucket struct {
	Phase  string `json:"phase"`
	Tokens int    `json:"tokens"`
	Seqs   int    `json:"seqs"`
	Rows   int    `json:"rows"`
}

// Layout is the arena of a bucket.
type Layout struct {
	Bucket int   `json:"bucket"` // a place in Buckets
	Arena  int64 `json:"arena"`
	Bound  int64 `json:"bound"`
}

// Work is what one execution of an operator does on one rank.
type Work struct {
	Flops float64 `json:"f"`
	Bytes float64 `json:"b"`
	Comm  float64 `json:"c,omitempty"`
	Bound string  `json:"by,omitempty"` // what takes the most of the time: "memory", "compute", "link", "launch" or "network"
}

// Buffer is a piece of the arena.
type Buffer struct {
	Value   int     `json:"v"`           // that it is made for
	Result  int     `json:"r,omitempty"` // which result of its operator that is
	First   int     `json:"a"`           // first and last place in the order at which it is needed
	Last    int     `json:"z"`
	Kind    int     `json:"k"`           // its sizes
	Offsets []int64 `json:"o"`           // by layout
	Over    []int   `json:"p,omitempty"` // layouts in which it takes over the bytes of an operand, at its first step
}

// Measured is a profile, brought to the operators of the page.
type Measured struct {
	Device  string          `json:"device"`
	Threads int             `json:"threads"`
	Tracks  []MeasuredTrack `json:"tracks"` // by track
}

// MeasuredTrack is the measured time of a track's operators.
type MeasuredTrack struct {
	Steps []int `json:"steps"` // that were measured, by layout
	// Micros is the mean time of one execution by section, operator and layout, over the layers of the section and the
	// steps; 0 where nothing was measured.
	Micros [][][]float64 `json:"us"`
}
