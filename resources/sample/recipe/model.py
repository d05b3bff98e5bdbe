"""The sample's network for training: the arithmetic of Gemma 4's E line, written for speed on one CPU core.

Parameters live in a flat dictionary under the names of the checkpoint. Compared with the stock transformers
classes: bfloat16 matrix products over float32 master weights, attention as plain batched matrix products,
pooling by reshape, and the layers from the last KV-owning one on run at answer positions only (nothing else
reads them).
`evaluate.py` checks the result with the stock classes. Not run by itself.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from kernels import Attend, Gated, Heads, Rms
from tokenizer import MEDIA, PAD, VOCAB_SIZE
from torch import Tensor
from torch.nn.functional import embedding, gelu, linear

Params = dict[str, Tensor]

LAYER_TYPES = ["sliding_attention", "full_attention"] * 3
TEXT: dict = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "attention_k_eq_v": False,
    "bos_token_id": 2,
    "dtype": "bfloat16",
    "enable_moe_block": False,
    "eos_token_id": 1,
    "final_logit_softcapping": 30.0,
    "global_head_dim": 128,
    "head_dim": 64,
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 192,
    "hidden_size_per_layer_input": 32,
    "initializer_range": 0.02,
    "intermediate_size": 512,
    "layer_types": LAYER_TYPES,
    "max_position_embeddings": 131072,
    "model_type": "gemma4_text",
    "moe_intermediate_size": None,
    "num_attention_heads": 4,
    "num_experts": None,
    "num_global_key_value_heads": None,
    "num_hidden_layers": 6,
    "num_key_value_heads": 1,
    "num_kv_shared_layers": 2,
    "pad_token_id": 0,
    "rms_norm_eps": 1e-06,
    "rope_parameters": {
        "full_attention": {
            "partial_rotary_factor": 0.25,
            "rope_theta": 1000000.0,
            "rope_type": "proportional",
        },
        "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
    },
    "sliding_window": 512,
    "tie_word_embeddings": True,
    "top_k_experts": None,
    "use_bidirectional_attention": None,
    "use_cache": True,
    "use_double_wide_mlp": True,
    "vocab_size": VOCAB_SIZE,
    "vocab_size_per_layer_input": VOCAB_SIZE,
}
VISION: dict = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "default_output_length": 280,
    "dtype": "bfloat16",
    "global_head_dim": 64,
    "head_dim": 64,
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 128,
    "intermediate_size": 512,
    "max_position_embeddings": 131072,
    "model_type": "gemma4_vision",
    "num_attention_heads": 2,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "patch_size": 16,
    "pooling_kernel_size": 3,
    "position_embedding_size": 3456,
    "rms_norm_eps": 1e-06,
    "rope_parameters": {"rope_theta": 100.0, "rope_type": "default"},
    "standardize": False,
    "use_clipped_linears": True,
}
LAYER_SCALAR = 0.8
HIDDEN, LAYERS, HEADS, PLE = TEXT["hidden_size"], TEXT["num_hidden_layers"], TEXT["num_attention_heads"], 32
OWN_KV = LAYERS - TEXT["num_kv_shared_layers"]
V_HIDDEN, V_LAYERS, V_HEADS, V_DIM = 128, VISION["num_hidden_layers"], VISION["num_attention_heads"], 64
LM, VT = "model.language_model.", "model.vision_tower."


def config() -> dict:
    """config.json of the checkpoint."""
    return {
        "architectures": ["Gemma4ForConditionalGeneration"],
        "model_type": "gemma4",
        "dtype": "bfloat16",
        "image_token_id": MEDIA["<|image|>"],
        "audio_token_id": MEDIA["<|audio|>"],
        "video_token_id": MEDIA["<|video|>"],
        "boi_token_id": MEDIA["<|image>"],
        "eoi_token_id": MEDIA["<image|>"],
        "boa_token_id": MEDIA["<|audio>"],
        "eoa_token_id": MEDIA["<audio|>"],
        "eoa_token_index": MEDIA["<audio|>"],
        "eos_token_id": [1, 106, 50],
        "initializer_range": 0.02,
        "tie_word_embeddings": True,
        "vision_soft_tokens_per_image": 280,
        "text_config": copy.deepcopy(TEXT),
        "vision_config": copy.deepcopy(VISION),
        "audio_config": None,
        "transformers_version": "5.23.0",
    }


def head_dim(layer: int) -> int:
    return TEXT["head_dim"] if LAYER_TYPES[layer] == "sliding_attention" else TEXT["global_head_dim"]


def start(seed: int) -> Params:
    """Starting values: unit scale, attention logits of unit variance, soft first steps of every branch."""
    gen = torch.Generator().manual_seed(seed)
    p: Params = {}

    def matrix(name: str, out: int, inp: int) -> None:
        p[name] = torch.randn(out, inp, generator=gen) * inp**-0.5

    def norms(prefix: str, names: tuple[str, ...], width: int) -> None:
        for n in names:
            p[f"{prefix}{n}.weight"] = torch.full((width,), 0.3 if n.startswith("post") else 1.0)

    four = (
        "input_layernorm",
        "post_attention_layernorm",
        "pre_feedforward_layernorm",
        "post_feedforward_layernorm",
    )
    p[LM + "embed_tokens.weight"] = torch.randn(VOCAB_SIZE, HIDDEN, generator=gen) * HIDDEN**-0.5
    p[LM + "embed_tokens_per_layer.weight"] = torch.randn(VOCAB_SIZE, LAYERS * PLE, generator=gen) * PLE**-0.5
    matrix(LM + "per_layer_model_projection.weight", LAYERS * PLE, HIDDEN)
    p[LM + "per_layer_projection_norm.weight"] = torch.ones(PLE)
    p[LM + "norm.weight"] = torch.ones(HIDDEN)
    for i in range(LAYERS):
        pre, d = f"{LM}layers.{i}.", head_dim(i)
        inner = TEXT["intermediate_size"] * (1 if i < OWN_KV else 2)
        matrix(pre + "self_attn.q_proj.weight", HEADS * d, HIDDEN)
        p[pre + "self_attn.q_norm.weight"] = torch.full((d,), d**-0.5)
        if i < OWN_KV:
            matrix(pre + "self_attn.k_proj.weight", d, HIDDEN)
            matrix(pre + "self_attn.v_proj.weight", d, HIDDEN)
            p[pre + "self_attn.k_norm.weight"] = torch.ones(d)
        matrix(pre + "self_attn.o_proj.weight", HIDDEN, HEADS * d)
        matrix(pre + "mlp.gate_proj.weight", inner, HIDDEN)
        matrix(pre + "mlp.up_proj.weight", inner, HIDDEN)
        matrix(pre + "mlp.down_proj.weight", HIDDEN, inner)
        matrix(pre + "per_layer_input_gate.weight", PLE, HIDDEN)
        matrix(pre + "per_layer_projection.weight", HIDDEN, PLE)
        norms(pre, (*four, "post_per_layer_input_norm"), HIDDEN)
    matrix(VT + "patch_embedder.input_proj.weight", V_HIDDEN, 768)
    p[VT + "patch_embedder.position_embedding_table"] = position_start()
    for i in range(V_LAYERS):
        pre = f"{VT}encoder.layers.{i}."
        for n in ("q", "k", "v"):
            matrix(f"{pre}self_attn.{n}_proj.linear.weight", V_HEADS * V_DIM, V_HIDDEN)
        matrix(f"{pre}self_attn.o_proj.linear.weight", V_HIDDEN, V_HEADS * V_DIM)
        p[pre + "self_attn.q_norm.weight"] = torch.full((V_DIM,), V_DIM**-0.5)
        p[pre + "self_attn.k_norm.weight"] = torch.ones(V_DIM)
        matrix(pre + "mlp.gate_proj.linear.weight", VISION["intermediate_size"], V_HIDDEN)
        matrix(pre + "mlp.up_proj.linear.weight", VISION["intermediate_size"], V_HIDDEN)
        matrix(pre + "mlp.down_proj.linear.weight", V_HIDDEN, VISION["intermediate_size"])
        norms(pre, four, V_HIDDEN)
    matrix("model.embed_vision.embedding_projection.weight", HIDDEN, V_HIDDEN)
    return p


def position_start() -> Tensor:
    """A smooth start of the position table, so that rows never trained look like their neighbours."""
    rows = torch.arange(VISION["position_embedding_size"], dtype=torch.float32)[:, None]
    freq = 2.0 * math.pi / (6.0 * 400.0 ** (torch.arange(V_HIDDEN // 4) / (V_HIDDEN // 4 - 1)))
    wave = torch.cat([torch.sin(rows * freq), torch.cos(rows * freq)], 1) * (0.3 * 2**0.5)
    flat = torch.zeros_like(wave)
    return torch.stack([torch.cat([wave, flat], 1), torch.cat([flat, wave], 1)])


# ------------------------------------------------------------------------------------------ arithmetic --
def rms(x: Tensor, w: Tensor | None, add_to: Tensor | None = None) -> Tensor:
    return Rms.apply(x, w, add_to)


def feed_forward(x: Tensor, w: Params, pre: str, tail: str) -> Tensor:
    both = linear(x, torch.cat([w[f"{pre}gate_proj{tail}"], w[f"{pre}up_proj{tail}"]]))
    return linear(Gated.apply(both), w[f"{pre}down_proj{tail}"])


def working(master: Params) -> Params:
    """The weights a step computes with: bfloat16, norm weights float32."""
    return {n: p if p.dim() == 1 else p.bfloat16() for n, p in master.items()}


def vision(w: Params, patches: Tensor, columns: int) -> Tensor:
    """Soft tokens of same-sized pictures: patches [B, N, 768] in 0..1 (row-major), N = rows * columns."""
    batch, count, _ = patches.shape
    rows = count // columns
    dtype = w[VT + "patch_embedder.input_proj.weight"].dtype
    table = w[VT + "patch_embedder.position_embedding_table"]
    z = linear((2.0 * (patches - 0.5)).to(dtype), w[VT + "patch_embedder.input_proj.weight"])
    z = z.view(batch, rows, columns, -1) + (table[0, :columns][None, :] + table[1, :rows][:, None])[None]
    z = z.view(batch, count, -1)
    freq = 100.0 ** (-torch.arange(0, V_DIM // 2, 2, dtype=torch.float32) / (V_DIM // 2))
    x = (torch.arange(count) % columns)[:, None] * freq
    y = (torch.arange(count) // columns)[:, None] * freq
    angle = torch.cat([x, y], 1)  # [N, D/2]
    cos, sin = angle.cos(), angle.sin()
    wide = V_HEADS * V_DIM
    parts = (
        (0, V_HEADS, V_DIM, V_DIM // 4),
        (wide, V_HEADS, V_DIM, V_DIM // 4),
        (2 * wide, V_HEADS, V_DIM, 0),
    )
    for i in range(V_LAYERS):
        pre = f"{VT}encoder.layers.{i}."
        h = rms(z, w[pre + "input_layernorm.weight"])
        qkv = linear(h, torch.cat([w[f"{pre}self_attn.{n}_proj.linear.weight"] for n in "qkv"]))
        q, k, v = Heads.apply(
            qkv, cos, sin, parts, w[pre + "self_attn.q_norm.weight"], w[pre + "self_attn.k_norm.weight"], None
        )
        a = Attend.apply(q, k, v, None).view(batch, V_HEADS, count, V_DIM).transpose(1, 2).reshape(batch, count, -1)
        z = rms(
            linear(a, w[pre + "self_attn.o_proj.linear.weight"]),
            w[pre + "post_attention_layernorm.weight"],
            z,
        )
        m = feed_forward(rms(z, w[pre + "pre_feedforward_layernorm.weight"]), w, pre + "mlp.", ".linear.weight")
        z = rms(m, w[pre + "post_feedforward_layernorm.weight"], z)
    u = z.view(batch, rows // 3, 3, columns // 3, 3, V_HIDDEN).float().mean((2, 4)).view(batch, -1, V_HIDDEN)
    u = rms((u * V_HIDDEN**0.5).to(dtype), None)
    return linear(u, w["model.embed_vision.embedding_projection.weight"])


@dataclass
class Batch:
    """Conversations of one shape. `where`: places of the soft tokens; `ask`: places that predict answers."""

    ids: Tensor  # [B, T], right-padded
    ask: Tensor  # [B, A]
    labels: Tensor  # [B, A], -100 = none
    patches: Tensor | None  # [B * pictures, N, 768] uint8
    where: Tensor | None  # [B, pictures * n]
    columns: int = 0  # patch columns of a picture


def angles(layer_type: str, positions: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin, [..., D/2], of a layer type at some places."""
    if layer_type == "sliding_attention":
        d = TEXT["head_dim"]
        freq = 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)
    else:
        d = TEXT["global_head_dim"]
        freq = 1000000.0 ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)
        freq[int(0.25 * d / 2) :] = 0.0
    angle = positions[..., None].float() * freq
    return angle.cos(), angle.sin()


