"""The composition root: builds everything the window is made of, and takes it apart again."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSettings, Qt, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication, QWidget

from app.bridge import Bridge
from app.doorbell import Call, Doorbell, ring
from app.exports import Entry, Exported
from app.files.pasted import PastedPictures
from app.garbage import Collector
from app.look.icons import Icons
from app.look.theme import Theme
from app.look.thumbnails import Thumbnails
from app.look.typesetting import Typesetter
from app.mac.awake import Awake
from app.mac.notifications import SystemNotifier
from app.paths import ICONS, data_folder, engine_command, log_folder, program, states_folder
from app.settings import Settings
from app.sound.player import Player, SystemLoudspeaker
from app.sound.recorder import MicrophoneError, Microphones, Recorder
from app.sound.speaker import Speaker, SpeechError
from app.store import Conversation as Kept
from app.store import Matter, Saying, Store
from app.tools import Desktop, built_in_tools
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.exporting import Exporter
from app.viewmodels.conversation.finding import Finding
from app.viewmodels.conversation.tools import Toolbox
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.conversation.turns import AnswerTurn
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.drafts import Drafts
from app.viewmodels.draft.intake import Intake
from app.viewmodels.draft.meter import Meter
from app.viewmodels.draft.places import Places
from app.viewmodels.draft.preparing import Preparation
from app.viewmodels.draft.voice import Voice
from app.viewmodels.models.chores import Chores
from app.viewmodels.models.manager import Manager, Supply
from app.viewmodels.models.model import Model
from app.viewmodels.models.remote import HubRemote
from app.viewmodels.models.rest import Rest
from app.viewmodels.models.status import Status
from app.viewmodels.reading.arrivals import Arrivals, Room
from app.viewmodels.reading.collection import Collection
from app.viewmodels.reading.exporting import DocumentExporter
from app.viewmodels.reading.fields import FieldsTable
from app.viewmodels.reading.finding import PageFinding
from app.viewmodels.reading.keeping import Keeper
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.visits import Visits
from app.viewmodels.recordings.making import Making
from app.viewmodels.recordings.recording import Recordings
from app.viewmodels.settings.preferences import Preferences
from app.viewmodels.shelf.library import Library
from app.viewmodels.shelf.notices import Notices
from app.viewmodels.shelf.remarks import Remarks
from app.viewmodels.shelf.retention import Retention
from app.viewmodels.shelf.running import Running
from app.viewmodels.shelf.search import Search
from app.viewmodels.shelf.shelf import Shelf
from app.viewmodels.speech.aloud import Aloud
from app.viewmodels.speech.hands_free import HandsFree
from app.widgets.gestures import Gestures
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.markdown.markdown_document import readable_texts
from app.widgets.markdown.spoken import spoken_answer
from app.widgets.outside_gestures import OutsideGestures
from app.widgets.reactions import Reactions
from app.widgets.settings_gestures import SettingsGestures
from app.widgets.shared.look import Look
from engine import CATALOG, Media, Text, find_models, fit, one_line, recommended, sample_checkpoint, sweep

if TYPE_CHECKING:
    from app.downloads import Hub, Stop

__all__ = ["Desk", "DesktopApplication", "System", "assemble", "main"]

SEARCH_S = 10.0
"""Longest time that the model's search in the conversations may take."""

SETTINGS_REFUSED = "The settings cannot be saved now. They hold until you quit, and saving them is tried again."


