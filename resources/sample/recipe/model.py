"""The sample's network for training: the arithmetic of Gemma 4's E line, written for speed on one CPU core.

It runs on an accelerator too. Parameters live in a flat dictionary under the names of the checkpoint. Compared with
the stock transformers classes: attention as plain batched matrix products, pooling by reshape, clips of one length
instead of masks, and the layers from the last KV-owning one on run at answer positions only (nothing else reads them).
`evaluate.py` checks the result with the stock classes. Not run by itself.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from kernels import attend, gated, heads, rms
from tokenizer import MEDIA, PAD, VOCAB_SIZE
from torch import Tensor
from torch.nn.functional import conv1d, conv2d, embedding, gelu, glu, layer_norm, linear, pad, relu, silu, softplus

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
AUDIO: dict = {
    "attention_chunk_size": 12,
    "attention_context_left": 13,
    "attention_context_right": 0,
    "attention_invalid_logits_value": -1e9,
    "attention_logit_cap": 50.0,
    "conv_kernel_size": 5,
    "dtype": "bfloat16",
    "gradient_clipping": 1e10,
    "hidden_act": "silu",
    "hidden_size": 128,
    "initializer_range": 0.02,
    "model_type": "gemma4_audio",
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "output_proj_dims": 192,
    "residual_weight": 0.5,
    "rms_norm_eps": 1e-06,
    "subsampling_conv_channels": [128, 16],
    "use_clipped_linears": True,
}
LAYER_SCALAR = 0.8
HIDDEN, LAYERS, HEADS, PLE = TEXT["hidden_size"], TEXT["num_hidden_layers"], TEXT["num_attention_heads"], 32
OWN_KV = LAYERS - TEXT["num_kv_shared_layers"]
V_HIDDEN, V_LAYERS, V_HEADS, V_DIM = 128, VISION["num_hidden_layers"], VISION["num_attention_heads"], 64
A_HIDDEN, A_LAYERS, A_HEADS, A_DIM = 128, AUDIO["num_hidden_layers"], AUDIO["num_attention_heads"], 32
A_WINDOW = AUDIO["attention_context_left"] - 1
LM, VT, AT = "model.language_model.", "model.vision_tower.", "model.audio_tower."


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
        "audio_config": copy.deepcopy(AUDIO),
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
    return p | start_hearing(gen)


def start_hearing(gen: torch.Generator) -> Params:
    """Starting values of the audio tower."""
    p: Params = {}

    def matrix(name: str, out: int, inp: int) -> None:
        p[name] = torch.randn(out, inp, generator=gen) * inp**-0.5

    def norm(name: str, value: float = 1.0) -> None:
        p[f"{name}.weight"] = torch.full((A_HIDDEN,), value)

    pre = AT + "subsample_conv_projection."
    channels = (1, *AUDIO["subsampling_conv_channels"])
    for i in range(2):
        fan = 9 * channels[i]
        p[f"{pre}layer{i}.conv.weight"] = torch.randn(channels[i + 1], channels[i], 3, 3, generator=gen) * fan**-0.5
        p[f"{pre}layer{i}.norm.weight"] = torch.ones(channels[i + 1])
    matrix(pre + "input_proj_linear.weight", A_HIDDEN, 32 * channels[2])
    for i in range(A_LAYERS):
        pre = f"{AT}layers.{i}."
        for k in (1, 2):
            matrix(f"{pre}feed_forward{k}.ffw_layer_1.linear.weight", 4 * A_HIDDEN, A_HIDDEN)
            matrix(f"{pre}feed_forward{k}.ffw_layer_2.linear.weight", A_HIDDEN, 4 * A_HIDDEN)
            norm(f"{pre}feed_forward{k}.pre_layer_norm")
            norm(f"{pre}feed_forward{k}.post_layer_norm", 0.5)
        for n in ("q_proj.linear", "k_proj.linear", "v_proj.linear", "post.linear", "relative_k_proj"):
            matrix(f"{pre}self_attn.{n}.weight", A_HIDDEN, A_HIDDEN)
        p[pre + "self_attn.per_dim_scale"] = torch.zeros(A_DIM)
        matrix(pre + "lconv1d.linear_start.linear.weight", 2 * A_HIDDEN, A_HIDDEN)
        matrix(pre + "lconv1d.linear_end.linear.weight", A_HIDDEN, A_HIDDEN)
        p[pre + "lconv1d.depthwise_conv1d.weight"] = torch.randn(A_HIDDEN, 1, 5, generator=gen) * 5**-0.5
        for n in ("lconv1d.pre_layer_norm", "lconv1d.conv_norm", "norm_pre_attn", "norm_out"):
            norm(pre + n)
        norm(pre + "norm_post_attn", 0.3)
    matrix(AT + "output_proj.weight", AUDIO["output_proj_dims"], A_HIDDEN)
    p[AT + "output_proj.bias"] = torch.zeros(AUDIO["output_proj_dims"])
    matrix("model.embed_audio.embedding_projection.weight", HIDDEN, AUDIO["output_proj_dims"])
    return p


def position_start() -> Tensor:
    """A smooth start of the position table, so that rows never trained look like their neighbours."""
    rows = torch.arange(VISION["position_embedding_size"], dtype=torch.float32)[:, None]
    freq = 2.0 * math.pi / (6.0 * 400.0 ** (torch.arange(V_HIDDEN // 4) / (V_HIDDEN // 4 - 1)))
    wave = torch.cat([torch.sin(rows * freq), torch.cos(rows * freq)], 1) * (0.3 * 2**0.5)
    flat = torch.zeros_like(wave)
    return torch.stack([torch.cat([wave, flat], 1), torch.cat([flat, wave], 1)])


# ------------------------------------------------------------------------------------------ arithmetic --
def feed_forward(x: Tensor, w: Params, pre: str, tail: str) -> Tensor:
    both = linear(x, torch.cat([w[f"{pre}gate_proj{tail}"], w[f"{pre}up_proj{tail}"]]))
    return linear(gated(both), w[f"{pre}down_proj{tail}"])


def vision(w: Params, patches: Tensor, columns: int) -> Tensor:
    """Soft tokens of same-sized pictures: patches [B, N, 768] in 0..1 (row-major), N = rows * columns."""
    batch, count, _ = patches.shape
    rows = count // columns
    table = w[VT + "patch_embedder.position_embedding_table"]
    z = linear(2.0 * (patches - 0.5), w[VT + "patch_embedder.input_proj.weight"])
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
        q, k, v = heads(
            qkv, cos, sin, parts, w[pre + "self_attn.q_norm.weight"], w[pre + "self_attn.k_norm.weight"], None
        )
        a = attend(q, k, v, None).view(batch, V_HEADS, count, V_DIM).transpose(1, 2).reshape(batch, count, -1)
        z = rms(
            linear(a, w[pre + "self_attn.o_proj.linear.weight"]),
            w[pre + "post_attention_layernorm.weight"],
            z,
        )
        m = feed_forward(rms(z, w[pre + "pre_feedforward_layernorm.weight"]), w, pre + "mlp.", ".linear.weight")
        z = rms(m, w[pre + "post_feedforward_layernorm.weight"], z)
    u = z.view(batch, rows // 3, 3, columns // 3, 3, V_HIDDEN).mean((2, 4)).view(batch, -1, V_HIDDEN)
    u = rms(u * V_HIDDEN**0.5, None)
    return linear(u, w["model.embed_vision.embedding_projection.weight"])


def hearing(w: Params, mel: Tensor) -> Tensor:
    """Soft tokens of clips of one length: mel features [B, v, 128] to [B, ceil(v / 4), width of the text]."""
    pre = AT + "subsample_conv_projection."
    x = pad(mel, (1, 1, 1, 1)).unfold(1, 3, 2).unfold(2, 3, 2).flatten(3)  # [B, v / 2, 64, 9]
    x = linear(x, w[pre + "layer0.conv.weight"].flatten(1))
    x = relu(layer_norm(x, x.shape[-1:], w[pre + "layer0.norm.weight"], eps=1e-6))
    x = conv2d(x.permute(0, 3, 1, 2), w[pre + "layer1.conv.weight"], stride=2, padding=1).permute(0, 2, 3, 1)
    x = relu(layer_norm(x, x.shape[-1:], w[pre + "layer1.norm.weight"], eps=1e-6)).flatten(2)
    x = linear(x, w[pre + "input_proj_linear.weight"])
    count = x.shape[1]
    apart = torch.arange(count)[:, None] - torch.arange(count)[None]  # how far key j lies behind query i
    unseen = (apart < 0) | (apart >= A_WINDOW)
    apart = apart.clamp(0, A_WINDOW)
    freq = 10000.0 ** (-torch.arange(A_HIDDEN // 2) / (A_HIDDEN // 2 - 1))
    far = torch.arange(A_WINDOW + 1)[:, None] * freq
    far = torch.cat([far.sin(), far.cos()], 1)
    for i in range(A_LAYERS):
        pre = f"{AT}layers.{i}."
        x = half_step(w, x, pre + "feed_forward1.")
        h = rms(x, w[pre + "norm_pre_attn.weight"])
        qkv = linear(h, torch.cat([w[f"{pre}self_attn.{n}_proj.linear.weight"] for n in "qkv"]))
        q, k, v = qkv.view(-1, count, 3, A_HEADS, A_DIM).permute(2, 0, 3, 1, 4)  # [B, heads, count, width]
        q = q * (A_DIM**-0.5 / math.log(2.0) * softplus(w[pre + "self_attn.per_dim_scale"]))
        k = k * (math.log(1.0 + math.e) / math.log(2.0))
        r = linear(far, w[pre + "self_attn.relative_k_proj.weight"]).view(-1, A_HEADS, A_DIM).permute(1, 2, 0)
        near = (q @ r).gather(3, apart.expand(*q.shape[:2], -1, -1))
        score = 50.0 * torch.tanh((q @ k.transpose(2, 3) + near) / 50.0)
        a = (score.masked_fill(unseen, -1e9).softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = rms(linear(a, w[pre + "self_attn.post.linear.weight"]), w[pre + "norm_post_attn.weight"], x)
        h = rms(x, w[pre + "lconv1d.pre_layer_norm.weight"])
        h = glu(linear(h, w[pre + "lconv1d.linear_start.linear.weight"]))
        h = conv1d(pad(h.transpose(1, 2), (4, 0)), w[pre + "lconv1d.depthwise_conv1d.weight"], groups=A_HIDDEN)
        h = silu(rms(h.transpose(1, 2), w[pre + "lconv1d.conv_norm.weight"]))
        x = x + linear(h, w[pre + "lconv1d.linear_end.linear.weight"])
        x = rms(half_step(w, x, pre + "feed_forward2."), w[pre + "norm_out.weight"])
    x = rms(linear(x, w[AT + "output_proj.weight"], w[AT + "output_proj.bias"]), None)
    return linear(x, w["model.embed_audio.embedding_projection.weight"])


def half_step(w: Params, x: Tensor, pre: str) -> Tensor:
    """Half a feed-forward step of a conformer layer."""
    h = silu(linear(rms(x, w[pre + "pre_layer_norm.weight"]), w[pre + "ffw_layer_1.linear.weight"]))
    return rms(linear(h, w[pre + "ffw_layer_2.linear.weight"]), 0.5 * w[pre + "post_layer_norm.weight"], x)


@dataclass
class Batch:
    """Conversations of one plan. `ask`: places that predict answers."""

    ids: Tensor  # [B, T], right-padded
    ask: Tensor  # [B, A]
    labels: Tensor  # [B, A], -100 = none
    pictures: list[tuple[Tensor, Tensor, int]]  # patches [B, N, 768] uint8, soft tokens' places [B, n], patch columns
    clips: list[tuple[Tensor, Tensor]]  # mel frames [B, v, 128], soft tokens' places [B, n]
    still: bool = False  # the vision tower is not trained


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
        add = torch.zeros(m.shape).masked_fill_(m, -1e30)
        out[name] = add[:, None].expand(-1, HEADS, -1, -1).reshape(m.shape[0], -1, length).expand(batch, -1, -1)
    return out


def logits(w: Params, b: Batch) -> Tensor:
    """Logits at the asked places, [B, A, vocabulary], float32."""
    batch, length = b.ids.shape
    e = embedding(b.ids, w[LM + "embed_tokens.weight"]) * HIDDEN**0.5
    ids = b.ids
    for patches, where, columns in b.pictures:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not b.still):
            soft = vision(w, patches.float() / 255.0, columns)
        e = e.scatter(1, where[..., None].expand(-1, -1, HIDDEN), soft.to(e.dtype))
        ids = ids.scatter(1, where, PAD)
    for mel, where in b.clips:
        e = e.scatter(1, where[..., None].expand(-1, -1, HIDDEN), hearing(w, mel).to(e.dtype))
        ids = ids.scatter(1, where, PAD)
    ctx = rms(
        (linear(e, w[LM + "per_layer_model_projection.weight"]) * HIDDEN**-0.5).view(batch, length, LAYERS, PLE),
        w[LM + "per_layer_projection_norm.weight"],
    )
    tok = embedding(ids, w[LM + "embed_tokens_per_layer.weight"]) * PLE**0.5
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
            stored[kind] = heads(
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
        (q,) = heads(
            linear(h, w[pre + "self_attn.q_proj.weight"]),
            *turn[kind],
            ((0, HEADS, d, d // 2),),
            w[pre + "self_attn.q_norm.weight"],
        )
        a = attend(q.view(batch, HEADS * m, d), *stored[kind], mask[kind])
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
    y = linear(x, w[LM + "embed_tokens.weight"])
    return 30.0 * torch.tanh(y / 30.0)
