"""What can be seen of Markdown that was set, in one line: enough to tell right from wrong by eye."""

from PySide6.QtGui import QFont, QTextBlock, QTextCharFormat, QTextCursor

from app.look.theme import Theme
from app.text.blocks import Piece
from app.widgets.markdown.code_blocks import code_language, is_code, starts_fence
from app.widgets.markdown.formula_images import written_tex
from app.widgets.markdown.markdown_document import is_rule, quote_depth, render_markdown

__all__ = ["shown"]


def shown(piece: Piece, theme: Theme) -> str:
    """The blocks of a piece, parted by " ¶ ", lines in them by "/", and what is not plain as <kinds|text>.

    Kinds are b(old), i(talic), s(truck), c(ode), f(ormula) and a(ddress)=where it leads. A block begins with "#" for a
    heading, "•" for an item, ">" for a quote, "[row,column]" for a cell, "{language}" for the first line of code and
    "{" for the others.
    """
    document = render_markdown(piece, theme, lambda _formula: None, has_foothold=False)
    blocks = []
    block = document.begin()
    while block.isValid():
        text = _start(block) + "".join(_run(*run, in_code=is_code(block)) for run in _runs(block))
        blocks += [text] if text else []
        block = block.next()
    return " ¶ ".join(blocks)


def _start(block: QTextBlock) -> str:
    start = "#" * block.blockFormat().headingLevel() + ">" * quote_depth(block)
    if block.textList() is not None:
        start += "•" * block.textList().format().indent()
    if is_code(block):
        start += "{" + f"{code_language(block)}}}" * starts_fence(block)
    table = QTextCursor(block).currentTable()
    if table is not None:
        cell = table.cellAt(block.position())
        start += f"[{cell.row()},{cell.column()}]"
    return start + "---" * is_rule(block)


def _runs(block: QTextBlock) -> list[tuple[str, QTextCharFormat]]:
    runs = []
    iterator = block.begin()
    while not iterator.atEnd():
        runs.append((iterator.fragment().text(), iterator.fragment().charFormat()))
        iterator += 1
    return runs


def _run(text: str, style: QTextCharFormat, *, in_code: bool) -> str:
    is_formula = bool(written_tex(style))
    kinds = {
        "b": style.fontWeight() == QFont.Weight.Bold,
        "i": style.fontItalic(),
        "s": style.fontStrikeOut(),
        "u": style.fontUnderline() and not style.isAnchor(),
        "f": is_formula,
        "c": style.fontFixedPitch() and not is_formula and not in_code,
        f"a={style.anchorHref()}": style.isAnchor(),
    }
    kind = "".join(name for name, is_so in kinds.items() if is_so)
    text = text.replace("\u2028", "/")
    return f"<{kind}|{text}>" if kind else text
