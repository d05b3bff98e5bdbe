"""A conversation as one page of HTML that needs nothing else, and the body of it that a PDF is made from."""

import base64
import html
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from app.exports.conversation import (
    Called,
    Exported,
    Piece,
    date_of,
    missing,
    pieces,
    speaker,
    tool_codes,
    tool_title,
)
from app.exports.pictures import HEAD_BYTES, browser_kind
from app.text.blocks import plain_pieces, uncut
from app.text.html import make_html
from engine import AttachmentError, Picture, Role, Text, Thought, small_picture

__all__ = ["PictureSource", "html_body", "to_html"]

PictureSource = Callable[[Path], str]
"""The attributes of an `img` that show a picture; empty when it cannot be read."""

_LONGEST_SIDE = 4096
"""Of a picture that becomes PNG, in pixels."""

_LONG = 20_000
"""Characters that are set as one paragraph."""

_STYLE = """
:root { color-scheme: light dark; --text: #1c201e; --faint: #626a66; --line: #dfe2dd; --said: #eceeea; --code: #f2f3f0;
  --accent: #0d7a63; --page: #fbfbf9; }
@media (prefers-color-scheme: dark) { :root { --text: #ebeeec; --faint: #a0a8a4; --line: #383d3a; --said: #2f3331;
  --code: #222524; --accent: #45c4a6; --page: #1a1c1b; } }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1.2rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; } .who { font-size: 0.9rem; margin: 2rem 0 0.4rem; }
.date, .note { color: var(--faint); font-size: 0.85rem; }
.said { background: var(--said); border-radius: 1rem; padding: 0.6rem 1rem; white-space: pre-wrap; }
img { max-width: 100%; border-radius: 0.6rem; }
pre { background: var(--code); border-radius: 0.6rem; padding: 0.8rem 1rem; overflow-x: auto; white-space: pre-wrap; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.9em; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: 0.3rem 0.7rem; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--faint); }
details { margin: 0.6rem 0; } summary { color: var(--faint); font-size: 0.9rem; cursor: pointer; }
.thought { white-space: pre-wrap; color: var(--faint); font-size: 0.9rem; } a { color: var(--accent); }
"""


def to_html(conversation: Exported, go_on: Callable[[], None]) -> str:
    """One page that needs nothing else: pictures inside, no script, light and dark.

    `go_on` is called before every message and raises when the page is not wanted any more.
    """
    colors = HtmlFormatter(style="default").get_style_defs("pre")
    dark = HtmlFormatter(style="github-dark").get_style_defs("pre")
    style = f"{colors}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{_STYLE}"
    return (
        '<!DOCTYPE html>\n<html lang="">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(conversation.title)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n{html_body(conversation, _embedded, go_on)}\n</body>\n</html>\n"
    )


def html_body(conversation: Exported, picture_source: PictureSource, go_on: Callable[[], None]) -> str:
    blocks = [f"<h1>{html.escape(conversation.title)}</h1>"]
    for entry in conversation.entries:
        go_on()
        date = f' <span class="date">{date_of(entry)}</span>' if date_of(entry) else ""
        blocks.append(
            f'<div class="who" role="heading" aria-level="2"><strong>{html.escape(speaker(entry))}</strong>{date}</div>'
        )
        blocks += [_html_piece(piece, entry.role, picture_source) for piece in pieces(entry)]
    return "\n".join(blocks)


def _html_piece(piece: Piece, role: Role, picture_source: PictureSource) -> str:
    match piece:
        case Thought(text):
            return f'<div class="thought">{_lines(text.strip())}</div>'
        case Text(text):
            return _markdown(text) if role == "assistant" else _said(text)
        case Called():
            codes = [
                f'<p class="note">{heading}</p>\n<pre><code>{html.escape(code)}</code></pre>'
                for heading, code in tool_codes(piece)
            ]
            summary = f"<summary>{html.escape(tool_title(piece))}</summary>"
            return "\n".join(["<details>", summary, *codes, "</details>"])
        case Picture(path):
            source = picture_source(Path(path))
            return f'<p><img {source} alt="Picture"></p>' if source else f'<p class="note">{missing(piece)}</p>'
        case media:
            return f'<p class="note">{type(media).__name__}: {html.escape(Path(media.path).name)}</p>'


def _said(text: str) -> str:
    """What a person wrote; a very long text in several paragraphs, which cost less to be set."""
    parts = [text] if len(text) <= _LONG else plain_pieces(text)
    return "\n".join(f'<div class="said">{html.escape(uncut(part))}</div>' for part in parts)


def _embedded(path: Path) -> str:
    """The picture itself as an attribute; what browsers do not know becomes PNG. Empty when it cannot be read."""
    try:
        data = path.read_bytes()
        kind = browser_kind(data[:HEAD_BYTES])
        data = data if kind else _as_png(path)
    except (OSError, AttachmentError):
        return ""
    return f'src="data:image/{kind or "png"};base64,{base64.b64encode(data).decode()}"'


def _as_png(path: Path) -> bytes:
    stream = BytesIO()
    small_picture(path, _LONGEST_SIDE).save(stream, "PNG")
    return stream.getvalue()


def _lines(text: str) -> str:
    return html.escape(text)


def _color_code(code: str, language: str, _attributes: str) -> str:
    """Colours for a code block, or nothing for a language that is not known."""
    lexer = _lexer(language)
    return highlight(code, lexer, _formatter) if lexer else ""


@cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


_formatter = HtmlFormatter(nowrap=True)


_markdown = make_html(_color_code)
