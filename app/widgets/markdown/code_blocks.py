"""Where one code block ends and the next begins: in Qt's document both are nothing but lines of code."""

from PySide6.QtGui import QTextBlock, QTextCursor, QTextDocument, QTextFormat

from app.text.markdown import FENCE_NUMBER_MARK

__all__ = ["code_language", "code_lines", "is_code", "mark_fences", "starts_fence"]

_FENCE = QTextFormat.Property.BlockCodeFence.value
_LANGUAGE = QTextFormat.Property.BlockCodeLanguage.value
_IS_FIRST = QTextFormat.Property.UserProperty.value
"""On the first line of a code block. A number would not do: pieces of an answer are parsed one by one."""


def is_code(block: QTextBlock) -> bool:
    """Whether a block is a line of a code block."""
    return block.isValid() and block.blockFormat().hasProperty(_FENCE)


def starts_fence(block: QTextBlock) -> bool:
    """Whether a block is the first line of a code block."""
    return is_code(block) and (block.blockFormat().hasProperty(_IS_FIRST) or not is_code(block.previous()))


def code_language(block: QTextBlock) -> str:
    """The language that the code block of this line names, or nothing."""
    return block.blockFormat().stringProperty(_LANGUAGE)


def code_lines(block: QTextBlock) -> list[QTextBlock]:
    """All lines of the code block that this line belongs to."""
    while is_code(block) and not starts_fence(block):
        block = block.previous()
    lines = [block]
    following = block.next()
    while is_code(following) and not following.blockFormat().hasProperty(_IS_FIRST):
        lines.append(following)
        following = following.next()
    return lines


def mark_fences(document: QTextDocument) -> None:
    """Turn the numbers that `number_fences` wrote behind the languages into marks on first lines.

    Code that is only indented, which Qt shows like text, becomes like code in a fence.
    """
    block = document.begin()
    last = ""
    while block.isValid():
        shape = block.blockFormat()
        if shape.hasProperty(_LANGUAGE):
            shape.setProperty(_FENCE, shape.property(_FENCE) or "`")
            numbered = code_language(block)
            language, mark, number = numbered.rpartition(FENCE_NUMBER_MARK)
            if mark and number.isdecimal():
                shape.setProperty(_LANGUAGE, language)
            if numbered != last or block.textList() is not None:
                shape.setProperty(_IS_FIRST, True)
            last = numbered
            QTextCursor(block).setBlockFormat(shape)
        block = block.next()
