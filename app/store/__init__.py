"""What is kept of the conversations: a SQLite file and a folder of attachments. Plain Python; knows no Qt, no model.

`Store` is the only way in. Everything happens on its own thread; whoever calls it never waits.
"""

from app.store.sayings import Matter, Saying
from app.store.store import Store
from app.store.text import MATCH_BEGIN, MATCH_END
from app.store.tree import sound_parents
from app.store.values import Answered, Conversation, Costs, Draft, Edit, Hit, Summary, Turn, TurnState

__all__ = [
    "MATCH_BEGIN",
    "MATCH_END",
    "Answered",
    "Conversation",
    "Costs",
    "Draft",
    "Edit",
    "Hit",
    "Matter",
    "Saying",
    "Store",
    "Summary",
    "Turn",
    "TurnState",
    "sound_parents",
]
