package load

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Colours that people with any colour vision tell apart (Okabe and Ito, Color Universal Design).
var (
	blue       = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange     = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	vermillion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	grey       = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
)

const (
	plotWidth  = 16 * vg.Centimeter
	plotHeight = 7 * vg.Centimeter
	histogram  = 40   // bins
	mostLines  = 1000 // requests that the timeline shows
)

func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	sans := font.Font{Typeface: "Liberation", Variant: "Sans"}
	for _, f := range []struct {
		font *font.Font
		size font.Length
	}{{&p.Title.TextStyle.Font, 11}, {&p.X.Label.TextStyle.Font, 9}, {&p.Y.Label.TextStyle.Font, 9}, {&p.X.Tick.Label.Font, 8}, {&p.Y.Tick.Label.Font, 8},
		{&p.Legend.TextStyle.Font, 9}} {
		*f.font = font.From(sans, f.size)
	}
	p.X.Min, p.Y.Min = 0, 0
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = grey, grey
	p.Add(grid)
	return p
}

// whole are the ticks of an axis that counts: none has a fraction (plot.Ticker).
type whole struct{}

func (whole) Ticks(least, most float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(least, most)
	for i, t := range ticks {
		switch {
		case t.Label == "":
		case t.Value == math.Trunc(t.Value):
			ticks[i].Label = strconv.FormatFloat(t.Value, 'f', 0, 64)
		default:
			ticks[i].Label = ""
		}
	}
	return ticks
}

// svg draws a plot as an element for a page.
func svg(p *plot.Plot, width, height vg.Length) ([]byte, error) {
	c := vgsvg.New(width, height)
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, err
	}
	at := bytes.Index(b.Bytes(), []byte("<svg"))
	if at < 0 {
		return nil, fmt.Errorf("a drawing has no svg element")
	}
	return b.Bytes()[at:], nil // without the declaration of an XML file
}

// distribution draws how values are spread: how many lie in each range, and which share lies below each.
func distribution(name string, values []float64) ([]*plot.Plot, error) {
	bars := newPlot(name+": how many", name+" (ms)", "count")
	h, err := plotter.NewHist(plotter.Values(values), histogram)
	if err != nil {
		return nil, err
	}
	h.FillColor, h.Color = blue, blue
	bars.Y.Tick.Marker = whole{}
	bars.Add(h)
	bars.X.Min = 0

	share := newPlot(name+": share below", name+" (ms)", "%")
	sorted := slices.Sorted(slices.Values(values))
	var points plotter.XYs
	const most = 500 // points: more cannot be told apart
	for i := range min(len(sorted), most) {
		at := i
		if len(sorted) > most {
			at = i * (len(sorted) - 1) / (most - 1)
		}
		points = append(points, plotter.XY{X: sorted[at], Y: 100 * float64(at+1) / float64(len(sorted))})
	}
	line, err := plotter.NewLine(append(plotter.XYs{{X: sorted[0], Y: 0}}, points...))
	if err != nil {
		return nil, err
	}
	line.StepStyle, line.Color, line.Width = plotter.PostStep, blue, vg.Points(1.5)
	share.Add(line)
	share.X.Min, share.Y.Min, share.Y.Max = 0, 0, 100
	return []*plot.Plot{bars, share}, nil
}

// overTime draws tokens a second and requests under way.
func (r *Run) overTime() ([]*plot.Plot, error) {
	first := r.first()
	var rate plotter.XYs
	seconds := r.perSecond()
	for i, n := range seconds {
		rate = append(rate, plotter.XY{X: float64(i), Y: n})
	}
	rate = append(rate, plotter.XY{X: float64(len(seconds)), Y: 0})
	under := plotter.XYs{{}}
	now := 0
	for _, c := range r.changes() {
		now += c.by
		under = append(under, plotter.XY{X: (c.at - first).Seconds(), Y: float64(now)})
	}
	var plots []*plot.Plot
	for _, x := range []struct {
		title, y string
		points   plotter.XYs
	}{{"Output in each second", "tokens/s", rate}, {"Requests under way", "requests", under}} {
		p := newPlot(x.title, "seconds", x.y)
		line, err := plotter.NewLine(x.points)
		if err != nil {
			return nil, err
		}
		line.StepStyle, line.Color, line.FillColor = plotter.PostStep, blue, color.RGBA{0x00, 0x72, 0xb2, 0x30}
		p.Add(line)
		p.X.Min, p.Y.Min = 0, 0
		p.Y.Tick.Marker = whole{}
		plots = append(plots, p)
	}
	return plots, nil
}

