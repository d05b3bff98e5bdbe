"""Documents behind the worker and the client: looked at and shown beside whatever computes."""

import queue
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from engine.process.client import EngineClient
from engine.process.worker import EngineWorker
from engine.protocol.events import (
    DocumentLooked,
    EngineStarted,
    Failed,
    Finished,
    ModelLoaded,
    PageLooked,
    PageShown,
    TextDelta,
)
from engine.protocol.messages import user
from engine.protocol.requests import Cancel, Envelope, LoadModel, LookAtDocument, Respond, ShowPage
from tests.documents.pdf_files import Page, text, write_pdf
from tests.process.test_worker import ENDLESS, until

Heard = queue.SimpleQueue[Envelope]


@pytest.fixture
def heard() -> Heard:
    return queue.SimpleQueue()


@pytest.fixture(params=["worker", "client"])
def engine(request: pytest.FixtureRequest, heard: Heard) -> Iterator[EngineWorker | EngineClient]:
    if request.param == "worker":
        engine: EngineWorker | EngineClient = EngineWorker(heard.put)
    else:
        engine = EngineClient([sys.executable, "-m", "engine"], heard.put)
    engine.start()
    until(heard, EngineStarted)
    yield engine
    engine.close()


@pytest.fixture
def three_pages(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "a.pdf", [Page(text(f"This is page {number}.")) for number in (1, 2, 3)])


def test_a_document_is_looked_at_page_by_page_without_a_model(
    engine: EngineWorker | EngineClient, heard: Heard, three_pages: Path
) -> None:
    engine.submit(LookAtDocument(1, str(three_pages)))
    seen = [each.event for each in until(heard, DocumentLooked)]
    looked = [each.page for each in seen if isinstance(each, PageLooked)]
    assert [page.number for page in looked] == [1, 2, 3]
    assert isinstance(seen[-1], DocumentLooked)
    assert (seen[-1].document.kind, seen[-1].document.pages) == ("pdf", tuple(looked))


def test_a_page_is_drawn_into_a_file(
    engine: EngineWorker | EngineClient, heard: Heard, three_pages: Path, tmp_path: Path
) -> None:
    engine.submit(ShowPage(1, str(three_pages), 2, str(tmp_path / "page.png"), 500, 90))
    shown = until(heard, PageShown)[-1].event
    assert isinstance(shown, PageShown)
    with Image.open(shown.path) as picture:
        assert picture.size == (shown.width, shown.height) == (500, 353)


def test_what_cannot_be_looked_at_or_shown_is_one_sentence(
    engine: EngineWorker | EngineClient, heard: Heard, three_pages: Path, tmp_path: Path
) -> None:
    engine.submit(LookAtDocument(1, str(tmp_path / "none.pdf")))
    engine.submit(ShowPage(2, str(three_pages), 4, str(tmp_path / "page.png"), 500))
    engine.submit(ShowPage(3, str(three_pages), 1, str(tmp_path / "none" / "page.png"), 500))
    failed = {each.request_id: each.event for each in (until(heard, Failed)[-1] for _ in range(3))}
    assert failed == {
        1: Failed("AttachmentError", "“none.pdf” is not there."),
        2: Failed("AttachmentError", "“a.pdf” has 3 pages, and no page 4."),
        3: Failed("AttachmentError", "The page cannot be drawn into “page.png”: No such file or directory."),
    }


def test_pages_are_shown_while_an_answer_runs(
    engine: EngineWorker | EngineClient, heard: Heard, three_pages: Path, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    engine.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    engine.submit(Respond(2, (user("Hello"),), ENDLESS))
    until(heard, TextDelta)
    engine.submit(ShowPage(3, str(three_pages), 1, str(tmp_path / "page.png"), 300))
    assert not any(isinstance(each.event, Finished) for each in until(heard, PageShown))
    engine.submit(Cancel(2))
    until(heard, Finished)


def test_looking_is_stopped_when_it_is_cancelled(
    engine: EngineWorker | EngineClient, heard: Heard, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("page"))] * 2000)
    engine.submit(LookAtDocument(1, str(path)))
    until(heard, PageLooked)
    engine.submit(Cancel(1))
    assert until(heard, Failed)[-1].event == Failed("Cancelled", "Looking at the document was stopped.")
