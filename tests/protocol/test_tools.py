"""Declarations from Python functions."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest

from engine.prompt.schemas import tidy_parameters
from engine.protocol.errors import PromptError
from engine.protocol.tools import Tool, check_tool_name, tool_from_function


class Unit(enum.Enum):
    CELSIUS = "celsius"
    KELVIN = "kelvin"


class Place(TypedDict):
    lat: float
    lon: float


@dataclass
class Stop:
    place: Place
    nights: int = 1


def weather(
    place: str, unit: Unit = Unit.CELSIUS, days: list[int] | None = None, *, detail: Literal["low", "high"] = "low"
) -> str:
    """Tells the weather.

    Only of towns.

    Args:
        place: The town: its name
            and its country.
        unit (Unit, optional): Of the temperature.
        nobody: Is not there.

    Returns:
        A text.
    """
    return f"{place} {unit} {days} {detail}"


def test_a_function_is_declared_by_its_signature_and_docstring() -> None:
    tool = tool_from_function(weather)
    assert (tool.name, tool.description) == ("weather", "Tells the weather.\n\nOnly of towns.")
    assert tidy_parameters(tool) == {
        "type": "object",
        "properties": {
            "place": {"type": "string", "description": "The town: its name and its country."},
            "unit": {
                "type": "string",
                "enum": ["celsius", "kelvin"],
                "description": 'Of the temperature. Default: "celsius".',
            },
            "days": {"type": "array", "items": {"type": "integer"}, "nullable": True},
            "detail": {"type": "string", "enum": ["high", "low"], "description": 'Default: "low".'},
        },
        "required": ["place"],
    }


def test_maps_and_classes_become_objects() -> None:
    def plan(stops: list[Stop], notes: dict[str, str], limit: Annotated[float, msgspec.Meta(ge=0)], ok: bool) -> None:
        """Plans."""

    properties = tidy_parameters(tool_from_function(plan))["properties"]
    place = {"lat": {"type": "number"}, "lon": {"type": "number"}}
    assert properties["stops"]["items"]["properties"] == {
        "place": {"type": "object", "properties": place, "required": ["lat", "lon"]},
        "nights": {"type": "integer", "description": "Default: 1."},
    }
    assert properties["notes"] == {"type": "object"}
    assert properties["limit"] == {"type": "number", "description": "Minimum: 0."}
    assert properties["ok"] == {"type": "boolean"}


def test_a_function_without_arguments_and_words() -> None:
    def now() -> str:
        return ""

    assert tool_from_function(now) == Tool("now")


def test_a_method_is_declared_without_itself() -> None:
    class Notes:
        def add(self, text: str) -> None:
            """Adds a note."""

    assert list(tool_from_function(Notes().add).parameters["properties"]) == ["text"]


@pytest.mark.parametrize(
    ("text", "description", "place"),
    [
        ("One line.", "One line.", None),
        ("First.\n\nSecond: more.\n  indented\n", "First.\n\nSecond: more.\n  indented", None),
        ("Args:\n    place: A town.", "", "A town."),
        ("Tells.\n\nArgs:\n  place (str): A town,\n\n    or a village.\n  x: y\nRaises:\n  place: no", "Tells.",
         "A town, or a village."),
        ("Tells.\n\nArguments:\n\tplace:\n\t\tA town.", "Tells.", "A town."),
        ("Tells.\n\nExample:\n    place: no", "Tells.", None),
    ],
)  # fmt: skip
def test_docstrings_in_googles_style_and_plain(text: str, description: str, place: str | None) -> None:
    def f(place: str) -> None:
        pass

    f.__doc__ = text
    tool = tool_from_function(f)
    assert tool.description == description
    assert tool.parameters["properties"]["place"].get("description") == place


class Opaque:
    pass


def untyped(a): ...  # type: ignore[no-untyped-def]
def rest(*args: int) -> None: ...
def named_rest(**kwargs: int) -> None: ...
def by_place(a: int, /) -> None: ...
def opaque(a: Opaque) -> None: ...
def unknown(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
async def later(a: int) -> None: ...
def each() -> Iterator[int]:
    yield 1


def renamed() -> None: ...


renamed.__name__ = "größe"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (untyped, "the argument a needs a type, like a: str"),
        (rest, r"name each argument instead of \*args: int"),
        (named_rest, r"name each argument instead of \*\*kwargs: int"),
        (by_place, "the argument a must be one that can be given by name"),
        (opaque, "its arguments must be numbers, texts"),
        (unknown, "its signature cannot be read .*'Nowhere' is not defined"),
        (later, "write it as an ordinary function"),
        (each, "write it as an ordinary function"),
        (renamed, "give it a name of letters, digits and _"),
        (lambda: 1, "give it a name of letters, digits and _"),
        (partial(weather, "Oslo"), "."),
        (dict, "its signature cannot be read"),
        (3, "."),
    ],
)
def test_what_cannot_be_declared_is_one_sentence(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(PromptError, match=f"^The function .* cannot be a tool: .*{words}.*\\.$"):
        tool_from_function(function)


def test_a_default_that_is_no_json_is_not_told() -> None:
    def f(a: Any = Opaque(), b: int | None = None) -> None:  # noqa: B008
        pass

    tool = tool_from_function(f)
    assert tool.parameters["required"] == []
    assert not any("default" in each for each in tool.parameters["properties"].values())


@pytest.mark.parametrize("name", ["a", "files.read-all:v2_x", "9"])
def test_names_of_tools(name: str) -> None:
    assert check_tool_name(name) == name
