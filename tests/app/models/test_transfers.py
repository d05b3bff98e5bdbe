"""What is asked of the hub always ends in something a person sees, whatever goes wrong."""

import errno
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.downloads import Gate, Hub, PlaceRefused
from app.viewmodels.models.entries import Stage
from app.viewmodels.models.remote import HubRemote
from app.viewmodels.models.transfers import Transfers
from engine import EngineError
from tests.app.driving import WAIT_MS
from tests.app.pretended_models import FAMILY, PretendedRemote, listing

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
    remote = HubRemote(lambda: Hub(Gate()), lambda _folder: None, is_offline=False)
    monkeypatch.setattr("app.downloads.hub.Hub.look", lambda _self, repository: listing(repository))

    def gone(_folder: Path) -> int:
        raise GONE

    monkeypatch.setattr("app.downloads.transfer.free_bytes", gone)
    with pytest.raises(PlaceRefused, match="Connect its disk"):
        remote.offer(REPO, tmp_path)
