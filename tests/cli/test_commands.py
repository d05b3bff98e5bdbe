"""Commands over made-up engines: how they end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.bench.run import BenchFailed, bench_report
from engine.cli import commands
from engine.protocol.events import Event, Finished, FinishReason, Stats, TextDelta


@pytest.mark.parametrize("extra", [[], ["--json"]])
@pytest.mark.parametrize(
    ("form", "reason", "status"),
    [
        ("json", "end_of_turn", 0),
        ("json", "length", 1),
        ("csv", "context_full", 1),
        ("csv", "end_of_turn", 0),
        ("text", "length", 0),
    ],
)
def test_half_a_document_is_no_success(
    form: str,
    reason: FinishReason,
    status: int,
    extra: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def read(*_: object) -> Iterator[Event]:
        yield TextDelta('{"a": ')
        yield Finished(reason, Stats())

    monkeypatch.setattr(commands, "load_engine", lambda _: None)
    monkeypatch.setattr(commands, "default_budget", lambda _: 280)
    monkeypatch.setattr(commands, "read_text", read)
    assert commands.run_command_line(["ocr", "form.png", "--as", form, *extra]) == status
    told = capsys.readouterr()
    assert '{\\"a\\": ' in told.out if extra else told.out == '{"a": \n'
    sentence = f"“form.png”: the {form.upper()} is cut off and not complete. Read the picture in pieces."
    assert (sentence in told.err) == bool(status)


def test_an_engine_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("engine.bench.run.find_spec", lambda name: None)
    with pytest.raises(BenchFailed, match=r"mlx-lm is not installed\..*cabochon\[compare\]"):
        bench_report(tmp_path, ["mlx-lm"], 1, 8, 8)
