"""Documents asked about by events, without a model that reads: what is left of damaged files, and what is in them."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.protocol.documents import Reading, ReadingForm
from engine.protocol.errors import NoModel
from engine.protocol.events import ModelInfo, PageRead, Traits
from engine.protocol.requests import ReadDocument
from engine.tasks.abreast import Places
from engine.tasks.asking import Asking
from engine.tasks.documents import DAMAGED, NOTHING_LEFT, Lent, read_document
from engine.tasks.pace import Pace
from tests.documents.pdf_files import Page, text, write_pdf


@dataclass(frozen=True)
class ReadsOnly:
    """A model that only reads, and is never asked."""

    info = ModelInfo(
        "s", "/s", "custom", ("text", "picture"), 1024, 1, 1, "", "", "cpu", traits=Traits(max_line_characters=40)
    )

    @property
    def asking(self) -> Asking:
        return pytest.fail("asked")


def no_model() -> AbstractContextManager[Lent]:
    raise NoModel


def test_pages_of_a_damaged_file_are_read_and_what_may_be_missing_is_said(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("First.")), Page(text("Second."))])
    whole = path.read_bytes()  # the text of the second page is in its object 8
    path.write_bytes(whole[: whole.index(b"8 0 obj") + 60])
    events = read_document(ReadDocument(1, str(path)), lambda: None, no_model, Pace(), Places())
    pages = [event.page for event in events if isinstance(event, PageRead)]
    assert [(page.state, page.text, page.reason) for page in pages] == [
        ("done", "First.", DAMAGED),
        ("failed", "", NOTHING_LEFT),
    ]


def test_tables_and_fields_of_a_page_whose_text_is_in_the_file_are_made_of_it(tmp_path: Path) -> None:
    rows = (
        ("Item", "Each", "Sum"),
        ("Paper, A4", "4.20", "8.40"),
        ("Envelopes", "", "0.00"),
        ("Ink", "31.00", "31.00"),
    )
    written = b"".join(
        text(cell, x=x, y=700 - 20 * at)
        for at, row in enumerate(rows)
        for x, cell in zip((60, 260, 420), row, strict=True)
    )
    labels = text("Invoice no: 2204", y=780) + text("Due", y=600) + text("31 May", x=260, y=600)
    path = write_pdf(tmp_path / "a.pdf", [Page(written), Page(labels)])

    def answers(form: ReadingForm, page: int, schema: dict[str, Any] | None = None) -> str:
        request = ReadDocument(1, str(path), pages=(page,), reading=Reading(form=form, schema=schema))
        events = read_document(request, lambda: None, lambda: nullcontext(ReadsOnly()), Pace(), Places())
        (told,) = (event.page for event in events if isinstance(event, PageRead))
        assert told.receipt is not None
        assert (told.state, told.receipt.way) == ("done", "layer")
        return told.answer

    assert answers("table", 1) == 'Item,Each,Sum\n"Paper, A4",4.20,8.40\nEnvelopes,,0.00\nInk,31.00,31.00\n'
    assert json.loads(answers("fields", 2)) == {"Invoice no": "2204", "Due": "31 May"}
    wanted = {"properties": {"due": {"type": "string"}, "total": {"type": "number"}}}
    assert json.loads(answers("fields", 2, wanted)) == {"due": "31 May", "total": None}
