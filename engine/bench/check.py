"""`cabochon check`: does a model compute here what it should?

Our decode steps are compared with our own pass over the same tokens, and both with what peers make of them. Each engine
computes in a process of its own, since two large models need not fit. Run as
`python -m engine.bench.check ENGINE MODEL FILE`, where FILE holds what is to be computed and takes the result.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import mlx.core as mx
import numpy as np

from engine.checkpoint.sample import sample_checkpoint
from engine.engine import Engine
from engine.prompt.prompt import Prompt, SoundInput
from engine.protocol.errors import EngineError, shortened
from engine.protocol.messages import Message, Picture, Sound, user
from engine.tasks.selftest import draw_line

__all__ = ["LAST", "NEW_TOKENS", "PEERS", "CheckFailed", "CheckReport", "Likeness", "check_model"]

QUESTION = "Name the four seasons, and say in one sentence what each is like."
LINE = "HELLO 2026"
SENSES = ("picture", "sound")
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
    features: dict[str, float]
    """Largest difference of the soft tokens of a picture and of a sound, as a share of the largest; where both make."""
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
    senses = _senses(engine)
    ours = replace(ours, features={sense.name: sense.features for sense in senses})
    said = {sense.name: sense.said for sense in senses}
    del engine
    mx.clear_cache()
    inputs = {name: array for sense in senses for name, array in sense.inputs.items()}
    inputs["ids"] = np.array(prompt.token_ids)
    beside = {name: _likeness(ours, _apart(name, model, inputs), name) for name in against}
    return CheckReport(answer, shortfall, said.get("picture", ""), said.get("sound", ""), beside)


@dataclass(frozen=True)
class _Computed:
    logits: np.ndarray
    """Float32 [LAST, V]."""
    tokens: list[int]
    features: dict[str, np.ndarray] = field(default_factory=dict)
    """Soft tokens, float32 [n, hidden], of "picture" and "sound"."""


def _of_engine(engine: Engine, prompt: Prompt) -> _Computed:
    return _Computed(np.array(engine.logits(prompt)[-LAST:]), engine.greedy(prompt, NEW_TOKENS))


def _shortfall(engine: Engine, prompt: Prompt, tokens: Sequence[int]) -> float:
    whole = np.array(engine.logits(Prompt((*prompt.token_ids, *tokens[:-1])))[-len(tokens) :])
    chosen = whole[np.arange(len(tokens)), list(tokens)]
    return float((whole.max(axis=1) - chosen).max() / np.abs(whole).max())


@dataclass(frozen=True)
class _Sense:
    name: str
    """As among a model's modalities."""
    said: str
    """What the model answers to a picture or a sound."""
    inputs: dict[str, np.ndarray]
    """What was encoded, as a peer takes it too."""
    features: np.ndarray
    """What it became, float32 [n, hidden]."""


def _senses(engine: Engine) -> list[_Sense]:
    with tempfile.TemporaryDirectory(prefix="cabochon-") as folder:
        drawn = Path(folder) / "line.png"
        draw_line(LINE).save(drawn)
        clip = sample_checkpoint() / "heldout" / "clip-0.wav"
        asked = (user("What does it say?", Picture(str(drawn))), user("What do you hear?", Sound(str(clip))))
        senses = zip(SENSES, asked, strict=True)
        return [_sense(engine, name, message) for name, message in senses if name in engine.info.modalities]


def _sense(engine: Engine, name: str, message: Message) -> _Sense:
    prompt = engine.prepare([message])
    media = prompt.spans[0].media
    if isinstance(media, SoundInput):
        assert media.frames is not None
        inputs = {"frames": media.frames}
    else:
        assert media.image is not None
        inputs = {"patches": media.image.patches, "positions": media.image.positions}
    said = engine.parse(engine.greedy(prompt, NEW_TOKENS)).text
    return _Sense(name, said, inputs, np.array(engine.features(prompt)[0].astype(mx.float32)))


