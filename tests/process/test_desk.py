"""Documents behind the worker and the client: looked at, shown and read beside whatever computes."""

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from engine.checkpoint.sample import sample_checkpoint
from engine.process.client import EngineClient
from engine.process.desk import Desk
from engine.process.lending import Loan
from engine.process.worker import EngineWorker
from engine.protocol.documents import Box, PageText, Reading
from engine.protocol.errors import Cancelled
from engine.protocol.events import (
    DocumentLooked,
    DocumentRead,
    EngineStarted,
    Failed,
    Finished,
    ModelLoaded,
    PageLooked,
    PageProgress,
    PageRead,
    PageShown,
    TextDelta,
)
from engine.protocol.messages import user
from engine.protocol.options import Options
from engine.protocol.requests import Cancel, Envelope, LoadModel, LookAtDocument, ReadDocument, Respond, ShowPage
from engine.tasks.pace import Pace
from tests.documents.pages import draw_page
from tests.documents.pdf_files import Page, text, whole_picture, write_pdf
from tests.process.test_worker import ENDLESS, until

Heard = queue.SimpleQueue[Envelope]
Running = EngineWorker | EngineClient
COMMAND = [sys.executable, "-m", "engine"]


@pytest.fixture(scope="module")
def all_heard() -> Heard:
    return queue.SimpleQueue()


@pytest.fixture
def heard(all_heard: Heard) -> Heard:
    """What is heard from now on."""
    while not all_heard.empty():
        all_heard.get()
    return all_heard


@contextmanager
def running(engine: Running, heard: Heard) -> Iterator[Running]:
    engine.start()
    try:
        until(heard, EngineStarted)
        yield engine
    finally:
        engine.close()


def shared_client(kind: str, heard: Heard) -> Iterator[Running | None]:
    """One for all tests that end what they begin; None where a worker is meant, of which each test has its own."""
    if kind == "worker":
        yield None
        return
    with running(EngineClient(COMMAND, heard.put), heard) as client:
        yield client


@pytest.fixture(scope="module", params=["worker", "client"])
def client(request: pytest.FixtureRequest, all_heard: Heard) -> Iterator[Running | None]:
    yield from shared_client(request.param, all_heard)


@pytest.fixture(scope="module", params=["worker", "client"])
def unloaded_client(request: pytest.FixtureRequest, all_heard: Heard) -> Iterator[Running | None]:
    yield from shared_client(request.param, all_heard)


@pytest.fixture
def engine(client: Running | None, heard: Heard) -> Iterator[Running]:
    """For tests that load the model that they need."""
    yield from client_or_worker(client, heard)


@pytest.fixture
def unloaded(unloaded_client: Running | None, heard: Heard) -> Iterator[Running]:
    """For tests that load no model."""
    yield from client_or_worker(unloaded_client, heard)


def client_or_worker(client: Running | None, heard: Heard) -> Iterator[Running]:
    if client is not None:
        yield client
        return
    with running(EngineWorker(heard.put), heard) as worker:
        yield worker


@pytest.fixture
def three_pages(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "a.pdf", [Page(text(f"This is page {number}.")) for number in (1, 2, 3)])


def test_a_document_is_looked_at_page_by_page_without_a_model(
    unloaded: Running, heard: Heard, three_pages: Path
) -> None:
    unloaded.submit(LookAtDocument(1, str(three_pages)))
    seen = [each.event for each in until(heard, DocumentLooked)]
    looked = [each.page for each in seen if isinstance(each, PageLooked)]
    assert [page.number for page in looked] == [1, 2, 3]
    assert isinstance(seen[-1], DocumentLooked)
    assert (seen[-1].document.kind, seen[-1].document.pages) == ("pdf", tuple(looked))


def test_a_page_is_drawn_into_a_file(unloaded: Running, heard: Heard, three_pages: Path, tmp_path: Path) -> None:
    unloaded.submit(ShowPage(1, str(three_pages), 2, str(tmp_path / "page.png"), 500, 90))
    shown = until(heard, PageShown)[-1].event
    assert isinstance(shown, PageShown)
    with Image.open(shown.path) as picture:
        assert picture.size == (shown.width, shown.height) == (500, 353)


def test_what_cannot_be_looked_at_or_shown_is_one_sentence(
    unloaded: Running, heard: Heard, three_pages: Path, tmp_path: Path
) -> None:
    unloaded.submit(LookAtDocument(1, str(tmp_path / "none.pdf")))
    unloaded.submit(ShowPage(2, str(three_pages), 4, str(tmp_path / "page.png"), 500))
    unloaded.submit(ShowPage(3, str(three_pages), 1, str(tmp_path / "none" / "page.png"), 500))
    failed = {each.request_id: each.event for each in (until(heard, Failed)[-1] for _ in range(3))}
    assert failed == {
        1: Failed("AttachmentError", "“none.pdf” is not there."),
        2: Failed("AttachmentError", "“a.pdf” has 3 pages, and no page 4."),
        3: Failed("AttachmentError", "The page cannot be drawn into “page.png”: No such file or directory."),
    }


