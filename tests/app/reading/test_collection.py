"""Many documents in the window: queued, read, written, found again, deleted and brought back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.settings import Settings
from app.viewmodels.reading import queue
from app.viewmodels.reading.fields import as_words
from app.viewmodels.reading.queued import Progress
from engine import Quote, find_documents
from tests.app.driving import WAIT_MS, Draw, OpenDesk, drop, files, hover
from tests.fake_documents import SENTENCES, Pretence, pretend


def lines(desk: Desk) -> dict[str, str]:
    """How each document is, by its name."""
    return {entry.path.name: entry.line for entry in desk.models.collection.entries}


def wait(desk: Desk, qtbot: QtBot) -> None:
    """Until nothing waits, and all of it is shown."""
    queue, collection = desk.models.queue, desk.models.collection
    qtbot.waitUntil(lambda: bool(queue.documents) and not queue.waiting and not queue.is_busy, timeout=WAIT_MS)
    over, num = (Progress.DONE, Progress.PARTLY, Progress.FAILED), len(queue.documents)
    qtbot.waitUntil(lambda: [e.progress in over for e in collection.entries] == [True] * num, timeout=WAIT_MS)


def queued(desk: Desk, qtbot: QtBot, folder: Path) -> None:
    """Three documents in a folder that was dropped, of which one is damaged."""
    folder.mkdir()
    pretend(folder / "a.pdf", Pretence(("picture",) * 2))
    pretend(folder / "b.pdf", Pretence(("text",) * 3, num_lines=12, fails_at=2))
    (folder / "c.pdf").write_bytes(b"nothing")
    drop(desk, files([folder]))
    desk.models.arrivals.read()
    assert desk.window.documents.isVisible()
    wait(desk, qtbot)


def test_a_dropped_folder_is_read_and_written_and_one_failure_stops_nothing(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    desk.models.collection.forms = ("txt",)
    queued(desk, qtbot, tmp_path / "pile")
    assert lines(desk)["a.pdf"].startswith("2 pages read")
    assert lines(desk)["b.pdf"].startswith("2 pages read, 1 not")
    assert "no document that can be read" in lines(desk)["c.pdf"]
    progress = {entry.path.name: entry.progress for entry in desk.models.collection.entries}
    assert progress == {"a.pdf": Progress.DONE, "b.pdf": Progress.PARTLY, "c.pdf": Progress.FAILED}
    rows = desk.window.documents.list.model()
    spoken = [rows.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(3)]
    assert "b.pdf. Read in part. 2 pages read, 1 not" in spoken
    assert SENTENCES[0] in (tmp_path / "pile" / "a.txt").read_text()


def test_a_document_of_the_list_is_opened_with_what_was_read(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    queued(desk, qtbot, tmp_path / "pile")
    rows = desk.window.documents.list
    names = [entry.path.name for entry in desk.models.collection.entries]
    rows.setFocus()
    rows.setCurrentIndex(rows.model().index(names.index("a.pdf"), 0))
    QTest.keyClick(rows, Qt.Key.Key_Return)
    assert desk.window.reading.isVisible()
    qtbot.waitUntil(lambda: SENTENCES[0] in desk.window.reading.text.editor.text, timeout=WAIT_MS)
    desk.window.reading.header.list_button.click()
    assert desk.window.documents.isVisible()
    QTest.keyClick(rows, Qt.Key.Key_Escape)
    assert not desk.models.reader.is_shown


def test_words_lead_to_the_page_they_stand_on(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    queued(desk, qtbot, tmp_path / "pile")
    collection = desk.models.collection
    desk.window.documents.search.setText("pleasure of making")
    qtbot.waitUntil(lambda: any(e.page == 3 for e in collection.entries), timeout=WAIT_MS)
    entry = next(e for e in collection.entries if e.path.name == "b.pdf" and e.page == 3)
    collection.open(entry)
    qtbot.waitUntil(lambda: desk.models.reader.number == 3, timeout=WAIT_MS)


@pytest.mark.parametrize("way", ["button", "command", "key"])
def test_a_deleted_document_comes_back(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, way: str) -> None:
    desk = open_desk()
    queued(desk, qtbot, tmp_path / "pile")
    rows, collection = desk.window.documents.list, desk.models.collection
    names = [entry.path.name for entry in collection.entries]
    rows.setFocus()
    rows.setCurrentIndex(rows.model().index(names.index("a.pdf"), 0))
    at = names.index("a.pdf")
    neighbour = names[at + 1] if at + 1 < len(names) else names[at - 1]
    QTest.keyClick(rows, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "a.pdf" not in lines(desk), timeout=WAIT_MS)
    assert rows.entry is not None
    assert rows.entry.path.name == neighbour
    if way == "button":
        desk.window.documents.toast.undo_button.click()
    elif way == "command":
        desk.window.commands["undo"].trigger()
    else:
        QTest.keySequence(rows, QKeySequence(QKeySequence.StandardKey.Undo))
    qtbot.waitUntil(lambda: lines(desk).get("a.pdf", "").startswith("2 pages read"), timeout=WAIT_MS)


def test_what_is_read_and_forgotten_is_deleted_without_a_way_back(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    collection, path = desk.models.collection, pretend(tmp_path / "a.pdf", Pretence(("picture",)))
    collection.forgets = True
    collection.add([path])
    wait(desk, qtbot)
    deleted = QSignalSpy(collection.deleted)
    collection.remove(collection.entries[0])
    assert deleted.count() == 0
    assert desk.models.queue.documents == []


def test_reading_pauses_and_goes_on_and_what_waits_is_moved(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    held = tmp_path / "go on"
    paths = [pretend(tmp_path / f"{name}.pdf", Pretence(("picture",) * 2, waits_for=str(held))) for name in "abc"]
    collection, view = desk.models.collection, desk.window.documents
    desk.models.reader.list_all()
    collection.add(paths)
    qtbot.waitUntil(lambda: len(collection.entries) == 3 and collection.entries[0].share is not None, timeout=WAIT_MS)
    view.pause_button.click()
    qtbot.waitUntil(lambda: view.pause_button.text() == "Go On" and "Paused" in view.state.text(), timeout=WAIT_MS)
    collection.move(collection.entries[2], -1)
    qtbot.waitUntil(lambda: [e.path.stem for e in collection.entries] == ["a", "c", "b"], timeout=WAIT_MS)
    held.touch()
    view.pause_button.click()
    wait(desk, qtbot)
    assert set(lines(desk).values()) == {"2 pages read"}


def test_fields_of_many_documents_are_one_table_with_what_is_missing_marked(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    kiosk = pretend(tmp_path / "kiosk.pdf", Pretence(("picture",), fields={"Total": "4.20", "Date": "2026-11-30"}))
    baker = pretend(tmp_path / "baker.pdf", Pretence(("picture",), fields={"Total": "=1+1"}))
    fields, view = desk.models.fields, desk.window.documents.fields
    desk.models.reader.list_all()
    desk.window.documents.table_button.click()
    view.names.setText("Date: date, Total: number")
    view.names.editingFinished.emit()
    assert not view.empty.isHidden()
    fields.add([kiosk, baker])
    qtbot.waitUntil(lambda: len(fields.rows) == 2 and not desk.models.queue.is_busy, timeout=WAIT_MS)
    assert view.empty.isHidden()
    qtbot.waitUntil(lambda: all(each.is_over for each in fields.rows), timeout=WAIT_MS)
    rows = {each.path.stem: [fields.cell(each, name) for name in fields.fields] for each in fields.rows}
    assert [(cell.text, cell.problem) for cell in rows["kiosk"]] == [("2026-11-30", ""), ("4.20", "")]
    assert [(cell.text, cell.problem) for cell in rows["baker"]] == [
        ("", "Not found."),
        ("=1+1", "This is no number."),
    ]
    fields.export("csv", tmp_path / "Fields.csv")
    qtbot.waitUntil((tmp_path / "Fields.csv").exists, timeout=WAIT_MS)
    assert "kiosk.pdf,2026-11-30,4.20" in (tmp_path / "Fields.csv").read_text()
    assert "baker.pdf,,'=1+1" in (tmp_path / "Fields.csv").read_text(), "a spreadsheet would calculate"
    aligned = [view.rows.index(0, column).data(Qt.ItemDataRole.TextAlignmentRole) for column in range(3)]
    assert [side is not None for side in aligned] == [False, False, True], "numbers stand under each other"
    view.table.chosen.emit(view.rows.index(0, 1))
    assert desk.models.reader.document is not None
    assert desk.models.reader.document.path == fields.rows[0].path


@pytest.mark.parametrize(
    ("text", "is_marked"),
    [("-4.20", False), ("- 4.20 €", False), ("+49 30 5550", False), ("a=b", False), ("", False), ("-", True),
     ("@SUM(A1)", True), ("+1+cmd|' /C calc'!A0", True), ("-A1", True), ("\tx", True)],
)  # fmt: skip
def test_words_that_a_spreadsheet_would_calculate_are_told_from_numbers(text: str, is_marked: bool) -> None:
    assert as_words(text) == ("'" + text if is_marked else text)


def test_a_value_that_the_model_was_not_sure_of_is_marked(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    path = pretend(tmp_path / "a.pdf", Pretence(("picture",), fields={"Shop": "Kio?k", "Town": "Berlin"}))
    fields, rows = desk.models.fields, desk.window.documents.fields.rows
    fields.name("Shop, Town")
    fields.add([path])
    qtbot.waitUntil(lambda: bool(fields.rows) and fields.cell(fields.rows[0], "Town").text == "Berlin", timeout=WAIT_MS)
    told = Qt.ItemDataRole.AccessibleTextRole
    assert [rows.index(0, column).data(told) for column in (1, 2)] == [
        "Kio?k. The model was not sure of this", "Berlin",
    ]  # fmt: skip
    assert rows.index(0, 1).data(Qt.ItemDataRole.BackgroundRole) is not None
    assert rows.index(0, 2).data(Qt.ItemDataRole.BackgroundRole) is None
    fields.export("csv", tmp_path / "Fields.csv")
    qtbot.waitUntil((tmp_path / "Fields.csv").exists, timeout=WAIT_MS)
    assert (tmp_path / "Fields.csv").read_text("utf-8-sig").splitlines() == [
        "Document,Shop,Town,To check", "a.pdf,Kio?k,Berlin,Shop: The model was not sure of this.",
    ]  # fmt: skip


def test_the_cells_that_are_to_be_looked_at_are_stepped_through(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    one = pretend(tmp_path / "a.pdf", Pretence(("picture",), fields={"Shop": "Kiosk", "Town": "Berl?n"}))
    other = pretend(tmp_path / "b.pdf", Pretence(("picture",), fields={"Shop": "Ba?er", "Town": "Bern"}))
    fields, view = desk.models.fields, desk.window.documents.fields
    desk.models.reader.list_all()
    desk.window.documents.table_button.click()
    view.take("Shop, Town")
    fields.add([one, other])
    qtbot.waitUntil(lambda: len(fields.rows) == 2 and not desk.models.queue.waiting, timeout=WAIT_MS)
    table = view.table

    def place() -> tuple[int, int]:
        return table.currentIndex().row(), table.currentIndex().column()

    qtbot.waitUntil(view.check_button.isVisible, timeout=WAIT_MS)
    view.check_button.click()
    assert place() == (0, 2)
    assert table.hasFocus()
    on = Qt.KeyboardModifier.ControlModifier
    back = on | Qt.KeyboardModifier.AltModifier
    for keys, wanted in ((on, (1, 1)), (on, (0, 2)), (back, (1, 1))):
        QTest.keyClick(table, Qt.Key.Key_Apostrophe, keys)
        assert place() == wanted
    view.take("Town: text")
    fields.rows = fields.rows[1:]
    view.refresh()
    view.check_button.click()
    assert desk.window.documents.toast.text.text() == "No cell of the table is marked"


def test_other_names_keep_the_rows_and_what_is_missing_is_looked_for(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw
) -> None:
    desk = open_desk()
    found = {"Total": "4.20", "Date": "2026-11-30", "Shop": "Kiosk\tBerlin"}
    gate = tmp_path / "gate"
    slow = pretend(tmp_path / "slow.pdf", Pretence(("picture",), fields=found, waits_for=str(gate), waits_at=1))
    last = pretend(tmp_path / "a.pdf", Pretence(("picture",), fields=found))
    fields, view, queue = desk.models.fields, desk.window.documents.fields, desk.models.queue
    desk.models.reader.list_all()
    desk.window.documents.table_button.click()
    view.take("Total: number, Date")
    drop(desk, files([draw("photo.png"), slow, last]))
    qtbot.waitUntil(
        lambda: [row.path.name for row in fields.rows] == ["photo.png", "slow.pdf", "a.pdf"], timeout=WAIT_MS
    )
    qtbot.waitUntil(lambda: fields.rows[1].is_being_read, timeout=WAIT_MS)
    told = [[view.rows.index(row, column).data() for column in (1, 2)] for row in range(3)]
    assert told[1:] == [["Reading…"] * 2, ["Waits"] * 2]
    assert not view.export_button.isEnabled(), "there is nothing yet"
    gate.touch()
    qtbot.waitUntil(lambda: not queue.waiting and fields.cell(fields.rows[2], "Total").text == "4.20", timeout=WAIT_MS)
    qtbot.waitUntil(view.export_button.isEnabled, timeout=WAIT_MS)
    assert fields.cell(fields.rows[0], "Total").problem, "why a file could not be read stands in its row"
    view.take("Date, Total: number")
    assert [view.rows.index(2, column).data() for column in range(3)] == ["a.pdf", "2026-11-30", "4.20"]
    assert view.further.isHidden()
    view.take("Date, Shop, Total: number")
    assert [view.rows.index(2, column).data() for column in range(4)] == [
        "a.pdf", "2026-11-30", "Not looked for", "4.20",
    ]  # fmt: skip
    assert view.further.text() == "Look for “Shop” in 3 documents"
    view.further.setFocus()
    view.further.click()
    assert QApplication.focusWidget() is view.table
    qtbot.waitUntil(lambda: fields.cell(fields.rows[2], "Shop").text == "Kiosk\tBerlin", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not queue.waiting, timeout=WAIT_MS)
    assert [row.path.name for row in fields.rows] == ["photo.png", "slow.pdf", "a.pdf"]
    assert fields.cell(fields.rows[2], "Date").text == "2026-11-30", "what was found before stays"
    assert view.further.isHidden()
    view.table.setCurrentIndex(view.rows.index(2, 1))
    desk.window.commands["copy"].trigger()
    assert QGuiApplication.clipboard().text() == "2026-11-30"
    desk.window.commands["select_all"].trigger()
    desk.window.commands["copy"].trigger()
    assert QGuiApplication.clipboard().text().splitlines()[2] == "a.pdf\t2026-11-30\tKiosk Berlin\t4.20"
    height = view.table.rowHeight(0)
    desk.window.commands["bigger"].trigger()
    assert view.table.rowHeight(0) > height, "larger letters have room"
    view.take("Name")
    assert view.empty.text().startswith("3 documents were read for Total, Date and Shop. Name one")


def test_documents_of_the_list_come_into_the_table_and_none_twice(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    paths = [pretend(tmp_path / f"{name}.pdf", Pretence(("picture",), fields={"Total": "4.20"})) for name in "ab"]
    fields, view = desk.models.fields, desk.window.documents.fields
    desk.models.collection.add(paths)
    desk.models.reader.list_all()
    wait(desk, qtbot)
    view.take("Total: sum")
    assert view.problem.text() == "There is no kind “sum”: write “text” or “number” or “date” behind the colon."
    assert not view.read_button.isEnabled()
    view.take("Total: num")
    assert fields.fields == {"Total": "number"}
    view.read.aboutToShow.emit()
    assert [action.text() for action in view.read.actions()] == ["All 2 Documents", "", "b.pdf", "a.pdf"]
    view.read.actions()[0].trigger()
    qtbot.waitUntil(lambda: len(fields.rows) == 2 and not desk.models.queue.waiting, timeout=WAIT_MS)
    fields.add(paths)
    desk.models.queue.finish()
    qtbot.waitUntil(lambda: not desk.models.queue.waiting, timeout=WAIT_MS)
    assert len(fields.rows) == 2
    view.read.aboutToShow.emit()
    assert [action.isEnabled() for action in view.read.actions()] == [False]
    fields.add([tmp_path])
    desk.models.queue.finish()
    assert [len(row.readings) for row in fields.rows] == [1, 1], "nor by its folder"
    wait(desk, qtbot)
    told = [entry.line for entry in desk.models.collection.entries]
    assert sorted(told) == ["1 page read"] * 2 + ["Fields Total · 1 page read"] * 2


def test_a_row_of_the_table_goes_and_comes_back_and_documents_of_a_folder_come_at_once(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    found = {"Total": "4.20", "Name": "a very long name that has no room in its column " * 3}
    paths = []
    for folder, names in (("receipts", ("receipt-of-the-year-2026-number-01", "receipt-02")), ("letters", ("c",))):
        (tmp_path / folder).mkdir()
        paths += [pretend(tmp_path / folder / f"{name}.pdf", Pretence(("picture",), fields=found)) for name in names]
    fields, view = desk.models.fields, desk.window.documents.fields
    desk.models.collection.add(paths)
    desk.models.reader.list_all()
    desk.window.documents.table_button.click()
    wait(desk, qtbot)
    view.take("Name, Total: number")
    view.read.aboutToShow.emit()
    words = [action.text() for action in view.read.actions()]
    assert words[:3] == ["All 3 Documents", "The 2 in “receipts”", ""]
    view.read.actions()[1].trigger()
    qtbot.waitUntil(lambda: [row.is_over for row in fields.rows] == [True] * 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.rows.index(0, 2).data() == "4.20", timeout=WAIT_MS)
    table = view.table
    most, width = table.horizontalHeader().maximumSectionSize(), table.fontMetrics().horizontalAdvance
    qtbot.waitUntil(lambda: table.columnWidth(1) == most < width(found["Name"]), timeout=WAIT_MS)
    assert table.columnWidth(0) - 12 >= width("receipt-02.pdf")
    assert view.rows.index(0, 1).data(Qt.ItemDataRole.ToolTipRole) == found["Name"]
    option = QStyleOptionViewItem()
    table.itemDelegateForColumn(0).initStyleOption(option, view.rows.index(0, 0))
    assert option.textElideMode is Qt.TextElideMode.ElideMiddle, "names differ at their end"
    table.setFocus()
    table.setCurrentIndex(view.rows.index(0, 1))
    assert [action.text() for action in table.build_menu(table.currentIndex()).actions()] == [
        "Open", "Copy", "Remove the Row",
    ]  # fmt: skip
    kept = fields.rows[1].path
    QTest.keyClick(table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: [row.path for row in fields.rows] == [kept], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.rows.rowCount() == 1, timeout=WAIT_MS)
    assert (table.currentIndex().row(), table.currentIndex().column()) == (0, 1), "the keyboard stays in the table"
    desk.window.documents.toast.undo_button.click()
    qtbot.waitUntil(lambda: {row.path for row in fields.rows} == {*paths[:2]}, timeout=WAIT_MS)


def test_what_was_left_out_hides_neither_how_the_queue_does_nor_a_button(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    for number in range(12):
        (tmp_path / f"a text that is no document and has a long name {number}.txt").write_text("text")
    waits_for = tmp_path / "go"
    pretend(tmp_path / "a.pdf", Pretence(("picture",), waits_for=str(waits_for), waits_at=1))
    collection = desk.models.collection
    desk.models.reader.list_all()
    view = desk.window.documents
    collection.add([tmp_path])
    qtbot.waitUntil(lambda: view.state.text().startswith("Reading · 1 document to go"), timeout=WAIT_MS)
    assert view.trouble.text().startswith("Left out")
    assert view.trouble.isVisible()
    heads = [widget.mapTo(view, QPoint(0, 0)).y() for widget in (view.pause_button, view.table_button)]
    assert heads[0] == heads[1] < view.trouble.mapTo(view, QPoint(0, 0)).y()
    waits_for.touch()
    wait(desk, qtbot)


def test_a_document_that_was_read_for_fields_says_so_and_its_text_is_read_beside_them(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk()
    path = pretend(tmp_path / "kiosk.pdf", Pretence(("picture",), fields={"Total": "4.20"}))
    fields, window = desk.models.fields, desk.window
    fields.name("Total, Shop")
    fields.add([path])
    qtbot.waitUntil(lambda: len(fields.rows) == 1 and fields.rows[0].is_over, timeout=WAIT_MS)
    desk.models.reader.open_page(path, 1)
    qtbot.waitUntil(lambda: window.reading.text.editor.toPlainText() == "Total: 4.20\nShop:", timeout=WAIT_MS)
    qtbot.waitUntil(window.commands["copy_page"].isEnabled, timeout=WAIT_MS)
    window.commands["copy_page"].trigger()
    assert QGuiApplication.clipboard().text() == "Total: 4.20\nShop:\n"
    side, document = window.reading.text, desk.models.reader.document
    assert document is not None
    assert "Total, Shop" in side.form.text.text()
    side.text_button.click()
    qtbot.waitUntil(lambda: side.editor.toPlainText().startswith(SENTENCES[0]), timeout=WAIT_MS)
    assert not side.form.isVisible()
    fields.name("Nothing of it")
    fields.name("Total, Shop")
    assert fields.cell(fields.rows[0], "Total").text == "4.20"
    desk.keeper.save()
    rows = {row.details.orders.reading.form: row.id for row in desk.store.documents.all().result(60)}
    (cells,) = desk.store.documents.pages(rows["fields"]).result(60)
    assert cells.read.fields["Total"] == "4.20"
    collection = desk.models.collection
    both = ["1 page read", "Fields Total, Shop · 1 page read"]
    qtbot.waitUntil(lambda: sorted(entry.line for entry in collection.entries) == both, timeout=WAIT_MS)
    window.commands["remove"].trigger()
    qtbot.waitUntil(lambda: not collection.entries, timeout=WAIT_MS)
    missed = QSignalSpy(collection.missed)
    with monkeypatch.context() as patch:
        patch.setattr("app.viewmodels.reading.collection.HELD_S", 0)
        collection._offer_deleted(path, None)
    assert missed.count() == 0, "it is deleted for good by then"
    desk.models.reader.open_page(path, 1)
    toast = window.reading.toast
    qtbot.waitUntil(
        lambda: toast.isVisible() and toast.text.text() == "What was read of it was deleted", timeout=WAIT_MS
    )
    assert not side.editor.isVisible()
    toast.undo_button.click()
    qtbot.waitUntil(lambda: sorted(entry.line for entry in collection.entries) == both, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: side.editor.toPlainText().startswith(SENTENCES[0]), timeout=WAIT_MS)


def test_fields_that_are_named_again_after_a_restart_are_found_on_all_pages(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    pretence = Pretence(("picture",) * 2, fields={"Total": "4.20"}, waits_for=str(gate))
    path, fields = pretend(tmp_path / "kiosk.pdf", pretence), (desk := open_desk()).models.fields
    fields.name("Total: number")
    fields.add([path])
    qtbot.waitUntil(lambda: len(fields.rows) == 1 and len(fields.rows[0].readings[0].states) == 1, timeout=WAIT_MS)
    fields.name("Shop")
    desk.close()
    gate.touch()
    desk = open_desk()
    queue, fields = desk.models.queue, desk.models.fields
    qtbot.waitUntil(lambda: bool(queue.documents) and not queue.waiting, timeout=WAIT_MS)
    fields.name("Total: number")
    (row,) = fields.rows
    qtbot.waitUntil(lambda: fields.cell(row, "Total").page == 1, timeout=WAIT_MS)


@pytest.mark.parametrize("is_dropped", [True, False])
def test_all_that_comes_to_the_list_joins_it_and_nothing_opens(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw, tmp_path: Path, is_dropped: bool
) -> None:
    desk = open_desk()
    paths = [draw("0.png"), pretend(tmp_path / "a.pdf", Pretence(("picture",))), draw("1.png")]
    desk.models.reader.list_all()
    if is_dropped:
        hover(desk, files(paths))
        assert desk.window.overlay.title.text() == "Read 3 documents"
        drop(desk, files(paths))
    else:
        desk.models.arrivals.open(paths)
    desk.models.arrivals.finish()
    qtbot.waitUntil(lambda: set(lines(desk)) == {"0.png", "a.pdf", "1.png"}, timeout=WAIT_MS)
    wait(desk, qtbot)
    assert desk.models.reader.is_listing
    assert desk.models.reader.documents == []


def test_documents_that_come_with_pictures_to_an_open_one_are_not_covered_by_them(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw, tmp_path: Path
) -> None:
    desk = open_desk()
    shown, other = (pretend(tmp_path / f"{name}.pdf", Pretence(("picture",))) for name in "ab")
    desk.models.reader.open([shown])
    drop(desk, files([draw("0.png"), other]))
    qtbot.waitUntil(lambda: {"0.png", "b.pdf"} <= set(lines(desk)), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not desk.models.queue.waiting, timeout=WAIT_MS)
    assert desk.models.reader.is_listing
    assert [each.path for each in desk.models.reader.documents] == [shown]


def test_what_goes_into_the_message_from_the_list_is_said(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk()
    (tmp_path / "notes.txt").write_text("a note")
    desk.models.reader.list_all()
    drop(desk, files([tmp_path / "notes.txt"]))
    assert desk.window.documents.toast.text.text() == "1 file attached to your message."


def test_one_document_on_the_list_is_read_as_the_list_says(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk, path = open_desk(), pretend(tmp_path / "a.pdf", Pretence(("picture",)))
    collection, view = desk.models.collection, desk.window.documents
    desk.models.reader.list_all()
    view.form.setCurrentIndex(1)
    view.form.activated.emit(1)
    view.forgets.click()
    assert view.out.isVisible()
    drop(desk, files([path]))
    qtbot.waitUntil((tmp_path / "a.txt").exists, timeout=WAIT_MS)
    assert collection.queue.documents[0].is_forgotten
    assert desk.models.reader.is_listing
    assert desk.store.documents.all().result(60) == []


def test_the_keyboard_goes_from_the_search_to_what_was_found(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    queued(desk, qtbot, tmp_path / "pile")
    view, reader, collection = desk.window.documents, desk.models.reader, desk.models.collection
    view.search.setFocus()
    QTest.keyClicks(view.search, "pleasure of making")
    qtbot.waitUntil(lambda: len(collection.entries) > 1 and all(e.page for e in collection.entries), timeout=WAIT_MS)
    first, second = collection.entries[:2]
    QTest.keyClick(view.search, Qt.Key.Key_Down)
    assert view.list.hasFocus()
    assert view.list.entry == first
    QTest.keyClick(view.list, Qt.Key.Key_Down)
    QTest.keyClick(view.list, Qt.Key.Key_Return)
    assert reader.document is not None
    assert reader.document.path == second.path
    qtbot.waitUntil(lambda: reader.number == second.page, timeout=WAIT_MS)
    reader.list_all()
    view.search.setFocus()
    QTest.keyClick(view.search, Qt.Key.Key_Return)
    assert reader.document.path == first.path
    qtbot.waitUntil(lambda: reader.number == first.page, timeout=WAIT_MS)


def test_the_sidebar_finds_documents_beside_conversations_and_leads_from_page_to_page(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    queued(desk, qtbot, tmp_path / "pile")
    sidebar, reader, search = desk.window.sidebar, desk.models.reader, desk.models.search
    sidebar.search.setText("pleasure of making")
    qtbot.waitUntil(lambda: bool(search.documents), timeout=WAIT_MS)
    first = search.documents[0]
    assert len(first.pages) == 2
    assert first.more == "1 more"
    model = sidebar.list.model()
    said = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]
    assert said[0] == "Documents"
    assert said[1].startswith(f"{first.title}: ")
    for number in (*first.pages, first.pages[0]):
        QTest.keyClick(sidebar.search, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda number=number: reader.number == number, timeout=WAIT_MS)
        assert reader.document is not None
        assert reader.document.path == first.path
    collection = desk.models.collection
    collection.remove(next(entry for entry in collection.entries if entry.path == first.path))
    qtbot.waitUntil(lambda: first.path not in [each.path for each in search.documents], timeout=WAIT_MS)
    sidebar.search.setText("no such words")
    qtbot.waitUntil(lambda: sidebar.note.text() == "Nothing found.", timeout=WAIT_MS)


def test_the_keyboard_is_where_it_is_seen_when_the_table_stands_before_the_list(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("fast")
    reader, collection, view = desk.models.reader, desk.models.collection, desk.window.documents
    reader.list_all()
    assert QApplication.focusWidget() is view.search, "there is no document"
    collection.add([pretend(tmp_path / "a.pdf", Pretence(("picture",)))])
    qtbot.waitUntil(lambda: bool(collection.entries), timeout=WAIT_MS)
    for home in (view.fields.names, view.list):
        view.table_button.click()
        reader.show(False)
        reader.list_all()
        assert QApplication.focusWidget() is home
        assert home.isVisible()
    view.table_button.click()
    desk.window.commands["all_documents"].trigger()
    assert QApplication.focusWidget() is view.list
    assert view.list.isVisible()
    view.table_button.click()
    collection.remove(collection.entries[0])
    view.toast.undo_button.setFocus()
    view.toast.take_back()
    focus = QApplication.focusWidget()
    assert focus is None or focus.isVisible(), "keys act on nothing that is not seen"


@pytest.mark.parametrize("num_files", [1, 2])
def test_what_is_dropped_on_the_table_is_read_for_its_fields(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw, num_files: int
) -> None:
    desk = open_desk()
    fields, view = desk.models.fields, desk.window.documents.fields
    kiosk = pretend(tmp_path / "kiosk.pdf", Pretence(("picture",), fields={"Total": "4.20"}))
    desk.models.reader.list_all()
    desk.window.documents.table_button.click()
    QTest.keyClicks(view.names, "Total: number")
    drop(desk, files([kiosk, draw("photo.png")][:num_files]))
    qtbot.waitUntil(lambda: len(fields.rows) == num_files, timeout=WAIT_MS)
    assert view.isVisible()
    qtbot.waitUntil(lambda: "4.20" in [fields.cell(each, "Total").text for each in fields.rows], timeout=WAIT_MS)


@pytest.mark.parametrize("is_sidebar", [True, False])
def test_a_search_leads_to_the_found_page_and_word_of_a_document_that_is_not_open_yet(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, is_sidebar: bool
) -> None:
    desk = open_desk()
    pretend(tmp_path / "a.pdf", Pretence(("picture",) * 3, num_lines=3))
    desk.models.collection.add([tmp_path / "a.pdf"])
    wait(desk, qtbot)
    desk.close()
    desk = open_desk()
    reader, finding, editor = desk.models.reader, desk.models.page_finding, desk.window.reading.text.editor
    field = desk.window.sidebar.search if is_sidebar else desk.window.documents.search
    if not is_sidebar:
        reader.list_all()
    found = desk.models.search.found if is_sidebar else desk.models.collection.changed
    with qtbot.waitSignal(
        found,
        timeout=WAIT_MS,
        check_params_cb=lambda: (
            bool(desk.models.search.documents) if is_sidebar else any(e.page for e in desk.models.collection.entries)
        ),
    ):
        field.setText("conversations what")
    QTest.keyClick(field, Qt.Key.Key_Return)
    line = SENTENCES[4]
    start = line.index("conversations")
    qtbot.waitUntil(lambda: finding.current is not None, timeout=WAIT_MS)
    assert finding.current == (3, 2, start, start + len("conversations"))
    assert reader.number == 3
    assert editor.place[0] == 2
    assert finding.count_line == "1 of 2"
    assert finding.on_page(3)[1][1:] == (line.index("what"), line.index("what") + len("what"))


def test_fields_are_kept_under_a_name_and_taken_again(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk()
    fields, view = desk.models.fields, desk.window.documents.fields
    view.names.setText("Date: date, Total: number")
    view.sets.aboutToShow.emit()
    fields.keep_set(" Receipts ")
    view.take("Shop")
    fields.keep_set("Shops")
    view.sets.aboutToShow.emit()
    actions = {action.text(): action for action in view.sets.actions()}
    assert list(actions) == ["Receipts", "Shops", "", "Keep These Fields…", "Delete “Shops”"]
    actions["Receipts"].trigger()
    assert view.names.text() == fields.words == "Date: date, Total: number"
    view.sets.aboutToShow.emit()
    view.sets.actions()[-1].trigger()
    assert list(fields.sets) == ["Shops"]
    fields.keep_set("  ")
    assert list(fields.sets) == ["Shops"]


def test_a_document_without_a_word_says_so(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    desk.models.collection.add([pretend(tmp_path / "photo.pdf", Pretence(("empty",)))])
    desk.models.reader.list_all()
    wait(desk, qtbot)
    assert lines(desk) == {"photo.pdf": "Nothing to read on it"}


def test_a_pile_of_files_is_attached_a_few_at_a_time_and_its_documents_are_offered(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    notes = [tmp_path / f"note {number}.txt" for number in range(40)]
    for number, note in enumerate(notes):
        note.write_text(f"Note {number}")
    papers = [pretend(tmp_path / f"{name}.pdf", Pretence(("text",))) for name in "abc"]
    composer, arrival = desk.models.composer, desk.window.arrival
    drop(desk, files([*notes, *papers]), is_read=False)
    assert 0 < len(composer.items) < 40
    qtbot.waitUntil(lambda: len(composer.items) == 40 and composer.draft.is_ready, timeout=WAIT_MS)
    assert [item.name for item in composer.items] == [note.name for note in notes]
    assert arrival.text.text() == "3 documents can be read one after the other, and kept."
    desk.models.arrivals.read()
    wait(desk, qtbot)
    assert set(lines(desk)) == {"a.pdf", "b.pdf", "c.pdf"}


def test_a_dropped_folder_is_offered_by_its_documents_and_what_comes_next_is_offered_with_it(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, draw: Draw
) -> None:
    desk, folder = open_desk(), tmp_path / "f"
    folder.mkdir()
    paper, arrival = pretend(tmp_path / "a.pdf", Pretence(("text",))), desk.window.arrival
    hover(desk, files([folder]))
    assert desk.window.overlay.title.text() == "Look into “f”"
    drop(desk, files([folder]))
    qtbot.waitUntil(lambda: "documents in “f” can be read" in arrival.text.text(), timeout=WAIT_MS)
    assert not desk.models.arrivals.can_ask
    drop(desk, files([paper]))
    assert arrival.text.text() == "2 documents can be read one after the other, and kept."
    drop(desk, files([draw("a.png")]))
    assert arrival.text.text() == "2 documents can be read one after the other, and kept."


def test_a_question_about_pictures_stays_with_the_draft_that_they_are_attached_to(
    open_desk: OpenDesk, qtbot: QtBot, draw: Draw
) -> None:
    """What was dropped into a temporary conversation is not kept with a picture of the next one."""
    desk = open_desk()
    arrivals, composer = desk.models.arrivals, desk.models.composer
    desk.models.library.new(is_temporary=True)
    drop(desk, files([draw("a.png"), draw("b.png")]))
    assert arrivals.question.startswith("2 pictures are attached")
    desk.models.library.new()
    assert arrivals.question == ""
    assert not desk.window.arrival.isVisible()
    drop(desk, files([draw("c.png")]))
    assert arrivals.question == ""
    drop(desk, files([draw("d.png"), draw("e.png")]))
    assert arrivals.question.startswith("2 pictures are attached")
    composer.remove(composer.draft.all[-1].key)
    composer.remove(composer.draft.all[-1].key)
    assert arrivals.question == ""


def test_a_new_conversation_comes_before_a_document_also_where_the_one_behind_is_new(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    desk = open_desk()
    commands = desk.window.commands
    assert not commands["new"].isEnabled()
    desk.models.reader.open([pretend(tmp_path / "a.pdf", Pretence(("text",)))])
    assert commands["new"].isEnabled()
    commands["new"].trigger()
    assert not desk.models.reader.is_shown
    assert desk.window.composer.editor.hasFocus()
    assert not commands["new"].isEnabled()


def test_what_is_to_go_is_counted_by_the_rows_that_wait(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk()
    collection, reader = desk.models.collection, desk.models.reader
    pretence = Pretence(("picture",), waits_for=str(tmp_path / "never"), waits_at=1)
    opened, *waiting = (pretend(tmp_path / f"{name}.pdf", pretence) for name in "abc")
    reader.open([opened])
    reader.list_all()
    qtbot.waitUntil(lambda: len(collection.entries) == 1, timeout=WAIT_MS)
    collection.add(waiting)
    qtbot.waitUntil(lambda: len(collection.entries) == 3, timeout=WAIT_MS)
    assert collection.line == "Reading · 2 documents to go"


def test_while_files_are_looked_for_and_at_the_window_says_so(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, search = tmp_path / "gate", Event()
    (pile := tmp_path / "pile").mkdir()
    pretend(pile / "a.pdf", Pretence(("picture",) * 3, looks_for=str(gate)))
    pretend(pile / "b.pdf", Pretence(("picture",)))

    def find(paths: Sequence[Path], between: Callable[[], None]) -> object:
        search.wait()
        return find_documents(paths, between)

    monkeypatch.setattr(queue, "find_documents", find)
    desk = open_desk()
    collection, state = desk.models.collection, desk.window.documents.state
    desk.models.reader.list_all()
    collection.add([pile])
    qtbot.waitUntil(lambda: state.text() == "Looking for documents…", timeout=WAIT_MS)
    search.set()
    qtbot.waitUntil(lambda: state.text() == "Looking · 2 documents to go", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: lines(desk)["a.pdf"] == "Looking at page 1 of 3…", timeout=WAIT_MS)
    gate.touch()
    wait(desk, qtbot)
    qtbot.waitUntil(lambda: state.text() == "2 documents", timeout=WAIT_MS)


@pytest.mark.parametrize(("text_size", "is_tight"), [(100, False), (200, True)])
def test_the_list_has_room_in_a_narrow_window_and_says_whole_why_a_document_failed(
    open_desk: OpenDesk, settings: Settings, qtbot: QtBot, tmp_path: Path, text_size: int, is_tight: bool
) -> None:
    settings.text_size = text_size
    desk = open_desk()
    desk.theme.apply()
    view, collection = desk.window.documents, desk.models.collection
    pile = [pretend(tmp_path / f"{number}.pdf", Pretence(("picture",))) for number in range(8)]
    (tmp_path / "a letter to the bank.pdf").write_bytes(b"nothing")
    desk.models.reader.list_all()
    collection.forms = ("txt",)
    desk.window.resize(480, 700)
    collection.add([tmp_path / "a letter to the bank.pdf", *pile])
    wait(desk, qtbot)
    qtbot.waitUntil(lambda: view.options_button.isVisible() is is_tight, timeout=WAIT_MS)
    assert view.options.isVisible() is not is_tight
    qtbot.waitUntil(lambda: view.list.viewport().height() >= 3 * view.list.row_height, timeout=WAIT_MS)
    row = next(row for row, entry in enumerate(collection.entries) if entry.progress is Progress.FAILED)
    view.list.setCurrentIndex(view.list.model().index(row, 0))
    if is_tight:
        qtbot.waitUntil(view.reason.isVisible, timeout=WAIT_MS)
        assert view.reason.text() == collection.entries[row].line
        qtbot.waitUntil(
            lambda: view.list.viewport().rect().contains(view.list.visualRect(view.list.currentIndex())),
            timeout=WAIT_MS,
        )
        assert view.reason.height() >= view.reason.heightForWidth(view.reason.width())
        view.options_button.click()
    assert view.options.isVisible()
    qtbot.waitUntil(lambda: is_seen(view.out) and is_seen(view.forgets), timeout=WAIT_MS)
    desk.theme.set_text_size(100)
    desk.window.resize(1000, 760)
    qtbot.waitUntil(lambda: not view.options_button.isVisible() and not view.reason.isVisible(), timeout=WAIT_MS)
    assert view.options.isVisible()
    assert desk.window.width() == 1000


def is_seen(widget: QWidget) -> bool:
    """Whether nothing of it is cut off by its window."""
    window = widget.window()
    return widget.isVisible() and window.rect().contains(QRect(widget.mapTo(window, QPoint()), widget.size()))


def test_back_leads_to_where_a_document_was_opened(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk, paths = open_desk(), [pretend(tmp_path / f"{name}.pdf", Pretence(("text",))) for name in "ab"]
    reader, back = desk.models.reader, desk.window.reading.header.back_button
    reader.open(paths[:1])
    assert back.accessibleName() == "Back to the conversation"
    back.click()
    assert not reader.is_shown
    reader.list_all()
    assert desk.window.windowTitle() == "Documents"
    reader.open_page(paths[1], 1)
    assert desk.window.windowTitle() == "b.pdf"
    assert back.accessibleName() == "Back to all documents"
    back.click()
    assert reader.is_listing
    desk.window.documents.back_button.click()
    reader.open(paths[:1])
    assert back.accessibleName() == "Back to the conversation"


def notes(folder: Path, name: str, number: int) -> list[Path]:
    """So many text files."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name} {each}.txt" for each in range(number)]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_a_second_pile_follows_the_first_and_send_waits_for_both(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    composer = desk.models.composer
    first, second = notes(tmp_path / "a", "a", 40), notes(tmp_path / "b", "b", 20)
    drop(desk, files(first), is_read=False)
    drop(desk, files([*second, first[-1]]), is_read=False)
    assert composer.notice == "“a 39.txt” is already attached."
    composer.send()
    assert not desk.models.conversation.turns
    qtbot.waitUntil(lambda: bool(desk.models.conversation.turns), timeout=WAIT_MS)
    message = desk.models.conversation.turns[0].messages[0]
    assert [part.name for part in message.parts if isinstance(part, Quote)] == [path.name for path in (*first, *second)]
    assert composer.draft.is_empty


def test_a_pile_goes_on_where_it_was_left_when_its_conversation_is_open_again(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk()
    composer, library, paths = desk.models.composer, desk.models.library, notes(tmp_path / "a", "a", 40)
    drop(desk, files(paths), is_read=False)
    library.new(is_temporary=True)
    assert composer.items == ()
    library.new()
    qtbot.waitUntil(lambda: composer.draft.is_ready and len(composer.items) == 40, timeout=WAIT_MS)
    assert [item.name for item in composer.items] == [path.name for path in paths]


def test_what_is_still_coming_is_kept_with_its_draft(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk, paths = open_desk(), notes(tmp_path / "a", "a", 40)
    drop(desk, files(paths), is_read=False)
    assert len(desk.models.composer.items) < 40
    desk.close()
    composer = open_desk().models.composer
    qtbot.waitUntil(lambda: composer.draft.is_ready and len(composer.items) == 40, timeout=WAIT_MS)
    assert [item.name for item in composer.items] == [path.name for path in paths]


def test_a_pasted_text_stands_behind_what_is_still_coming(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk, paths = open_desk(), notes(tmp_path / "a", "a", 40)
    composer = desk.models.composer
    drop(desk, files(paths), is_read=False)
    assert len(composer.items) < 40
    composer.insert("word " * 20_000)
    qtbot.waitUntil(lambda: composer.draft.is_ready and len(composer.items) == 41, timeout=WAIT_MS)
    assert [item.name for item in composer.items[:40]] == [path.name for path in paths]


def test_everything_is_removed_also_what_is_still_coming(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    composer, paths = desk.models.composer, notes(tmp_path / "a", "a", 40)
    drop(desk, files(paths), is_read=False)
    assert len(composer.items) < 40
    composer.remove_all()
    assert composer.draft.is_empty
