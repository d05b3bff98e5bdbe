"""A document in the window, from the drop to the text beside its page, through the pretended engine."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.viewmodels.reading.document import Phase
from tests.app.driving import WAIT_MS, OpenDesk, drop, files
from tests.fake_documents import Pretence, pretend


def test_a_dropped_pdf_is_looked_at_read_and_shown_beside_its_page(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    path = pretend(tmp_path / "Report.pdf", Pretence(("picture",) * 3))
    desk = open_desk("fast")
    drop(desk, files([path]))
    assert "Report.pdf" in desk.window.arrival.text.text()
    desk.models.arrivals.read()
    reader, view = desk.models.reader, desk.window.reading
    assert view.isVisible()
    document = reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: reader.pictures.nearest(1, 0) is not None, timeout=WAIT_MS)
    view.text.card.read_button.click()
    qtbot.waitUntil(lambda: document.num_read == 3 and not document.is_reading, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Alice was beginning" in view.text.editor.text, timeout=WAIT_MS)
