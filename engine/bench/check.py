"""`cabochon check`: does a model compute here what it should?

Our decode steps are compared with our own pass over the same tokens, and both with what peers make of them. Each engine
computes in a process of its own, since two large models need not fit. Run as
`python -m engine.bench.check ENGINE MODEL FILE`, where FILE holds token ids and takes the result.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import mlx.core as mx
import numpy as np

from engine.checkpoint.sample import sample_checkpoint
from engine.engine import Engine
from engine.prompt.prompt import Prompt
from engine.protocol.errors import EngineError, shortened
from engine.protocol.messages import Message, Picture, Sound, user
from engine.tasks.selftest import draw_line

__all__ = ["LAST", "NEW_TOKENS", "PEERS", "CheckFailed", "CheckReport", "Likeness", "check_model"]

QUESTION = "Name the four seasons, and say in one sentence what each is like."
LINE = "HELLO 2026"
NEW_TOKENS = 24
LAST = 16
"""Positions of the prompt whose logits are compared."""

MOST = 0.05
"""Difference of logits, as a share of the largest one, that rounding to bfloat16 may make in sixty layers."""

KNOWN_FAULTS = {
    "mlx-lm": "it does not read suppress_tokens, so the 12B may write tokens of media",
    "mlx-vlm": "it sees pictures whole on all layers, and drops them in prompts that it reads in pieces",
}


class CheckFailed(EngineError):
    """A model does not compute what it should, or a peer could not be asked."""


@dataclass(frozen=True)
class Likeness:
    """How near a peer is to us."""

    largest_difference: float
    """Of logits, as a share of the largest one."""
    same_first: int
    """Positions, of `LAST`, at which both find the same token likeliest."""
    same_tokens: int
    """Tokens of the most likely answer, of `NEW_TOKENS`, until they part."""
    known_fault: str


@dataclass(frozen=True)
class CheckReport:
    """What a model computes."""

    answer: str
    shortfall: float
    """How far below the likeliest token a decode step's choice lies in a pass over the whole answer, as a share."""
    read: str
    """A line of print, as it was read; empty for a model that does not see."""
    heard: str
    """Spoken digits, as they were heard; empty for a model that does not hear."""
    beside: dict[str, Likeness]


def check_model(model: Path, against: Sequence[str] = ()) -> CheckReport:
    """Raises EngineError when something cannot be right."""
    unknown = [name for name in against if name not in PEERS]
    if unknown:
        raise CheckFailed(f"There is no adapter for {unknown[0]!r}; choose from {', '.join(PEERS)}.")
    missing = [name for name in against if find_spec(name.replace("-", "_")) is None]
    if missing:
        raise CheckFailed(f"{missing[0]} is not installed. It comes with the extra: pip install 'cabochon[compare]'.")
    engine = Engine.load(model)
    prompt = engine.prepare([user(QUESTION)])
    ours = _of_engine(engine, prompt)
    if not np.isfinite(ours.logits).all():
        raise CheckFailed("The model's logits are no numbers. Run cabochon selftest --kernels, or download it again.")
    shortfall = _shortfall(engine, prompt, ours.tokens)
    if shortfall > MOST:
        raise CheckFailed(
            f"Decoding chooses tokens that lie {shortfall:.2f} below the likeliest of a pass over the whole answer. "
            "Run cabochon selftest --kernels."
        )
    answer = engine.parse(ours.tokens).text
    read, heard = _senses(engine)
    del engine
    mx.clear_cache()
    beside = {name: _likeness(ours, _apart(name, model, prompt.token_ids), name) for name in against}
    return CheckReport(answer, shortfall, read, heard, beside)


@dataclass(frozen=True)
class _Computed:
    logits: np.ndarray
    """Float32 [LAST, V]."""
    tokens: list[int]


def _of_engine(engine: Engine, prompt: Prompt) -> _Computed:
    return _Computed(np.array(engine.logits(prompt)[-LAST:]), engine.greedy(prompt, NEW_TOKENS))