class DesktopApplication(QApplication):
    """The Qt application. Files that the system asks it to open may arrive before the window: they wait.

    `stays_open` keeps it running when its window is closed, as a Mac user expects. It does not quit where
    `asks_before_quitting` returns True.

    **Signals:** `files_opened`, when `take_files` has something new; `reopened`, when a person comes back to the app.
    """

    files_opened = Signal()
    reopened = Signal()

    def __init__(self, arguments: Sequence[str], *, stays_open: bool = sys.platform == "darwin") -> None:
        self._waiting: list[Path] = []
        self.asks_before_quitting: Callable[[], bool] = lambda: False
        super().__init__(list(arguments))
        self.setQuitOnLastWindowClosed(not stays_open)
        self.applicationStateChanged.connect(self._follow_state)
        self.setOrganizationName("Cabochon")
        self.setApplicationName("Cabochon")
        self.setApplicationDisplayName("Cabochon")
        self.setStyle("Fusion")
        self.setWindowIcon(QIcon(str(ICONS / "app.svg")))

    def event(self, event: QEvent) -> bool:
        """Keep files from the Dock and from Open With until the window takes them; ask before something is lost."""
        if event.type() is QEvent.Type.Quit and self.asks_before_quitting():
            event.ignore()
            return True
        if isinstance(event, QFileOpenEvent) and event.file():
            self._waiting.append(Path(event.file()))
            self.files_opened.emit()
            return True
        return super().event(event)

    def _follow_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.reopened.emit()

    def take_files(self) -> list[Path]:
        """The files that arrived since the last time."""
        files, self._waiting = self._waiting, []
        return files


@dataclass(frozen=True)
class Desk:
    """Everything one window is made of."""

    bridge: Bridge
    models: ViewModels
    preferences: Preferences
    theme: Theme
    thumbnails: Thumbnails
    typesetter: Typesetter
    pasted: PastedPictures
    store: Store
    retention: Retention
    exporter: Exporter
    keeper: Keeper
    window: MainWindow
    gestures: Gestures

    def open(self, model: Path, files: Sequence[Path] = ()) -> None:
        """Start the engine, begin to load a model, and show the window with these files, or what was open last."""
        self.window.show()
        self.bridge.start()
        self.models.model.load(model)
        self.retention.begin()
        self.models.library.start()
        self.models.queue.begin()
        self.models.manager.begin()
        self.models.making.list_all()
        if files:
            self.models.arrivals.open(files)
        else:
            self.models.visits.begin()

    def follow(self, application: DesktopApplication) -> None:
        """Attach what the system asks the app to open, and bring back a window that was closed meanwhile."""
        _Summons(application, self)

    def answer(self, call: Call) -> None:
        """Do what another start of the app was for, in front."""
        self.window.come_forward()
        if call.model:
            self.gestures.write()  # where the model's refusal would be told
            self.models.model.load(Path(os.fsdecode(call.model)))
        if call.files:
            self.models.arrivals.open([Path(os.fsdecode(path)) for path in call.files])

    def show_again(self) -> None:
        """Bring back a window that was closed while the app stayed."""
        if not self.window.isVisible():
            self.window.show()

    def close(self) -> None:
        """End the engine process and every thread that somebody's work is in, models last: they can be had again.

        Takes up to 4 s when the engine hangs.
        """
        self.models.manager.let_go()
        self.models.hands_free.leave()
        self.models.aloud.stop()
        self.models.voice.leave()
        self.models.intake.finish()
        self.models.arrivals.close()
        self.models.collection.close()
        self.models.fields.close()
        self.keeper.close()
        self.models.visits.close()
        self.models.page_finding.close()
        self.models.reader.finish()
        self.models.document_exporter.close()
        self.models.queue.close()
        self.models.making.finish()
        self.models.recordings.finish()
        self.models.player.close()
        self.models.sounds.close()
        self.models.composer.preparation.close(self.models.composer.draft)
        self.models.library.close()
        self.retention.end()
        self.models.toolbox.close()
        self.window.close()
        self.exporter.close()
        self.thumbnails.close()
        self.typesetter.close()
        self.bridge.close()
        self.store.close()
        self.pasted.close()
        self.models.manager.close()