func (r *Run) first() time.Duration {
	var first time.Duration
	for i := range r.Outcomes {
		if at := r.Outcomes[i].Start; i == 0 || at < first {
			first = at
		}
	}
	return first
}

// timeline draws a line for each request, in the order in which they were sent: waiting for the first token, then generation.
type timeline struct {
	rows  []*Outcome
	first time.Duration
}

func (r *Run) timeline() timeline {
	t := timeline{first: r.first()}
	for i := range r.Outcomes {
		t.rows = append(t.rows, &r.Outcomes[i])
	}
	slices.SortStableFunc(t.rows, func(a, b *Outcome) int { return cmp.Compare(a.Start, b.Start) })
	t.rows = t.rows[:min(len(t.rows), mostLines)]
	return t
}

func (t timeline) seconds(at time.Duration) float64 { return (at - t.first).Seconds() }

// Plot draws it (plot.Plotter).
func (t timeline) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Width: max(vg.Points(0.4), min(vg.Points(6), c.Size().Y/vg.Length(len(t.rows)+1)*0.7))}
	for i, o := range t.rows {
		part := func(from, to time.Duration, col color.Color) {
			style.Color = col
			c.StrokeLine2(style, x(t.seconds(from)), y(float64(i)), x(t.seconds(to)), y(float64(i)))
		}
		switch {
		case o.Err != nil:
			part(o.Start, o.End, vermillion)
		case len(o.Chunks) == 0:
			part(o.Start, o.End, orange)
		default:
			part(o.Start, o.Chunks[0], orange)
			part(o.Chunks[0], o.End, blue)
		}
	}
}

// DataRange says how far it reaches (plot.DataRanger).
func (t timeline) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, o := range t.rows {
		xmax = max(xmax, t.seconds(o.End))
	}
	return 0, xmax, -0.5, float64(len(t.rows)) - 0.5
}

// swatch is a colour in a legend (plot.Thumbnailer).
type swatch struct{ color.Color }

func (s swatch) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(s.Color, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
}

func (r *Run) timelinePlot() (*plot.Plot, vg.Length) {
	t := r.timeline()
	title := "Requests"
	if len(t.rows) < len(r.Outcomes) {
		title = fmt.Sprintf("The first %d requests", len(t.rows))
	}
	p := newPlot(title, "seconds", "request")
	p.Add(t)
	p.Y.Min = -0.5
	p.Y.Tick.Marker = whole{}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(2)
	p.Legend.Add("waits for the first token", swatch{orange})
	p.Legend.Add("generation", swatch{blue})
	if slices.ContainsFunc(t.rows, func(o *Outcome) bool { return o.Err != nil }) {
		p.Legend.Add("failed", swatch{vermillion})
	}
	return p, max(plotHeight, min(vg.Length(len(t.rows))*vg.Points(5), 40*vg.Centimeter))
}

// plots draws everything that a run has to show.
func (r *Run) plots() ([][]byte, error) {
	var ttft, itl []float64
	r.succeeded(func(o *Outcome) {
		ttft = append(ttft, ms(o.TTFT()))
		for i := 1; i < len(o.Chunks); i++ {
			itl = append(itl, ms(o.Chunks[i]-o.Chunks[i-1]))
		}
	})
	var all []*plot.Plot
	for _, x := range []struct {
		name   string
		values []float64
	}{{"TTFT", ttft}, {"ITL", itl}} {
		if len(x.values) == 0 {
			continue
		}
		plots, err := distribution(x.name, x.values)
		if err != nil {
			return nil, err
		}
		all = append(all, plots...)
	}
	if len(ttft) > 0 {
		plots, err := r.overTime()
		if err != nil {
			return nil, err
		}
		all = append(all, plots...)
	}
	var out [][]byte
	for _, p := range all {
		drawn, err := svg(p, plotWidth, plotHeight)
		if err != nil {
			return nil, err
		}
		out = append(out, drawn)
	}
	if len(r.Outcomes) == 0 {
		return out, nil
	}
	p, height := r.timelinePlot()
	drawn, err := svg(p, 2*plotWidth, height)
	return append(out, drawn), err
}
