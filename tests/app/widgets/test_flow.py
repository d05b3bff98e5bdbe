"""A row that goes on below where it has no room."""

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.shared.elided import ElidedButton, ElidedLabel
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Label


def row(qtbot: QtBot, width: int, *widgets: QWidget, is_at_end: bool = False) -> QWidget:
    """Things in a row of this width."""
    holder = QWidget()
    qtbot.addWidget(holder)
    flow = Flow(is_at_end=is_at_end)
    for widget in widgets:
        flow.addWidget(widget)
    holder.setLayout(flow)
    holder.resize(width, flow.heightForWidth(width))
    holder.show()
    return holder


@pytest.mark.parametrize("width", [60, 200, 900])
def test_nothing_in_a_row_is_cut_or_covers_another(qtbot: QtBot, width: int) -> None:
    buttons = [QPushButton(words) for words in ("Add", "Add a Folder", "Pause", "Table of Fields")]
    holder = row(qtbot, max(width, *(button.sizeHint().width() for button in buttons)), *buttons)
    for at, button in enumerate(buttons):
        assert button.width() >= button.sizeHint().width()
        assert holder.rect().contains(button.geometry())
        assert not any(button.geometry().intersects(other.geometry()) for other in buttons[:at])


@pytest.mark.parametrize("width", [60, 200, 900])
def test_a_row_at_the_end_leaves_its_room_free_before_it(qtbot: QtBot, width: int) -> None:
    buttons = [QPushButton(words) for words in ("Cancel", "Choose Another Disk", "Get")]
    holder = row(qtbot, max(width, *(button.sizeHint().width() for button in buttons)), *buttons, is_at_end=True)
    edge = holder.contentsRect().right() - holder.layout().contentsMargins().right()
    last_of_lines = {button.y(): button for button in buttons}
    assert [button.geometry().right() for button in last_of_lines.values()] == [edge] * len(last_of_lines)


def test_what_wants_more_takes_what_is_left_of_its_line(qtbot: QtBot) -> None:
    text = Label("A sentence that may take several lines where there is little room for it.", wraps=True)
    policy = text.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
    text.setSizePolicy(policy)
    button = QPushButton("Read")
    holder = row(qtbot, 900, text, button)
    assert button.geometry().right() == holder.rect().right()
    assert text.y() == button.y()
    holder.resize(text.sizeHint().width(), holder.layout().heightForWidth(text.sizeHint().width()))
    holder.layout().activate()
    assert text.width() == holder.width()
    assert button.y() > text.y()


def test_an_elided_text_asks_for_all_of_its_room_and_does_with_little(qtbot: QtBot) -> None:
    for widget in (ElidedLabel("A long name of a document"), ElidedButton("A long name of a document")):
        qtbot.addWidget(widget)
        assert widget.minimumSizeHint().width() < widget.sizeHint().width() / 2
        widget.resize(60, widget.sizeHint().height())
        widget.show()
        assert not widget.grab().isNull()


def test_a_row_is_as_tall_as_what_is_in_it_now(qtbot: QtBot) -> None:
    labels = [QLabel("some words of a label") for _ in range(6)]
    width = labels[0].sizeHint().width() + 1
    holder = row(qtbot, width, *labels[:5])
    flow = holder.layout()

    def num_lines() -> int:
        return (flow.heightForWidth(width) + flow.spacing()) // (labels[0].sizeHint().height() + flow.spacing())

    assert num_lines() == num_lines() == 5
    labels[2].hide()
    assert num_lines() == 4
    flow.addWidget(labels[5])
    labels[5].show()
    assert num_lines() == 5
    flow.removeWidget(labels[5])
    assert num_lines() == 4
    before = flow.heightForWidth(width)
    labels[0].setText("two\nlines")
    assert flow.heightForWidth(width) > before