class _Summons(QObject):
    """What the system wants of the app while it runs. Lives as long as the window."""

    def __init__(self, application: DesktopApplication, desk: Desk) -> None:
        super().__init__(desk.window)
        self._application = application
        self._desk = desk
        application.files_opened.connect(self._open)
        application.reopened.connect(self._come_back)
        application.asks_before_quitting = self._asks_before_quitting
        self._attach()

    def _open(self) -> None:
        self._attach()
        self._come_back()

    def _come_back(self) -> None:
        self._desk.show_again()

    def _asks_before_quitting(self) -> bool:
        models, gestures = self._desk.models, self._desk.gestures
        if models.recordings.has_unsaved or models.making.is_active:
            ask = gestures.recording.ask_before_quitting
        elif models.manager.chores.would_lose:
            ask = gestures.models.ask_before_quitting
        else:
            return False
        self._desk.window.come_forward()
        ask(self._application.quit)
        return True

    def _attach(self) -> None:
        files = self._application.take_files()
        if files:
            self._desk.models.arrivals.open(files)


def system_microphones() -> Microphones:
    """The system's microphones; raises MicrophoneError where Qt's multimedia library cannot be loaded."""
    try:
        from app.sound.microphones import SystemMicrophones
    except ImportError as error:
        raise MicrophoneError(f"Nothing can be recorded, because Qt Multimedia cannot be loaded: {error}.") from error
    return SystemMicrophones()


def system_speaker() -> Speaker:
    """The system's voices; raises SpeechError where there is none, or Qt's library of them cannot be loaded."""
    try:
        from app.sound.voices import SystemSpeaker
    except ImportError as error:
        raise SpeechError(f"Nothing can be read aloud, because Qt TextToSpeech cannot be loaded: {error}.") from error
    return SystemSpeaker()


@dataclass(frozen=True)
class System:
    """What the window asks of the system, when somebody first wants to speak, to listen or to be told."""

    open_microphones: Callable[[], Microphones] = system_microphones
    open_speaker: Callable[[], Speaker] = system_speaker
    make_notifier: Callable[[QWidget], SystemNotifier] = SystemNotifier


SYSTEM = System()
"""This one."""