def masks(places: Tensor, length: int, batch: int) -> dict[str, Tensor]:
    """Additive masks [B, HEADS * M, T] for queries at `places` [B or 1, M]."""
    keys = torch.arange(length)[None, None, :]
    late = keys > places[:, :, None]
    early = keys <= places[:, :, None] - TEXT["sliding_window"]
    out = {}
    for name, m in (("full_attention", late), ("sliding_attention", late | early)):
        add = torch.zeros(m.shape, dtype=torch.bfloat16).masked_fill_(m, -1e30)
        out[name] = add[:, None].expand(-1, HEADS, -1, -1).reshape(m.shape[0], -1, length).expand(batch, -1, -1)
    return out


def logits(w: Params, b: Batch) -> Tensor:
    """Logits at the asked places, [B, A, vocabulary], float32. `w` comes from working()."""
    dtype = torch.bfloat16
    batch, length = b.ids.shape
    e = embedding(b.ids, w[LM + "embed_tokens.weight"]) * torch.tensor(HIDDEN**0.5, dtype=dtype)
    ids = b.ids
    if b.patches is not None and b.where is not None:
        soft = vision(w, b.patches.float() / 255.0, b.columns).view(batch, -1, HIDDEN)
        e = e.scatter(1, b.where[..., None].expand(-1, -1, HIDDEN), soft)
        ids = ids.scatter(1, b.where, PAD)
    ctx = rms(
        (linear(e, w[LM + "per_layer_model_projection.weight"]) * HIDDEN**-0.5).view(batch, length, LAYERS, PLE),
        w[LM + "per_layer_projection_norm.weight"],
    )
    tok = embedding(ids, w[LM + "embed_tokens_per_layer.weight"]) * torch.tensor(PLE**0.5, dtype=dtype)
    ple = (ctx + tok.view(batch, length, LAYERS, PLE)) * 2**-0.5

    place = torch.arange(length)
    turn_all = {t: angles(t, place) for t in set(LAYER_TYPES)}
    turn_ask = {t: angles(t, b.ask) for t in set(LAYER_TYPES)}
    x, mask, turn = e, masks(place[None], length, batch), turn_all
    stored: dict[str, tuple[Tensor, Tensor]] = {}
    for i in range(LAYERS):
        pre, d, kind = f"{LM}layers.{i}.", head_dim(i), LAYER_TYPES[i]
        h = rms(x, w[pre + "input_layernorm.weight"])
        if i < OWN_KV:
            both = linear(h, torch.cat([w[pre + "self_attn.k_proj.weight"], w[pre + "self_attn.v_proj.weight"]]))
            stored[kind] = Heads.apply(
                both,
                *turn_all[kind],
                ((0, 1, d, d // 2), (d, 1, d, 0)),
                w[pre + "self_attn.k_norm.weight"],
                None,
            )
        if i == OWN_KV - 1:  # from here on only the asked places matter
            pick = b.ask[..., None].expand(-1, -1, HIDDEN)
            x, h = x.gather(1, pick), h.gather(1, pick)
            ple = ple.gather(1, b.ask[..., None, None].expand(-1, -1, LAYERS, PLE))
            mask, turn = masks(b.ask, length, batch), turn_ask
        m = h.shape[1]
        (q,) = Heads.apply(
            linear(h, w[pre + "self_attn.q_proj.weight"]),
            *turn[kind],
            ((0, HEADS, d, d // 2),),
            w[pre + "self_attn.q_norm.weight"],
        )
        a = Attend.apply(q.view(batch, HEADS * m, d), *stored[kind], mask[kind])
        a = a.view(batch, HEADS, m, d).transpose(1, 2).reshape(batch, m, -1)
        x = rms(linear(a, w[pre + "self_attn.o_proj.weight"]), w[pre + "post_attention_layernorm.weight"], x)
        f = feed_forward(rms(x, w[pre + "pre_feedforward_layernorm.weight"]), w, pre + "mlp.", ".weight")
        x = rms(f, w[pre + "post_feedforward_layernorm.weight"], x)
        g = gelu(linear(x, w[pre + "per_layer_input_gate.weight"]), approximate="tanh") * ple[:, :, i]
        x = rms(
            linear(g, w[pre + "per_layer_projection.weight"]),
            w[pre + "post_per_layer_input_norm.weight"],
            x,
        )
        x = x * LAYER_SCALAR
    x = rms(x, w[LM + "norm.weight"])
    y = linear(x, w[LM + "embed_tokens.weight"]).float()
    return 30.0 * torch.tanh(y / 30.0)
