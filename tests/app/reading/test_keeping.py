"""What was read and corrected in the window is there when the document is opened again, in this run or the next."""

import errno
import os
import shutil
from concurrent.futures import Future
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.store import KeptPage, Orders, Store
from app.store.attachments import Attachments
from app.viewmodels.reading import keeping
from app.viewmodels.reading.document import OpenDocument, Phase
from app.viewmodels.reading.lines import text_of
from app.viewmodels.reading.output import stamp_of
from app.viewmodels.reading.queued import Progress
from engine import PageText, Reading, TextLine
from tests.app.driving import WAIT_MS, Draw, OpenDesk
from tests.fake_documents import SENTENCES, Pretence, pretend

THREE = Pretence(("picture",) * 3)


def opened(qtbot: QtBot, desk: Desk, path: Path) -> OpenDocument:
    """The document, looked at."""
    desk.models.reader.open([path])
    document = desk.models.reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    return document


def read(qtbot: QtBot, document: OpenDocument, *numbers: int) -> None:
    """Have pages read."""
    document.read(numbers, Reading(way="pieces"))
    qtbot.waitUntil(lambda: not document.is_reading, timeout=WAIT_MS)


def kept(desk: Desk) -> dict[int, bool]:
    """The pages in the store, and whether they were corrected."""
    desk.keeper.finish()
    desk.keeper.save()
    documents = desk.store.documents.all().result(60)
    pages = [page for each in documents for page in desk.store.documents.pages(each.id).result(60)]
    return {page.number: page.corrected is not None for page in pages}


def test_what_was_read_and_corrected_comes_back(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1, 3)
    document.edit(1, "mine\n" + text_of(document.page(1).lines))
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 3: False}, timeout=WAIT_MS)
    lines = document.page(1).lines
    desk.models.reader.close(document)
    again = opened(qtbot, desk, path)
    qtbot.waitUntil(lambda: again.num_read == 2, timeout=WAIT_MS)
    assert again.page(1).lines == lines
    assert [line.is_corrected for line in again.page(1).lines[:2]] == [True, False]
    assert not again.page(3).is_corrected


def test_it_comes_back_in_the_next_run(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 2)
    document.edit(2, "mine")
    desk.close()
    again = opened(qtbot, open_desk("fast"), path)
    qtbot.waitUntil(lambda: again.num_read == 1, timeout=WAIT_MS)
    assert text_of(again.page(2).lines) == "mine"
    assert again.page(2).is_corrected


