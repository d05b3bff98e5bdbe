"""Documents asked about by events, without a model: what is left of damaged files."""

from contextlib import AbstractContextManager
from pathlib import Path

from engine.protocol.errors import NoModel
from engine.protocol.events import PageRead
from engine.protocol.requests import ReadDocument
from engine.tasks.documents import DAMAGED, NOTHING_LEFT, Lent, read_document
from engine.tasks.pace import Pace
from tests.documents.pdf_files import Page, text, write_pdf


def no_model() -> AbstractContextManager[Lent]:
    raise NoModel


def test_pages_of_a_damaged_file_are_read_and_what_may_be_missing_is_said(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("First.")), Page(text("Second."))])
    whole = path.read_bytes()  # the text of the second page is in its object 8
    path.write_bytes(whole[: whole.index(b"8 0 obj") + 60])
    events = read_document(ReadDocument(1, str(path)), lambda: None, no_model, Pace())
    pages = [event.page for event in events if isinstance(event, PageRead)]
    assert [(page.state, page.text, page.reason) for page in pages] == [
        ("done", "First.", DAMAGED),
        ("failed", "", NOTHING_LEFT),
    ]
