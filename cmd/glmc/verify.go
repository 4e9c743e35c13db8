package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/diff"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/verify"
	"github.com/glmc/glmc/dsl/diag"
)

// defaultSeed is that of the weights and inputs that passes are validated with.
const defaultSeed = 1

// verifyFlags are the flags of `glmc verify`.
type verifyFlags struct {
	compileFlags
	out    string
	seed   uint64
	ablate int
	asJSON bool
}

func verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Validate every pass by running what it replaced",
		Long: `Verify compiles MODEL and runs the graph before and behind each pass on the reference kernels, with random
weights and inputs: a chunk of several prompts, decoding, rows of padding, page tables out of order. Results and
KV caches must agree in the pass's numeric class: to the bit, to the rounding of sums, or to that of dtypes. The
integers of the configuration are made small for it, such that what divides what, the kinds of layers, and what
each pass has to say about them stay.

A plan is compiled again from the source that it carries, and has to be what comes of it. With --weights it also
runs a checkpoint of up to 1 GiB through the graph before all passes and the plan. With -o it writes the plan with
its evidence.

The exit status is 1 where a pass is wrong, which is named; glmc bisect says where.`,
		Example: `  glmc verify models/glm4moe/model.glm --target h200
  glmc verify models/glm4moe/model.glm --weights models/tiny --json
  glmc verify models/glm4moe/model.glm --weights models/tiny -o tiny.plan
  glmc verify models/qwen3/model.glm --ablate 5`,
		Args: oneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.ablate < 0 {
				return usagef("--ablate %d: wants a number from 0 on", f.ablate)
			}
			return f.run(cmd.Context(), args[0])
		},
	}
	fs := cmd.Flags()
	f.register(fs)
	f.registerTarget(fs)
	fs.StringVarP(&f.out, "output", "o", "", "plan `FILE` to write, with the evidence")
	fs.Uint64Var(&f.seed, "seed", defaultSeed, "`N` for the random weights and inputs")
	fs.IntVar(&f.ablate, "ablate", 0, "also try `N` random subsets of the passes in random orders that are allowed")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

func (f *verifyFlags) run(ctx context.Context, name string) error {
	model, err := preparedModel(name, &f.compileFlags)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := checkOutput("-o", f.out, name, f.config); err != nil {
			return err
		}
	}
	r, err := model.compile()
	if err != nil {
		return err
	}
	if err := model.sameAs(r.Plan); err != nil {
		return err
	}
	report, err := verify.Verify(ctx, model.subject(), f.seed)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	out := verified{JSON: report.JSON()}
	if out.OK && f.ablate > 0 {
		if err := f.runAblation(ctx, model, &out); err != nil {
			return err
		}
	}
	if out.OK && f.weights != "" {
		if err := f.runCheckpoint(ctx, model, r.Plan, &out); err != nil {
			return err
		}
	}
	if err := f.print(report, &out); err != nil {
		return err
	}
	if err := out.failure(); err != nil || f.out == "" {
		return err
	}
	r.Plan.Evidence = report.Evidence()
	file, err := r.Plan.Encode()
	if err != nil {
		return err
	}
	return writeFile(f.out, file)
}

// verified is what verify --json prints. Ablation and checkpoint are null where they were not asked for or a pass is
// wrong.
type verified struct {
	verify.JSON
	Ablation   *ablation        `json:"ablation"`
	Checkpoint *checkpointCheck `json:"checkpoint"`
}

// ablation is what came of random subsets of the passes.
type ablation struct {
	Runs     int     `json:"runs"`
	MaxError float64 `json:"max_error"`
	Passes   string  `json:"passes"` // of the one that is wrong, in their order; "" where none is
	Wrong    string  `json:"wrong"`
}

// failure names what is wrong.
func (v *verified) failure() error {
	for _, p := range v.Passes {
		if p.Wrong != "" {
			return fmt.Errorf("pass %s is wrong: %s; glmc bisect says where", p.Name, p.Wrong)
		}
	}
	if v.Ablation != nil && v.Ablation.Wrong != "" {
		return fmt.Errorf("the passes %s are wrong together: %s", v.Ablation.Passes, v.Ablation.Wrong)
	}
	if v.Checkpoint != nil && v.Checkpoint.Wrong != "" {
		return errors.New(v.Checkpoint.Wrong)
	}
	return nil
}

func (f *verifyFlags) print(r *verify.Report, v *verified) error {
	if f.asJSON {
		return printJSON(v)
	}
	return printText(func(w io.Writer) error {
		if err := r.Text(w); err != nil {
			return err
		}
		if a := v.Ablation; a != nil {
			fmt.Fprintf(w, "\nablation: %s of the passes in random orders, largest difference %.2g\n", diag.Count(a.Runs, "random subset"), a.MaxError)
		}
		if c := v.Checkpoint; c != nil {
			fmt.Fprintf(w, "\ncheckpoint: %s\n", c)
		}
		return nil
	})
}

func (f *verifyFlags) runAblation(ctx context.Context, model *prepared, out *verified) error {
	small, err := verify.Small(model.subject())
	if err != nil {
		return err
	}
	runs, err := verify.Ablate(ctx, small, f.seed, f.ablate)
	if err != nil {
		return err
	}
	out.Ablation = &ablation{Runs: len(runs)}
	for _, a := range runs {
		if a.Outcome.Wrong != "" {
			out.Ablation.Passes, out.Ablation.Wrong, out.OK = a.String(), a.Outcome.Wrong, false
			break
		}
		out.Ablation.MaxError = max(out.Ablation.MaxError, a.Outcome.MaxError)
	}
	return nil
}

// preparedModel reads a .glm file, or the source that a plan carries.
func preparedModel(name string, f *compileFlags) (*prepared, error) {
	m, err := readPlanOrSource(name)
	if err != nil {
		return nil, err
	}
	if !m.isPlan() {
		return m.prepareNamed(f, nil)
	}
	p, err := m.decode(f)
	if err != nil {
		return nil, err
	}
	sources := map[string][]byte{p.Source.Config.Name: []byte(p.Source.Config.Text)}
	for _, file := range p.Source.Files {
		sources[file.Name] = []byte(file.Text)
	}
	root, o, list, err := compiler.Load(&p.Source)
	if list.HasErrors() {
		return nil, diagnose(list, sources)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &prepared{name: name, root: root, options: o, sources: sources, list: list, plan: p}, nil
}

// sameAs refuses a plan that is not what the compiler makes of the plan's source: what is validated is the latter.
func (p *prepared) sameAs(made *plan.Plan) error {
	if p.plan == nil || diff.Plans(p.plan, made).Equal {
		return nil
	}
	return fmt.Errorf("%s is not what this glmc makes of the source in it: its programs come of another glmc, or were changed; compile %s again",
		p.name, p.plan.Source.Files[0].Name)
}

// evidence validates the passes of a compilation, for compile.
func (p *prepared) evidence(ctx context.Context) (*plan.Evidence, error) {
	r, err := verify.Verify(ctx, p.subject(), defaultSeed)
	if err != nil {
		return nil, err
	}
	if wrong := r.Failed(); wrong != nil {
		_ = r.Text(os.Stderr)
		return nil, fmt.Errorf("pass %s is wrong, so no plan was written: glmc bisect says where", wrong.Pass.Name)
	}
	return r.Evidence(), nil
}