def test_a_document_comes_back_as_it_was_left(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    """At its page and scale, with the question that nobody answered: closed and opened again, and in the next run."""
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document, reader = opened(qtbot, desk, path), desk.models.reader
    read(qtbot, document, 1, 2, 3)
    document.edit(3, "mine")
    reader.go_to(3)
    read(qtbot, document, 3)
    assert document.page(3).offer is not None
    desk.window.reading.page.view.zoom(2)
    scale = reader.scale
    assert scale > 0
    reader.close(document)
    document = opened(qtbot, desk, path)
    qtbot.waitUntil(lambda: reader.number == 3 and document.page(3).offer is not None, timeout=WAIT_MS)
    qtbot.waitUntil(desk.window.reading.text.offer.isVisible, timeout=WAIT_MS)
    desk.close()
    desk = open_desk("fast")
    reader = desk.models.reader
    qtbot.waitUntil(lambda: reader.is_shown and reader.number == 3, timeout=WAIT_MS)
    assert desk.window.reading.isVisible()
    assert desk.window.reading.page.view.chosen_scale == pytest.approx(scale)
    again = reader.document
    assert again is not None
    qtbot.waitUntil(lambda: again.page(3).offer is not None, timeout=WAIT_MS)
    assert [text_of(again.page(3).lines), again.page(1).is_corrected] == ["mine", False]
    reader.accept()
    desk.models.visits.save()
    (row,) = desk.store.documents.all().result(60)
    assert row.visit is not None
    assert not row.visit.offers
    reader.list_all()
    desk.close()
    desk = open_desk("fast")
    qtbot.waitUntil(lambda: desk.models.reader.is_listing, timeout=WAIT_MS)


def test_how_a_document_was_left_is_not_lost_before_all_that_is_kept_of_it_is_there(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document, documents, reader = opened(qtbot, desk, path), desk.store.documents, desk.models.reader
    read(qtbot, document, 3)
    reader.go_to(3)
    reader.close(document)
    pages: Future[list[KeptPage]] = Future()
    monkeypatch.setattr(documents, "pages", lambda _id: pages)
    document = opened(qtbot, desk, path)
    qtbot.waitUntil(lambda: bool(desk.keeper.id_of(document)), timeout=WAIT_MS)
    for leave in (desk.models.visits.save, lambda: reader.close(document)):
        leave()
        (row,) = documents.all().result(60)
        assert row.visit is not None
        assert row.visit.page == 3
    pages.set_result([])


def test_a_document_is_remembered_while_it_is_still_looked_at(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate, desk = tmp_path / "go", open_desk("fast")
    path = pretend(tmp_path / "a.pdf", Pretence(("picture",) * 3, looks_for=str(gate)))
    collection, reader = desk.models.collection, desk.models.reader
    reader.open([path])
    qtbot.waitUntil(lambda: list(collection.recent) == [path], timeout=WAIT_MS)
    document = reader.document
    assert document is not None
    assert document.phase is Phase.LOOKING
    reader.go_to(3)
    gate.touch()
    qtbot.waitUntil(lambda: [each.line for each in collection.entries] == ["3 pages, not read yet"], timeout=WAIT_MS)
    desk.close()
    reader = open_desk("fast").models.reader
    qtbot.waitUntil(lambda: reader.is_shown and reader.number == 3, timeout=WAIT_MS)


def test_pages_that_are_known_are_drawn_before_their_document_is_looked_at_again(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate, desk = tmp_path / "go", open_desk("fast")
    gate.touch()
    path = pretend(tmp_path / "a.pdf", Pretence(("picture",) * 3, looks_for=str(gate)))
    opened(qtbot, desk, path)
    qtbot.waitUntil(lambda: [each.line for each in desk.models.collection.entries] == ["3 pages, not read yet"],
                    timeout=WAIT_MS)  # fmt: skip
    desk.close()
    gate.unlink()
    desk = open_desk("fast")
    reader, view = desk.models.reader, desk.window.reading
    qtbot.waitUntil(lambda: reader.document is not None and len(reader.document.pages) == 3, timeout=WAIT_MS)
    reader.go_to(3)
    assert reader.pictures is not None
    with qtbot.waitSignal(reader.pictures.ready, timeout=WAIT_MS, check_params_cb=lambda drawn: drawn.number == 3):
        pass
    assert reader.document is not None
    assert reader.document.phase is Phase.LOOKING
    assert "Looking" not in view.header.state.text()
    gate.touch()
    qtbot.waitUntil(lambda: reader.document is not None and reader.document.phase is Phase.KNOWN, timeout=WAIT_MS)


def test_what_was_opened_last_is_offered_first_until_the_menu_is_cleared(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("fast")
    menu = desk.window.commands.menus["Open Recent"]

    def offered() -> list[tuple[str, bool]]:
        return [(action.text(), action.isEnabled()) for action in menu.actions() if not action.isSeparator()]

    assert offered() == [("Clear Menu", False)]
    paths = [pretend(tmp_path / f"{name}.pdf", THREE) for name in "abc"]
    for path in (*paths, paths[0]):
        document = opened(qtbot, desk, path)
        read(qtbot, document, 1)
    names = [(f"{name}.pdf", True) for name in "acb"]
    qtbot.waitUntil(lambda: offered() == [*names, ("Clear Menu", True)], timeout=WAIT_MS)
    paths[2].unlink()
    desk.models.collection.refresh()
    qtbot.waitUntil(lambda: ("c.pdf (Moved or Deleted)", False) in offered(), timeout=WAIT_MS)
    menu.actions()[-1].trigger()
    qtbot.waitUntil(lambda: offered() == [("Clear Menu", False)], timeout=WAIT_MS)
    reader = desk.models.reader
    reader.choose(reader.documents[1])
    qtbot.waitUntil(lambda: offered()[0] == ("b.pdf", True), timeout=WAIT_MS)
    desk.preferences.delete_all_requested.emit()
    qtbot.waitUntil(lambda: offered() == [("Clear Menu", False)], timeout=WAIT_MS)


def test_what_is_closed_before_it_is_known_what_was_kept_is_kept(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Event()
    monkeypatch.setattr(keeping, "stamp_of", lambda path: gate.wait(WAIT_MS / 1000) and stamp_of(path))
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 2)
    document.edit(2, "mine")
    desk.models.reader.close(document)
    gate.set()
    qtbot.waitUntil(lambda: kept(desk) == {2: True}, timeout=WAIT_MS)


def test_what_was_read_of_a_file_that_is_gone_is_shown_and_said(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    text = text_of(document.page(1).lines)
    desk.models.reader.close(document)
    path.unlink()
    desk.models.reader.open([path])
    again, view = desk.models.reader.document, desk.window.reading
    assert again is not None
    qtbot.waitUntil(lambda: again.num_read == 1 and again.phase is Phase.REFUSED, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.text.editor.text == text and view.failure.isVisible(), timeout=WAIT_MS)
    assert "a.pdf" in view.failure.text.text()


def test_a_line_that_was_taken_out_stays_out(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    left = text_of(document.page(1).lines).split("\n", 1)[1]
    document.edit(1, left)
    desk.close()
    again_desk = open_desk("fast")
    again = opened(qtbot, again_desk, path)
    qtbot.waitUntil(lambda: again.num_read == 1, timeout=WAIT_MS)
    assert text_of(again.page(1).lines) == left
    again.page_changed.emit(1)
    assert kept(again_desk) == {1: True}


def test_a_region_that_was_read_again_comes_back(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    box = document.page(1).lines[0].box
    assert box is not None
    document._take_page(PageText(1, "done", (TextLine("sharper", box),)), box)
    desk.close()
    again = opened(qtbot, open_desk("fast"), path)
    qtbot.waitUntil(lambda: again.num_read == 1, timeout=WAIT_MS)
    assert text_of(again.page(1).lines).startswith("sharper")


def test_what_was_stopped_says_so_in_the_next_run_and_its_rest_is_read(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1, 2)
    document.edit(1, "mine")
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 2: False}, timeout=WAIT_MS)
    desk.close()
    desk = open_desk("fast")
    collection, view = desk.models.collection, desk.window.documents
    desk.models.reader.list_all()
    qtbot.waitUntil(lambda: [entry.line for entry in collection.entries] == ["2 of 3 pages read"], timeout=WAIT_MS)
    assert collection.entries[0].progress is not Progress.DONE
    view.list.setCurrentIndex(view.list.model().index(0, 0))
    assert view.buttons["retry"].text() == "Read the Rest"
    view.buttons["retry"].click()
    qtbot.waitUntil(lambda: [entry.line for entry in collection.entries] == ["3 pages read"], timeout=WAIT_MS)
    assert collection.entries[0].progress is Progress.DONE
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 2: False, 3: False}, timeout=WAIT_MS)


def test_what_has_no_finished_page_when_the_app_ends_goes_on_in_the_next_run(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    waits_for = tmp_path / "go"
    path = pretend(tmp_path / "a.pdf", Pretence(("picture",) * 3, waits_for=str(waits_for), waits_at=1))
    desk = open_desk("fast")
    collection, document = desk.models.collection, opened(qtbot, desk, path)
    document.read([1, 2], Reading(way="pieces"))
    qtbot.waitUntil(lambda: [entry.path for entry in collection.entries] == [path], timeout=WAIT_MS)
    assert document.num_read == 0
    desk.close()
    waits_for.touch()
    desk = open_desk("fast")
    collection = desk.models.collection
    qtbot.waitUntil(lambda: [entry.line for entry in collection.entries] == ["2 pages read"], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: kept(desk) == {1: False, 2: False}, timeout=WAIT_MS)


def test_a_reading_that_the_apps_death_cut_off_goes_on_in_the_queue_of_the_next_run(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    pretence = Pretence(("picture",) * 3, waits_for=str(tmp_path / "never"), waits_at=1)
    path, desk = pretend(tmp_path / "a.pdf", pretence), open_desk("fast")
    document, documents = opened(qtbot, desk, path), desk.store.documents
    document.read([1, 2], Reading(way="page"))
    qtbot.waitUntil(lambda: [each.state for each in documents.all().result(60)] == ["reading"], timeout=WAIT_MS)
    desk.models.queue.begin()
    desk.models.queue.finish()
    assert not desk.models.queue.documents, "it is read where it is open"
    (row,) = documents.all().result(60)
    desk.models.reader.close(document)
    assert [each.state for each in documents.all().result(60)] == ["kept"], "who closes it wants no more of it"
    documents.save(row)
    desk.close()
    store = Store(tmp_path / "data", print)
    (row,) = store.documents.all().result(60)
    store.close()
    assert (row.state, row.details.orders.reading.way, row.details.orders.pages) == ("waiting", "page", (1, 2))


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_is_corrected_while_its_page_is_read_is_kept_whatever_ends_the_app(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, is_killed: bool
) -> None:
    gate = tmp_path / "go"
    path = pretend(tmp_path / "a.pdf", Pretence(("picture",), waits_for=str(gate), waits_at=1))
    desk = open_desk("fast")
    document = opened(qtbot, desk, path)
    document.read([1], Reading(way="pieces"))
    qtbot.waitUntil(lambda: text_of(document.page(1).draft) == "\n".join(SENTENCES[:3]), timeout=WAIT_MS)
    document.edit(1, f"{SENTENCES[0]}\nmine\n{SENTENCES[2]}")
    if is_killed:
        qtbot.waitUntil(lambda: kept(desk) == {1: True}, timeout=WAIT_MS)
        shutil.copytree(tmp_path / "data", tmp_path / "left", ignore=shutil.ignore_patterns("*lock*"))
    desk.close()
    desk = open_desk("fast", folder=tmp_path / ("left" if is_killed else "data"))
    document = opened(qtbot, desk, path)
    page = document.page(1)
    qtbot.waitUntil(lambda: page.is_corrected, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not desk.models.queue.waiting, timeout=WAIT_MS)
    assert text_of(page.lines) == f"{SENTENCES[0]}\nmine\n{SENTENCES[2]}"
    assert page.text is not None
    assert page.text.state == "cut_off"
    gate.touch()
    read(qtbot, document, 1)
    assert [line.text for line in page.lines] == [SENTENCES[0], "mine", *SENTENCES[2:]]
    assert (page.text.state, page.offer) == ("done", None)
    qtbot.waitUntil(lambda: kept(desk) == {1: True}, timeout=WAIT_MS)


def test_a_document_that_the_queue_reads_shows_that_where_it_is_open(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    path, desk = pretend(tmp_path / "a.pdf", Pretence(("picture",) * 3, waits_for=str(gate))), open_desk("fast")
    view, queue = desk.window.reading, desk.models.queue
    queue.add([path], Orders())
    qtbot.waitUntil(lambda: bool(queue.documents) and len(queue.documents[0].states) == 1, timeout=WAIT_MS)
    document = opened(qtbot, desk, path)
    qtbot.waitUntil(lambda: document.num_read == 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: document.page(2).progress == 0.25, timeout=WAIT_MS)
    assert [page.is_waiting for page in document.pages] == [False, True, True]
    desk.models.reader.go_to(2)
    view.refresh()
    assert view.header.state.text() == "Being read · page 2 of 3"
    assert view.text.editor.text.startswith(SENTENCES[1]), "what was read of it so far"
    desk.models.reader.go_to(3)
    view.refresh()
    assert "in the list of documents" in view.text.card.detail.text()
    assert view.text.card.read_button.isHidden()
    assert view.header.stop_button.text() == "Pause"
    qtbot.waitUntil(lambda: not desk.window.commands["read_all"].isEnabled(), timeout=WAIT_MS)
    gate.touch()
    qtbot.waitUntil(lambda: document.num_read == 3 and not queue.is_busy, timeout=WAIT_MS)
    assert not any(page.is_waiting for page in document.pages)
    assert not document.jobs.is_followed


def test_a_document_whose_reading_in_the_queue_is_paused_can_be_read(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    pretence = Pretence(("picture",) * 3, waits_for=str(tmp_path / "never"), waits_at=1)
    path, desk = pretend(tmp_path / "a.pdf", pretence), open_desk("fast")
    document, queue = opened(qtbot, desk, path), desk.models.queue
    queue.add([path], Orders())
    qtbot.waitUntil(lambda: document.page(1).progress == 0.25, timeout=WAIT_MS)
    qtbot.waitUntil(desk.window.reading.header.stop_button.isVisible, timeout=WAIT_MS)
    desk.window.reading.header.stop_button.click()
    assert queue.is_paused
    assert not any(page.is_waiting for page in document.pages)
    assert not document.jobs.is_followed


def test_a_row_that_is_deleted_while_its_first_page_is_read_stays_deleted(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path = pretend(tmp_path / "a.pdf", Pretence(("picture",), waits_for=str(tmp_path / "never"), waits_at=1))
    desk = open_desk("fast")
    collection, document = desk.models.collection, opened(qtbot, desk, path)
    document.read([1], Reading(way="pieces"))
    qtbot.waitUntil(lambda: bool(collection.entries), timeout=WAIT_MS)
    collection.remove(collection.entries[0])
    document.changed.emit()
    assert document.is_reading
    assert kept(desk) == {}
    assert desk.store.documents.all().result(60) == []


def test_a_file_that_was_changed_since_begins_anew(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    qtbot.waitUntil(lambda: kept(desk) == {1: False}, timeout=WAIT_MS)
    desk.models.reader.close(document)
    pretend(path, Pretence(("picture",) * 2))
    again = opened(qtbot, desk, path)
    desk.keeper.finish()
    assert again.num_read == 0


def test_what_the_queue_reads_is_shown_where_it_is_open(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    desk.models.queue.add([path], Orders(Reading(way="pieces")))
    qtbot.waitUntil(lambda: document.num_read == 3, timeout=WAIT_MS)
    assert "Alice" in text_of(document.page(1).lines)


@pytest.mark.parametrize("is_open_first", [True, False])
def test_of_what_is_read_and_forgotten_nothing_is_kept_though_it_is_open(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, is_open_first: bool
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    if is_open_first:
        opened(qtbot, desk, path)
    desk.models.queue.add([path], Orders(Reading(way="pieces")), is_forgotten=True)
    qtbot.waitUntil(lambda: bool(desk.models.queue.documents) and not desk.models.queue.waiting, timeout=WAIT_MS)
    document = opened(qtbot, desk, path)
    qtbot.waitUntil(lambda: document.num_read == 3, timeout=WAIT_MS)
    document.edit(1, "mine")
    assert kept(desk) == {}
    assert desk.store.documents.all().result(60) == []


def test_everything_that_is_deleted_is_gone(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    qtbot.waitUntil(lambda: kept(desk) == {1: False}, timeout=WAIT_MS)
    desk.preferences.delete_all_requested.emit()
    assert kept(desk) == {}
    assert desk.models.queue.documents == []


def test_what_is_corrected_while_the_queue_reads_comes_back(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    document.edit(1, "mine, before")
    qtbot.waitUntil(lambda: kept(desk) == {1: True}, timeout=WAIT_MS)
    desk.models.queue.add([path], Orders(Reading(way="pieces"), pages=(2, 3)))
    qtbot.waitUntil(lambda: document.num_read == 3, timeout=WAIT_MS)
    document.edit(3, "mine, after")
    desk.close()
    again = opened(qtbot, open_desk("fast"), path)
    qtbot.waitUntil(lambda: again.num_read == 3, timeout=WAIT_MS)
    assert text_of(again.page(1).lines) == "mine, before"
    assert text_of(again.page(3).lines) == "mine, after"


def test_what_is_opened_while_it_waits_is_kept_with_what_the_queue_reads(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    queue = desk.models.queue
    queue.pause()
    queue.add([path], Orders(Reading(way="pieces")))
    document = opened(qtbot, desk, path)
    queue.resume()
    qtbot.waitUntil(lambda: document.num_read == 3, timeout=WAIT_MS)
    document.edit(2, "mine")
    qtbot.waitUntil(lambda: kept(desk) == {1: False, 2: True, 3: False}, timeout=WAIT_MS)


@pytest.mark.parametrize("is_everything", [True, False])
def test_what_is_corrected_after_it_was_deleted_is_kept_whole(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, is_everything: bool
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    collection, document = desk.models.collection, opened(qtbot, desk, path)
    read(qtbot, document, 1, 2)
    qtbot.waitUntil(lambda: kept(desk) == {1: False, 2: False}, timeout=WAIT_MS)
    if is_everything:
        desk.preferences.delete_all_requested.emit()
    else:
        collection.refresh()
        qtbot.waitUntil(lambda: bool(collection.entries), timeout=WAIT_MS)
        collection.remove(collection.entries[0])
    document.turn(2, 90)
    assert kept(desk) == {}
    document.edit(1, "mine")
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 2: False}, timeout=WAIT_MS)


def full(_attachments: Attachments, _path: Path) -> Path:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def bound(qtbot: QtBot, desk: Desk, *paths: Path) -> OpenDocument:
    """The document that pictures are put together to, looked at."""
    desk.models.arrivals.read_pictures(paths)
    desk.models.arrivals.finish()
    document = desk.models.reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    return document


def test_pictures_put_together_are_kept_before_a_page_is_read_also_when_they_have_gone(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw
) -> None:
    desk, pictures = open_desk("fast"), [draw("IMG 1.png"), draw("IMG 2.png", 50, 40)]
    document = bound(qtbot, desk, *pictures)
    collection = desk.models.collection
    qtbot.waitUntil(lambda: [entry.path for entry in collection.entries] == [document.path], timeout=WAIT_MS)
    assert document.title == "IMG 1 and 1 more"
    desk.close()
    for picture in pictures:
        picture.unlink()
    desk = open_desk("fast")
    desk.store.purge(older_than=0).result(60)
    collection = desk.models.collection
    desk.models.reader.list_all()
    qtbot.waitUntil(lambda: bool(collection.entries), timeout=WAIT_MS)
    assert [page.name for page in sorted(collection.entries[0].path.iterdir())] == ["1 IMG 1.png", "2 IMG 2.png"]
    collection.open(collection.entries[0])
    again = desk.models.reader.document
    assert again is not None
    qtbot.waitUntil(lambda: again.phase is Phase.KNOWN and again.folder == tmp_path, timeout=WAIT_MS)


def test_a_deleted_document_of_pictures_takes_their_copies_along(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw
) -> None:
    desk = open_desk("fast")
    document = bound(qtbot, desk, draw("a.png"), draw("b.png", 50, 40))
    qtbot.waitUntil(lambda: bool(desk.models.collection.entries), timeout=WAIT_MS)
    desk.models.collection.remove(desk.models.collection.entries[0])
    desk.close()
    store = Store(tmp_path / "data", print)
    store.purge().result(60)
    store.close()
    assert not document.path.exists()
    assert not [path for path in (tmp_path / "data" / "attachments").rglob("*") if path.is_file()]


@pytest.mark.parametrize("is_temporary", [True, False])
def test_of_pictures_of_a_temporary_conversation_or_without_a_disk_nothing_is_kept(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw, is_temporary: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("fast")
    if is_temporary:
        desk.models.library.new(is_temporary=True)
    else:
        monkeypatch.setattr(Attachments, "keep", full)
    document = bound(qtbot, desk, draw("a.png"), draw("b.png", 50, 40))
    assert desk.pasted.holds(document.path)
    assert kept(desk) == {}
    assert desk.store.documents.all().result(60) == []


def test_what_was_opened_is_found_again_before_any_of_it_is_read(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    opened(qtbot, desk, path)
    collection, view = desk.models.collection, desk.window.documents
    desk.models.reader.list_all()
    qtbot.waitUntil(lambda: [e.line for e in collection.entries] == ["3 pages, not read yet"], timeout=WAIT_MS)
    view.list.setCurrentIndex(view.list.model().index(0, 0))
    assert view.buttons["retry"].text() == "Read"
    view.buttons["retry"].click()
    qtbot.waitUntil(lambda: [e.line for e in collection.entries] == ["3 pages read"], timeout=WAIT_MS)
    collection.remove(collection.entries[0])
    qtbot.waitUntil(lambda: not collection.entries, timeout=WAIT_MS)
    assert desk.store.documents.all().result(60) == []


def test_what_was_opened_beside_a_temporary_conversation_is_kept_when_it_is_read(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    desk.models.library.new(is_temporary=True)
    document = opened(qtbot, desk, path)
    desk.keeper.finish()
    desk.keeper.save()
    assert desk.store.documents.all().result(60) == []
    assert not desk.models.collection.recent
    read(qtbot, document, 1)
    qtbot.waitUntil(lambda: kept(desk) == {1: False}, timeout=WAIT_MS)


def test_a_table_is_one_when_it_comes_back(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    qtbot.waitUntil(lambda: kept(desk) == {1: False}, timeout=WAIT_MS)
    document.read([2], Reading(way="pieces", form="table"))
    qtbot.waitUntil(lambda: not document.is_reading, timeout=WAIT_MS)
    desk.close()
    again = opened(qtbot, open_desk("fast"), path)
    qtbot.waitUntil(lambda: again.num_read == 2, timeout=WAIT_MS)
    assert again.form == "table"


def test_a_deletion_that_is_taken_back_after_a_correction_leaves_one_document(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    collection, document = desk.models.collection, opened(qtbot, desk, path)
    read(qtbot, document, 1, 2)
    qtbot.waitUntil(lambda: kept(desk) == {1: False, 2: False}, timeout=WAIT_MS)
    collection.refresh()
    qtbot.waitUntil(lambda: bool(collection.entries), timeout=WAIT_MS)
    deleted = collection.entries[0]
    ways_back = QSignalSpy(collection.deleted)
    collection.remove(deleted)
    document.edit(1, "mine")
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 2: False}, timeout=WAIT_MS)
    ways_back.at(0)[0]()
    qtbot.waitUntil(lambda: [row.id for row in desk.store.documents.all().result(60)] == [deleted.id], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 2: False}, timeout=WAIT_MS)
    document.edit(2, "mine too")
    qtbot.waitUntil(lambda: kept(desk) == {1: True, 2: True}, timeout=WAIT_MS)
    assert len(desk.store.documents.all().result(60)) == 1


def test_what_the_queue_reads_again_is_offered_where_something_was_corrected(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path, desk = pretend(tmp_path / "a.pdf", THREE), open_desk("fast")
    document = opened(qtbot, desk, path)
    read(qtbot, document, 1)
    document.edit(1, "mine")
    assert kept(desk) == {1: True}
    desk.models.queue.add([path], Orders(Reading(way="pieces")))
    qtbot.waitUntil(lambda: document.num_read == 3, timeout=WAIT_MS)
    page = document.page(1)
    assert text_of(page.lines) == "mine"
    assert page.offer is not None
    document.accept(1)
    assert not page.is_corrected
    qtbot.waitUntil(lambda: kept(desk) == {1: False, 2: False, 3: False}, timeout=WAIT_MS)
    assert len(desk.store.documents.all().result(60)) == 1, "both are kept in one row"
