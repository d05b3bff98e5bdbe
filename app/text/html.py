"""An answer's Markdown as HTML: none of its own, no pictures, and links of three kinds only."""

import html
import re
from collections.abc import Callable

from markdown_it import MarkdownIt

from app.text.dialect import prepare, restored
from app.text.formulas import FORMULA_MARK

__all__ = ["make_html"]


def make_html(highlight: Callable[[str, str, str], str] | None = None) -> Callable[[str], str]:
    """What turns Markdown into HTML; `highlight` gives the colours of code, from it, its language and attributes."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "highlight": highlight})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = _may_link  # type: ignore[method-assign]
    parser.add_render_rule("image", lambda _self, tokens, index, _options, _env: _not_loaded(tokens[index].content))

    def convert(source: str) -> str:
        text, formulas = prepare(source)

        def written(mark: re.Match[str]) -> str:
            number = int(mark[1])
            return html.escape(formulas[number].written) if number < len(formulas) else mark[0]

        return FORMULA_MARK.sub(written, restored(parser.render(text)).replace("\u2028", "<br />\n"))

    return convert


def _may_link(url: str) -> bool:
    return url.lower().startswith(("http://", "https://", "mailto:"))


def _not_loaded(name: str) -> str:
    return f"[{html.escape(name or 'picture')}: not loaded]"
