"""The turns of a conversation and the branch of them that is shown."""

from collections.abc import Iterator

from app.viewmodels.conversation.tree import TurnTree
from app.viewmodels.conversation.turns import AnswerTurn, Place, Turn, UserTurn
from engine import Message, Text


class Branch(list[Turn]):
    """Counts how often somebody goes through it."""

    num_walks = 0

    def __contains__(self, turn: object) -> bool:
        self.num_walks += 1
        return super().__contains__(turn)

    def __iter__(self) -> Iterator[Turn]:
        self.num_walks += 1
        return super().__iter__()


def question(place: Place) -> UserTurn:
    return UserTurn(Message("user", (Text("What now?"),)), place)


def test_whether_a_shown_turn_has_versions_is_known_without_going_through_all() -> None:
    tree = TurnTree()
    for _ in range(50):
        tree.add(question(tree.next_place))
        tree.add(AnswerTurn(tree.next_place))
    first, answer = tree.branch[:2]
    tree.branch = branch = Branch(tree.branch)
    assert not tree.has_versions
    assert not branch.num_walks
    tree.cut(answer)
    assert not tree.has_versions
    tree.add(AnswerTurn(Place(first.place.id)))
    assert tree.has_versions
    tree.cut(tree.branch[1])
    assert not tree.has_versions, "neither of them is shown"
    tree.show(answer)
    assert tree.has_versions
