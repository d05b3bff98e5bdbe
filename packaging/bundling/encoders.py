"""The encoders x264 and x265 stay out: libraries of the same names take their places, whose functions do nothing.

FFmpeg in PyAV's wheels needs both to be there, and both are under the GPL. We only decode; an encoder that asks one of
these for its state gets none and says so.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePath

from bundling.contents import Entry

__all__ = ["empty_source", "is_encoder", "without_encoders"]

_ENCODER = re.compile(r"libx26[45]\b.*")
_NEEDS_ENCODERS = re.compile(r"libav(codec|format|filter)\b.*")


def is_encoder(name: str) -> bool:
    """Whether a file of this name is one of the two encoders."""
    return bool(_ENCODER.fullmatch(name))


def without_encoders(binaries: Iterable[Entry], folder: Path) -> list[Entry]:
    """The entries with empty libraries, made in `folder`, in place of encoders."""
    entries = list(binaries)
    users = [source for path, source, _ in entries if _NEEDS_ENCODERS.fullmatch(PurePath(path).name)]
    wanted = {name for user in users for _, name in _symbols(user, "-u")}
    changed = []
    for path, source, kind in entries:
        name = PurePath(path).name
        if is_encoder(name) and kind != "SYMLINK":
            exported = [(letter, symbol) for letter, symbol in _symbols(source, "--defined-only") if symbol in wanted]
            changed.append((path, str(_build(name, empty_source(exported), folder)), kind))
        else:
            changed.append((path, source, kind))
    return changed


def empty_source(symbols: Iterable[tuple[str, str]]) -> str:
    """C of a library with these symbols (kinds as `nm` names them): functions return 0, tables are empty."""
    lines = ["/* Apache-2.0. Nothing of an encoder is in here. */"]
    for kind, name in sorted(set(symbols), key=lambda each: each[1]):
        lines.append(f"long {name}(void) {{ return 0; }}" if kind == "T" else f"const char {name}[4096];")
    return "\n".join(lines) + "\n"


def _symbols(library: str, which: str) -> list[tuple[str, str]]:
    """Kind and C name of its outer symbols."""
    dynamic = [] if sys.platform == "darwin" else ["-D"]
    listed = subprocess.run(["nm", *dynamic, "-g", which, library], capture_output=True, text=True, check=True).stdout
    found = [
        (words[-2:-1] or ["U"], words[-1].partition("@")[0]) for line in listed.splitlines() if (words := line.split())
    ]
    return [(kind[0], name.removeprefix("_") if sys.platform == "darwin" else name) for kind, name in found]


def _build(name: str, source: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    code, target = folder / f"{name}.c", folder / name
    code.write_text(source, encoding="utf-8")
    kind = (
        ["-dynamiclib", "-arch", "arm64", "-mmacosx-version-min=14.0", f"-Wl,-install_name,@rpath/{name}",
         "-Wl,-compatibility_version,1000", "-Wl,-current_version,1000"]
        if sys.platform == "darwin"
        else ["-shared", "-fPIC", f"-Wl,-soname,{name}"]
    )  # fmt: skip
    subprocess.run([os.environ.get("CC", "cc"), *kind, "-o", str(target), str(code)], check=True)
    return target
