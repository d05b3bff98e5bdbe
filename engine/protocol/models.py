"""Models as one chooses them: what a machine gives, what a checkpoint needs, which ones there are. Bytes throughout.

Nothing here reads a file or knows MLX: `engine.checkpoint.catalog` lists what can be downloaded, `found` what is on the
disk, and `fit` says from `Shapes` and `Machine` whether it will run.
"""

from typing import Literal

import msgspec

from engine.protocol.errors import EngineError
from engine.protocol.messages import DEFAULT_BUDGET

__all__ = [
    "AudioShape", "CatalogModel", "Fit", "FitVerdict", "FoundModel", "LayerShape", "Lever", "Machine",
    "NotEnoughMemory", "Place", "Shapes", "Use", "VisionShape", "Weights",
]  # fmt: skip


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all values here."""


class Machine(_Value, frozen=True):
    """What the engine runs on; it says so when it starts."""

    chip: str
    """e.g. "Apple M4 Pro"; the processor's name elsewhere."""
    memory_bytes: int
    working_set_bytes: int
    """What a model and its work may keep resident: Metal's recommended size, else a share of the memory."""
    system: str
    """e.g. "macOS 15.2"."""
    has_gpu: bool
    """Whether the engine computes on it, in bfloat16; without one it computes in float32 and is far slower."""
    advice: str = ""
    """What another build of Cabochon would do better on it."""


class Weights(_Value, frozen=True):
    """Weights of one part of a model."""

    packed_bytes: int = 0
    """Quantized values, which stay as they are stored."""
    num_floats: int = 0
    """Plain values, scales and biases, which take the type that the machine computes in."""


class LayerShape(_Value, frozen=True):
    """Decoder layers that are alike."""

    count: int
    is_sliding: bool
    owns_kv: bool
    """Whether it keeps keys and values; one that does not reads those of an earlier layer."""
    head_dim: int
    num_key_value_heads: int
    intermediate_size: int


class VisionShape(_Value, frozen=True):
    """The vision tower. The 12B has none: it projects patches as they are, and has no inner width."""

    hidden_size: int
    intermediate_size: int
    """0 without a tower."""
    num_attention_heads: int
    head_dim: int
    patches_per_token: int
    """Patches that one soft token stands for."""
    patch_values: int
    """Numbers that one patch is made of."""


class AudioShape(_Value, frozen=True):
    """The audio tower; a hidden size of 0 for the 12B, which has none."""

    hidden_size: int
    num_attention_heads: int
    attention_window: int
    channels: tuple[int, int]
    """Of the two convolutions that shorten a clip."""


class Shapes(_Value, frozen=True):
    """What of a checkpoint decides the memory it needs."""

    hidden_size: int
    vocab_size: int
    num_attention_heads: int
    sliding_window: int
    context_length: int
    """The most positions that the model was made for."""
    per_layer_width: int
    """Of one layer's per-layer embedding; 0 without."""
    layers: tuple[LayerShape, ...]
    """In the order in which the kinds first appear."""
    text: Weights
    table: Weights = Weights()
    """What of `text` need not be in memory: the per-layer table, whose rows can be read from the file."""
    seeing: Weights = Weights()
    hearing: Weights = Weights()
    """Of the towers, which are read when they are first needed."""
    vision: VisionShape | None = None
    audio: AudioShape | None = None
    experts_per_token: int = 0
    expert_width: int = 0

    @property
    def modalities(self) -> tuple[str, ...]:
        """What it takes: "text", "picture", "video", "sound"."""
        sees = ("picture", "video") if self.vision is not None else ()
        return ("text", *sees, *(("sound",) if self.audio is not None else ()))


class Use(_Value, frozen=True):
    """What somebody wants to do with a model."""

    context: int = 8192
    """Positions of a conversation: what is asked and what is answered."""
    budget: int = DEFAULT_BUDGET
    """Soft tokens of its largest picture; 0 for none."""
    hears: bool = False
    """Whether a sound of 30 seconds is among it."""
    rows: int = 1
    """Answers that are written at once."""


class Lever(_Value, frozen=True):
    """One thing less to ask for, and what that saves: the use that it leads to."""

    words: str
    """e.g. "8K instead of 32K saves 1.1 GB"."""
    saved_bytes: int
    is_enough: bool
    """Whether it alone makes it fit."""
    use: Use
    """What to ask for instead."""
    less_of: Literal["context", "budget", "rows"] = "context"
    """Which of it is less."""


FitVerdict = Literal["fits", "tight", "too_big"]
"""It fits with room for other programs; it fits, and other programs will feel it; it must not be tried."""


class Fit(_Value, frozen=True):
    """What a use of a model needs at its peak, and whether a machine gives it."""

    verdict: FitVerdict
    weights_bytes: int
    context_bytes: int
    """Keys and values at the full context, and the places to return to."""
    media_bytes: int
    """Towers that are used, and soft tokens."""
    work_bytes: int
    """The largest of what is needed for a moment: a chunk of the prompt, a layer of a tower, the logits."""
    available_bytes: int
    """The machine's working set."""
    levers: tuple[Lever, ...] = ()
    """What would help, the most comfortable first; none where it fits."""

    @property
    def needed_bytes(self) -> int:
        """All of it together."""
        return self.weights_bytes + self.context_bytes + self.media_bytes + self.work_bytes


class CatalogModel(_Value, frozen=True):
    """A repository that can be downloaded and that this engine reads."""

    repository: str
    """e.g. "mlx-community/gemma-4-e2b-it-4bit"."""
    size: str
    """The family member: "E2B", "E4B", "12B", "26B-A4B", "31B"."""
    form: str
    """Of the weights: "4-bit", "QAT 4-bit", "bfloat16" …"""
    download_bytes: int
    """An estimate until the hub was asked: repositories are uploaded again."""
    shapes: Shapes
    good_for: str
    """One sentence."""
    licence: str = "Apache-2.0"
    drafter: str = ""
    """The repository of the drafter that makes it faster where it lies beside it; it is downloaded by itself."""
    drafter_bytes: int = 0
    """An estimate as well."""


Place = Literal["hugging_face", "lm_studio", "jan", "osaurus", "omlx", "folder"]
"""Whose folder a model was found in; "folder" is one that the person added."""


class FoundModel(_Value, frozen=True):
    """A model folder or file on the disk, used where it is."""

    path: str
    place: Place
    name: str
    """On one line, without control characters."""
    repository: str = ""
    """As far as the folder's name tells it: "org/name"."""
    size: str = ""
    """e.g. "E2B", or "custom" for shapes that were never released; empty for what cannot be used."""
    form: str = ""
    """e.g. "bfloat16" or "4-bit affine, group 64"."""
    size_bytes: int = 0
    """On the disk."""
    shapes: Shapes | None = None
    """None for what cannot be used."""
    refusal: str = ""
    """Why it cannot be used, in one sentence; empty where it can."""
    is_model: bool = False
    """Whether it holds the configuration of a model, of whatever family; nothing else is moved or removed."""


class NotEnoughMemory(EngineError):
    """A model, or what it is asked, needs more memory than the machine gives; `levers` say what would help."""

    def __init__(self, message: str, levers: tuple[Lever, ...] = ()) -> None:
        super().__init__(message)
        self.levers = levers
