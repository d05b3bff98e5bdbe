"""Editing an earlier message: it goes to the composer, and comes back as another version of its turn."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.viewmodels.composer import Composer
from app.viewmodels.conversation import Conversation, Edit
from app.viewmodels.turns import UserTurn

__all__ = ["Editing"]


class Editing(QObject):
    """Puts the draft aside while an earlier message is edited, and back afterwards.

    **Signals:** `changed`.
    """

    changed = Signal()

    def __init__(self, conversation: Conversation, composer: Composer, keep_draft: Callable[[], None]) -> None:
        super().__init__()
        self._keep_draft = keep_draft
        self._conversation = conversation
        self._composer = composer
        self._is_refusing = False
        conversation.edit_changed.connect(self._follow)
        conversation.edit_ended.connect(self._take_back)

    @property
    def is_on(self) -> bool:
        """Whether the composer holds an earlier message."""
        return self._conversation.edit is not None

    @property
    def sentence(self) -> str:
        """What to say above the composer meanwhile."""
        if self._is_refusing:
            return "Send what you changed here, or cancel, before you edit another message."
        return "You are editing an earlier message. The present version stays beside it." if self.is_on else ""

    def begin(self, turn: UserTurn) -> None:
        """Take a message into the composer, unless another one that was changed is there."""
        if self._conversation.is_busy or turn not in self._conversation.turns:
            return
        edit = self._conversation.edit
        if edit is not None and self._composer.draft != edit.turn.draft:
            self._is_refusing = edit.turn is not turn
            self.changed.emit()
            return
        aside = self._composer.draft if edit is None else edit.aside
        self._composer.take_up(*turn.draft)
        self._conversation.set_edit(Edit(turn, aside))

    def begin_last(self) -> None:
        """Take the last message that a person said."""
        turns = [turn for turn in self._conversation.turns if isinstance(turn, UserTurn)]
        if turns:
            self.begin(turns[-1])

    def cancel(self) -> None:
        """Leave the message as it is."""
        self._conversation.end_edit()

    def _follow(self) -> None:
        self._is_refusing = False
        self.changed.emit()

    def _take_back(self, edit: Edit) -> None:
        self._composer.take_up(*edit.aside)
        self._keep_draft()
