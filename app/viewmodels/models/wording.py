"""How the window says what a model costs, needs and can."""

from engine import Fit, Lever, Machine, Shapes

__all__ = ["fit_line", "lever_words", "machine_line", "senses_line", "size_in_words", "time_in_words", "title_of"]

USUAL_BYTES_PER_SECOND = 100_000_000 / 8
"""Of a line of 100 Mbit/s, as long as none was measured."""

_PICTURES, _SOUNDS = "reads pictures and video", "hears sound"


def size_in_words(num_bytes: int) -> str:
    """As Finder writes sizes: "5.2 GB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if num_bytes >= size:
            return f"{num_bytes / size:.{1 if unit == 'GB' else 0}f} {unit}"
    return f"{num_bytes:,} bytes"


def time_in_words(seconds: float) -> str:
    """About how long something takes: "about 4 minutes"."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    hours = round(seconds / 3600)
    return f"about {hours} hour{'s' * (hours != 1)}"


def machine_line(machine: Machine) -> str:
    """What the engine runs on: "Apple M2 · 16 GB memory · macOS 15.2"."""
    line = f"{machine.chip} · {machine.memory_bytes / 2**30:.0f} GB memory · {machine.system}"
    return line if machine.has_gpu else f"{line} · no usable GPU, so models answer slowly"


def fit_line(fit: Fit) -> str:
    """Whether a model fits, and what that rests on."""
    needed, given = size_in_words(fit.needed_bytes), size_in_words(fit.available_bytes)
    match fit.verdict:
        case "fits":
            return f"Fits: needs {needed} of the {given} that this Mac gives"
        case "tight":
            return f"Tight: needs {needed} of the {given} that this Mac gives, so other programs may slow down"
        case "too_big":
            return f"Too big: needs {needed}, and this Mac gives {given}"


def lever_words(lever: Lever) -> str:
    """What a button says that pulls it."""
    match lever.less_of:
        case "context":
            return f"Use a Context of {lever.use.context // 1024:,}K"
        case "budget":
            return f"Use a Budget of {lever.use.budget:,}"
        case "rows":
            return "Answer One at a Time"


def senses_line(shapes: Shapes) -> str:
    """What a model takes: "Reads text, pictures and video, hears sound"."""
    parts = ["writes text"]
    if "picture" in shapes.modalities:
        parts.append(_PICTURES)
    if "sound" in shapes.modalities:
        parts.append(_SOUNDS)
    line = ", ".join(parts)
    return f"{line[0].upper()}{line[1:]} · context {shapes.context_length // 1024:,}K"


def title_of(size: str, name: str) -> str:
    """What a person calls it: its size in the family, or for other shapes its folder's name."""
    return f"Gemma 4 {size}" if size and size != "custom" else name