def _shortfall(engine: Engine, prompt: Prompt, tokens: Sequence[int]) -> float:
    whole = np.array(engine.logits(Prompt((*prompt.token_ids, *tokens[:-1])))[-len(tokens) :])
    chosen = whole[np.arange(len(tokens)), list(tokens)]
    return float((whole.max(axis=1) - chosen).max() / np.abs(whole).max())


def _senses(engine: Engine) -> tuple[str, str]:
    def say(message: Message) -> str:
        return engine.parse(engine.greedy(engine.prepare([message]), NEW_TOKENS)).text

    read = heard = ""
    if "picture" in engine.info.modalities:
        with tempfile.TemporaryDirectory(prefix="cabochon-") as folder:
            draw_line(LINE).save(Path(folder) / "line.png")
            read = say(user("What does it say?", Picture(str(Path(folder) / "line.png"))))
    if "sound" in engine.info.modalities:
        heard = say(user("What do you hear?", Sound(str(sample_checkpoint() / "heldout" / "clip-0.wav"))))
    return read, heard


def _likeness(ours: _Computed, theirs: _Computed, name: str) -> Likeness:
    same = [a == b for a, b in zip(ours.tokens, theirs.tokens, strict=True)]
    return Likeness(
        largest_difference=float(np.abs(ours.logits - theirs.logits).max() / np.abs(ours.logits).max()),
        same_first=int((ours.logits.argmax(axis=1) == theirs.logits.argmax(axis=1)).sum()),
        same_tokens=same.index(False) if False in same else len(same),
        known_fault=KNOWN_FAULTS[name],
    )


def _apart(name: str, model: Path, token_ids: Sequence[int]) -> _Computed:
    if getattr(sys, "frozen", False):
        raise CheckFailed("Other engines can be asked from a source checkout only.")
    with tempfile.TemporaryDirectory(prefix="cabochon-") as folder:
        file = Path(folder) / "computed.npz"
        np.savez(file, ids=np.array(token_ids))
        command = [sys.executable, "-m", "engine.bench.check", name, str(model), str(file)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            reason = run.stderr.strip().splitlines()[-1:] or [f"exit status {run.returncode}"]
            raise CheckFailed(f"{name} could not compute it: {shortened(reason[0])}")
        with np.load(file) as computed:
            return _Computed(computed["logits"], computed["tokens"].tolist())


def _ask_peer(name: str, model: Path, token_ids: list[int]) -> _Computed:
    """Its logits of the prompt, and its most likely tokens, each from a pass over all before."""
    logits = PEERS[name](model)
    computed = np.array(logits(token_ids)[-LAST:])
    return _Computed(computed, list(_most_likely(logits, token_ids)))


def _most_likely(logits: Callable[[list[int]], mx.array], token_ids: list[int]) -> Iterator[int]:
    ids = list(token_ids)
    for _ in range(NEW_TOKENS):
        ids.append(int(mx.argmax(logits(ids)[-1]).item().real))
        yield ids[-1]


def _load_mlx_lm(model: Path) -> Callable[[list[int]], mx.array]:
    from mlx_lm.utils import load_model

    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    network = load_model(model, model_config={"vocab_size": config["text_config"]["vocab_size"]})[0]
    return lambda ids: network(mx.array([ids]))[0].astype(mx.float32)


def _load_mlx_vlm(model: Path) -> Callable[[list[int]], mx.array]:
    from mlx_vlm.utils import load_model

    network = load_model(model).language_model
    return lambda ids: network(mx.array([ids])).logits[0].astype(mx.float32)


PEERS: dict[str, Callable[[Path], Callable[[list[int]], mx.array]]] = {"mlx-lm": _load_mlx_lm, "mlx-vlm": _load_mlx_vlm}


if __name__ == "__main__":
    peer, checkpoint, place = sys.argv[1:]
    with np.load(place) as given:
        asked = given["ids"].tolist()
    result = _ask_peer(peer, Path(checkpoint), asked)
    np.savez(place, logits=result.logits, tokens=np.array(result.tokens))
