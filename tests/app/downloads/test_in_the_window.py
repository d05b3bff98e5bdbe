"""A download as a person sees it: D-2 and D-3 of the acceptance checks, with the hub's stand-in behind the window."""

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from huggingface_hub import constants
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.downloads import Gate, Hub, Stop
from app.settings import Settings
from app.viewmodels.models.entries import Deed, Entry, Stage
from app.viewmodels.models.manager import Supply
from app.viewmodels.models.remote import HubRemote
from app.widgets.models.get_sheet import GetSheet
from engine import FoundModel, sample_checkpoint
from tests.app.conftest import delete
from tests.app.downloads.conftest import FAST
from tests.app.downloads.stand_in import Fault, StandIn
from tests.app.driving import WAIT_MS, OpenDesk
from tests.app.pretended_models import FAMILY, fit, found, recommended

REPO = FAMILY[2].repository
"""The one for the pretended Mac."""

NAMES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "processor_config.json")


@pytest.fixture
def content() -> dict[str, bytes]:
    """A model that the engine reads: the sample's files."""
    return {name: (sample_checkpoint() / name).read_bytes() for name in NAMES}


@pytest.fixture
def supply(stand_in: StandIn, content: dict[str, bytes], settings: Settings, tmp_path: Path) -> Callable[[], Supply]:
    """The stand-in behind the real downloads, which go below one folder, and what lies there."""
    settings.download_folder = tmp_path / "models"
    stand_in.add(REPO, {**content, "README.md": b"# Gemma 4\n\nIt reads.\n"})
    catalog = tuple(
        msgspec.structs.replace(each, download_bytes=sum(map(len, content.values()))) if each.repository == REPO
        else each for each in FAMILY
    )  # fmt: skip

    def find(_folders: Sequence[Path], is_stopped: Callable[[], bool]) -> list[FoundModel]:
        folder = tmp_path / "models" / REPO
        return [found(folder)] if (folder / "config.json").exists() else []

    def check(_folder: Path, _stop: Stop) -> None:
        pass

    def make() -> Supply:
        remote = HubRemote(lambda: Hub(Gate(), stand_in.address, patience=FAST), check, is_offline=False)
        return Supply(catalog, recommended, fit, find, remote)

    return make


def model_of(desk: Desk) -> Entry | None:
    """The model as the list has it while it comes."""
    return desk.models.manager.entry(REPO)


def stage_of(desk: Desk) -> Stage | None:
    entry = model_of(desk)
    return entry.stage if entry is not None else None


def ask(desk: Desk, qtbot: QtBot) -> GetSheet:
    """Ask for the model, as soon as the list has it."""
    qtbot.waitUntil(lambda: model_of(desk) is not None, timeout=WAIT_MS)
    entry = model_of(desk)
    assert entry is not None
    desk.gestures.models.do(Deed.GET, entry)
    sheet = desk.window.findChild(GetSheet)
    assert isinstance(sheet, GetSheet)
    return sheet


def accept(desk: Desk, qtbot: QtBot, before: Callable[[], None]) -> None:
    """Ask for the model, wait for the hub's answer, and accept the licence."""
    qtbot.waitUntil(lambda: model_of(desk) is not None, timeout=WAIT_MS)
    desk.models.manager.show(True)
    desk.window.model_list.cards[REPO].buttons[Deed.GET].click()
    sheet = desk.window.findChild(GetSheet)
    assert isinstance(sheet, GetSheet)
    qtbot.waitUntil(sheet.get_button.isEnabled, timeout=WAIT_MS)
    assert "It reads." in sheet.card.toPlainText()
    before()
    sheet.get_button.click()
    delete(sheet)


def test_d02_a_download_goes_on_after_a_quit_and_a_lost_network_and_ends_ready(
    open_desk: OpenDesk, qtbot: QtBot, stand_in: StandIn, supply: Callable[[], Supply], content: dict[str, bytes],
    tmp_path: Path,
) -> None:  # fmt: skip
    weights = "model.safetensors"
    small = [Fault()] * (len(content) - 1)  # which come first, as they should
    cut = int(0.4 * len(content[weights]))
    desk = open_desk("echo", supply=supply())
    accept(desk, qtbot, lambda: stand_in.faults.extend([*small, Fault(cut_after=cut), *[Fault(status=503)] * 50]))
    qtbot.waitUntil(lambda: stage_of(desk) is Stage.FAILED, timeout=WAIT_MS)
    failed = model_of(desk)
    assert failed is not None
    assert failed.line.endswith(".")
    assert failed.share is not None
    assert 0.3 < failed.share < 0.5
    desk.close()

    again = open_desk("echo", supply=supply(), folder=tmp_path / "again")
    qtbot.waitUntil(lambda: stage_of(again) is Stage.PAUSED, timeout=WAIT_MS)
    begun = model_of(again)
    assert begun is not None
    assert begun.line.endswith("are here from last time")
    assert begun.share is not None
    assert 0.3 < begun.share < 0.5
    stand_in.faults.clear()
    again.models.manager.show(True)
    again.window.model_list.cards[REPO].buttons[Deed.RESUME].click()
    model = again.models.model
    qtbot.waitUntil(lambda: model.is_ready and not model.is_built_in, timeout=WAIT_MS)
    assert model.path == tmp_path / "models" / REPO
    assert {path.name: path.read_bytes() for path in model.path.iterdir()} == content
    assert again.models.status.state == "Ready"


