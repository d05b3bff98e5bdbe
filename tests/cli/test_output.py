"""What is printed: a terminal takes orders from nobody but us."""

import io
import json
from collections.abc import Sequence

import pytest

from engine.cli.output import write_answer, write_json
from engine.protocol.events import Event, Finished, Stats, TextDelta, ThoughtDelta, ThoughtFinished, ToolCalled
from engine.protocol.messages import ToolCall

HOSTILE = "a\x1b[2J\tb\n\x07\r\x7f\x9b c ␛ é 😀"
EVENTS: Sequence[Event] = (
    ThoughtDelta(HOSTILE), ThoughtFinished(1.0), ToolCalled(ToolCall("clock", {"zone": "\x9b2J"})), TextDelta(HOSTILE),
    Finished("end_of_turn", Stats()),
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_control_characters_are_seen_in_a_terminal_and_not_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", terminal)
        write_answer(EVENTS)
    beside = capsys.readouterr().err
    shown = "a␛[2J\tb\n␇␍␡� c ␛ é 😀"
    assert terminal.getvalue() == shown + "\n"
    assert shown.expandtabs() in beside
    assert not {"\x1b", "\x07", "\r", "\x7f", "\x9b"} & set(beside)


def test_a_file_gets_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    write_answer(EVENTS)
    assert capsys.readouterr().out == HOSTILE + "\n"
    write_json(EVENTS)
    lines = [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]]
    assert [line["text"] for line in lines if line["event"] == "text_delta"] == [HOSTILE]
