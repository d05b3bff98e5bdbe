"""Work over text of strangers grows with its length and not with its square."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import app
import engine
from app.store.text import searchable, snippet
from app.text.blocks import block_pieces
from app.text.dialect import prepare
from app.text.formulas import put_back, take_formulas
from app.text.markdown import cleaned, even_fences, keep_line_breaks, number_fences
from app.text.pages import named_pages
from app.viewmodels.conversation.finding import occurrences
from app.viewmodels.shelf.shelf import title_from
from engine import Quote
from engine.documents.paragraphs import join_lines, words_of
from tests.growth import TIMES, assert_linear

SHORT = 1_000
LEAST_S = 0.0004
"""What takes less is not measured well enough to be compared."""

SEARCHING = re.compile(r"(\w+)\.(?:search|finditer|findall|subn?|split)\(")

HOSTILE = (
    " ", "\t", "a", "9", "`", "~", "*", "_", "-", "=", "+", "#", ">", "|", ":", "[", "]", "(", "{", "<", "\\", "$", '"',
    "'", "\n", "\x03", "\x034", "\u1680", "é", "a\u0301", "א", "😀", "a ", " a", "- ", "* ", "> ", ">>", "1. ", "1) ",
    "- 1. ", "*a", "**a", "_a_", "[a", "[a](", "![", "](", "|-", "| ", "|:-:", "-|", ":-", "-:", "- |", "$a", "$$",
    "\\(", "\\[", "\\$", "a$", "`a", "``` ", "~~~ ", "`` ", "a\n", "\n\n", "|\n", "- a\n", "> a\n", "a|\n-|\n", "```\n",
    "[a]:", "[a]: b\n", "a \n", "a\\\n", "call:", "call:a{", "{a:", "a:[", "\\\"", '"a', "a,", "1e", "1.", "<|channel>",
    "```md\n", "```md\n```a\n```\n", "a|", "http://", "http://a", "http://a)", "<br>", "**（", "\\begin{align}",
    "[^a]: b\n", "File: ", "Args:", "*a: ", "a (", "<unused", "\\left", "\\{", "error: ",
    "\u0301\u0323", "\u0f73", "第12345", "p. 1,", "1、", "[a](b) http://a ",
)  # fmt: skip
"""What is repeated; each ends in something that no pattern expects."""


def assert_linear_in(work: Callable[[str], object], unit: str, name: str) -> None:
    """Bound the growth of the work over a text that gets `TIMES` as long."""
    short, long = (f"{unit * (length // len(unit))}\x00x" for length in (SHORT, SHORT * TIMES))
    assert_linear(lambda: work(short), lambda: work(long), LEAST_S, f"{name} over {unit!r}")


def modules() -> Iterator[ModuleType]:
    for package in (app, engine):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Every pattern over text that a module of ours holds, by its place."""
    found: dict[re.Pattern[str], str] = {}
    for module in modules():
        for name, value in vars(module).items():
            values = value.values() if isinstance(value, dict) else [value]
            for each in values:
                if isinstance(each, re.Pattern) and isinstance(each.pattern, str):
                    found.setdefault(each, f"{module.__name__}.{name}")
    return [(place, pattern) for pattern, place in found.items()]


def searched() -> set[str]:
    """The names of all that is searched with, anywhere: a pattern that is only matched looks at one place."""
    sources = (path.read_text() for package in (app, engine) for path in Path(package.__path__[0]).rglob("*.py"))
    return {name for source in sources for name in SEARCHING.findall(source)}


SEARCHED = searched()


@pytest.mark.parametrize(("place", "pattern"), patterns(), ids=[place for place, _ in patterns()])
def test_a_pattern_takes_time_in_proportion_to_the_text(place: str, pattern: re.Pattern[str]) -> None:
    for unit in HOSTILE:
        assert_linear_in(pattern.match, unit, place)
        assert_linear_in(pattern.fullmatch, unit, place)
        if place.rpartition(".")[2] in SEARCHED:
            assert_linear_in(lambda text: list(pattern.finditer(text)), unit, place)


WORK: dict[str, Callable[[str], object]] = {
    "keeping line breaks": keep_line_breaks,
    "numbering fences": number_fences,
    "preparing Markdown": prepare,
    "evening fences": lambda text: even_fences(text, is_growing=False),
    "cleaning": cleaned,
    "dividing into blocks": lambda text: list(block_pieces(text)),
    "taking formulas": take_formulas,
    "putting formulas back": lambda text: put_back(text, take_formulas("$x$")[1]),
    "a title": title_from,
    "quoting": lambda text: Quote("a.txt", text).written,
    "composing": searchable,
    "finding": lambda text: occurrences(text, ("ab", "a")),
    "the words of a document": lambda text: words_of([text]),
    "joining lines": lambda text: join_lines([text, text]),
    "the pages that it names": lambda text: list(named_pages(text)),
    "a search's snippet": lambda text: snippet(text, ["ab", "b"]),
}


@pytest.mark.parametrize("name", WORK)
def test_reading_takes_time_in_proportion_to_the_text(name: str) -> None:
    for unit in HOSTILE:
        assert_linear_in(WORK[name], unit, name)


def test_twice_the_blanks_in_a_line_take_at_most_twice_as_long() -> None:
    assert_linear_in(lambda text: keep_line_breaks(f"before\nblanks{text}x\nafter"), " ", "blanks in a line")
