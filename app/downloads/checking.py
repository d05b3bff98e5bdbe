"""The engine's own look at a folder, in a process of its own: the window's loads no MLX."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.paths import program
from engine import CheckpointError, Failed

__all__ = ["check_in_child"]

LONGEST_S = 300
"""Headers are read, so it takes seconds, on a slow disk some more."""


def check_in_child(folder: Path, start: Sequence[str] = ()) -> None:
    """Raise CheckpointError for a folder that the engine would not load. `start` starts this program, by default."""
    command = [*(start or program()), "models", "info", str(folder.absolute()), "--json"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise CheckpointError("The disk takes too long to look at what came. Try again.") from error
    if done.returncode:
        raise CheckpointError(_sentence(done.stdout))


def _sentence(told: bytes) -> str:
    """Why it refused, which is the last line; a process that ended otherwise says nothing of the folder."""
    try:
        return msgspec.json.decode(told.strip().rpartition(b"\n")[2], type=Failed).message
    except msgspec.MsgspecError:
        return "What came could not be looked at. Try again; the engine's log may say why."
