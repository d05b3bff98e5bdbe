"""The engine's own look at a folder, in a process of its own: the window's loads no MLX."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.downloads.transfer import Stop
from app.paths import program
from engine import CheckpointError, Failed

__all__ = ["check_in_child"]

LONGEST_S = 300
"""Headers are read, so it takes seconds, on a slow disk some more."""

LISTEN_S = 0.1
"""After which a stop is noticed."""


def check_in_child(folder: Path, stop: Stop, start: Sequence[str] = ()) -> None:
    """Raise CheckpointError for a folder that the engine would not load; a stop ends the look without a word.

    `start` starts this program, by default.
    """
    command = [*(start or program()), "models", "info", str(folder.absolute()), "--json"]
    until = time.monotonic() + LONGEST_S
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        while not stop.is_set():
            try:
                told, _ = process.communicate(timeout=LISTEN_S)
            except subprocess.TimeoutExpired as error:
                if time.monotonic() > until:
                    process.kill()
                    raise CheckpointError("The disk takes too long to look at what came. Try again.") from error
            else:
                break
        else:
            process.kill()
            return
    if process.returncode:
        raise CheckpointError(_sentence(told))


def _sentence(told: bytes) -> str:
    """Why it refused, which is the last line; a process that ended otherwise says nothing of the folder."""
    try:
        return msgspec.json.decode(told.strip().rpartition(b"\n")[2], type=Failed).message
    except msgspec.MsgspecError:
        return "What came could not be looked at. Try again; the engine's log may say why."
