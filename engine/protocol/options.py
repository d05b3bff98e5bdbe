"""How an answer is made. Travels as one value from the window to the sampler."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from engine.protocol.tools import Tool

__all__ = [
    "GREEDY", "MOST_DRAFTED", "VENDOR_SAMPLING", "AnswerFormat", "AnyJson", "JsonSchema", "NamedTool",
    "Options", "Regex", "Sampling", "ToolChoice",
]  # fmt: skip


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the next token is chosen. What is None is chosen as the checkpoint's `generation_config.json` advises.

    A temperature of 0 always takes the most likely token. `top_k` 0, `top_p` 1, `min_p` 0, a `repetition_penalty` of
    1 and a `presence_penalty` of 0 switch those steps off.
    The same seed gives the same text on the same machine; without a seed each answer draws its own.
    """

    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Forbid tokens less likely than this share of the most likely one."""
    repetition_penalty: Annotated[float, Meta(gt=0)] | None = None
    """Divides positive and multiplies negative logits of tokens of the prompt and the answer."""
    presence_penalty: float | None = None
    """Subtracted from the logits of tokens that are in the answer already."""
    logit_bias: dict[int, float] | None = None
    """Added to the logits of single token ids."""

    def filled_from(self, advised: "Sampling") -> "Sampling":
        """This, with what is None taken from `advised`."""
        chosen = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.structs.replace(advised, **chosen)


VENDOR_SAMPLING = Sampling(
    temperature=1.0, top_k=64, top_p=0.95, min_p=0.0, repetition_penalty=1.0, presence_penalty=0.0, logit_bias={}
)
"""The vendor's `generation_config.json` for all sizes, and what holds where a file gives no advice."""

GREEDY = Sampling(temperature=0.0)


class AnyJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="json"):
    """The answer is one JSON document, an object or an array."""


class JsonSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="json_schema"):
    """The answer is one JSON document that the schema allows."""

    schema: dict[str, Any]


class Regex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="regex"):
    """The whole answer matches the pattern."""

    pattern: str


AnswerFormat = AnyJson | JsonSchema | Regex


class NamedTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model must call this tool."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedTool
"""Whether the model may call tools, may not, must call one, or must call this one."""


MOST_DRAFTED = 15
"""Tokens of a draft that somebody may ask for."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person chose for one answer."""

    sampling: Sampling = Sampling()
    thinking: bool = False
    thinking_budget: Annotated[int, Meta(ge=0)] = 8192
    """Most tokens of all thoughts of a turn together; then the thought is closed and the answer begins.

    With 0 it is closed as soon as the model opens it, and told of like any other that its budget ended.
    """
    max_new_tokens: Annotated[int, Meta(ge=1)] = 4096
    """Of the answer of a turn, its calls included. Tokens of thoughts are not counted."""
    context_limit: Annotated[int, Meta(ge=0)] = 0
    """Most tokens of prompt and answer together, where the model can hold more; 0 for as many as it holds."""
    own_template: bool = False
    """Render with the model folder's own chat template, which may be an old one, instead of the canonical one."""
    max_repeated: Annotated[int, Meta(ge=32)] = 1024
    """Tokens that a loop may repeat before the thought or the answer is ended."""
    stop: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    """The answer ends before the first of these; they are not part of it."""
    num_logprobs: Annotated[int, Meta(ge=0, le=64)] = 0
    """Report so many of the most likely tokens, with their log-probabilities, for each token of the answer."""
    format: AnswerFormat | None = None
    """What the answer must look like. A thought stays free."""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_tool_rounds: Annotated[int, Meta(ge=1)] = 16
    """Most turns of calls and results within one answer."""
    tool_timeout_s: Annotated[float, Meta(gt=0)] = 60.0
    """Longest time for one call."""
    draft: Literal["auto", "off"] | Annotated[int, Meta(ge=1, le=MOST_DRAFTED)] = "auto"
    """Tokens that are drafted for the model to look at together: as long as that makes answers faster, never, or
    always so many. The answer is the same."""
    continues: bool = False
    """Go on with the assistant message that the conversation ends with, instead of answering anew."""

    @property
    def offers_tools(self) -> bool:
        """Whether the model may call."""
        return bool(self.tools) and self.tool_choice != "none"
