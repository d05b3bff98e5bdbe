"""Every turn that was said in a conversation, and the branch of them that is shown."""

from collections import defaultdict
from collections.abc import Sequence

from app.viewmodels.conversation.sources import Source, with_pages_of
from app.viewmodels.conversation.turns import AnswerTurn, Place, Turn

__all__ = ["TurnTree"]


class TurnTree:
    """Turns by their parents: an edited or repeated one stands beside the earlier one."""

    def __init__(self, turns: Sequence[Turn] = (), leaf: str | None = None) -> None:
        """`leaf`: where the shown branch ends; the newest turn when it is not there."""
        self.all: dict[str, Turn] = {}
        self._sources: dict[str, tuple[Source, ...]] = {}
        """What was seen of documents, up to each turn."""
        self._following: dict[str | None, list[Turn]] = defaultdict(list)
        self._forks: list[list[Turn]] = []
        """Versions of each other, of each place that has several."""
        for turn in turns:
            self.remember(turn)
        self.branch = self._branch_to(self.all.get(leaf or "") or next(reversed(self.all.values()), None))
        """The turns that are shown, in order."""

    @property
    def next_place(self) -> Place:
        """Behind the shown branch."""
        return Place(self.branch[-1].place.id if self.branch else None)

    def versions(self, turn: Turn) -> list[Turn]:
        """The turn and the others in its place, oldest first."""
        return self._following[turn.place.parent]

    @property
    def has_versions(self) -> bool:
        """Whether any shown turn stands beside another version of it."""
        return any(turn in self.branch for versions in self._forks for turn in versions)

    def remember(self, turn: Turn) -> None:
        """Keep a turn without showing it."""
        self.all[turn.place.id] = turn
        sources = self._sources.get(turn.place.parent or "", ())
        if isinstance(turn, AnswerTurn):
            turn.sources = sources
        else:
            sources = with_pages_of(sources, turn.message)
        self._sources[turn.place.id] = sources
        versions = self._following[turn.place.parent]
        versions.append(turn)
        if len(versions) == 2:
            self._forks.append(versions)

    def add(self, turn: Turn) -> None:
        """Go on with a turn at the end of the shown branch."""
        self.remember(turn)
        self.branch.append(turn)

    def cut(self, turn: Turn) -> None:
        """Show only what was said before a turn."""
        self.branch = self.branch[: self.branch.index(turn)]

    def show(self, turn: Turn) -> str:
        """Show a branch through this turn, to what was said on it last, and return the id of its end."""
        while following := self._following.get(turn.place.id):
            turn = following[-1]
        self.branch = self._branch_to(turn)
        return turn.place.id

    def _branch_to(self, turn: Turn | None) -> list[Turn]:
        branch: list[Turn] = []
        while turn is not None:
            branch.append(turn)
            turn = self.all.get(turn.place.parent or "")
        return branch[::-1]
