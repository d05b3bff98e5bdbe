"""`cabochon` as a person calls it: in this process, or where that is the point in one of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from app.__main__ import main


class Run(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Cabochon = Callable[..., Run]


def started(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, which costs a second."""
    command = [sys.executable, "-m", "app", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.fixture
def cabochon(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cabochon:
    """Run a command in this process."""

    def run(*arguments: str | Path) -> Run:
        monkeypatch.setattr(sys, "argv", ["cabochon", *map(str, arguments)])
        return Run(main(), *capfd.readouterr())

    return run