def test_d03_a_download_that_does_not_fit_is_refused_before_its_first_byte_with_what_is_missing(
    open_desk: OpenDesk, qtbot: QtBot, stand_in: StandIn, supply: Callable[[], Supply], content: dict[str, bytes],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    usage = shutil.disk_usage(tmp_path)
    few = sum(map(len, content.values())) - 3_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=few))
    desk = open_desk("echo", supply=supply())
    sheet = ask(desk, qtbot)
    qtbot.waitUntil(lambda: bool(sheet.problem.text()), timeout=WAIT_MS)
    assert sheet.problem.text().startswith("540 MB more free space is needed")
    assert not sheet.get_button.isEnabled()
    assert not stand_in.asked_for(".safetensors")
    assert not (tmp_path / "models").exists()


def test_nothing_is_asked_of_the_hub_while_a_person_works_offline(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings, stand_in: StandIn, supply: Callable[[], Supply]
) -> None:
    desk = open_desk("echo", supply=supply())
    remote = desk.models.manager._supply.remote
    settings.changed.connect(lambda: remote.set_offline(settings.works_offline))
    settings.works_offline = True
    sheet = ask(desk, qtbot)
    qtbot.waitUntil(lambda: bool(sheet.problem.text()), timeout=WAIT_MS)
    assert "while you work offline" in sheet.problem.text()
    assert stand_in.asked == []
    settings.works_offline = False
    sheet.retry_button.click()
    qtbot.waitUntil(sheet.get_button.isEnabled, timeout=WAIT_MS)


def test_quitting_waits_neither_for_the_network_nor_for_a_look_at_a_disk_nor_for_a_check(
    open_desk: OpenDesk, qtbot: QtBot, stand_in: StandIn, supply: Callable[[], Supply], settings: Settings
) -> None:
    ends, looks, ended = threading.Event(), threading.Event(), list[str]()

    def find(_folders: Sequence[Path], is_stopped: Callable[[], bool]) -> list[FoundModel]:
        looks.set()
        ends.wait(WAIT_MS / 1000)
        ended.append(f"a look, {is_stopped()}")
        return []

    def check(_folder: Path, stop: Stop) -> None:
        looks.set()
        ends.wait(WAIT_MS / 1000)
        ended.append(f"a check, {stop.is_set()}")

    desk = open_desk("echo", supply=supply())
    manager = desk.models.manager
    remote = manager._supply.remote
    assert isinstance(remote, HubRemote)
    remote._check = check
    listing = remote.offer(REPO, settings.download_folder).listing
    manager.transfers.start(listing, settings.download_folder)
    qtbot.waitUntil(looks.is_set, timeout=WAIT_MS)
    looks.clear()
    stand_in.faults.append(Fault(stalls_after=10))
    manager.transfers.ask(REPO, None)
    assert stand_in.is_stalling.wait(WAIT_MS / 1000)
    object.__setattr__(manager._supply, "find", find)
    manager.look()
    qtbot.waitUntil(looks.is_set, timeout=WAIT_MS)
    desk.close()
    assert ended == []
    stand_in.let_go()
    ends.set()


def test_a_token_given_in_the_window_opens_a_closed_model_and_is_kept_where_all_programs_look(
    open_desk: OpenDesk, qtbot: QtBot, stand_in: StandIn, supply: Callable[[], Supply]
) -> None:
    stand_in.listing_faults.append(Fault(status=403, headers={"X-Error-Code": "GatedRepo"}))
    desk = open_desk("echo", supply=supply())
    stand_in.repositories[REPO].gated = "auto"
    sheet = ask(desk, qtbot)
    qtbot.waitUntil(lambda: bool(sheet.problem.text()), timeout=WAIT_MS)
    sheet.token.field.setText("no token")
    sheet.token.use_button.click()
    qtbot.waitUntil(lambda: sheet.problem.text().startswith("This is no token."), timeout=WAIT_MS)
    sheet.token.field.setText(" hf_secret ")
    sheet.token.use_button.click()
    qtbot.waitUntil(sheet.get_button.isEnabled, timeout=WAIT_MS)
    assert sheet.token.isVisible(), "the listing is shown to everybody, the files are not"
    assert stand_in.asked[-1].headers["authorization"] == "Bearer hf_secret"
    assert Path(constants.HF_TOKEN_PATH).read_text() == "hf_secret"
    assert "hf_secret" not in repr([vars(each) for each in (sheet, sheet.token)]) + sheet.token.field.text()
