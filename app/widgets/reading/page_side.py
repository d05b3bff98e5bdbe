"""The left half of the reading view: the page, and how it is shown."""

from PySide6.QtWidgets import QToolButton, QWidget

from app.viewmodels.reading.reader import Reader
from app.widgets.reading.page_view import Fit, PageView
from app.widgets.reading.pager import Pager
from app.widgets.shared.arrange import FLUSH, Free, Placed, lay_column, lay_row
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import IconButton, Look, give_role, show_tip

__all__ = ["PageSide"]


class PageSide(QWidget):
    """The page and its tools."""

    def __init__(self, look: Look, reader: Reader) -> None:
        super().__init__()
        self._reader = reader
        self.view = PageView(look)
        self.pager = Pager(look, reader)
        self.smaller = IconButton(look, "zoom-out", "Show the page smaller", side=28, does=lambda: self.view.zoom(-1))
        self.bigger = IconButton(look, "zoom-in", "Show the page larger", side=28, does=lambda: self.view.zoom(1))
        self.percent = QToolButton()
        give_role(self.percent, "caption")
        self.fit = IconButton(look, "fit-width", "Fit the width", side=28, does=self.toggle_fit)
        self.rotate = IconButton(look, "rotate", "Rotate the page", side=28, does=lambda: reader.turn(90))
        self.region = IconButton(look, "region", "Choose a part of the page to be read again", side=28)
        self.percent.clicked.connect(lambda: self.view.set_fit(Fit.PAGE))
        self.region.clicked.connect(self.view.begin_region)
        self.view.scale_changed.connect(self._note_scale)
        reader.scaled.connect(self._take_scale)
        self.foot, tools, line = QWidget(), QWidget(), Flow(2)
        buttons = (self.smaller, self.percent, self.bigger, self.fit, self.rotate, self.region)
        lay_row([Free(), *buttons], tools, margins=FLUSH, spacing=2)
        line.setContentsMargins(8, 3, 8, 5)
        for part in (self.pager, tools):
            line.addWidget(part)
        self.foot.setLayout(line)
        lay_column([Placed(self.view, 1), self.foot], self, margins=FLUSH, spacing=0)
        self._take_scale()
        self._show_scale()

    def refresh(self) -> None:
        """Show the page that is looked at."""
        document, number = self._reader.document, self._reader.number
        page = document.pages[number - 1] if document is not None and number <= len(document.pages) else None
        self.view.show_page(page, self._reader.pictures)
        self.pager.refresh()
        for button in (self.rotate, self.region):
            button.setEnabled(page is not None)
        self._show_scale()

    def toggle_fit(self) -> None:
        """Fit the width, or the page if the width fits."""
        self.view.set_fit(Fit.PAGE if self.view.fit is Fit.WIDTH else Fit.WIDTH)

    def _note_scale(self) -> None:
        self._reader.set_scale(self.view.chosen_scale)
        self._show_scale()

    def _take_scale(self) -> None:
        if self._reader.scale != self.view.chosen_scale:
            self.view.set_scale(self._reader.scale)

    def _show_scale(self) -> None:
        percent = f"{round(100 * self.view.scale)} %"
        self.percent.setText(percent)
        self.percent.setAccessibleName(f"Shown at {percent}: fit the page")
        show_tip(self.percent, "Fit the page")
        if self.view.fit is Fit.WIDTH:
            self.fit.rename("Fit the page", "fit")
        else:
            self.fit.rename("Fit the width", "fit-width")
