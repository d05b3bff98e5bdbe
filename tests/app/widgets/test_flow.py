"""A row that goes on below: as tall as what is in it asks for, whenever that changes."""

from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.shared.flow import Flow


def test_a_row_is_as_tall_as_what_is_in_it_now(qtbot: QtBot) -> None:
    host, row = QWidget(), Flow()
    qtbot.addWidget(host)
    host.setLayout(row)
    labels = [QLabel("some words of a label") for _ in range(6)]
    for label in labels[:5]:
        row.addWidget(label)
    host.show()
    width = labels[0].sizeHint().width() + 1

    def num_lines() -> int:
        return (row.heightForWidth(width) + row.spacing()) // (labels[0].sizeHint().height() + row.spacing())

    assert num_lines() == num_lines() == 5
    labels[2].hide()
    assert num_lines() == 4
    row.addWidget(labels[5])
    labels[5].show()
    assert num_lines() == 5
    row.removeWidget(labels[5])
    assert num_lines() == 4
    before = row.heightForWidth(width)
    labels[0].setText("two\nlines")
    assert row.heightForWidth(width) > before
