"""The model folder's own chat template, for whoever asks for it: messages to the same pieces as the canonical one.

The template never sees a text: it is given one private-use character for each, so that nothing that a person or a file
says can become a control token. Only what the template itself writes is read as one.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engine.errors import PromptError
from engine.messages import Media, Message, Picture, Sound, Text, Video
from engine.prompt import template_process
from engine.prompt.special_tokens import Special
from engine.prompt.template import Piece, clean_text
from engine.prompt.tokenizer import Tokenizer

__all__ = ["read_own_template", "render_own"]

MAX_SECONDS = 20
"""For a process that computes for 2 seconds at most, on a busy machine."""

MAX_REASON = 200
"""Characters of a template's complaint that are shown."""

_FIRST = 0xF0000
"""The private-use planes 15 and 16 begin here."""

_KINDS: dict[type[Media], str] = {Picture: "image", Sound: "audio", Video: "video"}
_MEDIA = {f"<|{name}|>": kind for kind, name in _KINDS.items()}
_ADVICE = "Use the built-in template instead."


def read_own_template(folder: Path) -> str:
    """The source of a model folder's template; raises PromptError when there is none that can be read."""
    try:
        if (folder / "chat_template.jinja").exists():
            return (folder / "chat_template.jinja").read_text(encoding="utf-8")
        for name in ("tokenizer_config.json", "chat_template.json"):
            if (folder / name).exists():
                found = _source(json.loads((folder / name).read_text(encoding="utf-8")))
                if found is not None:
                    return found
    except (OSError, ValueError, RecursionError) as error:
        raise PromptError(f"The chat template in {folder} cannot be read: {error}. {_ADVICE}") from error
    raise PromptError(f"{folder} brings no chat template of its own. {_ADVICE}")


def _source(config: object) -> str | None:
    """A template, or the one named "default" in a list of templates."""
    match config:
        case {"chat_template": str(source)}:
            return source
        case {"chat_template": list(named)}:
            return next((each["template"] for each in named if _is_default(each)), None)
        case _:
            return None


def _is_default(named: object) -> bool:
    match named:
        case {"name": "default", "template": str()}:
            return True
        case _:
            return False


def render_own(messages: Sequence[Message], source: str, tokenizer: Tokenizer, *, thinking: bool) -> list[Piece]:
    """The whole prompt as the template `source` writes it, with exactly one `<bos>`, in front.

    Raises PromptError when the template fails, leaves out a text, or leaves out, adds or moves media.
    """
    stand_ins = _StandIns()
    turns = [
        {"role": message.role, "content": _content(message, turn, stand_ins)} for turn, message in enumerate(messages)
    ]
    rendered = _run(source, turns, thinking=thinking)
    pieces = _split(rendered, messages, stand_ins, tokenizer.control_ids)
    return [Special.BOS, *(piece for piece in pieces if piece != Special.BOS)]


class _StandIns(dict[str, tuple[int, str]]):
    """A character for each text: to the number of its message, and the text."""

    def add(self, turn: int, text: str) -> str:
        """The character for one more text. None for an empty one: templates ask whether there is any."""
        if not text:
            return ""
        character = chr(_FIRST + len(self))
        self[character] = turn, text
        return character


def _content(message: Message, turn: int, stand_ins: _StandIns) -> str | list[dict[str, str]]:
    """What a template is given: one text as a string, as templates for text alone expect it, else a list of parts."""
    items = []
    for part in message.parts:
        if isinstance(part, Text):
            items.append({"type": "text", "text": stand_ins.add(turn, clean_text(part.text, message.role))})
        else:
            items.append({"type": _KINDS[type(part)]})
    match items:
        case []:
            return ""
        case [{"text": text}]:
            return text
        case _:
            return items


def _run(source: str, turns: Sequence[object], *, thinking: bool) -> str:
    """Render in a process of its own, with the names that transformers gives to templates."""
    variables = {
        "messages": turns, "tools": None, "documents": None, "add_generation_prompt": True, "enable_thinking": thinking,
        "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
    }  # fmt: skip
    if getattr(sys, "frozen", False):
        command = [sys.executable, "--template"]
    else:  # -I: neither the working folder nor the environment can bring another jinja2
        command = [sys.executable, "-I", template_process.__file__]
    request = json.dumps({"template": source, "variables": variables}).encode()
    try:
        ended = subprocess.run(command, input=request, capture_output=True, timeout=MAX_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise _failed("it does not come to an end") from error
    if ended.returncode < 0:
        raise _failed("it does not come to an end")
    if ended.returncode > 0:
        raise _failed(ended.stderr.decode(errors="replace"))
    rendered: str = json.loads(ended.stdout)
    return rendered.encode(errors="replace").decode()  # a template can write half a character


def _failed(reason: str) -> PromptError:
    """One sentence, whatever the template says."""
    line = "".join(each for each in " ".join(reason.split()) if each.isprintable())
    return PromptError(f"The model folder's own chat template failed: {line[:MAX_REASON].rstrip('.')}. {_ADVICE}")


def _split(
    rendered: str, messages: Sequence[Message], stand_ins: _StandIns, control_ids: Mapping[str, int]
) -> Iterator[Piece]:
    """Texts in their places, and the control tokens and places for media that the template wrote."""
    waiting = [(turn, part) for turn, message in enumerate(messages) for part in message.media]
    order: list[int] = []
    said: set[str] = set()
    markers = sorted({*control_ids, *_MEDIA, *stand_ins}, key=len, reverse=True)
    for found in re.split(f"({'|'.join(map(re.escape, markers))})", rendered):
        if found in stand_ins:
            turn, text = stand_ins[found]
            order += [] if found in said else [turn]
            said.add(found)
            yield text
        elif found in _MEDIA:
            if not waiting or not isinstance(waiting[0][1], _MEDIA[found]):
                raise _failed(f"it writes {found} where this conversation has none")
            turn, part = waiting.pop(0)
            order.append(turn)
            yield part
        else:
            yield control_ids.get(found, found)
    if waiting:
        raise _failed("it leaves out a picture, a sound or a video")
    if len(said) < len(stand_ins):
        raise _failed("it leaves out a part of what was said")
    told = [turn for turn in order if messages[turn].role != "system"]  # instructions may stand anywhere
    if told != sorted(told):
        raise _failed("it changes the order of what was said")