def assemble(
    command: Sequence[str],
    theme: Theme,
    settings: Settings,
    folder: Path,
    system: System = SYSTEM,
    supply: Supply | None = None,
    states: Path | None = None,
) -> Desk:
    """Build a window whose engine is started by `command` and whose conversations are kept in `folder`.

    By default `supply` is this Mac's models and the hub, and `states`, what the engine remembers of conversations, is
    in `folder`.
    """
    remarks = Remarks()
    store = Store(folder, remarks.take, remarks.end, states)
    _tell_of(settings, remarks)
    bridge = Bridge(command)
    pasted = PastedPictures()
    thumbnails = Thumbnails()
    look = Look(theme, Icons(ICONS))
    model = Model(bridge, sample_checkpoint(), settings)
    preferences = Preferences(settings, folder)
    manager = Manager(model, preferences, supply or _supply(settings), Chores(program()))
    toolbox = Toolbox(settings, built_in_tools(_desktop(settings, store)))

    def make(record: Kept | None, is_temporary: bool) -> Transcript:
        return Transcript(bridge, model, preferences, toolbox, None if is_temporary else store, record)

    places = Places(store, pasted, lambda: conversation.transcript.is_temporary)
    conversation = Conversation(make(None, False), settings)
    meter = Meter(model, conversation, preferences)
    composer = Composer(conversation, model, meter, settings, Preparation(places.keeper, bridge, places.drafted))
    shelf = Shelf(store)
    search = Search(store, shelf)
    running = Running(store, conversation, shelf)
    drafts = Drafts(store, conversation, composer, shelf)
    library = Library(store, conversation, drafts, shelf, running, settings, make)
    retention = Retention(store, preferences, shelf, running)
    voice, recordings, making = _hearing(bridge, model, composer, settings, places, system)
    aloud = Aloud(settings, system.open_speaker)
    hands_free = HandsFree(voice, composer, conversation, aloud, spoken_answer)
    reader = Reader(bridge, pasted.new_page)
    queue, page_keeper, collection = _kept_reading(
        bridge, store, reader, model, preferences, pasted.holds, places.is_temporary
    )
    collection.deleted.connect(retention.note_removal)
    room = Room(lambda: pasted.folder, pasted.holds, places.binder)
    arrivals = Arrivals(bridge, store, reader, collection, recordings, composer, room)
    models = ViewModels(
        model=model,
        remarks=remarks,
        conversation=conversation,
        composer=composer,
        intake=Intake(composer, arrivals, pasted.save),
        drafts=drafts,
        library=library,
        shelf=shelf,
        search=search,
        running=running,
        toolbox=toolbox,
        status=Status(model, conversation),
        voice=voice,
        aloud=aloud,
        hands_free=hands_free,
        finding=Finding(conversation, readable_texts),
        reader=reader,
        page_finding=PageFinding(reader),
        choice=collection.choice,
        arrivals=arrivals,
        collection=collection,
        fields=collection.fields,
        document_exporter=DocumentExporter(settings),
        queue=queue,
        visits=Visits(store, reader, page_keeper, settings),
        recordings=recordings,
        making=making,
        player=Player(SystemLoudspeaker()),
        sounds=Player(SystemLoudspeaker()),
        manager=manager,
    )
    _stay_awake(running, queue, manager, voice, making)
    Rest(bridge, settings, running)
    window = MainWindow(look, thumbnails, settings, models)
    for leave in (hands_free.leave, aloud.stop, voice.leave, models.sounds.stop, models.intake.finish):
        library.leaving.connect(leave)

    preferences.model_chosen.connect(lambda chosen: model.load(chosen or sample_checkpoint()))
    model.loaded.connect(preferences.remember_model)
    exporter = Exporter(lambda: library.title, lambda: _exported(library, conversation))

    def begin() -> None:
        exporter.delete(pasted.begin(is_temporary=conversation.transcript.is_temporary))

    for follow in (begin, voice.dismiss):
        conversation.opened.connect(follow)
    preferences.delete_all_requested.connect(library.remove_all)
    for forget in (
        voice.cancel,
        making.discard,
        recordings.close,
        pasted.close,
        making.list_all,
        models.visits.forget_all,
    ):
        preferences.delete_all_requested.connect(forget)
    gestures = Gestures(window, look, models, preferences, partial(models.intake.attach_written, pasted.draw_sample))
    Reactions(gestures)
    notifier = system.make_notifier(window)
    notices = Notices(library, shelf, running, queue, settings, notifier)
    OutsideGestures(window, library, shelf, reader, notices, notifier.chosen)
    SettingsGestures(window, look, models, preferences, exporter)
    return Desk(
        bridge,
        models,
        preferences,
        theme,
        thumbnails,
        look.typesetter,
        pasted,
        store,
        retention,
        exporter,
        page_keeper,
        window,
        gestures,
    )


def _tell_of(settings: Settings, remarks: Remarks) -> None:
    settings.refused.connect(lambda: remarks.take(Saying(SETTINGS_REFUSED, Matter.SETTINGS)))
    settings.taken.connect(lambda: remarks.end(Matter.SETTINGS))


def _hearing(
    bridge: Bridge, model: Model, composer: Composer, settings: Settings, places: Places, system: System
) -> tuple[Voice, Recordings, Making]:
    open_microphones = cache(system.open_microphones)
    for_message = Recorder(open_microphones, places.new_recording, places.with_clips)
    for_itself = Recorder(open_microphones, places.own_recording)
    recordings = Recordings(bridge, places.shelf)
    making = Making(recordings, settings, places.store.recordings, for_itself)
    return Voice(bridge, model, composer, settings, for_message, places.drafted), recordings, making


def _supply(settings: Settings) -> Supply:
    """The family, what of it lies on this Mac, and the hub, which nobody asks while a person works offline."""

    def make_hub() -> "Hub":
        from app.downloads import Gate, Hub

        return Hub(Gate())

    def check(folder: Path, stop: "Stop") -> None:
        from app.downloads import check_in_child

        check_in_child(folder, stop)

    remote = HubRemote(make_hub, check, is_offline=settings.works_offline)
    settings.changed.connect(lambda: remote.set_offline(settings.works_offline))
    return Supply(CATALOG, recommended, fit, find_models, remote)


