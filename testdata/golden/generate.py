"""Makes the golden cases from Hugging Face's transformers, and checks committed ones against it. README.md says more.

python generate.py list
python generate.py make CASE -o DIR      a checkpoint with random weights, and what transformers computes from it
python generate.py verify DIR...         computes the values of committed cases again; exit status 1 over the bounds
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from cases import CASES, Case
from reference import Values, compute, read_config
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM
from transformers import logging as transformers_logging

PROMPT_LENGTHS = (1, 7, 33, 130)
FIRST_ORDINARY_TOKEN = 6

# A case must not hang on the last bit: no routing decision and no greedy token may be closer than this.
MIN_ROUTER_GAP = 8e-5
MIN_GREEDY_MARGIN = 4e-3

# The bounds of README.md for f32 compute.
VALUE_BOUND = 1e-3
WEIGHT_BOUND = 1e-4

SCALES = {
    # Larger than 1 / sqrt(inputs) for all: random layers must move the residual stream as trained ones do, and the
    # logits must differ enough for greedy decoding to be stable.
    "lm_head.weight": 3.0,
    "mlp.gate.weight": 1.5,
    "q_proj.weight": 1.5,
    "q_b_proj.weight": 1.5,
}


def make(name: str, directory: Path):
    """Writes a case. The weights come from the first seed whose values are far enough from every edge."""
    case = CASES[name]
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "config.json", case.config)
    for seed in range(1000):
        rng = torch.Generator().manual_seed(seed)
        save_file(draw_checkpoint(case, rng), directory / "model.safetensors", metadata={"format": "pt"})
        values = compute(directory, draw_prompts(case, rng))
        gap, margin = values.facts.get("min_router_gap", 1.0), values.facts["min_greedy_margin"]
        print(f"{name} seed {seed}: router gap {gap:.2e}, greedy margin {margin:.2e}", flush=True)
        if gap >= MIN_ROUTER_GAP and margin >= MIN_GREEDY_MARGIN:
            save_file(values.arrays, directory / "golden.safetensors")
            write_json(directory / "golden.json", {"name": f"golden/{name}"} | values.facts)
            return
    raise SystemExit(f"{name}: no seed below 1000 keeps its distances")


def draw_prompts(case: Case, rng: torch.Generator) -> dict[str, list[int]]:
    vocabulary = case.config["vocab_size"]
    return {
        f"p{n}": torch.randint(FIRST_ORDINARY_TOKEN, vocabulary, (n,), generator=rng).tolist() for n in PROMPT_LENGTHS
    }


def draw_checkpoint(case: Case, rng: torch.Generator) -> dict[str, torch.Tensor]:
    """Random weights under the names and in the shapes of a published checkpoint of the family."""
    config, layers = read_config(case.config)
    dtype = getattr(torch, case.config.get("dtype") or case.config["torch_dtype"])
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in AutoModelForCausalLM.from_config(config).state_dict().items()}
    if config.tie_word_embeddings:
        del shapes["lm_head.weight"]
    if config.num_hidden_layers > layers:
        shapes |= mtp_shapes(f"model.layers.{layers}.", config.hidden_size)
    tensors = {name: draw(name, shape, case.config, rng) for name, shape in unstacked(shapes).items()}
    if case.mtp_copies:
        tensors[f"model.layers.{layers}.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].clone()
        tensors[f"model.layers.{layers}.shared_head.head.weight"] = tensors["lm_head.weight"].clone()
    return {name: t if "e_score_correction_bias" in name else t.to(dtype) for name, t in tensors.items()}


def mtp_shapes(prefix: str, hidden: int) -> dict[str, tuple]:
    """What an MTP layer has beside a decoder layer."""
    return {
        prefix + "enorm.weight": (hidden,),
        prefix + "hnorm.weight": (hidden,),
        prefix + "eh_proj.weight": (hidden, 2 * hidden),
        prefix + "shared_head.norm.weight": (hidden,),
    }


def unstacked(shapes: dict[str, tuple]) -> dict[str, tuple]:
    """transformers 5 stacks the experts of a layer in memory; published files hold each expert's matrices."""
    out = {}
    for name, shape in sorted(shapes.items()):
        prefix, kind = name.rsplit(".", 1)
        if not prefix.endswith(".mlp.experts"):
            out[name] = shape
            continue
        for expert in range(shape[0]):
            if kind == "gate_up_proj":
                half = (shape[1] // 2, shape[2])
                out |= {f"{prefix}.{expert}.gate_proj.weight": half, f"{prefix}.{expert}.up_proj.weight": half}
            else:
                out[f"{prefix}.{expert}.{kind}.weight"] = shape[1:]
    return out


def draw(name: str, shape: tuple, config: dict, rng: torch.Generator) -> torch.Tensor:
    """Random values of a size that makes every weight matter."""
    noise = torch.randn(shape, generator=rng)
    if name.endswith("norm.weight"):
        return 1 + 0.25 * noise
    if name.endswith("bias"):
        return 0.2 * noise
    if name == "model.embed_tokens.weight":
        return noise * (3.0 * shape[1] ** -0.5 if config["tie_word_embeddings"] else 1.0)
    scale = next((s for suffix, s in SCALES.items() if name.endswith(suffix)), 1.0)
    values = scale * shape[1] ** -0.5 * noise
    if "q_a_proj" in name or "kv_a_proj" in name:
        # The latents are small, so that the eps of their norms shows; the rotary rows below them have no norm.
        values[: config["q_lora_rank"] if "q_a_proj" in name else config["kv_lora_rank"]] *= 0.01
    return values


def verify(directory: Path) -> bool:
    """Prints how far a committed case is from what transformers computes now, and whether all is within bounds."""
    facts = json.loads((directory / "golden.json").read_text())
    arrays = load_file(directory / "golden.safetensors")
    if any(name.startswith("w8a32.") for name in arrays):
        with tempfile.TemporaryDirectory() as copy:
            dequantise(directory, Path(copy))
            values = compute(Path(copy), facts["prompts"])
        facts, arrays = without_prefix(facts, "w8a32."), without_prefix(arrays, "w8a32.")
    else:
        values = compute(directory, facts["prompts"])
    print(f"{directory.name}:")
    lines = compare_arrays(arrays, values) + compare_facts(facts, values)
    for what, difference, bound in lines:
        mark = "" if difference <= bound else f"  <-- the bound is {bound:g}"
        print(f"  {what:32s} {difference:.2e}{mark}")
    return all(difference <= bound for _, difference, bound in lines)


def compare_arrays(want: dict[str, torch.Tensor], values: Values) -> list[tuple[str, float, float]]:
    """A line for each array: its name, its largest difference, and the bound."""
    lines = []
    for name in sorted(want.keys() | values.arrays.keys()):
        a, b = want.get(name), values.arrays.get(name)
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            lines.append((f"{name} (missing or of another shape)", float("inf"), 0.0))
        elif name.endswith(".logits_top5_ids"):
            # Places two to five may be near ties. The best is the greedy token's place, and has a margin.
            lines.append(
                (f"{name} (share of sets)", (a.sort().values != b.sort().values).any(-1).float().mean().item(), 0.02)
            )
        else:
            bound = 0.0 if name.endswith(".ids") else WEIGHT_BOUND if ".router." in name else VALUE_BOUND
            lines.append((name, (a.double() - b.double()).abs().max().item(), bound))
    return lines


def compare_facts(want: dict, values: Values) -> list[tuple[str, float, float]]:
    got = values.facts
    lines = []
    for name, greedy in want["greedy"].items():
        wrong = sum(a != b for a, b in zip(greedy["tokens"], got["greedy"][name]["tokens"], strict=True))
        margins = (abs(a - b) for a, b in zip(greedy["margin"], got["greedy"][name]["margin"], strict=True))
        lines.append((f"{name} greedy tokens that differ", wrong, 0.0))
        lines.append((f"{name} greedy margins", max(margins), VALUE_BOUND))
    # The older cases looked for the smallest gap in the prompts alone, so it is the limit that is compared.
    gap = got.get("min_router_gap", MIN_ROUTER_GAP)
    lines.append((f"router gap below {MIN_ROUTER_GAP:g}", max(0.0, MIN_ROUTER_GAP - gap), 0.0))
    lines.append(("mtp tokens that differ", float(want.get("mtp") != got.get("mtp")), 0.0))
    return lines


def without_prefix(mapping: dict, prefix: str) -> dict:
    return {name.removeprefix(prefix): value for name, value in mapping.items() if name.startswith(prefix)}


def dequantise(directory: Path, copy: Path):
    """A copy of an fp8 checkpoint with one scale for each output channel, as plain f32."""
    config = json.loads((directory / "config.json").read_text())
    del config["quantization_config"]
    write_json(copy / "config.json", config)
    tensors = load_file(directory / "model.safetensors")
    plain = {}
    for name, value in tensors.items():
        if not name.endswith(".weight_scale"):
            scale = tensors.get(f"{name}_scale")
            plain[name] = value.float() if scale is None else value.float() * scale.float()
    save_file(plain, copy / "model.safetensors", metadata={"format": "pt"})


def write_json(path: Path, value: dict):
    path.write_text(json.dumps(value, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the cases")
    maker = commands.add_parser("make", help="make a case")
    maker.add_argument("case", choices=CASES)
    maker.add_argument("-o", dest="directory", type=Path, required=True)
    verifier = commands.add_parser("verify", help="compute the values of cases again")
    verifier.add_argument("directories", type=Path, nargs="+")
    arguments = parser.parse_args()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    match arguments.command:
        case "list":
            print("\n".join(CASES))
        case "make":
            make(arguments.case, arguments.directory)
        case "verify":
            good = [verify(directory) for directory in arguments.directories]
            return 0 if all(good) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
