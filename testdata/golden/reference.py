"""What Hugging Face's code computes from a checkpoint: the arrays of golden.safetensors and the facts of golden.json.

The model runs in f32 with eager attention and eager experts. An MTP layer, which transformers leaves out, is read as
one more decoder layer of the family and wired as the published inference code wires it; `mtp` says how.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

GREEDY_TOKENS = 24
DRAFTS = 3
LOGITS_IN_FULL = ("p1", "p7", "p33")
INTERNALS = "p7"
MTP_PROMPT = "p33"

torch.set_num_threads(1)  # one order of summation, whatever the machine
torch.use_deterministic_algorithms(True)


@dataclass
class Values:
    """The arrays of golden.safetensors and the facts of golden.json."""

    arrays: dict[str, torch.Tensor] = field(default_factory=dict)
    facts: dict = field(default_factory=dict)


@dataclass
class Routing:
    """One call of one layer's router: what it scored, what it compared, what it chose."""

    scores: torch.Tensor
    ids: torch.Tensor
    weights: torch.Tensor
    gap: float


def read_config(config: dict):
    """The config of a model that has the MTP layer as one decoder layer more, and the number of its own layers."""
    layers = config["num_hidden_layers"]
    drafts = config.get("num_nextn_predict_layers") or 0
    extended = config | {"num_hidden_layers": layers + drafts}
    if "mlp_layer_types" in config:
        extended["mlp_layer_types"] = config["mlp_layer_types"] + ["sparse"] * drafts
    return AutoConfig.for_model(**extended), layers


class Reference:
    """A checkpoint in Hugging Face's code, with hooks that keep what the layers compute."""

    def __init__(self, directory: Path):
        config, self.layers = read_config(json.loads((directory / "config.json").read_text()))
        self.has_mtp = config.num_hidden_layers > self.layers
        self.model = AutoModelForCausalLM.from_pretrained(
            directory,
            config=config,
            dtype=torch.float32,
            attn_implementation="eager",
            experts_implementation="eager",
        ).eval()
        # transformers runs layers[:num_hidden_layers]: the MTP layer has its weights, and no part in forward.
        self.model.config.num_hidden_layers = self.layers
        self.decoder = self.model.model
        self.mtp_weights = self._read_mtp_weights(directory) if self.has_mtp else {}
        self.seen: dict[str, torch.Tensor] = {}
        self.routed: dict[int, Routing] = {}
        self.gaps: list[float] = []
        self._watch()

    def _read_mtp_weights(self, directory: Path) -> dict[str, torch.Tensor]:
        """What the MTP layer has beside its decoder layer."""
        prefix = f"model.layers.{self.layers}."
        tensors = {}
        for file in sorted(directory.glob("model*.safetensors")):
            tensors |= load_file(file)
        names = ("enorm.weight", "hnorm.weight", "eh_proj.weight", "shared_head.norm.weight")
        return {name: tensors[prefix + name].float() for name in names}

    def _watch(self):
        def keep(name):
            def hook(_module, _inputs, output):
                value = output[0] if isinstance(output, tuple) else output
                self.seen[name] = value.detach().reshape(-1, value.shape[-1])

            return hook

        self.decoder.embed_tokens.register_forward_hook(keep("embed"))
        self.decoder.norm.register_forward_hook(keep("final_norm"))
        for number, layer in enumerate(self.decoder.layers):
            layer.register_forward_hook(keep(f"hidden.{number}"))
            layer.self_attn.register_forward_hook(keep(f"attn_out.{number}"))
            if hasattr(layer.mlp, "gate"):
                layer.mlp.gate.register_forward_hook(self._watch_router(number, layer.mlp))

    def _watch_router(self, number, mlp):
        def hook(_module, _inputs, output):
            routing = softmax_routing(*output) if isinstance(output, tuple) else sigmoid_routing(mlp, output)
            self.routed[number] = routing
            self.gaps.append(routing.gap)

        return hook

    @torch.no_grad()
    def forward(self, ids: list[int], cache: DynamicCache | None = None) -> torch.Tensor:
        """The logits [n, vocab] of tokens that follow on those in the cache."""
        self.seen, self.routed = {}, {}
        out = self.model(torch.tensor([ids]), past_key_values=cache, use_cache=cache is not None)
        return out.logits[0]

    def greedy(self, prompt: list[int]) -> dict:
        """The greedy continuation, with how far the best logit was ahead at each step."""
        cache = DynamicCache(config=self.model.config)
        tokens, margins = [], []
        row = self.forward(prompt, cache)[-1]
        while True:
            best = row.topk(2)
            tokens.append(best.indices[0].item())
            margins.append(round((best.values[0] - best.values[1]).item(), 5))
            if len(tokens) == GREEDY_TOKENS:
                return {"tokens": tokens, "margin": margins}
            row = self.forward(tokens[-1:], cache)[-1]

    @torch.no_grad()
    def mtp(self, tokens: list[int], hidden: torch.Tensor, first: int, cache: DynamicCache):
        """One run of the MTP layer: row i gets the embedding of tokens[i], a hidden state, and position first + i.

        The layer's input is eh_proj(concat(enorm(embedding), hnorm(hidden))). Returns the logits of the model's own
        head and what shared_head.norm made of the layer's output.
        """
        w, eps = self.mtp_weights, self.model.config.rms_norm_eps
        embedding = self.decoder.embed_tokens(torch.tensor(tokens))
        both = torch.cat(
            [rms_norm(embedding, w["enorm.weight"], eps), rms_norm(hidden, w["hnorm.weight"], eps)], dim=-1
        )
        x = (both @ w["eh_proj.weight"].T)[None]
        positions = torch.arange(first, first + len(tokens))[None]
        out = self.decoder.layers[self.layers](
            x,
            attention_mask=causal_mask(len(tokens), first),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            position_embeddings=self.decoder.rotary_emb(x, position_ids=positions),
        )[0]
        state = rms_norm(out, w["shared_head.norm.weight"], eps)
        return self.model.lm_head(state), state

    def drafts(self, prompt: list[int], next_token: int, final_norm: torch.Tensor) -> Values:
        """The MTP layer over a whole prompt, then chained drafts of its own."""
        tokens = prompt[1:] + [next_token]
        cache = DynamicCache()
        logits, states = self.mtp(tokens, final_norm, 0, cache)
        rows, chain = [logits[-1]], [logits[-1].argmax().item()]
        state = states[-1:]
        while len(chain) < DRAFTS:
            step, state = self.mtp(chain[-1:], state, len(prompt) + len(chain) - 1, cache)
            rows.append(step[0])
            chain.append(step[0].argmax().item())
        arrays = {"mtp.logits": logits, "mtp.hidden": states, "mtp.chain_logits": torch.stack(rows)}
        facts = {"prompt": MTP_PROMPT, "input_tokens": tokens, "target_next": next_token, "draft_chain": chain}
        return Values({f"{MTP_PROMPT}.{name}": value for name, value in arrays.items()}, facts)


