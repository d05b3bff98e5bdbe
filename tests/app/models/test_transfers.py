"""What is asked of the hub always ends in something a person sees, whatever goes wrong."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.downloads import Gate, Hub, Listing, PlaceRefused, State, Status
from app.viewmodels.models.entries import Stage
from app.viewmodels.models.remote import HubRemote
from app.viewmodels.models.transfers import Transfers
from engine import EngineError
from tests.app.driving import WAIT_MS
from tests.app.pretended_models import FAMILY, PretendedDownload, PretendedRemote, listing

REPO = FAMILY[2].repository
GONE = OSError(errno.ENXIO, "Device not configured")


class FailingRemote(PretendedRemote):
    """Whatever is asked of it raises what nobody thought of."""

    def offer(self, *_asked: object) -> None:  # type: ignore[override]
        raise GONE

    download = offer  # type: ignore[assignment]


def test_an_offer_that_fails_as_nobody_thought_is_answered_all_the_same(qapp: QApplication, qtbot: QtBot) -> None:
    transfers = Transfers(FailingRemote())
    answers: list[object] = []
    transfers.offered.connect(lambda *answer: answers.append(answer[-1]))
    transfers.ask(REPO, None)
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT_MS)
    assert isinstance(answers[0], EngineError)
    assert "Try again" in str(answers[0])
    transfers.close()


def test_a_download_that_cannot_begin_has_failed_and_can_be_tried_again(qapp: QApplication, qtbot: QtBot) -> None:
    transfers = Transfers(FailingRemote())
    transfers.start(listing(REPO), None)
    qtbot.waitUntil(lambda: transfers.all[REPO].stage is Stage.FAILED, timeout=WAIT_MS)
    assert "Try again" in transfers.all[REPO].line
    assert not transfers.is_busy
    transfers.close()


def test_the_folder_of_a_disk_that_is_gone_is_a_sentence_of_the_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = HubRemote(lambda: Hub(Gate()), lambda _folder, _stop: None, is_offline=False)
    monkeypatch.setattr("app.downloads.hub.Hub.look", lambda _self, repository: listing(repository))

    def gone(_folder: Path) -> int:
        raise GONE

    monkeypatch.setattr("app.downloads.transfer.free_bytes", gone)
    with pytest.raises(PlaceRefused, match="Connect its disk"):
        remote.offer(REPO, tmp_path)


OTHER = FAMILY[0].repository


class SlowDownload(PretendedDownload):
    """Whose thread waits for the network."""

    def __init__(self, *arguments: object, ends: threading.Event) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.ends = ends

    def cancel(self, *, deletes: bool) -> None:
        self.say(State.CANCELLED)
        assert self.ends.wait(WAIT_MS / 1000)
        super().cancel(deletes=deletes)


class SlowRemote(PretendedRemote):
    """Nothing comes back before a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ends, self.asked, self.is_slow = threading.Event(), list[str](), False

    def offer(self, repository: str, root: Path | None, token: str = "") -> object:  # type: ignore[override]
        self.asked.append(repository)
        assert self.ends.wait(WAIT_MS / 1000)
        return super().offer(repository, root, token)

    def download(self, listing: Listing, root: Path | None, tell: Callable[[Status], None]) -> PretendedDownload:
        if self.is_slow:
            assert self.ends.wait(WAIT_MS / 1000)
        made = self.downloads[listing.repo] = SlowDownload(listing, tell, 0, ends=self.ends)
        return made


def under_way(remote: SlowRemote, qtbot: QtBot, *repositories: str) -> Transfers:
    """Downloads that have begun."""
    transfers = Transfers(remote)
    for repository in repositories:
        transfers.start(listing(repository), None)
    qtbot.waitUntil(lambda: all("GB" in transfers.all[each].line for each in repositories), timeout=WAIT_MS)
    return transfers


def test_what_waits_for_the_network_holds_up_no_other_download(qapp: QApplication, qtbot: QtBot) -> None:
    remote = SlowRemote()
    transfers = under_way(remote, qtbot, REPO, OTHER)
    transfers.ask(FAMILY[1].repository, None)
    transfers.ask(FAMILY[3].repository, None)
    qtbot.waitUntil(lambda: len(remote.asked) == 2, timeout=WAIT_MS)
    transfers.cancel(REPO)
    transfers.pause(OTHER)
    qtbot.waitUntil(lambda: transfers.all[OTHER].stage is Stage.PAUSED, timeout=WAIT_MS)
    transfers.resume(OTHER)
    qtbot.waitUntil(lambda: "GB" in transfers.all[OTHER].line, timeout=WAIT_MS)
    assert transfers.all[OTHER].stage is Stage.WORKING
    assert REPO not in transfers.all
    assert not remote.downloads[REPO].is_deleted
    remote.ends.set()
    qtbot.waitUntil(lambda: remote.downloads[REPO].is_deleted, timeout=WAIT_MS)
    assert REPO not in transfers.all
    transfers.close()


def test_a_download_that_is_paused_before_it_began_does_not_begin(qapp: QApplication, qtbot: QtBot) -> None:
    remote = SlowRemote()
    remote.is_slow = True
    transfers = Transfers(remote)
    transfers.start(listing(REPO), None)
    transfers.pause(REPO)
    assert transfers.all[REPO].stage is Stage.PAUSED
    remote.ends.set()
    transfers.start(listing(OTHER), None)
    qtbot.waitUntil(lambda: REPO in transfers._downloads and "GB" in transfers.all[OTHER].line, timeout=WAIT_MS)
    assert transfers.all[REPO].line == "Paused"
    transfers.resume(REPO)
    qtbot.waitUntil(lambda: "GB" in transfers.all[REPO].line, timeout=WAIT_MS)
    transfers.close()


def test_a_download_that_is_wanted_again_begins_after_what_came_is_deleted(qapp: QApplication, qtbot: QtBot) -> None:
    remote = SlowRemote()
    transfers = under_way(remote, qtbot, REPO)
    first = remote.downloads[REPO]
    transfers.cancel(REPO)
    transfers.start(listing(REPO), None)
    assert transfers.all[REPO].line == "Starting…"
    assert remote.downloads[REPO] is first
    remote.ends.set()
    qtbot.waitUntil(lambda: "GB" in transfers.all[REPO].line, timeout=WAIT_MS)
    assert first.is_deleted
    assert remote.downloads[REPO] is not first
    transfers.close()


def test_a_stop_that_comes_after_the_model_leaves_it_in_the_list(qapp: QApplication, qtbot: QtBot) -> None:
    remote = SlowRemote()
    transfers, arrived = under_way(remote, qtbot, REPO), list[tuple[str, Path]]()
    transfers.finished.connect(lambda *model: arrived.append(model))
    remote.ends.set()
    remote.downloads[REPO].say(State.DONE, folder=Path("model"))
    transfers.cancel(REPO)
    qtbot.waitUntil(lambda: arrived == [(REPO, Path("model"))], timeout=WAIT_MS)
    assert transfers.all == {}
    transfers.close()
