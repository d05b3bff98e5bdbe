"""What goes into the bundle and what stays out, in terms of its own paths."""

import re
from collections.abc import Iterable
from pathlib import PurePath

__all__ = ["METADATA", "METADATA_ON_A_MAC", "NOT_IMPORTED", "Entry", "is_left_out", "metallib_links"]

Entry = tuple[str, str, str]
"""Of PyInstaller's lists: the path in the bundle, the path on this machine, the kind."""

METADATA = ("llguidance", "mlx", "numpy", "pillow", "tokenizers", "safetensors", "msgspec")
"""Packages that are asked for their version: llguidance by itself when it is imported, the others by `selftest`."""

METADATA_ON_A_MAC = ("mlx-metal",)
"""Says which macOS the kernels were built for."""

NOT_IMPORTED = (
    "IPython", "fsspec", "hf_xet", "hypothesis", "matplotlib", "mlx_lm", "mlx_vlm", "pandas",
    "pillow_heif", "pip", "pytest", "scipy", "setuptools", "sympy", "tkinter", "torch", "transformers",
    "unittest", "yaml",
)  # fmt: skip
"""Packages that something mentions and nothing of ours uses."""

_QT = (
    "Concurrent", "Core", "DBus", "Gui", "Multimedia", "Network", "OpenGL", "Svg", "TextToSpeech", "Widgets",
    "XcbQpa",
)  # fmt: skip
"""Qt's own libraries that the window is made of."""

_PLUGINS = ("iconengines", "imageformats", "platforms", "platformthemes", "styles", "texttospeech", "xcbglintegrations")

_NOT_OURS = ("libqpdf", "libqtvirtualkeyboard", "libqegl", "libqwayland", "libqtexttospeech_mock")
"""Plugins that need parts of Qt which stay out, and one that only pretends to speak."""

_QT_LIBRARY = re.compile(r"(?:lib)?Qt6?(\w*?)(?:\.abi3)?(?:\.framework|\.so[.\d]*|\.[\d.]*dylib)?")


def is_left_out(path: PurePath) -> bool:
    """Whether a file has no work in the bundle.

    Of Qt only what is named here stays. Without its media plugins, and the second FFmpeg that they bring, it still
    records from microphones and plays sounds, which is all that is asked of it.
    """
    parts, name = path.parts, path.name
    if parts[0] == "mlx":
        return parts[1] in ("include", "share", "cmake") or name.endswith(".pyi")
    if "PySide6" in parts:
        return not _is_needed_of_qt(parts)
    if parts[0] in NOT_IMPORTED:
        return True
    return len(parts) == 1 and _qt_library(parts) not in (None, *_QT)  # a link to what may stay out


def _is_needed_of_qt(parts: tuple[str, ...]) -> bool:
    if "plugins" in parts:
        return parts[parts.index("plugins") + 1] in _PLUGINS and not parts[-1].startswith(_NOT_OURS)
    if not {"qml", "translations"}.isdisjoint(parts):
        return False
    return _qt_library(parts) in _QT or parts[-1].startswith(("libpyside6.", "libicu"))


def _qt_library(parts: tuple[str, ...]) -> str | None:
    """The name, of a library or of the framework that a file lies in, without what it begins with."""
    found = next((found for part in parts if (found := _QT_LIBRARY.fullmatch(part)) and part != "Qt"), None)
    return found[1] if found else None


def metallib_links(binaries: Iterable[Entry]) -> list[Entry]:
    """A link to the kernels beside the link to libmlx that PyInstaller puts at the bundle's root.

    MLX looks for them beside its library, under the path by which that was loaded.
    """
    if any(PurePath(path).name == "libmlx.dylib" for path, _, _ in binaries):
        return [("mlx.metallib", "mlx/lib/mlx.metallib", "SYMLINK")]
    return []
