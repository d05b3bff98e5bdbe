"""A search finds substrings of titles and turns in any script, and takes every query as plain text."""

import unicodedata

import pytest

import app.store.index
from app.store import Store
from app.store.text import composed
from engine import Picture
from tests.app.store.conftest import OpenStore
from tests.app.store.stored import WAIT_S, answered, asked, on_owner

TEXTS = {
    "kyoto": "京都の天気を調べてください",
    "sql": "100% of _names_ in \"double\" and 'single' quotes; a* NEAR(b) AND c OR -d ^e col:f",
    "percent": "1000 of names",
    "accents": "Élève à Zürich, ΣΊΣΥΦΟΣ, Привет",
    "decomposed": "cafe\u0301 カ\u3099ラス",
    "emoji": "family 👨‍👩‍👧 ok",
    "lines": "first line\n\n   second\tline " + "x" * 300 + " needle " + "y" * 300,
    "nul": "before\0behind",
}

FOUND = {
    "天気": ["kyoto"], "都の天気を": ["kyoto"], "調": ["kyoto"], "京都 ください": ["kyoto"], "東京": [],
    "100%": ["sql"], "100": ["percent", "sql"], "%": ["sql"], "_": ["sql"], "_names_": ["sql"], "\\": [],
    '"': ["sql"], '"double"': ["sql"], "'single'": ["sql"], "a*": ["sql"], "NEAR(b)": ["sql"], '"""': [],
    "AND": ["sql"], "-d": ["sql"], "^e": ["sql"], "col:f": ["sql"], "OR*": [], "text:col": [],
    "names quotes": ["sql"], "quotes names": ["sql"], "names needle": [],
    "élève": ["accents"], "È": ["accents"], "zÜrich": ["accents"], "ПРИВЕТ": ["accents"], "пр": ["accents"],
    "café": ["decomposed"], "cafe\u0301": ["decomposed"], "ガラス": ["decomposed"], "カラス": [],
    "👨‍👩‍👧": ["emoji"], "👧": ["emoji"], "line second": ["lines"], "behind": ["nul"], "\0behind": ["nul"],
    "": [], "  \n": [],
}  # fmt: skip
"""What each query must find."""


@pytest.fixture(params=["trigrams", "without FTS5"])
def filled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, open_store: OpenStore) -> Store:
    """A store with a conversation per text, with and without the index."""
    if request.param == "without FTS5":
        monkeypatch.setattr(app.store.index, "can_index", lambda connection: False)
    store = open_store()
    for time, (name, text) in enumerate(TEXTS.items()):
        store.add_turn(name, asked(name, text, created_at=float(time)))
    return store


def found(store: Store, text: str) -> list[str | None]:
    """The turns that a search finds, sorted."""
    return sorted(hit.turn_id or f"title of {hit.conversation_id}" for hit in store.search(text).result(WAIT_S))


def test_what_is_found(filled: Store) -> None:
    assert {query: found(filled, query) for query in FOUND} == FOUND


def test_the_snippet_shows_every_match_on_one_line(filled: Store) -> None:
    hit = filled.search("needle").result(WAIT_S)[0]
    assert "\x02needle\x03" in hit.snippet
    assert hit.snippet.startswith("…x")
    assert hit.snippet.endswith("y…")
    assert len(hit.snippet) < 200
    assert filled.search("LINE").result(WAIT_S)[0].snippet.startswith(
        "first \x02line\x03 second \x02line\x03 xxx"
    )  # fmt: skip
    assert filled.search("天気").result(WAIT_S)[0].snippet == "京都の\x02天気\x03を調べてください"


def test_titles_come_first_then_turns_from_the_newest(filled: Store) -> None:
    filled.set_title("kyoto", "The needle of Kyoto", is_chosen=False)
    filled.add_turn("kyoto", answered("k2", "one more needle", "kyoto", created_at=20.0))
    hits = filled.search("needle").result(WAIT_S)
    assert [hit.conversation_id for hit in hits] == ["kyoto", "kyoto", "lines"]
    assert [hit.turn_id for hit in hits] == [None, "k2", "lines"]
    assert hits[0].snippet == "The \x02needle\x03 of Kyoto"
    assert [hit.title for hit in hits] == ["The needle of Kyoto"] * 2 + [""]
    assert [hit.created_at for hit in hits] == [0.0, 20.0, 6.0]
    assert [hit.turn_id for hit in filled.search("needle", limit=2).result(WAIT_S)] == [None, "k2"]


def test_names_of_files_are_found(filled: Store) -> None:
    filled.add_turn("kyoto", asked("file", "Read this", Picture("/far/away/invoice 2026.png"), parent="kyoto"))
    assert found(filled, "invoice") == ["file"]
    assert found(filled, "away") == []


def test_text_is_found_once_it_is_whole(filled: Store) -> None:
    filled.add_turn("kyoto", answered("a", "Sunny", "kyoto", state="running"))
    assert found(filled, "sunny") == []
    filled.update_turn(answered("a", "Sunny and warm", "kyoto"))
    assert found(filled, "warm") == ["a"]
    filled.update_turn(answered("a", "Rainy", "kyoto"))
    assert found(filled, "warm") == []
    assert found(filled, "rainy") == ["a"]


def test_interrupted_text_is_found(open_store: OpenStore) -> None:
    store = open_store()
    store.add_turn("c", asked("q", "Hello"))
    store.add_turn("c", answered("a", "Sunny", "q", state="running"))
    assert found(open_store(), "sunny") == ["a"]


def test_the_index_is_built_anew_after_a_time_without(open_store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store().add_turn("c", asked("q1", "first words"))
    with monkeypatch.context() as without:
        without.setattr(app.store.index, "can_index", lambda connection: False)
        store = open_store()
        store.add_turn("c", asked("q2", "second words"))
        assert found(store, "words") == ["q1", "q2"]
    store = open_store()
    assert found(store, "words") == ["q1", "q2"]
    on_owner(store, "INSERT INTO turns_index (turns_index, rank) VALUES ('integrity-check', 1)")


def test_the_index_follows_purges(store: Store) -> None:
    store.add_turn("a", asked("q1", "common words"))
    store.add_turn("b", asked("q2", "common words"))
    store.remove("a")
    store.purge()
    assert found(store, "common") == ["q2"]
    on_owner(store, "INSERT INTO turns_index (turns_index, rank) VALUES ('integrity-check', 1)")


@pytest.mark.parametrize(
    "marks", ["\u0301\u0323" * 100, "\u0323" * 31, "\u0f73" * 100, "\u0301" * 30 + "\u0338"], ids=len
)
def test_any_number_of_marks_is_composed_once_and_for_all(marks: str) -> None:
    once = composed(f"e{marks} cafe\u0301")
    assert composed(once) == once
    assert once.endswith("café")
    assert unicodedata.normalize("NFD", once).count("\u0323") == marks.count("\u0323")


@pytest.mark.parametrize(
    "text", ["e\u0301", "\u1100\u1161\u11a8", "e\u0323\u0301" + "\u0301" * 27, "≠ ⊂\u0338 ☃" * 40], ids=len
)
def test_what_people_write_is_composed_as_unicode_says(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)
