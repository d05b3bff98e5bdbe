"""What the figures of read documents say."""

from pathlib import Path

import pytest

from engine.bench.documents import document_report, error_rates, facts_that_hold, reading_order
from engine.checkpoint.sample import sample_checkpoint
from engine.engine import Engine
from engine.protocol.documents import PageText, TextLine
from engine.protocol.errors import EngineError
from tests.documents.pages import draw_page


def test_error_rates_are_edits_of_plain_text() -> None:
    assert error_rates("“the  cat”\nsat", '"the cat" sat') == {"cer": 0.0, "wer": 0.0}
    assert error_rates("the bat sat", "the cat sat.") == {"cer": 16.67, "wer": 66.67}
    assert error_rates("", "") == {"cer": 0.0, "wer": 0.0}
    assert error_rates("invented", "")["cer"] == 800.0


def test_reading_order_is_that_of_the_lines() -> None:
    lines = ["alpha one", "beta two", "gamma three", "delta four"]
    assert reading_order(lines, lines) == 0.0
    assert reading_order(["alpha onee", *lines[1:]], lines) == 0.0
    assert reading_order([lines[0], lines[2], lines[1], lines[3]], lines) == 0.5
    assert reading_order([], lines) == 1.0
    alike = [*lines, "beta two", "gamma three", "beta two"]
    assert reading_order(alike, alike) == 0.0
    assert reading_order([*alike[:4], *alike[5:], alike[4]], alike) > 0.0
    assert reading_order([], []) == 0.0


def test_facts_hold_or_do_not() -> None:
    pages = [PageText(1, "done", (TextLine("Lamp\t2\t97.00"), TextLine("Sum:\t97.00"))), PageText(2, "empty")]
    holding = [
        {"present": "lamp".title()}, {"absent": "chair"}, {"before": ["Lamp", "Sum"]}, {"right_of": ["Lamp", "97.00"]},
        {"absent": "Lamp", "page": 2},
    ]  # fmt: skip
    failing = [
        {"present": "chair"}, {"absent": "Sum"}, {"before": ["Sum", "Lamp"]}, {"right_of": ["97.00", "Lamp"]},
        {"present": "Lamp", "page": 2},
    ]  # fmt: skip
    assert facts_that_hold(holding, pages) == (5, 5)
    assert facts_that_hold(failing, pages) == (0, 5)
    with pytest.raises(EngineError, match="this is none"):
        facts_that_hold([{"sounds": "like"}], pages)


def test_a_folder_is_measured_by_its_truth(tmp_path: Path) -> None:
    draw_page([(40, 60, "Hello 2026")], (420, 160), height=40).save(tmp_path / "page.png")
    (tmp_path / "page.png.facts.jsonl").write_text('{"present": "Hello"}\n')
    (tmp_path / "truth.json").write_text('{"page.png": [["Hello 2026"]], "gone.png": [["nothing"]]}')
    report = document_report(Engine.load(sample_checkpoint()), tmp_path, 1, one_by_one=False)
    assert report["pages"] == 1
    (file,) = report["files"].values()  # type: ignore[attr-defined]
    assert (file["cer"], file["facts"]) == (0.0, "1 of 1")


def test_a_folder_without_truth_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no truth\.json"):
        document_report(Engine.load(sample_checkpoint()), tmp_path, 1, one_by_one=False)
