"""The page that newcomers read first tells the truth: its tree holds every module once, and it stays one page."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
TREE = PAGE.split("## Tree", 1)[1].split("```")[1]
MAX_LINES, MAX_METHODS = 130, 35


def modules_drawn(package: str) -> Iterator[str]:
    """Paths of the modules that the tree names below a package; what stands in brackets explains."""
    rows = re.sub(r"\([^)]*\)", "", TREE).splitlines()
    start = rows.index(next(row for row in rows if row.startswith(f"{package}/"))) + 1
    room = inner = ""
    for row in rows[start:]:
        if not row.startswith(" "):
            return
        words = row.replace("·", " ").split()
        if row[2] != " ":
            room, inner = words.pop(0) if words[0].endswith("/") else "", ""
        for word in words:
            if word.endswith("/"):
                inner = word
            else:
                yield f"{package}/{room}{inner}{word.removesuffix('.py')}"


@pytest.mark.parametrize("package", ["engine", "app"])
def test_the_tree_names_every_module_once(package: str) -> None:
    files = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / package).rglob("*.py"))
    there = {path.as_posix() for path in files if path.name not in ("__init__", "__main__")}
    drawn = Counter(modules_drawn(package))
    assert set(drawn) == there
    assert max(drawn.values()) == 1


def test_the_architecture_is_one_page() -> None:
    assert len(PAGE.splitlines()) <= MAX_LINES


def test_no_class_does_too_much() -> None:
    sources = [
        path.read_text(encoding="utf-8") for package in ("app", "engine") for path in (ROOT / package).rglob("*.py")
    ]
    classes = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    sizes = {each.name: sum(isinstance(part, ast.FunctionDef) for part in each.body) for each in classes}
    assert {name: size for name, size in sizes.items() if size > MAX_METHODS} == {}


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\(([^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    there = [path.relative_to(folder).as_posix() for path in folder.glob("*/*.md")]
    assert sorted(listed) == sorted(there)
