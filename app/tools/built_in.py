"""The built-in tools: a clock, a calculator, reading what a person allowed, and looking through conversations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.tools.calculator import work_out
from app.tools.files import Place, chosen, find_place, list_folder, read_text_file
from engine import Tool, ToolError

__all__ = ["BuiltIn", "Desktop", "built_in_tools"]

MAX_FOUND = 8


@dataclass(frozen=True)
class Desktop:
    """What the tools reach of the app and the person's files."""

    allowed: Callable[[], Sequence[Path]]
    """Folders that the person chose for the model to read."""
    search: Callable[[str, int], Sequence[dict[str, Any]]]
    """Looks through the conversations: words and how many places at most."""
    now: Callable[[], datetime] = datetime.now


@dataclass(frozen=True)
class BuiltIn:
    """One tool: what the model is told, what a person calls it, and what it does."""

    tool: Tool
    title: str
    explanation: str
    """For a person: what the model gets by it."""
    run: Callable[[dict[str, Any]], Any]
    """Gives any JSON value, without asking anybody; raises ToolError."""
    find: Callable[[dict[str, Any]], Place | None] = lambda _arguments: None
    """The file or folder that will be read: a person is asked first. None when none is. Raises ToolError."""
    read: Callable[[Place], Any] = lambda _place: None
    """Gives what is there, as `run` does, and nothing else that stands there meanwhile."""

    def target(self, arguments: dict[str, Any]) -> str:
        """The path of what will be read; empty when nothing is. Raises ToolError."""
        place = self.find(arguments)
        return "" if place is None else str(place)


def built_in_tools(desktop: Desktop) -> tuple[BuiltIn, ...]:
    """All of them; each is off until a person turns it on."""

    def folder(arguments: dict[str, Any]) -> Place | None:
        path = str(arguments.get("path") or "")
        return find_place(path, desktop.allowed()) if path else None

    def file(arguments: dict[str, Any]) -> Place:
        return find_place(_text(arguments, "path"), desktop.allowed())

    def listed(arguments: dict[str, Any]) -> list[str]:
        place = folder(arguments)
        return chosen(desktop.allowed()) if place is None else list_folder(place)

    return (
        BuiltIn(
            Tool("clock", "Tells the date, the time and the day of the week."),
            "Clock",
            "The date, the time and the day of the week.",
            lambda _arguments: _clock(desktop.now()),
        ),
        BuiltIn(
            Tool("calculator", "Works out an expression such as 12 * 34.", _arguments(expression="")),
            "Calculator",
            "Sums without mistakes.",
            lambda arguments: work_out(_text(arguments, "expression")),
        ),
        BuiltIn(
            Tool(
                "list_files",
                "Lists a folder that the person chose, or the chosen folders when no path is given.",
                _arguments(path="The folder, as it was listed before.") | {"required": []},
            ),
            "Folders",
            "What is in the folders below. It asks you each time.",
            listed,
            folder,
            list_folder,
        ),
        BuiltIn(
            Tool(
                "read_file",
                "Reads a text file in a folder that the person chose.",
                _arguments(path="The file, as it was listed."),
            ),
            "Files",
            "Text files in the folders below. It asks you each time.",
            lambda arguments: read_text_file(file(arguments)),
            file,
            read_text_file,
        ),
        BuiltIn(
            Tool(
                "search_conversations",
                "Finds words in the person's earlier conversations with you.",
                _arguments(words="A few words that occur there."),
            ),
            "Earlier conversations",
            "Looks for words in what was said in this app.",
            lambda arguments: list(desktop.search(_text(arguments, "words"), MAX_FOUND)),
        ),
    )


def _arguments(**texts: str) -> dict[str, Any]:
    """A schema of texts, all of them required."""
    properties = {
        name: {"type": "string"} | ({"description": description} if description else {})
        for name, description in texts.items()
    }
    return {"type": "object", "properties": properties, "required": list(texts)}


def _text(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ToolError(f"The argument {name} is missing.")
    return value.strip()


def _clock(now: datetime) -> dict[str, str]:
    return {"date": f"{now:%Y-%m-%d}", "time": f"{now:%H:%M}", "weekday": f"{now:%A}"}