def compute(directory: Path, prompts: dict[str, list[int]]) -> Values:
    """Everything that a case's golden files hold, but for the case's name."""
    reference = Reference(directory)
    values = Values(facts={"prompts": prompts, "greedy": {}})
    for name, prompt in prompts.items():
        logits = reference.forward(prompt)
        values.arrays |= prompt_arrays(reference, name, logits)
        if name == MTP_PROMPT and reference.has_mtp:
            drafts = reference.drafts(prompt, logits[-1].argmax().item(), reference.seen["final_norm"])
            values.arrays |= drafts.arrays
            values.facts["mtp"] = drafts.facts
        values.facts["greedy"][name] = reference.greedy(prompt)
    if reference.gaps:
        values.facts["min_router_gap"] = min(reference.gaps)
    values.facts["min_greedy_margin"] = min(min(g["margin"]) for g in values.facts["greedy"].values())
    values.arrays = {name: stored(value) for name, value in values.arrays.items()}
    return values


def prompt_arrays(reference: Reference, name: str, logits: torch.Tensor) -> dict[str, torch.Tensor]:
    """The arrays of one prompt, of the run just made."""
    arrays = {}
    if name in LOGITS_IN_FULL:
        arrays[f"{name}.logits"] = logits
    else:
        arrays[f"{name}.logits_last"] = logits[-1]
        arrays[f"{name}.logits_top5_ids"] = logits.topk(5).indices
    for layer, routing in reference.routed.items():
        arrays[f"{name}.router.{layer}.ids"] = routing.ids
        arrays[f"{name}.router.{layer}.weights"] = routing.weights
        if name == INTERNALS:
            arrays[f"{name}.router.{layer}.scores"] = routing.scores
    if name == INTERNALS:
        arrays |= {f"{name}.{what}": value for what, value in reference.seen.items()}
    return arrays


def softmax_routing(logits: torch.Tensor, weights: torch.Tensor, ids: torch.Tensor) -> Routing:
    """Qwen3-MoE's router chooses by the softmax over all experts."""
    scores = logits.softmax(dim=-1)
    ids, weights = by_expert(ids, weights)
    return Routing(scores, ids, weights, edge(scores, ids.shape[-1]))


def sigmoid_routing(mlp, logits: torch.Tensor) -> Routing:
    """DeepSeek's router, and GLM's, choose by sigmoid plus correction bias, within the best groups."""
    ids, weights = by_expert(*mlp.route_tokens_to_experts(logits))
    scores = logits.sigmoid()
    choice = scores + mlp.gate.e_score_correction_bias
    gap = float("inf")
    if mlp.topk_group < mlp.n_group:
        groups = choice.unflatten(-1, (mlp.n_group, -1))
        group_scores = groups.topk(2, dim=-1).values.sum(dim=-1)
        gap = edge(group_scores, mlp.topk_group)
        worst = group_scores.topk(mlp.topk_group).values[:, -1:]
        choice = groups.masked_fill((group_scores < worst)[..., None], float("-inf")).flatten(-2)
    return Routing(scores, ids, weights, min(gap, edge(choice, mlp.top_k)))


def edge(scores: torch.Tensor, chosen: int) -> float:
    """The smallest distance, over all tokens, of the last that is chosen to the first that is not."""
    best = scores.sort(dim=-1, descending=True).values
    return (best[:, chosen - 1] - best[:, chosen]).min().item()


def by_expert(ids: torch.Tensor, weights: torch.Tensor):
    order = ids.argsort(dim=-1)
    return ids.gather(-1, order), weights.gather(-1, order)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps))


def causal_mask(rows: int, before: int) -> torch.Tensor:
    """An additive mask [1, 1, rows, before + rows]: row i sees what came before and rows 0..i."""
    mask = torch.full((rows, before + rows), torch.finfo(torch.float32).min).triu(before + 1)
    return mask[None, None]


def stored(value: torch.Tensor) -> torch.Tensor:
    """As golden.safetensors holds it: F32, or I32 for ids."""
    dtype = torch.float32 if value.is_floating_point() else torch.int32
    return value.detach().to(dtype).contiguous()
