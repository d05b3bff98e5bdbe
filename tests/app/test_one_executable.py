"""The bundle's one executable is every process: whoever starts one has its word in the table of the entry point."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from app.__main__ import COMMANDS, LIMITED
from app.paths import engine_command
from engine.process.limited_process import _command

ROOT = Path(__file__).parents[2]
SOURCES = [path for package in ("app", "engine") for path in (ROOT / package).rglob("*.py")]


def limited_processes() -> Iterator[tuple[str, str]]:
    """Entry and flag of each `LimitedProcess` that is made."""
    for source in [text for path in SOURCES if "LimitedProcess(" in (text := path.read_text(encoding="utf-8"))]:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "LimitedProcess":
                entry, flag = (ast.literal_eval(each) for each in node.args[:2])
                yield entry, flag


def test_every_limited_process_has_its_word() -> None:
    made = dict(reversed(pair) for pair in limited_processes())
    assert len(made) > 3
    assert made.items() <= LIMITED.items()


def test_every_word_leads_to_something() -> None:
    assert [name for name in LIMITED.values() if not callable(getattr(engine, name))] == []
    assert not set(LIMITED) & set(COMMANDS)


def test_in_the_bundle_every_process_is_the_executable_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/Applications/Cabochon.app/Contents/MacOS/Cabochon")
    for entry, flag in limited_processes():
        assert list(_command(entry, flag)) == [sys.executable, flag]
    assert engine_command(Path("/logs/engine.log")) == [sys.executable, "--engine", "/logs/engine.log"]


def test_whoever_starts_a_python_asks_whether_it_is_bundled() -> None:
    """`sys.executable -m` and `-c` mean nothing to a bundle."""
    asks = re.compile(r"[\"']frozen[\"']")
    starting = [path for path in SOURCES if "sys.executable" in path.read_text(encoding="utf-8")]
    assert [path.name for path in starting if not asks.search(path.read_text(encoding="utf-8"))] == []
