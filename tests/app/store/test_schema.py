"""Every store that a person may have becomes one of today.

`tests/data/store/version_N.sql` is what version N wrote, and it is never changed; a new version adds the next file.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

import app.store.opening
from app.store import (
    Answered,
    Conversation,
    Costs,
    Details,
    Draft,
    Edit,
    KeptDocument,
    KeptPage,
    Offer,
    Orders,
    Stamp,
    Turn,
    Visit,
)  # fmt: skip
from app.store.schema import MIGRATIONS, migrate, schema_version
from engine import (
    Box,
    DocumentInfo,
    Message,
    PageInfo,
    PageText,
    Picture,
    PictureReceipt,
    Reading,
    Returned,
    Sound,
    Stats,
    Text,
    TextLine,
    Thought,
    ToolCall,
    ToolResult,
    Video,
)  # fmt: skip
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, asked, files, loaded, names

OLD = Path(__file__).resolve().parents[2] / "data" / "store"
VERSIONS = sorted(int(re.findall(r"\d+", path.name)[0]) for path in OLD.glob("version_*.sql"))
STEP = "ALTER TABLE conversations ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'; UPDATE turns SET text = 'stepped'"


def make_old(folder: Path, version: int) -> None:
    """A store as that version left it."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / "chats.sqlite3")) as connection:
        connection.executescript((OLD / f"version_{version}.sql").read_text(encoding="utf-8"))


def test_every_version_is_among_the_data() -> None:
    assert list(range(1, len(MIGRATIONS) + 1)) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_version_opens(open_store: OpenStore, folder: Path, said: list[str], version: int) -> None:
    make_old(folder, version)
    store = open_store()
    attachments = folder / "attachments"
    picture, video = str(attachments / "ab/abc/scan.png"), str(attachments / "cd/cde/clip.mp4")
    receipt = PictureReceipt("/store/attachments/ab/abc/scan.png", 560, 1056, 576, 264, 84.5)
    of_picture = Costs((receipt,)) if version >= 2 else Costs()
    result = ToolResult({"time": "noon"}, "1", "clock")
    returned = Returned(result, (Picture(picture, 280),), 3.5) if version >= 3 else Returned(result)
    edit = Edit("q1", "What now?", (Picture(picture, 280),)) if version >= 2 else None
    assert loaded(store, "c1") == Conversation(
        "c1", "日本の天気", True, True, 1000.0,
        (
            Turn("q1", None, Message("user", (Picture(picture, 560), Video(video), Sound("/far/a.wav"), Text("What?"))),
                 created_at=1000.0, costs=of_picture),
            Turn("a1", "q1", Answered((Thought("Hm", 2500.0), ToolCall("clock", {"zone": "Asia/Tokyo"}, "1"))),
                 "complete", 1001.0, "Gemma 4 E2B", True, "", "tool_calls", Stats(10, 5, 7, 1.5, 2.5, 3.5, 99)),
            Turn("r1", "a1", Answered((returned,)), created_at=1002.0),
            Turn("a2", "r1", Answered((Text("Half an answer"),)), "interrupted", 1003.0, "Gemma 4 E2B"),
            Turn("q2", None, Message("user", (Text("Edited 天気"),)), "failed", 1004.0, error="It broke."),
        ),
        "a2", Draft("unsent", (Picture(picture, 70),), edit),
    )  # fmt: skip
    assert names(store) == ["c1"]
    assert store.draft().result(WAIT_S) == Draft("of the new one")
    assert [hit.turn_id for hit in store.search("天気").result(WAIT_S)] == [None, "q2"]
    assert [hit.turn_id for hit in store.search("half an").result(WAIT_S)] == ["a2"]
    store.restore("c2")
    assert names(store) == ["c1", "c2"]
    expected = [KeptPage(1, PageText(1, "done", (LINE,), skew=0.5)), KeptPage(3, LOOPED, MINE)] if version >= 4 else []
    assert store.documents.pages("d1").result(WAIT_S) == expected
    assert [document.id for document in store.documents.all().result(WAIT_S)] == ["d1"] * (version >= 4)
    if version >= 4:
        (document,) = store.documents.all().result(WAIT_S)
        assert document == (replace(DOCUMENT, visit=VISIT) if version >= 5 else DOCUMENT)
        assert [(hit.number, hit.title) for hit in store.documents.search("京の天").result(WAIT_S)] == [(1, "scan.pdf")]
    assert said == []


LINE = TextLine("東京の天気", Box(0.1, 0.1, 0.5, 0.12), -0.25, ((0, 2),))
LOOPED = PageText(3, "looped", reason="It repeats.")
MINE = PageText(3, "done", (TextLine("mine"),))
VISIT = Visit(1002.0, 3, 1.5, (Offer(PageText(3, "done", (TextLine("yours"),)), Box(0.1, 0.1, 0.5, 0.25)),))
DOCUMENT = KeptDocument(
    "d1", Path("/far away/scan.pdf"), 1.5, "waiting", "", 1000.0, 1001.0,
    Details(
        Orders(Reading(way="pieces"), (1, 3), ("txt", "pdf"), Path("/out"), None, is_joined=True),
        DocumentInfo("/far away/scan.pdf", "pdf", (
            PageInfo(1, 595.0, 842.0, "picture", "It is a picture.", 0, 0, 0.05, "i"),), "Letters"),
        Stamp(123, 456), (Path("/out/scan.txt"),), 2.5,
    ),
    {1: "done", 3: "looped"},
)  # fmt: skip


def test_a_step_is_taken_once_and_backed_up_before(
    open_store: OpenStore, folder: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    open_store().add_turn("c", asked("q", "some words")).result(WAIT_S)
    monkeypatch.setattr(app.store.opening, "MIGRATIONS", (*MIGRATIONS, STEP))
    for _ in range(2):
        store = open_store()
        assert [hit.turn_id for hit in store.search("stepped").result(WAIT_S)] == ["q"]
        assert store.search("words").result(WAIT_S) == []
    backup = folder / f"chats before version {len(MIGRATIONS) + 1}.sqlite3"
    assert backup in files(folder)
    assert backup.stat().st_mode & 0o777 == 0o600
    store.close()
    backup.replace(folder / "chats.sqlite3")
    monkeypatch.undo()
    store = open_store()
    assert [hit.turn_id for hit in store.search("words").result(WAIT_S)] == ["q"]
    assert said == []


def test_a_step_that_fails_changes_nothing() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, lambda version: None, MIGRATIONS)
        backed_up: list[int] = []
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, backed_up.append, (*MIGRATIONS, f"{STEP}; SELECT nonsense"))
        assert backed_up == [len(MIGRATIONS)]
        assert schema_version(connection) == len(MIGRATIONS)
        assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(conversations)")]
