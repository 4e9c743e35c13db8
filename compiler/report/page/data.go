package page

// Data is what the page shows: the document that lies in it as JSON. Its form belongs to the page's own script and
// may change with it; `glmc inspect --json` is the form for tools.
type Data struct {
	Version  string    `json:"version"` // of glmc
	Model    string    `json:"model"`
	Pipeline string    `json:"pipeline"`
	Target   string    `json:"target"`
	Ranks    int       `json:"ranks"`
	Complete bool      `json:"complete"` // the stages are known; else there is only the final graph
	Memory   Memory    `json:"memory"`
	Passes   []Pass    `json:"passes"`
	Stages   []int     `json:"stages"` // the pass that each stage stands behind, as a place in Passes; -1: as lowered
	Sources  []Source  `json:"sources"`
	Weights  []Weight  `json:"weights"`
	Blocks   []Block   `json:"blocks"`
	Tracks   []Track   `json:"tracks"`
	Profile  *Measured `json:"profile"`
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
	Remarks  []Remark `json:"remarks"`
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

// Block is the operators of a section at a stage; sections that are the same at several stages share it.
type Block struct {
	Nodes []Node `json:"nodes"`
}

// Node is one operator.
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
	Micros []float64   `json:"us"` // predicted, by bucket of the track
}

// Result is a value that an operator makes.
type Result struct {
	ID   int    `json:"id"`
	Type string `json:"type"`
	To   []int  `json:"to,omitempty"` // other layers that take it
	Out  bool   `json:"out,omitempty"`
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
	Entry    string    `json:"entry"`
	Label    string    `json:"label"`
	Variant  string    `json:"variant"` // the sizes of steps that it is for
	Inputs   []Operand `json:"inputs"`
	Buckets  []Bucket  `json:"buckets"`
	Sections []Section `json:"sections"`
	Stages   []Stage   `json:"stages"`
	// Order is the final program: a section and the layer of the section for each operator, in the order of
	// execution. Within a layer operators stand in the order of the section's block.
	Order   [][2]int   `json:"order"`
	Work    [][][]Work `json:"work"` // of the final program: by section, operator, bucket
	Buffers []Buffer   `json:"buffers"`
	Sizes   [][]int64  `json:"sizes"` // bytes of a kind of buffer, by bucket
}

// Section is layers that are alike at every stage, or what stands before or behind all layers.
type Section struct {
	Label  string `json:"label"`
	Layers []int  `json:"layers"` // the first one is the one that is shown; empty outside of the layers
	Count  int    `json:"count"`
}

// Stage is a track's graph behind a pass.
type Stage struct {
	Blocks   []int     `json:"blocks"` // by section; -1 where it has no operators
	Launches int       `json:"launches"`
	Micros   []float64 `json:"us"` // predicted for one step, by bucket
}

// Bucket is a size of step that the plan has a layout for.
type Bucket struct {
	Phase  string `json:"phase"`
	Tokens int    `json:"tokens"`
	Seqs   int    `json:"seqs"`
	Rows   int    `json:"rows"`
	Arena  int64  `json:"arena"`
	Bound  int64  `json:"bound"`
}

// Work is what one execution of an operator does on one rank.
type Work struct {
	Flops float64 `json:"f"`
	Bytes float64 `json:"b"`
	Comm  float64 `json:"c,omitempty"`
}

// Buffer is a piece of the arena.
type Buffer struct {
	Value   int     `json:"v"` // that it is made for, as it is called in its own layer
	First   int     `json:"a"` // first and last place in the order at which it is needed
	Last    int     `json:"z"`
	Kind    int     `json:"k"` // its sizes
	Offsets []int64 `json:"o"` // by bucket
}

// Measured is a profile, brought to the operators of the page.
type Measured struct {
	Device  string          `json:"device"`
	Threads int             `json:"threads"`
	Tracks  []MeasuredTrack `json:"tracks"` // by track
}

// MeasuredTrack is the measured time of a track's operators.
type MeasuredTrack struct {
	Steps []int `json:"steps"` // that were measured, by bucket
	// Micros is the mean time of one execution by section, operator and bucket, over the layers of the section and the
	// steps; 0 where nothing was measured.
	Micros [][][]float64 `json:"us"`
}
