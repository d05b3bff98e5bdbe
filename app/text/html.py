"""An answer's Markdown as HTML: none of its own, no pictures, and links of three kinds only."""

import html
import re
from collections.abc import Callable

from markdown_it import MarkdownIt

from app.text.blocks import Piece, block_pieces, uncut
from app.text.dialect import prepare, restored
from app.text.formulas import FORMULA_MARK

__all__ = ["make_html", "may_link"]


def make_html(highlight: Callable[[str, str, str], str] | None = None) -> Callable[[str], str]:
    """What turns an answer into HTML, as it is set in the window: what would take too long to be set is plain.

    `highlight` gives the colours of code, from it, its language and attributes.
    """
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "highlight": highlight})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = may_link  # type: ignore[method-assign]
    parser.add_render_rule("image", lambda _self, tokens, index, _options, _env: _not_loaded(tokens[index].content))

    def set_piece(piece: Piece) -> str:
        if piece.is_plain:
            return f'<pre class="plain">{html.escape(uncut(piece.text))}</pre>'
        text, formulas = prepare(piece.text)

        def written(mark: re.Match[str]) -> str:
            number = int(mark[1])
            return html.escape(formulas[number].written) if number < len(formulas) else mark[0]

        return FORMULA_MARK.sub(written, restored(parser.render(text)).replace("\u2028", "<br />\n"))

    return lambda source: "".join(map(set_piece, block_pieces(source)))


def may_link(url: str) -> bool:
    """Whether a link may leave the app."""
    return url.lower().startswith(("http://", "https://", "mailto:"))


def _not_loaded(name: str) -> str:
    return f"[{html.escape(name or 'picture')}: not loaded]"
