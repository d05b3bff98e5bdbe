"""Takes an earlier reading's invisible text out of a page, and nothing that can be seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pikepdf import (
    ContentStreamInlineImage,
    ContentStreamInstruction,
    Dictionary,
    Name,
    Object,
    Operator,
    Page,
    Pdf,
    PdfError,
    Stream,
    parse_content_stream,
    unparse_content_stream,
)

__all__ = ["entries", "remove_invisible_text"]

_SHOWING = ("Tj", "TJ", "'", '"')
_INVISIBLE = 3
_MAX_DEPTH = 5
"""Of forms within forms."""

_Instruction = ContentStreamInstruction | ContentStreamInlineImage


def remove_invisible_text(pdf: Pdf, page: Page, resources: Dictionary) -> bool:
    """Whether there was any. `resources` are this page's alone, and get the forms that had it.

    A text object in which anything is seen stays whole, and so does a page that cannot be read.
    """
    try:
        walk = _Walk(pdf, resources, depth=0)
        kept = walk.through(parse_content_stream(page), 0)
    except PdfError:
        return False
    if walk.was_removed:
        page.obj.Contents = pdf.make_indirect(Stream(pdf, unparse_content_stream(kept)))
        walk.put_forms()
    return walk.was_removed


@dataclass
class _Walk:
    """Through one content stream."""

    pdf: Pdf
    resources: Dictionary
    depth: int
    was_removed: bool = False
    _forms: dict[str, Object] = field(default_factory=dict)

    def through(self, instructions: Sequence[_Instruction], mode: int) -> list[_Instruction]:
        """The instructions that stay; text begins in the given mode."""
        kept: list[_Instruction] = []
        modes: list[int] = []
        block: list[_Instruction] = []
        shown: set[int] = set()
        for instruction in instructions:
            match str(instruction.operator):
                case "q":
                    modes.append(mode)
                case "Q" if modes:
                    mode = modes.pop()
                case "Tr":
                    mode = _mode(instruction.operands, mode)
                case "BT":
                    kept += block
                    block, shown = [], set()
                case operator if operator in _SHOWING:
                    shown.add(mode)
                case "Do":
                    self._enter(str(instruction.operands[0]), mode)
            block.append(instruction)
            if str(instruction.operator) == "ET":
                kept += self._unshown(block) if shown == {_INVISIBLE} else block
                block, shown = [], set()
        return kept + block

    def put_forms(self) -> None:
        """Let the forms without the text take the place of those with it, in these resources only."""
        if self._forms:
            objects = entries(self.resources, Name.XObject)
            for name, form in self._forms.items():
                objects[name] = form
            self.resources.XObject = objects

    def _unshown(self, block: Sequence[_Instruction]) -> list[_Instruction]:
        self.was_removed = True
        kept: list[_Instruction] = []
        for instruction in block:
            operator = str(instruction.operator)
            if operator == '"':  # sets spaces for what follows
                kept += [
                    ContentStreamInstruction([instruction.operands[place]], Operator(name))
                    for place, name in enumerate(("Tw", "Tc"))
                ]
            elif operator not in _SHOWING:
                kept.append(instruction)
        return kept

    def _enter(self, name: str, mode: int) -> None:
        """Look for it in a form too."""
        form = entries(self.resources, Name.XObject).get(name)
        if (
            name in self._forms
            or self.depth == _MAX_DEPTH
            or not isinstance(form, Stream)
            or form.get(Name.Subtype) != Name.Form
        ):
            return
        own = entries(form, Name.Resources) if Name.Resources in form else self.resources
        inner = _Walk(self.pdf, own, self.depth + 1)
        kept = inner.through(parse_content_stream(form), mode)
        if inner.was_removed:
            inner.put_forms()
            new = self.pdf.make_stream(b"")
            for key, value in form.items():
                if key not in ("/Filter", "/DecodeParms", "/Length"):
                    new[key] = value
            new.write(unparse_content_stream(kept))
            new.Resources = inner.resources
            self._forms[name] = new
            self.was_removed = True


def entries(node: Object, key: Name) -> Dictionary:
    """A copy of the dictionary that a node has under a key; empty where there is none."""
    found = node.get(key)
    return Dictionary(dict(found.items())) if isinstance(found, Dictionary) else Dictionary()


def _mode(operands: Iterable[Object], mode: int) -> int:
    try:
        return int(next(iter(operands)))
    except (StopIteration, TypeError, ValueError):
        return mode