def _likeness(ours: _Computed, theirs: _Computed, name: str) -> Likeness:
    same = [a == b for a, b in zip(ours.tokens, theirs.tokens, strict=True)]
    both = [sense for sense in ours.features if sense in theirs.features]
    return Likeness(
        largest_difference=_difference(ours.logits, theirs.logits),
        same_first=int((ours.logits.argmax(axis=1) == theirs.logits.argmax(axis=1)).sum()),
        same_tokens=same.index(False) if False in same else len(same),
        features={sense: _difference(ours.features[sense], theirs.features[sense]) for sense in both},
        known_fault=KNOWN_FAULTS[name],
    )


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest, as a share of the largest value; infinite where a peer makes more or fewer rows."""
    return float(np.abs(ours - theirs).max() / np.abs(ours).max()) if ours.shape == theirs.shape else math.inf


def _apart(name: str, model: Path, inputs: dict[str, np.ndarray]) -> _Computed:
    if getattr(sys, "frozen", False):
        raise CheckFailed("Other engines can be asked from a source checkout only.")
    with tempfile.TemporaryDirectory(prefix="cabochon-") as folder:
        file = Path(folder) / "computed.npz"
        np.savez(file, allow_pickle=False, **inputs)
        command = [sys.executable, "-m", "engine.bench.check", name, str(model), str(file)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            reason = run.stderr.strip().splitlines()[-1:] or [f"exit status {run.returncode}"]
            raise CheckFailed(f"{name} could not compute it: {shortened(reason[0])}")
        with np.load(file) as computed:
            features = {sense: computed[sense] for sense in SENSES if sense in computed}
            return _Computed(computed["logits"], computed["tokens"].tolist(), features)


@dataclass(frozen=True)
class _Peer:
    """Another engine with the model in it."""

    logits: Callable[[list[int]], mx.array]
    """Of token ids [L], float32 [L, V]."""
    see: Callable[[mx.array, mx.array], mx.array] | None = None
    """Patches [1, N, values] and positions [1, N, 2] to soft tokens."""
    hear: Callable[[mx.array], mx.array] | None = None
    """Frames [1, T, values] to soft tokens."""


def _ask_peer(name: str, model: Path, inputs: Mapping[str, np.ndarray]) -> _Computed:
    """Its logits of the prompt, its most likely tokens, each from a pass over all before, and its soft tokens."""
    peer = PEERS[name](model)
    token_ids = inputs["ids"].tolist()
    features = {}
    if peer.see is not None and "patches" in inputs:
        features["picture"] = _rows(peer.see(mx.array(inputs["patches"])[None], mx.array(inputs["positions"])[None]))
    if peer.hear is not None and "frames" in inputs:
        features["sound"] = _rows(peer.hear(mx.array(inputs["frames"])[None]))
    computed = np.array(peer.logits(token_ids)[-LAST:])
    return _Computed(computed, list(_most_likely(peer.logits, token_ids)), features)


def _rows(features: mx.array) -> np.ndarray:
    return np.array(features.reshape(-1, features.shape[-1]).astype(mx.float32))


def _most_likely(logits: Callable[[list[int]], mx.array], token_ids: list[int]) -> Iterator[int]:
    ids = list(token_ids)
    for _ in range(NEW_TOKENS):
        ids.append(int(mx.argmax(logits(ids)[-1]).item().real))
        yield ids[-1]


def _load_mlx_lm(model: Path) -> _Peer:
    from mlx_lm.utils import load_model

    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    network = load_model(model, model_config={"vocab_size": config["text_config"]["vocab_size"]})[0]
    return _Peer(lambda ids: network(mx.array([ids]))[0].astype(mx.float32))


def _load_mlx_vlm(model: Path) -> _Peer:
    from mlx_vlm.utils import load_model

    network = load_model(model)

    def hear(frames: mx.array) -> mx.array:
        if hasattr(network, "get_audio_features"):  # the 12B, which has no tower
            return network.get_audio_features(frames)
        return network.embed_audio(network.audio_tower(frames, mx.zeros(frames.shape[:2], dtype=mx.bool_))[0])

    return _Peer(
        lambda ids: network.language_model(mx.array([ids])).logits[0].astype(mx.float32),
        network.encode_image,
        hear,
    )


PEERS: dict[str, Callable[[Path], _Peer]] = {"mlx-lm": _load_mlx_lm, "mlx-vlm": _load_mlx_vlm}


if __name__ == "__main__":
    peer, checkpoint, place = sys.argv[1:]
    with np.load(place) as given:
        asked = dict(given)
    result = _ask_peer(peer, Path(checkpoint), asked)
    np.savez(place, allow_pickle=False, logits=result.logits, tokens=np.array(result.tokens), **result.features)
