"""Whatever is done in whatever order, the store holds what a plain dictionary holds."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from app.store import Answered, Conversation, Draft, Store, Turn
from engine import Message, Picture, Returned, Text, Thought, ToolResult
from tests.app.store.stored import WAIT_S, names

CHATS = st.sampled_from(["a", "b", "c"])
TEXTS = st.text(alphabet="ab %_\"'*日本語語\n\0", max_size=12)
TIMES = st.integers(0, 9).map(float)


class StoreLikeADictionary(RuleBasedStateMachine):
    """Runs the same changes on a store and on dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.said: list[str] = []
        self.store = Store(Path(self.place.name), self.said.append)
        self.chats: dict[str, dict[str, Any]] = {}
        self.drafts: dict[str | None, Draft] = {}
        self.num_turns = 0

    def teardown(self) -> None:
        self.compare()
        self.store.close()
        self.place.cleanup()
        assert self.said == []

    @rule(chat=CHATS, text=TEXTS, time=TIMES, is_running=st.booleans(), data=st.data())
    def add_turn(self, chat: str, text: str, time: float, is_running: bool, data: st.DataObject) -> None:
        known = self.chats.get(chat, {}).get("turns", [])
        parent = data.draw(st.sampled_from([None, *(turn.id for turn in known)]))
        self.num_turns += 1
        message = Answered((Thought(text), Text(text), Returned(ToolResult(text), (Picture("/far/p.png"),))))
        turn = Turn(f"t{self.num_turns}", parent, message, "running" if is_running else "complete", time)
        self.store.add_turn(chat, turn)
        new = {"title": "", "chosen": False, "pinned": False, "created": time, "updated": time, "turns": [],
               "removed": False}  # fmt: skip
        entry = self.chats.setdefault(chat, new)
        entry["turns"].append(turn)
        entry["leaf"] = turn.id
        entry["updated"] = max(entry["updated"], time)

    @rule(chat=CHATS, text=TEXTS, data=st.data())
    def update_turn(self, chat: str, text: str, data: st.DataObject) -> None:
        turns = self.chats.get(chat, {}).get("turns", [])
        if turns:
            number = data.draw(st.integers(0, len(turns) - 1))
            old = turns[number]
            turns[number] = Turn(old.id, old.parent, Message("user", (Text(text),)), "stopped", old.created_at, "m")
            self.store.update_turn(turns[number])

    @rule(chat=CHATS, data=st.data())
    def set_leaf(self, chat: str, data: st.DataObject) -> None:
        if chat in self.chats:
            ids = [None, *(turn.id for turn in self.chats[chat]["turns"])]
            self.chats[chat]["leaf"] = leaf = data.draw(st.sampled_from(ids))
            self.store.set_leaf(chat, leaf)

    @rule(chat=CHATS, title=st.sampled_from(["", "ab", "日本語 title"]), is_chosen=st.booleans())
    def set_title(self, chat: str, title: str, is_chosen: bool) -> None:
        self.store.set_title(chat, title, is_chosen=is_chosen)
        entry = self.chats.get(chat)
        if entry is not None and (is_chosen or not entry["chosen"]):
            entry |= {"title": title, "chosen": is_chosen}

    @rule(chat=CHATS, is_pinned=st.booleans())
    def set_pinned(self, chat: str, is_pinned: bool) -> None:
        self.store.set_pinned(chat, is_pinned)
        if chat in self.chats:
            self.chats[chat]["pinned"] = is_pinned

    @rule(chat=CHATS, is_removed=st.booleans())
    def remove_or_restore(self, chat: str, is_removed: bool) -> None:
        (self.store.remove if is_removed else self.store.restore)(chat)
        if chat in self.chats:
            self.chats[chat]["removed"] = is_removed

    @rule(chat=CHATS | st.none(), text=TEXTS)
    def save_draft(self, chat: str | None, text: str) -> None:
        self.store.save_draft(chat, Draft(text, (Text(text),)) if text else None)
        self.drafts.pop(chat, None)
        if text and (chat is None or chat in self.chats):
            self.drafts[chat] = Draft(text, (Text(text),))

    @rule(older_than=st.none() | TIMES)
    def purge(self, older_than: float | None) -> None:
        self.store.purge(older_than)
        for chat, entry in list(self.chats.items()):
            is_old = older_than is not None and entry["updated"] < older_than and not entry["pinned"]
            if entry["removed"] or is_old:
                del self.chats[chat]
                self.drafts.pop(chat, None)

    @rule()
    def remove_all(self) -> None:
        self.store.remove_all()
        self.chats.clear()
        self.drafts.clear()

    @rule()
    def start_again(self) -> None:
        self.store.close()
        self.store = Store(Path(self.place.name), self.said.append)
        for entry in self.chats.values():
            entry["turns"] = [
                Turn(turn.id, turn.parent, turn.message, "interrupted", turn.created_at)
                if turn.state == "running" else turn
                for turn in entry["turns"]
            ]  # fmt: skip

    @rule(text=TEXTS)
    def search(self, text: str) -> None:
        terms = text.replace("\0", " ").split()
        expected = {
            turn.id
            for entry in self.chats.values()
            for turn in entry["turns"]
            if terms and not entry["removed"] and turn.state != "running" and all(map(_searched(turn).count, terms))
        }
        found = self.store.search(text, limit=1000).result(WAIT_S)
        assert {hit.turn_id for hit in found if hit.turn_id is not None} == expected

    @rule()
    def compare(self) -> None:
        shown = {chat: entry for chat, entry in self.chats.items() if not entry["removed"]}
        order = sorted(shown, key=lambda chat: (shown[chat]["pinned"], shown[chat]["updated"]), reverse=True)
        rows = self.store.summaries().result(WAIT_S)
        assert [(row.is_pinned, row.updated_at) for row in rows] == [
            (shown[chat]["pinned"], shown[chat]["updated"]) for chat in order
        ]
        assert sorted(names(self.store)) == sorted(order)
        assert self.store.draft().result(WAIT_S) == self.drafts.get(None)
        for chat in "abc":
            assert self.store.load(chat).result(WAIT_S) == self._expected(chat)

    def _expected(self, chat: str) -> Conversation | None:
        entry = self.chats.get(chat)
        if entry is None or entry["removed"]:
            return None
        return Conversation(
            chat, entry["title"], entry["chosen"], entry["pinned"], entry["created"], tuple(entry["turns"]),
            entry["leaf"], self.drafts.get(chat),
        )  # fmt: skip


def _searched(turn: Turn) -> str:
    return turn.message.text + "\n" + "p.png" * len(turn.message.media)


StoreLikeADictionary.TestCase.settings = settings(
    max_examples=12, stateful_step_count=30, suppress_health_check=list(HealthCheck)
)
TestStoreLikeADictionary = StoreLikeADictionary.TestCase
