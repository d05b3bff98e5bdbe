"""Fused steps for training on a CPU core, compiled from kernels.cpp with g++ at first use; plain ones elsewhere.

The functions at the end choose by where their tensors lie. Not run by itself.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu, scaled_dot_product_attention


@functools.cache
def library() -> ctypes.CDLL:
    source = Path(__file__).with_name("kernels.cpp")
    tag = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    built = Path(tempfile.gettempdir()) / f"sample-kernels-{tag}.so"
    if not built.exists():
        subprocess.run(
            [
                "g++",
                "-O3",
                "-march=native",
                "-mprefer-vector-width=512",
                "-ffast-math",
                "-shared",
                "-fPIC",
                str(source),
                "-o",
                str(built) + ".new",
                "-lmvec",
                "-lm",
            ],
            check=True,
        )
        Path(str(built) + ".new").replace(built)
    return ctypes.CDLL(str(built))


def _p(t: Tensor | None) -> ctypes.c_void_p:
    if t is None:
        return ctypes.c_void_p(0)
    if not t.is_contiguous():
        raise ValueError("kernels take contiguous tensors")
    return ctypes.c_void_p(t.data_ptr())


def _n(n: int) -> ctypes.c_int64:
    return ctypes.c_int64(n)


class Rms(torch.autograd.Function):
    """res + rms(x) * w."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor | None, res: Tensor | None) -> Tensor:
        x = x.contiguous()
        res = None if res is None else res.contiguous()
        out, d = torch.empty_like(x), x.shape[-1]
        library().rms_forward(_p(x), _p(w), _p(res), _p(out), _n(x.numel() // d), d)
        ctx.save_for_backward(x, w)
        ctx.has_res = res is not None
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, w = ctx.saved_tensors
        g, d = g.contiguous(), x.shape[-1]
        gx = torch.empty_like(x)
        gw = None if w is None else torch.zeros_like(w)
        library().rms_backward(_p(g), _p(x), _p(w), _p(gx), _p(gw), _n(x.numel() // d), d)
        return gx, gw, g if ctx.has_res else None


class Heads(torch.autograd.Function):
    """Several heads' rms norm and rotation out of one projection [B, N, columns], each to [B * H, N, d].

    `parts` lists (first column, heads, width, half block or 0 for no rotation); `weights` are norm weights.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        parts: tuple[tuple[int, int, int, int], ...],
        *weights: Tensor | None,
    ) -> tuple[Tensor, ...]:
        x = x.contiguous()
        b, n, stride = x.shape
        own = int(cos.dim() == 3)
        outs = []
        for (first, h, d, half), w in zip(parts, weights, strict=True):
            out = x.new_empty(b * h, n, d)
            turn = half > 0
            library().heads_forward(
                _p(x),
                _p(w),
                _p(cos if turn else None),
                _p(sin if turn else None),
                _p(out),
                _n(b),
                _n(n),
                h,
                d,
                _n(stride),
                _n(first),
                half,
                own,
            )
            outs.append(out)
        ctx.save_for_backward(x, cos, sin, *weights)
        ctx.parts = parts
        return tuple(outs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        x, cos, sin, *weights = ctx.saved_tensors
        b, n, stride = x.shape
        own = int(cos.dim() == 3)
        gx = torch.empty_like(x)
        gws: list[Tensor | None] = []
        for (first, h, d, half), w, grad in zip(ctx.parts, weights, grads, strict=True):
            g = grad.contiguous()
            gw = None if w is None else torch.zeros_like(w)
            turn = half > 0
            library().heads_backward(
                _p(g),
                _p(x),
                _p(w),
                _p(cos if turn else None),
                _p(sin if turn else None),
                _p(gx),
                _p(gw),
                _n(b),
                _n(n),
                h,
                d,
                _n(stride),
                _n(first),
                half,
                own,
            )
            gws.append(gw)
        return gx, None, None, None, *gws


class Gated(torch.autograd.Function):
    """gelu_tanh(gate) * up of a projection [..., 2d] that holds gate and up side by side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        d = x.shape[-1] // 2
        out = x.new_empty(*x.shape[:-1], d)
        library().gated_forward(_p(x), _p(out), _n(out.numel() // d), d)
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        g, gx, d = g.contiguous(), torch.empty_like(x), x.shape[-1] // 2
        library().gated_backward(_p(g), _p(x), _p(gx), _n(g.numel() // d), d)
        return gx


class Attend(torch.autograd.Function):
    """softmax(q kT + mask) v on stacks: q [B, M, D], k and v [B, T, D], additive mask [B, M, T] or None.

    Done a few heads at a time, so that their scores stay in the processor's cache.
    """

    @staticmethod
    def _chunks(q: Tensor, k: Tensor) -> list[slice]:
        size = max(1, 3_000_000 // (q.shape[1] * k.shape[1]))
        return [slice(i, i + size) for i in range(0, q.shape[0], size)]

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        p = q.new_empty(q.shape[0], q.shape[1], k.shape[1])
        out = q.new_empty(q.shape[0], q.shape[1], v.shape[2])
        for c in Attend._chunks(q, k):
            if mask is None:
                torch.bmm(q[c], k[c].transpose(1, 2), out=p[c])
            else:
                torch.baddbmm(mask[c], q[c], k[c].transpose(1, 2), out=p[c])
            library().softmax_forward(_p(p[c]), _n(p[c].shape[0] * p.shape[1]), _n(p.shape[2]))
            torch.bmm(p[c], v[c], out=out[c])
        ctx.save_for_backward(q, k, v, p)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        q, k, v, p = ctx.saved_tensors
        g = g.contiguous()
        dq, dk, dv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        for c in Attend._chunks(q, k):
            torch.bmm(p[c].transpose(1, 2), g[c], out=dv[c])
            ds = torch.bmm(g[c], v[c].transpose(1, 2))
            library().softmax_backward(_p(p[c]), _p(ds), _n(ds.shape[0] * ds.shape[1]), _n(ds.shape[2]))
            torch.bmm(ds, k[c], out=dq[c])
            torch.bmm(ds.transpose(1, 2), q[c], out=dk[c])
        return dq, dk, dv, None


# ------------------------------------------------------------------------------------------- the choice --
Parts = tuple[tuple[int, int, int, int], ...]


def rms(x: Tensor, w: Tensor | None, add_to: Tensor | None = None) -> Tensor:
    """add_to + rms(x) * w; both may be missing."""
    return Rms.apply(x, w, add_to) if x.is_cpu else plain_rms(x, w, add_to)


def heads(x: Tensor, cos: Tensor, sin: Tensor, parts: Parts, *weights: Tensor | None) -> tuple[Tensor, ...]:
    """Heads out of one projection, normed and rotated (see Heads)."""
    return Heads.apply(x, cos, sin, parts, *weights) if x.is_cpu else plain_heads(x, cos, sin, parts, *weights)


def gated(x: Tensor) -> Tensor:
    """gelu_tanh(gate) * up."""
    return Gated.apply(x) if x.is_cpu else plain_gated(x)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(q kT + mask) v."""
    return Attend.apply(q, k, v, mask) if q.is_cpu else plain_attend(q, k, v, mask)


def plain_rms(x: Tensor, w: Tensor | None, add_to: Tensor | None) -> Tensor:
    x = x.float()
    y = x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
    y = y if w is None else y * w
    return y if add_to is None else add_to + y


def plain_heads(x: Tensor, cos: Tensor, sin: Tensor, parts: Parts, *weights: Tensor | None) -> tuple[Tensor, ...]:
    outs = []
    for (first, h, d, half), w in zip(parts, weights, strict=True):
        y = plain_rms(x[..., first : first + h * d].unflatten(-1, (h, d)), w, None)  # [B, N, H, d]
        if half:
            a, z = y.unflatten(-1, (-1, 2, half)).unbind(-2)
            c, s = (t.unflatten(-1, (-1, half)).unsqueeze(-3) for t in (cos, sin))
            y = torch.stack([a * c - z * s, z * c + a * s], -2).flatten(-3)
        outs.append(y.transpose(1, 2).flatten(0, 1))
    return tuple(outs)


def plain_gated(x: Tensor) -> Tensor:
    gate, up = x.chunk(2, -1)
    return gelu(gate, approximate="tanh") * up


def plain_attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    mask = None if mask is None else mask.to(q.dtype)
    return scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0)
