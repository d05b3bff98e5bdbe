"""The engine's look at a folder, in a process of its own."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from app.downloads import Stop, check_in_child
from engine import CheckpointError


def ends(code: str) -> list[str]:
    """A program that is started instead of ours."""
    return [sys.executable, "-c", code]


def test_what_the_process_says_is_the_sentence(tmp_path: Path) -> None:
    line = json.dumps({"event": "failed", "kind": "CheckpointError", "message": "It is no Gemma 4."})
    with pytest.raises(CheckpointError, match="It is no Gemma 4"):
        check_in_child(tmp_path, Stop(), ends(f"print('{{}}\\n' + {line!r}); raise SystemExit(1)"))


@pytest.mark.parametrize("code", ["raise SystemExit(2)", "import os; os.kill(os.getpid(), 9)", "print('x'); exit(1)"])
def test_a_process_that_ends_otherwise_is_said(code: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="could not be looked at"):
        check_in_child(tmp_path, Stop(), ends(code))


def test_the_folder_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = ["models", "info", str(tmp_path / "-x"), "--json"]
    check_in_child(Path("-x"), Stop(), ends(f"import sys; assert sys.argv[1:] == {wanted!r}"))


def test_a_stop_ends_the_process_and_says_nothing_of_the_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    stop = Stop()

    def order() -> None:
        (tmp_path / "begun").read_bytes()
        stop.order()

    endless = f"import signal; open({str(tmp_path / 'begun')!r}, 'w').close(); signal.pause()"
    ordering = threading.Thread(target=order)
    ordering.start()
    check_in_child(tmp_path, stop, ends(endless))
    ordering.join()
