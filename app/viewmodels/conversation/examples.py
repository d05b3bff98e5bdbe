"""What the empty window says and the few things it offers to try."""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["DETAIL", "EXAMPLES", "READ", "TEMPORARY_DETAIL", "TEMPORARY_TITLE", "TITLE", "Example", "ExampleKind"]

TITLE = "What shall we read?"
DETAIL = "Drop a picture or a PDF anywhere, paste one, or write a question. Nothing leaves this Mac."
TEMPORARY_TITLE = "A temporary conversation"
TEMPORARY_DETAIL = "Nothing of it is kept: it is gone when you open another one or quit."


class ExampleKind(Enum):
    """What choosing an example does."""

    OPEN_PICTURE = auto()
    SAMPLE_PICTURE = auto()
    THINK = auto()


@dataclass(frozen=True)
class Example:
    """One thing to try: its name, what it does, and the draft it prepares."""

    kind: ExampleKind
    icon: str
    title: str
    detail: str
    prompt: str


READ = "Read the text in this picture."

EXAMPLES = (
    Example(ExampleKind.OPEN_PICTURE, "picture", "Read a picture or a PDF", "A photo, a scan, a document", READ),
    Example(ExampleKind.SAMPLE_PICTURE, "sparkle", "Try a sample", "One line of large print", READ),
    Example(ExampleKind.THINK, "think", "Watch it think", "The same line, letter by letter", READ),
)