def test_pages_are_shown_while_an_answer_runs(
    engine: Running, heard: Heard, three_pages: Path, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    engine.submit(LoadModel(1, str(tiny_checkpoint)))
    until(heard, ModelLoaded)
    engine.submit(Respond(2, (user("Hello"),), ENDLESS))
    until(heard, TextDelta)
    engine.submit(ShowPage(3, str(three_pages), 1, str(tmp_path / "page.png"), 300))
    assert not any(isinstance(each.event, Finished) for each in until(heard, PageShown))
    engine.submit(Cancel(2))
    until(heard, Finished)


def test_looking_is_stopped_when_it_is_cancelled(unloaded: Running, heard: Heard, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("page"))] * 2000)
    unloaded.submit(LookAtDocument(1, str(path)))
    until(heard, PageLooked)
    unloaded.submit(Cancel(1))
    assert until(heard, Failed)[-1].event == Failed("Cancelled", "Looking at the document was stopped.")


LARGE = Page(whole_picture(), picture=draw_page([(80, 200, "Hello 42"), (80, 400, "Total 17")], (800, 1130), 90))


def pages_of(seen: list[Envelope]) -> list[PageText]:
    return [each.event.page for each in seen if isinstance(each.event, PageRead)]


def test_pages_are_read_one_by_one_each_as_it_is_best(engine: Running, heard: Heard, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("This is printed.")), LARGE, Page(b""), LARGE])
    engine.submit(LoadModel(1, str(sample_checkpoint())))
    engine.submit(ReadDocument(2, str(path), Reading()))
    seen = until(heard, DocumentRead, Failed)
    assert seen[-1].event == DocumentRead(4)
    pages = pages_of(seen)
    assert [(page.number, page.state) for page in pages] == [(1, "done"), (2, "done"), (3, "empty"), (4, "done")]
    assert [page.receipt.way if page.receipt else None for page in pages] == ["layer", "pieces", None, "pieces"]
    assert pages[0].text == "This is printed."
    assert pages[1].text == "Hello 42\nTotal 17"
    progress = [each.event for each in seen if isinstance(each.event, PageProgress)]
    assert progress[0].page == 2
    assert progress[-1].num_done == progress[-1].num_pieces
    engine.submit(LookAtDocument(3, str(path)))
    looked = until(heard, DocumentLooked)[-1].event
    assert isinstance(looked, DocumentLooked)
    taken = sum(page.receipt.num_soft_tokens for page in pages if page.receipt)
    assert looked.cost.num_soft_tokens == pytest.approx(taken, rel=0.5)
    assert looked.cost.seconds is not None


def test_a_text_layer_needs_no_model_and_a_picture_says_that_it_does(
    unloaded: Running, heard: Heard, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("This is printed.", "And this.")), LARGE])
    unloaded.submit(ReadDocument(1, str(path), Reading("layer", region=Box(0.0, 0.0, 1.0, 0.1))))
    seen = until(heard, DocumentRead)
    assert [(page.state, page.text) for page in pages_of(seen)] == [("done", "This is printed."), ("empty", "")]
    unloaded.submit(ReadDocument(2, str(path), Reading(), (2, 1)))
    assert until(heard, Failed)[-1].event == Failed("NoModel", "No model is loaded. Choose one first.")


def test_an_answer_does_not_wait_for_a_page(engine: Running, heard: Heard, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [LARGE] * 3)
    engine.submit(LoadModel(1, str(sample_checkpoint())))
    engine.submit(ReadDocument(2, str(path)))
    until(heard, PageProgress)
    engine.submit(Respond(3, (user("17 + 25 ="),), Options(max_new_tokens=4)))
    before = until(heard, Finished)
    assert before[-1].request_id == 3
    begun = next(index for index, each in enumerate(before) if each.request_id == 3)  # however late it was asked
    assert len(pages_of(before[begun:])) <= 1
    after = until(heard, DocumentRead)
    assert [page.text for page in pages_of(before) + pages_of(after)] == ["Hello 42\nTotal 17"] * 3


