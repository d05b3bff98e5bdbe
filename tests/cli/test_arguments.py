"""Files that options name: tools and schemas, each mistake one sentence."""

import threading
from pathlib import Path

import pytest

from engine.agent.tools import ToolError, ToolOutcome
from engine.cli.arguments import load_schema, load_tools
from engine.protocol.errors import PromptError
from engine.protocol.messages import ToolCall

TOOLS = '''
from math import sqrt

def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b

def odd() -> object:
    """Gives something that is not JSON."""
    return object()

def _hidden() -> None: ...
'''


def test_the_public_functions_of_a_file_become_tools(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    functions = load_tools(tmp_path / "tools.py")
    assert [tool.name for tool in functions.tools] == ["add", "odd"]
    assert functions.tools[0].description == "Add two numbers."
    assert functions.tools[0].parameters["required"] == ["a"]
    assert functions(ToolCall("add", {"a": 2}), threading.Event()) == ToolOutcome(3)


TYPED = """
from __future__ import annotations
from dataclasses import dataclass
from enum import Enum

class Unit(Enum):
    CELSIUS = "celsius"

@dataclass
class Place:
    city: str

def weather(place: Place, unit: Unit) -> dict[int, str]:
    return {1: f"{place.city} in {unit.name}"}

forecast = weather
"""


def test_arguments_are_of_the_types_that_the_function_names(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TYPED)
    functions = load_tools(tmp_path / "tools.py")
    arguments = {"place": {"city": "Oslo"}, "unit": "celsius"}
    assert functions(ToolCall("weather", arguments), threading.Event()) == ToolOutcome({"1": "Oslo in CELSIUS"})
    with pytest.raises(ToolError, match=r"weather does not take these arguments: .*kelvin"):
        functions(ToolCall("weather", {**arguments, "unit": "kelvin"}), threading.Event())


def test_a_tool_has_the_name_under_which_the_file_offers_it(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TYPED)
    functions = load_tools(tmp_path / "tools.py")
    assert [tool.name for tool in functions.tools] == ["weather", "forecast"]
    assert functions(ToolCall("forecast", {"place": {"city": "Rome"}, "unit": "celsius"}), threading.Event()).content


def test_a_result_that_is_not_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    with pytest.raises(ToolError, match="not JSON: object"):
        load_tools(tmp_path / "tools.py")(ToolCall("odd", {}), threading.Event())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = 1", "defines no function"),
        ("\ndef f(:", r"tools\.py cannot be run \(line 2\): invalid syntax\. Correct it and try again\."),
        ("import nowhere_at_all", r"cannot be run \(line 1\): No module named 'nowhere_at_all'\."),
        ("def f():\n    raise ValueError\nf()", r"cannot be run \(line 2\): ValueError\."),
        ("import sys\nsys.exit(3)", r"cannot be run \(line 2\): it ends the program\."),
        ("def f(a: complex): ...", "f"),
    ],
)
def test_a_file_that_brings_no_tools_is_a_sentence(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "tools.py").write_text(content)
    with pytest.raises(PromptError, match=says):
        load_tools(tmp_path / "tools.py")


@pytest.mark.parametrize("name", ["gone.py", "tools.txt"])
def test_a_file_that_is_no_program_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "tools.txt").write_text("hello")
    with pytest.raises(PromptError, match=name):
        load_tools(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "there is a mistake in line 1, column 1"),
        (b'{\n"a": x}', "there is a mistake in line 2, column 6"),
        (b"[]", "must hold an object"),
        (b'"a"', "must hold an object"),
        (b"\xff", "is not text in UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_schema_is_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "schema.json").write_bytes(content)
    with pytest.raises(PromptError, match=rf"schema\.json.*{says}"):
        load_schema(tmp_path / "schema.json")
