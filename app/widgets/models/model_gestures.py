"""What a person does with models: from the list, the menu, the first start and beneath an answer."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtWidgets import QMessageBox

from app.text.links import LinkQuestion
from app.viewmodels.models.entries import Deed, Entry
from app.viewmodels.models.manager import Manager
from app.viewmodels.models.remote import Offer
from app.viewmodels.models.wording import lever_words, size_in_words
from app.viewmodels.settings.preferences import OFFLINE_REFUSAL, Preferences
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.models.get_sheet import GetSheet
from app.widgets.models.model_menu import ModelMenu
from app.widgets.models.models_view import ModelsView
from app.widgets.models.welcome_view import WelcomeView
from app.widgets.shared.dialogs import ask_before_deleting, ask_before_link, ask_for_folder, show_folder
from app.widgets.shared.look import Look
from engine import EngineError, Lever

__all__ = ["ModelGestures"]


NOTHING_HELPS = "No shorter context makes it fit; a smaller model does."


class ModelGestures(QObject):
    """Lives as long as its window."""

    def __init__(self, window: MainWindow, look: Look, models: ViewModels, preferences: Preferences) -> None:
        super().__init__(window)
        self._window = window
        self._look = look
        self._preferences = preferences
        self._conversation = models.conversation
        self._drafts = models.drafts
        self._composer = models.composer
        self.manager: Manager = models.manager
        self._sheet: GetSheet | None = None
        self._question: tuple[str, Path | None] = ("", None)
        """What the sheet asks the hub: the repository, and where it would go."""
        manager = self.manager
        self._deeds: dict[Deed, Callable[[Entry], object]] = {
            Deed.GET: self.offer,
            Deed.READ_CARD: self.offer,
            Deed.USE: manager.use,
            Deed.PAUSE: manager.pause,
            Deed.RESUME: manager.resume,
            Deed.STOP: self._ask_to_stop,
            Deed.GIVE_UP: self._ask_to_stop,
            Deed.LOOK: lambda _entry: manager.look(),
            Deed.REVEAL: self._reveal,
            Deed.QUANTIZE: manager.quantize,
            Deed.MOVE: self._ask_where_to_move,
            Deed.TRASH: self._ask_to_trash,
            Deed.FORGET: manager.forget,
        }
        self.menu = ModelMenu(window.commands.menus["Model"], self.manager)
        self.menu.chosen.connect(self.manager.use)
        welcome = window.messages.welcome
        self._follow(welcome)
        window.models_room.furnish(self._follow)
        welcome.sample_requested.connect(self.manager.use_sample)
        models.conversation.turn_added.connect(self.manager.end_welcome)
        welcome.list_requested.connect(self.show)
        window.messages.model_requested.connect(self.show)
        window.messages.lever_requested.connect(self.pull)
        window.composer.model_requested.connect(self.show)
        self.manager.refused.connect(self._refuse)
        self.manager.said.connect(self._say)
        self.manager.arrived.connect(lambda entry: self._say(f"{entry.name} is here."))
        self.manager.transfers.offered.connect(self._show_offer)

    def _follow(self, view: ModelsView | WelcomeView) -> None:
        view.asked.connect(self.do)
        view.folder_requested.connect(self.add_folder)

    def show(self) -> None:
        """Show the list of models."""
        self._window.come_forward()
        self.manager.show(True)

    def add_folder(self) -> None:
        """Ask for a folder in which models lie; what is found there stands in the list."""
        ask_for_folder(self._window, "Choose a Folder with Models", self.manager.look_in)

    def show_folder(self) -> None:
        """Show where the model in use lies."""
        current = next((each for each in self.manager.entries if each.is_current), None)
        if current is not None and current.folder is not None:
            show_folder(current.folder)

    def do(self, deed: Deed, entry: Entry) -> None:
        """Do what a button or a menu of a model says."""
        self._deeds[deed](entry)

    def ask_before_quitting(self, quit_app: Callable[[], object]) -> None:
        """Ask, because a copy is not whole yet; `quit_app` is called when a person wants to nevertheless."""
        if any(sheet.isVisible() for sheet in self._window.findChildren(QMessageBox)):
            return

        def let_go() -> None:
            self.manager.chores.stop_all()
            quit_app()

        detail = "A copy that is not whole goes when Cabochon quits; the model itself stays."
        ask_before_deleting(self._window, "A model is still being copied.", detail, "Quit Without the Copy", let_go)

    def offer(self, entry: Entry) -> None:
        """Show what a download would bring, as soon as the hub has said it."""
        if self._sheet is not None:
            self._sheet.reject()
        root = self.manager.download_root
        place = "the Hugging Face cache, which other programs share" if root is None else f"“{root}”"
        self._sheet = sheet = GetSheet(self._window, self._look, entry, place)
        self._question = (entry.repository, root)
        ask = partial(self.manager.transfers.ask, entry.repository)
        sheet.retry_requested.connect(sheet.show_asking)
        sheet.retry_requested.connect(lambda: ask(root))
        sheet.token_given.connect(sheet.show_asking)
        sheet.token_given.connect(partial(ask, root))
        sheet.accepted_offer.connect(self._start)
        sheet.link_chosen.connect(self._open_link)
        sheet.other_disk_requested.connect(self._choose_disk)
        sheet.finished.connect(self._forget_sheet)
        sheet.open()
        ask(root)

    def pull(self, lever: Lever) -> None:
        """Ask the same again, for less."""
        if lever.less_of == "context":
            self._preferences.settings.context_limit = lever.use.context
        if lever.less_of == "budget":
            self._drafts.edit_last()
            self._composer.set_budget_of_all(lever.use.budget)
            self._composer.send()
        else:
            self._conversation.retry()

    def _start(self, offer: Offer) -> None:
        self.manager.transfers.start(offer.listing, offer.root)

    def _show_offer(self, repository: str, root: Path | None, answer: Offer | EngineError) -> None:
        """Show it, unless it answers what an earlier sheet asked."""
        if self._sheet is not None and self._question == (repository, root):
            self._sheet.show_answer(answer)

    def _forget_sheet(self, _result: int) -> None:
        self._sheet = None

    def _choose_disk(self) -> None:
        """Put downloads elsewhere from now on, and ask again how much room is there."""
        sheet = self._sheet

        def take(folder: Path) -> None:
            self._preferences.keep_models_in(folder)
            if sheet is not None and sheet is self._sheet:
                self.offer(sheet.entry)

        ask_for_folder(self._window, "Choose Where Models Are Kept", take)

    def _open_link(self, url: QUrl) -> None:
        if url.scheme() != "https" or not url.host():
            self._window.toast.say("This kind of link is not opened.")
        elif not self._preferences.may_use_network():
            self._window.toast.say(OFFLINE_REFUSAL)
        else:
            question = LinkQuestion(url, f"Open {url.host()}?", f"It leaves Cabochon.\n\n{url.toDisplayString()}")
            ask_before_link(self._window, question, self._preferences.may_use_network)

    def _reveal(self, entry: Entry) -> None:
        if entry.folder is not None:
            show_folder(entry.folder)

    def _ask_where_to_move(self, entry: Entry) -> None:
        ask_for_folder(self._window, f"Move {entry.name} to", partial(self.manager.move, entry))

    def _ask_to_stop(self, entry: Entry) -> None:
        if entry.folder is not None:  # other work than a download loses nothing
            self.manager.stop(entry)
            return
        detail = "What came so far is deleted. To keep it for later, pause instead."
        stop = partial(self.manager.stop, entry)
        ask_before_deleting(self._window, f"Stop downloading {entry.name}?", detail, "Delete What Came", stop)

    def _ask_to_trash(self, entry: Entry) -> None:
        size = size_in_words(entry.size_bytes)
        detail = f"{entry.line}\n\nIt frees {size} once the Trash is emptied. Other programs that use it lose it too."
        trash = partial(self.manager.trash, entry)
        ask_before_deleting(self._window, f"Move {entry.name} ({size}) to the Trash?", detail, "Move to Trash", trash)

    def _refuse(self, entry: Entry) -> None:
        """Say why a model is not loaded, and offer what would help."""
        sheet = QMessageBox(self._window)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.setTextFormat(Qt.TextFormat.PlainText)
        sheet.setText(f"{entry.name} does not fit on this Mac as things stand.")
        levers = [lever for lever in entry.fit.levers if lever.is_enough] if entry.fit is not None else []
        ways = "\n".join(f"{lever.words[:1].upper()}{lever.words[1:]}." for lever in levers) or NOTHING_HELPS
        sheet.setInformativeText(f"{entry.fit_line}.\n{ways}")
        for lever in levers:
            button = sheet.addButton(lever_words(lever), QMessageBox.ButtonRole.AcceptRole)
            button.clicked.connect(partial(self.manager.pull, lever, entry))
        sheet.addButton("Smaller Models", QMessageBox.ButtonRole.ActionRole).clicked.connect(self.show)
        sheet.setDefaultButton(sheet.addButton(QMessageBox.StandardButton.Cancel))
        sheet.open()

    def _say(self, sentence: str) -> None:
        """Where it is seen: on the list while that is shown, else above the composer."""
        (self._window.model_list if self.manager.is_shown else self._window).toast.say(sentence)
