"""Documents are kept page by page: found in any script, corrections apart, deleted for good, salvaged from damage."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.store import Details, Draft, KeptDocument, KeptPage, Offer, Orders, Store, Visit
from engine import Box, PageText, Reading, TextLine
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, asked, names, on_owner


def document(id_: str = "d", path: str = "/in/scan.pdf", **about: object) -> KeptDocument:
    """A document that waits."""
    return KeptDocument(id_, Path(path), created_at=1.0, updated_at=1.0, **about)


def page(number: int, *texts: str) -> PageText:
    """A page that was read."""
    return PageText(number, "done", tuple(TextLine(text, Box(0.1, 0.1, 0.5, 0.2)) for text in texts))


def pages(store: Store, id_: str = "d") -> list[KeptPage]:
    """What is kept of a document."""
    return store.documents.pages(id_).result(WAIT_S)


def found(store: Store, words: str) -> list[tuple[str, int]]:
    """What a search finds."""
    return [(hit.document_id, hit.number) for hit in store.documents.search(words).result(WAIT_S)]


def test_pages_are_there_when_the_app_comes_again(open_store: OpenStore) -> None:
    store = open_store()
    store.documents.save(document())
    store.documents.save_page("d", page(2, "two"))
    store.documents.save_page("d", page(1, "one"))
    store = open_store()
    assert [kept.read for kept in pages(store)] == [page(1, "one"), page(2, "two")]
    (kept,) = store.documents.all().result(WAIT_S)
    assert kept.pages == {1: "done", 2: "done"}
    assert kept.state == "waiting"


def test_how_a_document_was_left_stays_with_it(open_store: OpenStore, folder: Path) -> None:
    """Also when the row is written again, and when the file is damaged; a document that is not there has none."""
    visit = Visit(
        5.0,
        3,
        1.25,
        (
            Offer(page(3, "new"), Box(0.1, 0.1, 0.5, 0.5)),
            Offer(page(4, "\ud83d")),
        ),
    )
    store = open_store()
    store.documents.save(document())
    for id_ in ("d", "gone"):
        store.documents.save_visit(id_, visit)
    store.documents.save(document(state="kept"))
    store.close()
    path = folder / "chats.sqlite3"
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])
    store = open_store()
    (kept,) = store.documents.all().result(WAIT_S)
    assert kept.visit is not None
    assert (kept.visit.opened_at, kept.visit.page, kept.visit.scale) == (5.0, 3, 1.25)
    assert kept.visit.offers[0] == visit.offers[0]
    assert len(kept.visit.offers) == 2
    store.documents.clear_opened()
    (kept,) = store.documents.all().result(WAIT_S)
    assert kept.visit is not None
    assert (kept.visit.opened_at, kept.visit.page) == (0.0, 3)


def test_of_one_file_the_text_is_found_before_its_fields(store: Store) -> None:
    fields = Details(Orders(Reading(form="fields")))
    for id_, details, time in (("text", Details(), 2.0), ("cells", fields, 3.0), ("old", Details(), 1.0)):
        store.documents.save(KeptDocument(id_, Path("/in/a.pdf"), created_at=time, updated_at=time, details=details))
    found = store.documents.find(Path("/in/a.pdf")).result(WAIT_S)
    assert found is not None
    assert found.id == "text"


def test_documents_come_in_the_order_of_the_queue(store: Store) -> None:
    for id_, place in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        store.documents.save(document(id_, place=place))
    store.documents.save(document("a", place=1.5))
    assert [kept.id for kept in store.documents.all().result(WAIT_S)] == ["b", "a", "c"]


def test_a_page_that_is_read_again_is_there_once(store: Store) -> None:
    store.documents.save(document())
    store.documents.save_page("d", page(1, "first reading"))
    store.documents.save_page("d", page(1, "second reading"))
    assert [kept.read.text for kept in pages(store)] == ["second reading"]
    assert found(store, "first") == []
    assert found(store, "second") == [("d", 1)]


def test_what_a_person_corrected_stays_when_the_page_is_read_again(store: Store) -> None:
    store.documents.save(document())
    store.documents.save_page("d", page(1, "wrng"))
    store.documents.save_correction("d", 1, page(1, "wrong"))
    store.documents.save_page("d", page(1, "wr0ng"))
    assert pages(store) == [KeptPage(1, page(1, "wr0ng"), page(1, "wrong"))]
    assert found(store, "wrong") == [("d", 1)]
    store.documents.forget_pages("d", [1])
    assert len(pages(store)) == 1
    store.documents.save_correction("d", 1, None)
    assert found(store, "wr0ng") == [("d", 1)]
    store.documents.forget_pages("d", [1])
    assert pages(store) == []


def test_pages_are_found_by_substrings_of_any_script_and_documents_by_name(store: Store) -> None:
    store.documents.save(document("d", "/in/請求書 Löwe.pdf"))
    store.documents.save_page("d", page(7, "東京都の天気予報", "Straße"))
    assert found(store, "都の天") == [("d", 7)]
    assert found(store, "天") == [("d", 7)]
    assert found(store, "求書") == [("d", 0)]
    assert found(store, "straße 天気") == [("d", 7)]
    store.documents.remove("d")
    assert found(store, "都の天") == found(store, "求書") == []
    store.documents.restore("d")
    assert found(store, "都の天") == [("d", 7)]


def test_of_a_document_that_is_not_there_nothing_is_kept(store: Store) -> None:
    store.documents.save_page("forgotten", page(1, "secret"))
    assert pages(store, "forgotten") == []
    assert found(store, "secret") == []


def test_a_purge_deletes_what_was_removed_and_what_is_old_but_nothing_that_waits(store: Store) -> None:
    for id_, state in (("old", "done"), ("waits", "waiting"), ("gone", "done"), ("spared", "kept")):
        store.documents.save(document(id_, state=state))
    store.documents.save(KeptDocument("new", Path("/in/new.pdf"), state="done", updated_at=99.0))
    store.documents.remove("gone")
    store.purge(50.0, spared=("spared",))
    assert sorted(kept.id for kept in store.documents.all().result(WAIT_S)) == ["new", "spared", "waits"]


@pytest.mark.parametrize("how", ["remove_all", "purge"])
def test_what_is_deleted_for_good_cannot_be_read_in_any_file(open_store: OpenStore, folder: Path, how: str) -> None:
    store = open_store()
    store.documents.save(document("d", "/in/geheimnis.pdf"))
    store.documents.save_page("d", page(1, "xyzzy plugh"))
    store.documents.save_correction("d", 1, page(1, "frobozz"))
    store.documents.remove("d")
    getattr(store, how)().result(WAIT_S)
    store.close()
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not any(word in content for word in (b"xyzzy", b"plugh", b"frobozz", b"geheimnis"))


def test_names_that_are_no_unicode_are_kept(open_store: OpenStore) -> None:
    path = Path(os.fsdecode(b"/in/\xff\xfe.pdf"))
    orders = Orders(out=path.parent / os.fsdecode(b"\xfe"))
    store = open_store()
    store.documents.save(KeptDocument("d", path, details=Details(orders, written=(path,))))
    (kept,) = open_store().documents.all().result(WAIT_S)
    assert kept.path == path
    assert kept.details.orders == orders
    assert kept.details.written == (path,)


def test_damaged_values_take_nothing_with_them(open_store: OpenStore, folder: Path) -> None:
    store = open_store()
    store.documents.save(document())
    store.documents.save_page("d", page(1, "one"))
    store.documents.save_page("d", page(2, "two"))
    store.documents.save_correction("d", 1, page(1, "mine"))
    store.close()
    with closing(sqlite3.connect(folder / "chats.sqlite3")) as connection, connection:
        connection.execute("UPDATE pages SET read = '{' WHERE number = 1")
        connection.execute("UPDATE documents SET details = 'x', state = 'odd'")
    store = open_store()
    first, second = pages(store)
    assert (first.read.state, first.present.text, second.read.text) == ("failed", "mine", "two")
    assert [kept.state for kept in store.documents.all().result(WAIT_S)] == ["kept"]


def test_documents_come_back_from_a_damaged_database(open_store: OpenStore, folder: Path, said: list[str]) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "words"))
    store.documents.save(document())
    store.documents.save_page("d", page(1, "one"))
    store.documents.save_page("d", page(2, "東京の天気"))
    store.documents.save_correction("d", 1, page(1, "mine"))
    before = pages(store)
    store.close()
    path = folder / "chats.sqlite3"
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])
    store = open_store()
    assert names(store) == ["c"]
    assert pages(store) == before
    assert found(store, "京の天") == [("d", 2)]
    assert "1 conversation and 1 document came back" in said[0]


def test_pages_without_their_document_come_back_in_one(open_store: OpenStore, folder: Path) -> None:
    store = open_store()
    store.documents.save(document())
    store.documents.save_page("d", page(1, "one"))
    store.close()
    with closing(sqlite3.connect(folder / "chats.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM documents")
    path = folder / "chats.sqlite3"
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])
    store = open_store()
    assert [kept.read.text for kept in pages(store)] == ["one"]
    assert len(store.documents.all().result(WAIT_S)) == 1


def test_a_document_corrected_of_late_is_not_old(store: Store) -> None:
    for id_ in ("read long ago", "corrected"):
        store.documents.save(document(id_, state="kept"))
        store.documents.save_page(id_, page(1, "one")).result(WAIT_S)
    on_owner(store, "UPDATE documents SET updated_at = 1")
    store.documents.save_correction("corrected", 1, page(1, "mine"))
    store.purge(older_than=2.0)
    assert [kept.id for kept in store.documents.all().result(WAIT_S)] == ["corrected"]


def test_half_a_character_keeps_no_page_from_the_disk(store: Store) -> None:
    store.documents.save(document())
    store.documents.save_page("d", page(1, "one \ud83d"))
    store.documents.save_correction("d", 1, page(1, "mine \udcff"))
    assert pages(store) == [KeptPage(1, page(1, "one ?"), page(1, "mine ?"))]


def test_a_change_that_can_never_be_made_keeps_none_from_the_disk(store: Store) -> None:
    never = store.documents.save_page("d", object())  # type: ignore[arg-type]
    assert isinstance(never.exception(WAIT_S), AttributeError)
    store.documents.save(document()).result(WAIT_S)
    assert len(store.documents.all().result(WAIT_S)) == 1


def test_a_page_waits_behind_its_document_that_is_saved_twice(open_store: OpenStore) -> None:
    store = open_store()
    store.documents.all().result(WAIT_S)
    on_owner(store, "PRAGMA max_page_count = 1")
    full = store.documents.save(document(reason="long " * 20_000))
    assert full.exception(WAIT_S) is not None
    store.documents.save_page("d", page(1, "one"))
    store.documents.save(document(state="done"))
    on_owner(store, "PRAGMA max_page_count = 100000")
    assert store.try_again().result(WAIT_S)
    assert [kept.number for kept in pages(store)] == [1]
    assert [kept.state for kept in store.documents.all().result(WAIT_S)] == ["done"]


def test_a_draft_behind_deleting_everything_stays(open_store: OpenStore) -> None:
    store = open_store()
    store.documents.all().result(WAIT_S)
    on_owner(store, "PRAGMA max_page_count = 1")
    full = store.save_draft(None, Draft("before " * 20_000))
    assert full.exception(WAIT_S) is not None
    store.remove_all()
    store.save_draft(None, Draft("after"))
    on_owner(store, "PRAGMA max_page_count = 100000")
    assert store.try_again().result(WAIT_S)
    assert store.draft().result(WAIT_S) == Draft("after")


def test_pages_wait_in_memory_while_the_disk_is_full(open_store: OpenStore) -> None:
    store = open_store()
    store.documents.save(document()).result(WAIT_S)
    on_owner(store, "PRAGMA max_page_count = 1")
    full = store.documents.save_page("d", page(1, "long " * 10_000))
    assert full.exception(WAIT_S) is not None
    store.documents.save_page("d", page(2, "two"))
    on_owner(store, "PRAGMA max_page_count = 100000")
    assert store.try_again().result(WAIT_S)
    assert [kept.number for kept in pages(store)] == [1, 2]
