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

from engine.files.model_files import is_there, read_whole
from engine.prompt import template_process
from engine.prompt.openai_form import MEDIA_KINDS, TOOLS, StandIns, declared, turns_of
from engine.prompt.pieces import Piece
from engine.prompt.template import Step, continued, steps
from engine.protocol.errors import CheckpointError, PromptError, shortened, without_surrogates
from engine.protocol.messages import Message
from engine.protocol.tools import Tool
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer

__all__ = ["read_own_template", "render_own"]

MAX_SECONDS = 20
"""For a process that computes for 2 seconds at most, on a busy machine."""

MAX_TEMPLATE_BYTES = 1024 * 1024
"""The longest published one has 20 kB."""

MAX_CONFIG_BYTES = 16 * 1024 * 1024

MAX_REASON = 200
"""Characters of a template's complaint that are shown."""

_MEDIA = {f"<|{name}|>": kind for kind, name in MEDIA_KINDS.items()}
_UNBOUND = ("system", "developer")
"""Instructions may stand anywhere."""
_ADVICE = "Use the built-in template instead."


def read_own_template(folder: Path) -> str:
    """The source of a model folder's template; raises PromptError when there is none that can be read."""
    try:
        if is_there(folder / "chat_template.jinja"):
            return read_whole(folder / "chat_template.jinja", MAX_TEMPLATE_BYTES).decode()
        for name in ("tokenizer_config.json", "chat_template.json"):
            if is_there(folder / name):
                found = _source(json.loads(read_whole(folder / name, MAX_CONFIG_BYTES)))
                if found is not None:
                    return found
    except CheckpointError as error:
        raise PromptError(f"{error} {_ADVICE}") from error
    except (ValueError, RecursionError) as error:
        reason = shortened(error)
        raise PromptError(f"The chat template in {folder} cannot be read: {reason}. {_ADVICE}") from error
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


def render_own(
    messages: Sequence[Message],
    source: str,
    tokenizer: Tokenizer,
    *,
    thinking: bool,
    tools: Sequence[Tool] = (),
    continues: bool = False,
) -> list[Piece]:
    """The whole prompt as the template `source` writes it, with exactly one `<bos>`, in front.

    continues: as for the canonical template. Raises PromptError when the template fails, leaves out a text, a call, a
    result or a tool, or leaves out, adds or moves media.
    """
    if continues:
        messages, continues = continued(messages)
    told, stand_ins = steps(messages), StandIns()
    declarations = [declared(tool, stand_ins) for tool in tools]
    turns = [
        turn
        for number, step in enumerate(told)
        for turn in turns_of(step, number, stand_ins, keeps_end=continues and number == len(told) - 1)
    ]
    rendered = _run(source, turns, declarations, thinking=thinking, opens_answer=not continues)
    if continues:  # what was said last is where the model goes on
        rendered = rendered[: rendered.rfind(max(stand_ins)) + 1]
    pieces = _split(rendered, told, stand_ins, tokenizer.control_ids)
    return [Special.BOS, *(piece for piece in pieces if piece != Special.BOS)]


def _run(source: str, turns: Sequence[object], tools: Sequence[object], *, thinking: bool, opens_answer: bool) -> str:
    """Render in a process of its own, with the names that transformers gives to templates."""
    variables = {
        "messages": turns, "tools": tools or None, "documents": None, "add_generation_prompt": opens_answer,
        "enable_thinking": thinking,
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
    return without_surrogates(rendered)  # a template can write half a character


def _failed(reason: str) -> PromptError:
    """One sentence, whatever the template says."""
    line = "".join(each for each in " ".join(reason.split()) if each.isprintable())
    return PromptError(f"The model folder's own chat template failed: {line[:MAX_REASON].rstrip('.')}. {_ADVICE}")


def _split(rendered: str, told: Sequence[Step], stand_ins: StandIns, control_ids: Mapping[str, int]) -> Iterator[Piece]:
    """Texts in their places, and the control tokens and places for media that the template wrote."""
    waiting = [(number, part) for number, step in enumerate(told) for part in step.media]
    order: list[int] = []
    said: set[str] = set()
    room = template_process.MAX_CHARACTERS + sum(len(text) for _, text in stand_ins.values())
    markers = sorted({*control_ids, *_MEDIA, *stand_ins}, key=len, reverse=True)
    for found in re.split(f"({'|'.join(map(re.escape, markers))})", rendered):
        if found in stand_ins:
            number, text = stand_ins[found]
            order += [] if found in said else [number]
            said.add(found)
            room -= len(text)
            if room < 0:  # it says the same thing again and again
                raise _failed("it writes too much")
            yield text
        elif found in _MEDIA:
            if not waiting or not isinstance(waiting[0][1], _MEDIA[found]):
                raise _failed(f"it writes {found} where this conversation has none")
            number, part = waiting.pop(0)
            order.append(number)
            yield part
        else:
            yield control_ids.get(found, found)
    if waiting:
        raise _failed("it leaves out a picture, a sound or a video")
    if len(said) < len(stand_ins):
        raise _failed("it leaves out a part of what was said")
    bound = [number for number in order if number != TOOLS and told[number].message.role not in _UNBOUND]
    if bound != sorted(bound):
        raise _failed("it changes the order of what was said")