def test_a_reading_is_cancelled_and_what_was_read_stays(engine: Running, heard: Heard, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("This is printed.")), *[LARGE] * 50])
    engine.submit(LoadModel(1, str(sample_checkpoint())))
    engine.submit(ReadDocument(2, str(path)))
    until(heard, PageProgress)
    engine.submit(Cancel(2))
    ended = until(heard, DocumentRead)[-1].event
    assert isinstance(ended, DocumentRead)
    assert ended.is_cancelled
    assert ended.num_pages >= 1
    engine.submit(Respond(3, (user("17 + 25 ="),), Options(max_new_tokens=2)))
    assert until(heard, Finished)[-1].request_id == 3


def test_a_reading_that_waits_for_another_is_cancelled_at_once(engine: Running, heard: Heard, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [LARGE] * 50)
    engine.submit(LoadModel(1, str(sample_checkpoint())))
    engine.submit(ReadDocument(2, str(path)))
    until(heard, PageProgress)
    engine.submit(ReadDocument(3, str(path)))
    engine.submit(Cancel(3))
    ended = until(heard, DocumentRead)[-1]
    assert ended.request_id == 3
    assert isinstance(ended.event, DocumentRead)
    assert ended.event.is_cancelled
    engine.submit(Cancel(2))
    assert until(heard, DocumentRead)[-1].request_id == 2


def test_another_model_is_loaded_between_two_pages(
    engine: Running, heard: Heard, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    path = write_pdf(tmp_path / "a.pdf", [LARGE] * 50)
    engine.submit(LoadModel(1, str(sample_checkpoint())))
    engine.submit(ReadDocument(2, str(path), Reading("pieces")))
    until(heard, PageProgress)
    engine.submit(LoadModel(3, str(tiny_checkpoint)))
    loading = until(heard, ModelLoaded)
    assert all(page.text == "Hello 42\nTotal 17" for page in pages_of(loading))
    assert not any(isinstance(each.event, DocumentRead) for each in loading)
    engine.submit(Cancel(2))
    until(heard, DocumentRead)


def test_a_death_ends_the_reading_with_a_sentence_and_the_pages_so_far_stand(heard: Heard, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("This is printed.")), *[LARGE] * 50])
    client = EngineClient(COMMAND, heard.put)
    client.start()
    client.submit(LoadModel(1, str(sample_checkpoint())))
    client.submit(ReadDocument(2, str(path)))
    before = until(heard, PageProgress)
    assert client._child is not None
    os.kill(client._child.pid, signal.SIGKILL)
    failed = next(each for each in iter(heard.get, None) if isinstance(each.event, Failed))
    assert [page.text for page in pages_of(before)] == ["This is printed."]
    assert failed == Envelope(
        2,
        Failed(
            "EngineStopped",
            "While reading the document, the engine was ended by the system, perhaps because memory ran out. "
            "It was started again. What was read before stays: go on from there.",
        ),
    )
    until(heard, ModelLoaded)
    client.submit(ReadDocument(3, str(path), pages=(2,)))
    assert pages_of(until(heard, DocumentRead))[0].text == "Hello 42\nTotal 17"
    client.close()


def shown(request_id: int) -> ShowPage:
    return ShowPage(request_id, "a.pdf", 1, "a.png", 100)


class Panic(BaseException):
    pass


def new_desk(over: queue.SimpleQueue[tuple[int, BaseException | None]], cancelled: set[int]) -> Desk:
    def lend(_: Callable[[], bool]) -> Loan:
        raise AssertionError("nothing is read")

    return Desk(lambda *_: None, lambda *each: over.put(each), cancelled.__contains__, lend, lambda: None, Pace())


def test_what_waits_behind_pages_that_take_long_is_called_off_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    over, cancelled, is_let_go = queue.SimpleQueue[tuple[int, BaseException | None]](), set[int](), threading.Event()

    def show(request: ShowPage, between: Callable[[], None]) -> PageShown:
        between()
        is_let_go.wait()
        return PageShown(request.target, 1, 1)

    monkeypatch.setattr("engine.process.desk.show", show)
    desk = new_desk(over, cancelled)
    for number in (1, 2, 3):
        desk.submit(shown(number))
    cancelled.add(3)
    desk.cancel(3)
    try:
        number, failure = over.get(timeout=240)
        assert (number, type(failure)) == (3, Cancelled)
    finally:
        is_let_go.set()
        desk.close()


def test_a_request_ends_whatever_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    over = queue.SimpleQueue[tuple[int, BaseException | None]]()

    def show(request: ShowPage, between: Callable[[], None]) -> PageShown:
        raise Panic

    monkeypatch.setattr("engine.process.desk.show", show)
    desk = new_desk(over, set())
    desk.submit(shown(1))
    try:
        number, failure = over.get(timeout=240)
        assert (number, type(failure)) == (1, Panic)
    finally:
        desk.close()
