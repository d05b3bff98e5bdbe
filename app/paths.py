"""Where the app's own files are, in a checkout and inside the bundle."""

import sys
from pathlib import Path

import platformdirs

__all__ = ["ICONS", "LICENCES", "data_folder", "engine_command", "log_folder", "program", "states_folder"]

_RESOURCES = Path(__file__).resolve().parents[1] / "resources"

ICONS = _RESOURCES / "icons"

LICENCES = _RESOURCES / "licences.txt"
"""Of everything in the bundle, made when it is built; a checkout has none."""


def program() -> list[str]:
    """The beginning of a command line that starts this same program."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]


def engine_command(log_file: Path) -> list[str]:
    """The command line that starts this same program as the engine, which keeps its log in `log_file`."""
    return [*program(), "--engine", str(log_file)]


def data_folder() -> Path:
    """Where conversations are kept."""
    return Path(platformdirs.user_data_dir("Cabochon", appauthor=False))


def states_folder() -> Path:
    """Where the engine keeps what can be computed again: among caches, of which no backup is made."""
    return Path(platformdirs.user_cache_dir("Cabochon", appauthor=False)) / "states"


def log_folder() -> Path:
    """Where the system's users look for an app's logs."""
    return Path(platformdirs.user_log_dir("Cabochon", appauthor=False))
