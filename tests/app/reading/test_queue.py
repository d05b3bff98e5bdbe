"""A queue of documents: each page kept once, one failure stops nothing, and what goes wrong is said."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.bridge import Bridge
from app.store import Orders, Stamp, Store
from app.viewmodels.reading import output
from app.viewmodels.reading.output import stamp_of
from app.viewmodels.reading.pace import Pace, weight
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.queued import Progress, QueuedDocument
from engine import DocumentInfo, PageInfo, PageText, ReadDocument, Reading, Request, TextLine, Written
from tests.app.driving import WAIT_MS, FakeEngine
from tests.app.store.stored import on_owner
from tests.fake_documents import Pretence, pretend

OpenDesk = Callable[..., "Desk"]


class Desk:
    """A queue with its own engine and store, closed and opened as when the app starts again."""

    def __init__(self, folder: Path, engine: list[str]) -> None:
        self.said: list[object] = []
        self.store = Store(folder / "store", self.said.append)
        self.bridge = Bridge(engine)
        self.bridge.start()
        self.queue = Queue(self.bridge, self.store)
        self.queue.begin()

    def close(self) -> None:
        """As the app ends."""
        self.queue.close()
        self.bridge.close()
        self.store.close()


@pytest.fixture
def opened() -> list[Desk]:
    return []


@pytest.fixture
def desk(tmp_path: Path, opened: list[Desk], qtbot: QtBot, fake_engine: FakeEngine) -> Iterator[OpenDesk]:
    """Opens a queue; the one before is closed."""

    def open_one(marker: Path | None = tmp_path / "marker") -> Desk:
        for each in opened:
            each.close()
        opened[:] = [Desk(tmp_path, fake_engine("fast", marker))]
        return opened[0]

    yield open_one
    for each in opened:
        each.close()


def until_over(qtbot: QtBot, queue: Queue, number: int) -> None:
    """Wait until so many documents are there and over."""
    qtbot.waitUntil(
        lambda: len(queue.documents) == number and all(each.is_over for each in queue.documents), timeout=WAIT_MS
    )


def until(qtbot: QtBot, fact: Callable[[], bool]) -> None:
    """Wait for a fact."""
    qtbot.waitUntil(fact, timeout=WAIT_MS)


def pile(folder: Path, *pretences: Pretence) -> list[Path]:
    """Documents for the pretended engine."""
    folder.mkdir(exist_ok=True)
    return [pretend(folder / f"{number} letter.pdf", pretence) for number, pretence in enumerate(pretences, 1)]


def names(queue: Queue) -> list[str]:
    return [document.path.name for document in queue.documents]


TXT = Orders(Reading(way="pieces"), forms=("txt",))
TWO = Pretence(("picture", "picture"))


def test_files_and_folders_are_read_in_order_and_written_beside_them(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    pile(tmp_path / "in", TWO, TWO)
    (extra,) = pile(tmp_path / "alone", TWO)
    queue = desk().queue
    finished = QSignalSpy(queue.finished)
    queue.add([tmp_path / "in", extra], TXT)
    until_over(qtbot, queue, 3)
    assert names(queue) == ["1 letter.pdf", "2 letter.pdf", "1 letter.pdf"]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.txt")) == [
        "alone/1 letter.txt", "in/1 letter.txt", "in/2 letter.txt",
    ]  # fmt: skip
    text = (tmp_path / "in" / "1 letter.txt").read_text()
    assert text.count("Alice was beginning") == 2
    assert text.count("\f") == 1
    assert [finished.at(0), finished.count()] == [["3 documents read."], 1]


def test_a_folders_tree_is_kept_below_the_chosen_folder(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    pile(tmp_path / "in", TWO)
    pile(tmp_path / "in" / "deep", TWO)
    queue = desk().queue
    queue.add([tmp_path / "in"], Orders(Reading(way="pieces"), forms=("txt", "json"), out=tmp_path / "out"))
    until_over(qtbot, queue, 2)
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        "1 letter.json", "1 letter.txt", "deep/1 letter.json", "deep/1 letter.txt",
    ]  # fmt: skip
    assert not list((tmp_path / "in").rglob("*.txt"))


def test_it_goes_on_at_the_page_where_it_stopped(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (path,) = pile(tmp_path / "in", Pretence(("picture",) * 5, waits_for=str(gate), waits_at=3))
    first = desk()
    first.queue.add([path], TXT)
    until(qtbot, lambda: bool(first.queue.documents) and len(first.queue.documents[0].states) == 2)
    again = desk().queue
    read: list[int] = []
    again.page_read.connect(lambda _document, page: read.append(page.number))
    gate.touch()
    until_over(qtbot, again, 1)
    assert read == [3, 4, 5]
    assert path.with_suffix(".txt").read_text().count("\f") == 4


def test_one_failure_stops_nothing(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    paths = pile(tmp_path / "in", TWO, Pretence(("picture",) * 3, fails_at=2), TWO)
    paths[0].write_bytes(b"noise")
    queue = desk().queue
    queue.add([*paths, tmp_path / "nowhere.pdf"], TXT)
    until_over(qtbot, queue, 4)
    noise, partly, whole, gone = queue.documents
    assert [each.progress for each in queue.documents] == [
        Progress.FAILED, Progress.DONE, Progress.DONE, Progress.FAILED,
    ]  # fmt: skip
    assert "no document" in noise.reason
    assert partly.line == "2 pages read, 1 not"
    assert "[Page 2: The page cannot be drawn.]" in paths[1].with_suffix(".txt").read_text()
    assert whole.written == (paths[2].with_suffix(".txt"),)
    assert "not there any more" in gone.reason


def test_pages_that_failed_are_read_again_on_request(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    (path,) = pile(tmp_path / "in", Pretence(("picture",) * 3, fails_at=2))
    queue = desk().queue
    queue.add([path], TXT)
    until_over(qtbot, queue, 1)
    (document,) = queue.documents
    assert document.failed_pages == (2,)
    pretend(path, Pretence(("picture",) * 3))
    read: list[int] = []
    queue.page_read.connect(lambda _document, page: read.append(page.number))
    document.stamp = None  # a mended file is another one: all of it is read again
    queue.retry(document)
    until_over(qtbot, queue, 1)
    assert read == [1, 2, 3]
    assert document.failed_pages == ()
    queue.retry(document, [3])
    until_over(qtbot, queue, 1)
    assert read == [1, 2, 3, 3]


def test_a_page_at_which_the_engine_ends_once_is_read_again(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    paths = pile(tmp_path / "in", Pretence(("picture",) * 3, dies_at=2), TWO)
    queue = desk().queue
    queue.add(paths, TXT)
    until_over(qtbot, queue, 2)
    assert queue.documents[0].states == {1: "done", 2: "done", 3: "done"}
    assert queue.documents[1].progress is Progress.DONE


def test_a_page_at_which_the_engine_ends_again_and_again_is_left_out(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    paths = pile(tmp_path / "in", Pretence(("picture",) * 3, dies_at=2), TWO)
    queue = desk(marker=None).queue  # an engine that leaves no mark never does well
    queue.add(paths, TXT)
    until_over(qtbot, queue, 2)
    assert queue.documents[0].states == {1: "done", 2: "failed", 3: "done"}
    assert "[Page 2: " in paths[0].with_suffix(".txt").read_text()
    assert queue.documents[1].progress is Progress.DONE


def test_an_engine_that_ends_everywhere_costs_one_page_and_the_rest_waits(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    paths = pile(tmp_path / "in", *(Pretence(("picture",), dies_at=1) for _ in range(4)))
    queue = desk(marker=None).queue
    queue.add(paths, TXT)
    until(qtbot, lambda: bool(queue.trouble))
    assert queue.is_paused
    assert [each.states for each in queue.documents] == [{1: "failed"}, {}, {}, {}]


def test_a_paused_queue_rests_and_goes_on(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    paths = pile(tmp_path / "in", Pretence(("picture",) * 3, waits_for=str(gate)), TWO)
    queue = desk().queue
    queue.add(paths, TXT)
    until(qtbot, lambda: bool(queue.documents) and queue.documents[0].page == 2)
    queue.pause()
    gate.touch()
    assert [each.progress for each in queue.documents] == [Progress.WAITING] * 2
    assert queue.documents[0].line == "Waits, 1 of 3 pages read"
    queue.resume()
    until_over(qtbot, queue, 2)
    assert [each.progress for each in queue.documents] == [Progress.DONE] * 2


def requests(desk: Desk) -> list[ReadDocument]:
    """What is asked for from now on."""
    asked = list[ReadDocument]()
    submit = desk.bridge.submit

    def note(request: Request) -> None:
        if isinstance(request, ReadDocument):
            asked.append(request)
        submit(request)

    desk.bridge.submit = note  # type: ignore[method-assign]
    return asked


def pages_asked(asked: Sequence[ReadDocument]) -> list[tuple[str, tuple[int, ...]]]:
    return [(Path(each.path).name, each.pages) for each in asked]


def test_short_documents_are_read_together_and_told_in_their_order(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    late = Pretence(("picture",), waits_for=str(gate), waits_at=1)
    paths = pile(tmp_path / "in", late, *[Pretence(("picture",))] * 3)
    opened = desk()
    asked, told = requests(opened), list[str]()
    opened.queue.page_read.connect(lambda document, _page: told.append(document.path.name))
    opened.queue.add(paths, TXT)
    until(qtbot, lambda: len(asked) == 4)
    assert [each.progress for each in opened.queue.documents] == [Progress.READING, *[Progress.WAITING] * 3]
    assert not told
    gate.touch()
    until_over(qtbot, opened.queue, 4)
    assert told == [path.name for path in paths]
    assert len(asked) == 4  # each was read once
    assert all(path.with_suffix(".txt").exists() for path in paths)


def test_no_more_pages_are_asked_for_than_are_read_at_once(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    late = Pretence(("picture",) * 5, waits_for=str(gate), waits_at=1)
    paths = pile(tmp_path / "in", late, *[Pretence(("picture",) * 5)] * 2)
    opened = desk()
    asked = requests(opened)
    opened.queue.add(paths, TXT)
    until(qtbot, lambda: all(each.info is not None for each in opened.queue.documents) and len(asked) == 2)
    assert pages_asked(asked) == [("1 letter.pdf", (1, 2, 3, 4, 5)), ("2 letter.pdf", (1, 2, 3))]
    gate.touch()
    until_over(qtbot, opened.queue, 3)
    assert [each.line for each in opened.queue.documents] == ["5 pages read"] * 3
    numbers = [(Path(each.path).name, number) for each in asked for number in each.pages]
    assert len(numbers) == len(set(numbers)) == 15


def test_a_pause_ends_what_is_read_ahead_too(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    late = Pretence(("picture",), waits_for=str(gate), waits_at=1)
    paths = pile(tmp_path / "in", late, late)
    opened = desk()
    asked = requests(opened)
    opened.queue.add(paths, TXT)
    until(qtbot, lambda: len(asked) == 2)
    opened.queue.pause()
    gate.touch()
    assert [each.progress for each in opened.queue.documents] == [Progress.WAITING] * 2
    opened.queue.resume()
    until_over(qtbot, opened.queue, 2)
    assert [each.progress for each in opened.queue.documents] == [Progress.DONE] * 2
    assert pages_asked(asked) == [("1 letter.pdf", (1,)), ("2 letter.pdf", (1,))] * 2


def test_what_was_read_ahead_of_a_file_that_changed_does_not_count(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first, second = pile(
        tmp_path / "in", Pretence(("picture",), waits_for=str(gate), waits_at=1), Pretence(("picture",))
    )
    opened = desk()
    asked = requests(opened)
    opened.queue.add([first, second], TXT)
    until(qtbot, lambda: len(asked) == 2)
    pretend(second, Pretence(("picture", "picture"), num_lines=1))
    gate.touch()
    until_over(qtbot, opened.queue, 2)
    assert second.with_suffix(".txt").read_text().count("\f") == 1
    assert len(second.with_suffix(".txt").read_text().splitlines()) < 6


def test_an_engine_that_ends_at_a_page_read_ahead_costs_that_page_alone(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    late = Pretence(("picture",), waits_for=str(gate), waits_at=1)
    paths = pile(tmp_path / "in", late, late, Pretence(("picture",), dies_at=1), Pretence(("picture",)))
    opened = desk(marker=None)
    opened.queue.document_changed.connect(lambda document: gate.touch() if document.is_apart else None)
    opened.queue.add(paths, TXT)
    until_over(qtbot, opened.queue, 4)
    assert [each.states[1] for each in opened.queue.documents] == ["done", "done", "failed", "done"]


def test_documents_change_places_and_keep_them(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    paths = pile(tmp_path / "in", TWO, TWO, TWO)
    queue = desk().queue
    queue.pause()
    queue.add(paths, TXT)
    until(qtbot, lambda: len(queue.documents) == 3)
    queue.move(queue.documents[2], -2)
    assert names(queue) == ["3 letter.pdf", "1 letter.pdf", "2 letter.pdf"]
    queue.move(queue.documents[0], 1)
    assert names(queue) == ["1 letter.pdf", "3 letter.pdf", "2 letter.pdf"]
    again = desk().queue
    until_over(qtbot, again, 3)
    assert names(again) == ["1 letter.pdf", "3 letter.pdf", "2 letter.pdf"]


def test_a_source_that_changes_meanwhile_is_said(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (path,) = pile(tmp_path / "in", Pretence(("picture",) * 3, waits_for=str(gate)))
    queue = desk().queue
    queue.add([path], TXT)
    until(qtbot, lambda: bool(queue.documents) and queue.documents[0].page == 2)
    pretend(path, Pretence(("picture",) * 2, num_lines=3))
    gate.touch()
    until_over(qtbot, queue, 1)
    (document,) = queue.documents
    assert "changed while it was read" in document.reason
    assert not path.with_suffix(".txt").exists()
    queue.retry(document)
    until_over(qtbot, queue, 1)
    assert (document.progress, document.numbers) == (Progress.DONE, (1, 2))
    assert path.with_suffix(".txt").exists()


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_source_that_moved_or_changed_between_two_starts_is_said(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path, is_moved: bool
) -> None:
    (path,) = pile(tmp_path / "in", Pretence(("picture",) * 3, waits_for=str(tmp_path / "gate")))
    first = desk().queue
    first.add([path], TXT)
    until(qtbot, lambda: bool(first.documents) and len(first.documents[0].states) == 1)
    first.close()
    if is_moved:
        path.rename(path.with_name("elsewhere.pdf"))
    else:
        pretend(path, TWO)
    queue = desk().queue
    until_over(qtbot, queue, 1)
    (document,) = queue.documents
    assert ("moved or deleted" if is_moved else "was changed since its first pages") in document.reason
    if is_moved:
        path.with_name("elsewhere.pdf").rename(path)
        pretend(path, TWO)
    queue.retry(document)
    until_over(qtbot, queue, 1)


def test_a_locked_document_asks_and_the_others_go_on(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    paths = pile(tmp_path / "in", Pretence(("picture",), password="sesame"), TWO)
    queue = desk().queue
    queue.add(paths, TXT)
    until_over(qtbot, queue, 2)
    locked, other = queue.documents
    assert (locked.needs_password, other.progress) == (True, Progress.DONE)
    queue.unlock(locked, "sesame")
    until_over(qtbot, queue, 2)
    assert locked.progress is Progress.DONE


def test_a_place_that_cannot_be_written_is_said_and_tried_again(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    paths = pile(tmp_path / "in", TWO, TWO)
    out = tmp_path / "out"
    out.write_text("in the way")
    queue = desk().queue
    queue.add(paths, Orders(Reading(way="pieces"), forms=("txt",), out=out))
    until_over(qtbot, queue, 2)
    assert all("Choose another place" in each.reason for each in queue.documents)
    out.unlink()
    read: list[int] = []
    queue.page_read.connect(lambda _document, page: read.append(page.number))
    for document in queue.documents:
        queue.retry(document)
    until_over(qtbot, queue, 2)
    assert read == []
    assert len(list(out.iterdir())) == 2


def test_writing_that_goes_wrong_in_us_is_said_and_the_others_go_on(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError

    paths = pile(tmp_path / "in", TWO, TWO)
    monkeypatch.setattr(output, "write_document", fail)
    queue = desk().queue
    queue.add(paths, TXT)
    until_over(qtbot, queue, 2)
    assert all("something went wrong in Cabochon" in each.reason for each in queue.documents)


def test_nothing_more_is_written_when_the_app_ends_and_what_was_is_told_at_once(tmp_path: Path) -> None:
    info, pages = DocumentInfo(str(tmp_path / "a.pdf"), "pdf", ()), [PageText(1, "done", (TextLine("one"),))]
    is_over, told = iter((False, True)), list[tuple[Path, ...]]()
    made = output.write_output(info, pages, Orders(forms=("txt", "md")), "", (), lambda: next(is_over), told.append)
    assert made.written == (tmp_path / "a.txt",)
    assert told == [made.written]
    assert made.failure
    assert not (tmp_path / "a.md").exists()


def test_a_link_to_nowhere_in_a_folder_hides_no_change_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    before = stamp_of(tmp_path)
    assert isinstance(before, Stamp)
    (tmp_path / "page.png").write_bytes(b"page")
    assert stamp_of(tmp_path) != before


def test_a_full_disk_in_the_middle_loses_nothing(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (path,) = pile(tmp_path / "in", Pretence(("picture",) * 4, num_lines=400, waits_for=str(gate)))
    opened = desk()
    opened.queue.add([path], TXT)
    until(qtbot, lambda: bool(opened.queue.documents) and len(opened.queue.documents[0].states) == 1)
    until(qtbot, lambda: len(opened.store.documents.pages(opened.queue.documents[0].id).result(60)) == 1)
    on_owner(opened.store, "PRAGMA max_page_count = 1")
    gate.touch()
    until_over(qtbot, opened.queue, 1)
    assert path.with_suffix(".txt").read_text().count("\f") == 3, "what waits for the disk is written all the same"
    assert any("disk is full" in str(sentence) for sentence in opened.said)
    on_owner(opened.store, "PRAGMA max_page_count = 1000000")
    assert opened.store.try_again().result(60)
    again = desk()
    until_over(qtbot, again.queue, 1)
    assert again.queue.documents[0].progress is Progress.DONE
    assert len(again.store.documents.pages(again.queue.documents[0].id).result(60)) == 4


def test_what_a_person_corrected_is_written(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (path,) = pile(tmp_path / "in", Pretence(("picture",) * 2, waits_for=str(gate)))
    opened = desk()
    opened.queue.add([path], TXT)
    until(qtbot, lambda: bool(opened.queue.documents) and len(opened.queue.documents[0].states) == 1)
    mine = PageText(1, "done", (TextLine("what I wrote"),))
    opened.store.documents.save_correction(opened.queue.documents[0].id, 1, mine)
    gate.touch()
    until_over(qtbot, opened.queue, 1)
    assert path.with_suffix(".txt").read_text().startswith("what I wrote\n")


def test_read_and_forget_keeps_nothing(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    (path,) = pile(tmp_path / "in", TWO)
    opened = desk()
    opened.queue.add([path], TXT, is_forgotten=True)
    until_over(qtbot, opened.queue, 1)
    assert path.with_suffix(".txt").exists()
    assert opened.store.documents.all().result(60) == []
    assert desk().queue.documents == []
    kept = b"".join(each.read_bytes() for each in (tmp_path / "store").rglob("*") if each.is_file())
    assert b"letter" not in kept
    assert b"Alice" not in kept


def test_time_left_is_known_after_a_third_of_the_work_also_for_what_waits(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    paths = pile(tmp_path / "in", Pretence(("picture",) * 5, waits_for=str(gate), waits_at=4, seconds=0.01), TWO, TWO)
    queue = desk().queue
    assert queue.seconds_left is None
    queue.add(paths, TXT)
    until(qtbot, lambda: bool(queue.documents) and len(queue.documents[0].states) == 3)
    until(qtbot, lambda: all(each.info is not None for each in queue.documents))
    one_page = queue.documents[0].seconds / 3
    left = queue.seconds_left
    assert left is not None
    assert left == pytest.approx(6 * one_page, rel=0.1)


def test_what_is_looked_at_while_it_waits_is_kept_as_the_file_it_was(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    paths = pile(tmp_path / "in", Pretence(("picture",) * 3, waits_for=str(tmp_path / "gate")), TWO)
    first = desk()
    first.queue.add(paths, TXT)
    until(qtbot, lambda: len(first.queue.documents) == 2 and first.queue.documents[1].info is not None)
    (kept,) = [each for each in first.store.documents.all().result(60) if each.path == paths[1]]
    assert kept.details.stamp == stamp_of(paths[1])
    assert kept.details.info is not None


def test_what_stands_in_a_file_or_too_little_tells_nothing_of_the_time_left() -> None:
    pace, layer = Pace(), weight(PageInfo(1, 595, 842, "text", "", ink=0.04), reads_layer=True)
    for _ in range(20):
        pace.note(layer, 0.0)
    assert pace.left(1.0) is None
    pace.note(0.5, 10.0)
    assert pace.left(1.1) is None
    assert pace.left(1.0) == pytest.approx(20.0)
    for _ in range(7):
        pace.note(0.5, 10.0)
    assert pace.left(100.0) == pytest.approx(2000.0)


def test_time_left_follows_what_is_over_and_what_is_under_way() -> None:
    infos = tuple(
        PageInfo(n, 595, 842, verdict, "", ink=0.04) for n, verdict in enumerate(("picture", "text", "empty"), 1)
    )
    document = QueuedDocument(Path("a.pdf"), Orders(pages=(3, 1)))
    document.know(DocumentInfo("a.pdf", "pdf", infos))
    assert document.numbers == (3, 1)
    whole = document.weight
    assert document.weight_left == whole
    document.take(PageText(3, "empty"))
    assert document.weight_left == pytest.approx(document.weight_of(1))
    document.page, document.share = 1, 0.5
    assert document.weight_left == pytest.approx(document.weight_of(1) / 2)
    document.forget([3])
    document.page = 0
    assert document.weight_left == pytest.approx(whole)


def test_a_document_that_is_taken_out_is_gone(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    paths = pile(tmp_path / "in", Pretence(("picture",) * 3, waits_for=str(tmp_path / "gate")), TWO)
    opened = desk()
    opened.queue.add(paths, TXT)
    until(qtbot, lambda: bool(opened.queue.documents) and opened.queue.documents[0].page == 2)
    opened.queue.remove(opened.queue.documents[0])
    until_over(qtbot, opened.queue, 1)
    assert [each.path for each in opened.store.documents.all().result(60)] == [paths[1]]


def _document(queue: Queue) -> QueuedDocument:
    (document,) = queue.documents
    return document


def test_the_same_file_is_not_queued_twice_while_it_waits(desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    (path,) = pile(tmp_path / "in", TWO)
    queue = desk().queue
    queue.pause()
    queue.add([path], TXT)
    queue.add([path.parent], TXT)
    queue.finish()
    assert _document(queue).path == path
    queue.resume()
    until_over(qtbot, queue, 1)
    assert len(list(tmp_path.rglob("*.txt"))) == 1


def test_a_document_that_is_added_again_is_written_again_and_not_read(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    (path,) = pile(tmp_path / "in", TWO)
    queue = desk().queue
    queue.add([path], TXT)
    until_over(qtbot, queue, 1)
    (written,) = _document(queue).written
    written.unlink()
    read = QSignalSpy(queue.page_read)
    queue.add([path], TXT)
    qtbot.waitUntil(written.exists, timeout=WAIT_MS)
    until_over(qtbot, queue, 1)
    assert read.count() == 0
    assert _document(queue).written == (written,)
    assert queue.trouble == f"“{path.name}” was read before. To read anew, open it and choose Read All Pages."


def test_each_file_is_noted_as_soon_as_it_is_written(
    desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that after an end in between the next start writes no second one."""
    (path,) = pile(tmp_path / "in", TWO)
    queue, store = (opened := desk()).queue, opened.store
    real, noted = output.write_document, list[tuple[str, ...]]()

    def write(*given: Any, **more: Any) -> Written:
        (kept,) = store.documents.all().result(60)
        noted.append(tuple(each.name for each in kept.details.written))
        return real(*given, **more)

    monkeypatch.setattr(output, "write_document", write)
    queue.add([path], Orders(Reading(way="pieces"), forms=("txt", "md")))
    until_over(qtbot, queue, 1)
    assert noted == [(), ("1 letter.txt",)]


def test_a_page_costs_by_its_letters() -> None:
    none, few, many = (
        weight(PageInfo(1, 595, 842, "picture", "", num_printed=number), reads_layer=False) for number in (0, 200, 4000)
    )
    assert (many - none) / (few - none) == pytest.approx(20)