def _stay_awake(running: Running, queue: Queue, manager: Manager, voice: Voice, making: Making) -> None:
    awake = Awake()
    transfers, chores = manager.transfers, manager.chores

    def hold() -> None:
        is_listening = voice.is_open or making.is_active
        awake.hold(running.is_anything_busy or queue.is_busy or transfers.is_busy or chores.is_busy or is_listening)

    for changed in (running.changed, queue.changed, transfers.changed, chores.changed, voice.changed, making.changed):
        changed.connect(hold)


def _kept_reading(
    bridge: Bridge,
    store: Store,
    reader: Reader,
    model: Model,
    preferences: Preferences,
    is_passing: Callable[[Path], bool],
    is_temporary: Callable[[], bool],
) -> tuple[Queue, Keeper, Collection]:
    queue = Queue(bridge, store)
    keeper = Keeper(store, reader, queue, is_passing, is_temporary)
    model.loaded.connect(queue.note_model)
    collection = Collection(queue, store, reader, model, FieldsTable(queue, store, preferences.settings))
    for forget in (queue.forget_all, keeper.forget_all, collection.forget_all):
        preferences.delete_all_requested.connect(forget)
    collection.removed.connect(keeper.forget)
    collection.restored.connect(keeper.take_back)
    keeper.kept.connect(collection.refresh)
    return queue, keeper, collection


def _exported(library: Library, conversation: Conversation) -> Exported:
    entries = []
    for turn in conversation.turns:
        if turn.messages:  # and no answer that failed or is not finished
            when = datetime.fromtimestamp(turn.place.created_at).astimezone()
            if isinstance(turn, AnswerTurn):
                entries.append(Entry("assistant", turn.steps, when, turn.model))
            else:
                said = [part for part in turn.message.written.parts if isinstance(part, Text | Media)]
                entries.append(Entry("user", said, when))
    return Exported(library.title, entries)


def _desktop(settings: Settings, store: Store) -> Desktop:
    def search(words: str, limit: int) -> list[dict[str, str]]:
        hits = store.search(words, limit).result(timeout=SEARCH_S)
        return [{"title": hit.title, "text": hit.plain_snippet} for hit in hits]

    return Desktop(lambda: [Path(path) for path in settings.readable_paths], search)


def _sweep(outside: Future[list[Path] | None]) -> None:
    """Delete what a killed app left behind, except what the store needs and could not copy."""
    if not outside.cancelled() and outside.exception() is None:
        needed = outside.result()
        if needed is not None:
            sweep(needed)


def main(argv: Sequence[str]) -> int:
    """Open the window and return the exit status when it is closed. `argv[0]` is the program."""
    parser = _parser()
    options = parser.parse_args(argv[1:])
    if options.model is not None and not options.model.is_dir():
        parser.error(f"There is no folder “{one_line(str(options.model), 100)}”. Name the folder of a model.")
    folder = data_folder()
    if ring(folder, options.files, options.model):
        return 0  # it is open already, and has taken them
    application = DesktopApplication(argv[:1])
    collector = Collector(application)
    doorbell = Doorbell(folder)
    settings = Settings(QSettings())
    command = engine_command(log_folder() / "engine.log")
    desk = assemble(command, Theme(application, settings), settings, folder, states=states_folder())
    files = [path.absolute() for path in options.files]
    desk.open(options.model or settings.start_model or sample_checkpoint(), files)
    desk.follow(application)
    desk.store.files_outside().add_done_callback(_sweep)
    doorbell.rung.connect(desk.answer)
    try:
        return application.exec()
    finally:
        doorbell.close()
        desk.close()
        collector.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cabochon", description="Chat and read pictures on this Mac.")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="the checkpoint to load")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="documents to read, pictures to attach")
    return parser
