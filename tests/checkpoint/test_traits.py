"""What a checkpoint says of itself, and that nobody asks for the sample by name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.checkpoint.sample import sample_checkpoint
from engine.checkpoint.traits import read_traits
from engine.engine import Engine
from engine.protocol.errors import CheckpointError
from engine.protocol.events import Traits
from engine.protocol.messages import BUDGETS

ROOT = Path(__file__).resolve().parents[2]


def test_a_folder_without_the_file_is_as_its_family(tmp_path: Path) -> None:
    assert read_traits(tmp_path) == Traits(max_budget=BUDGETS[-1])


def test_the_traits_travel_with_the_model(tiny_checkpoint: Path) -> None:
    (tiny_checkpoint / "traits.json").write_text('{"title": "Tiny", "max_budget": 140}')
    assert Engine.load(tiny_checkpoint).info.traits == Traits("Tiny", 140)


@pytest.mark.parametrize(
    "content",
    [
        {"max_budget": 300}, {"max_budget": "280"}, {"newest_message_only": 1}, {"surprise": 1}, [],
        {"max_line_characters": -1}, {"hint": "<b>bold</b>"}, {"hint": "two\nlines"},
        {"title": "x" * 201}, {"title": None},
    ],
    ids=str,
)  # fmt: skip
def test_what_nobody_knows_or_could_show_is_refused_with_the_file(tmp_path: Path, content: Any) -> None:
    (tmp_path / "traits.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"traits\.json"):
        read_traits(tmp_path)


def test_the_sample_says_what_it_can_do() -> None:
    traits = read_traits(sample_checkpoint())
    assert (traits.title, traits.max_budget, traits.newest_message_only) == ("Sample model", 280, True)


def test_no_module_of_the_app_and_no_task_asks_whether_it_is_the_sample() -> None:
    sources = [*(ROOT / "app").rglob("*.py"), *(ROOT / "engine").rglob("*.py")]
    assert [path for path in sources if re.search(r"is_sample|SAMPLE_BUDGET", path.read_text(encoding="utf-8"))] == []
