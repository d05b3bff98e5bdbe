"""What the next token may be, so that an answer has the form that was asked for: grammars over token ids.

llguidance keeps the state of a grammar and says after each token which ones may follow. A form that it does not know
all of is refused before anything is generated; of a schema only formats that describe are left out (`json_schema`).
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import mlx.core as mx
import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer, TokenizerWrapper

from engine.generation.call_grammar import call_grammar
from engine.protocol.errors import PromptError, quoted, shortened
from engine.protocol.json_schema import plain_schema
from engine.protocol.options import AnswerFormat, AnyJson, JsonSchema, NamedTool, Regex, ToolChoice
from engine.protocol.tools import Tool
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer

__all__ = ["Constraint", "Grammars"]

STRICT_JSON: Any = {
    "whitespace_pattern": "[ \n]", "item_separator": ",", "key_separator": ":", "lenient": False,
    "coerce_one_of": False,
}  # fmt: skip
"""At most one blank or newline where JSON allows white space, or a model may write it without end; and nothing of a
schema is ignored. Stronger than what a schema says about itself under `x-guidance`."""

MAX_FORMAT_CHARACTERS = 200_000
"""Of a schema as JSON or a pattern: a grammar takes up to a kilobyte of memory for each."""

NUM_PROBED_TOKENS = 8
"""So many tokens are tried before generation: what explodes does it right at the beginning."""

_UNUSED = re.compile(rb"<unused\d+>")


class Constraint:
    """The state of one grammar while the answer is written. Start asking for masks whenever the form begins."""

    def __init__(self, matcher: LLMatcher, vocab_size: int, twins: Mapping[int, int]) -> None:
        """`twins`: ids of tokens whose text an earlier token has as well, to that one; the grammar knows only this."""
        self._matcher = matcher
        self._vocab_size = vocab_size
        self._twins = twins

    def mask(self) -> mx.array:
        """Bool [V]: which tokens may be next; `<turn|>` exactly when what is written is of the form.

        Raises PromptError when the grammar has become too large to go on.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._check()
        allowed = np.unpackbits(bits, count=self._vocab_size, bitorder="little").view(np.bool_)
        allowed[list(self._twins)] = allowed[list(self._twins.values())]
        return mx.array(allowed)

    def advance(self, token_id: int) -> None:
        """The token was written. Raises PromptError if it may not be."""
        self._matcher.consume_token(self._twins.get(token_id, token_id))
        self._check()

    def copy(self) -> "Constraint":
        """Another one at the same place."""
        return Constraint(self._matcher.deep_copy(), self._vocab_size, self._twins)

    def _check(self) -> None:
        if self._matcher.is_error():
            raise PromptError("The answer cannot be continued in the form that was asked for. Ask for a simpler form.")


class Grammars:
    """Makes constraints for one tokenizer. Its vocabulary is indexed once, when the first is asked for.

    Indexing 262,144 tokens takes 1.5 to 2 s and 130 MB.
    """

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        """`vocab_size` is the model's: ids that the tokenizer does not have are never allowed."""
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size
        self._sets: dict[frozenset[int], mx.array] = {}
        self._last_call: tuple[tuple[list[Tool], ToolChoice], Constraint] | None = None

    def only(self, token_ids: Iterable[int]) -> mx.array:
        """Bool [V]: true at these ids. Kept, because a turn asks for the same few at every token."""
        ids = frozenset(map(int, token_ids))
        if ids not in self._sets:
            mask = np.zeros(self._vocab_size, np.bool_)
            mask[list(ids)] = True
            self._sets[ids] = mx.array(mask)
        return self._sets[ids]

    def for_answer(self, form: AnswerFormat, *, or_call: bool = False) -> Constraint:
        """An answer of this form; with `or_call` its first token may be `<|tool_call>` instead, and all is said.

        Raises PromptError when the form cannot be kept.
        """
        match form:
            case AnyJson():
                name, grammar = "JSON", _json_grammar({"type": ["object", "array"]})
            case JsonSchema(schema):
                name, grammar = "schema", _json_grammar(schema)
            case Regex(pattern):
                name, grammar = "pattern", LLMatcher.grammar_from_regex(pattern)
        if len(grammar) > MAX_FORMAT_CHARACTERS:
            raise PromptError(f"The {name} for the answer is too large. Ask for a simpler one.")
        if or_call:
            grammar = _or_call(grammar)
        try:
            return self._constraint(grammar)
        except ValueError as error:
            if str(error).startswith("oneOf"):
                raise PromptError(
                    'The schema for the answer says "oneOf" where more than one may fit. Write "anyOf" instead.'
                ) from error
            raise PromptError(
                f"The {name} for the answer cannot be used: {shortened(error)}. Correct it, or ask for a simpler one."
            ) from error

    def for_call(self, tools: Sequence[Tool], choice: ToolChoice) -> Constraint:
        """One call of a tool, to its closing token.

        With "auto" it begins after the `<|tool_call>` that the model writes by itself, else with it. The last one is
        kept, because the next call mostly has the same tools. Raises PromptError for the name of a tool that is not
        there.
        """
        asked = [*tools], choice
        if self._last_call is None or self._last_call[0] != asked:
            self._last_call = asked, self._make_call(tools, choice)
        return self._last_call[1].copy()

    def _make_call(self, tools: Sequence[Tool], choice: ToolChoice) -> Constraint:
        if isinstance(choice, NamedTool):
            tools = [tool for tool in tools if tool.name == choice.name]
        if not tools:
            wanted = f"named {quoted(choice.name)} " if isinstance(choice, NamedTool) else ""
            raise PromptError(f"There is no tool {wanted}to call. Give one, or let the model answer without.")
        grammar = call_grammar(tools, self._is_valid, with_marker=choice != "auto")
        try:
            return self._constraint(LLMatcher.grammar_from_lark(grammar))
        except ValueError as error:
            raise PromptError(
                f"These {len(tools)} tools cannot be offered together: {shortened(error)}. Offer fewer."
            ) from error

    def _is_valid(self, lark: str) -> bool:
        try:
            self._constraint(LLMatcher.grammar_from_lark(lark))
        except ValueError:
            return False
        return True

    def _constraint(self, grammar: str) -> Constraint:
        """A grammar from its beginning; raises ValueError, with the reason, for one that cannot be used."""
        matcher = LLMatcher(self._index, grammar, log_level=0, limits=LLParserLimits(verbose_errors=False))
        probe = matcher.deep_copy()
        for _ in range(NUM_PROBED_TOKENS):
            bits = np.unpackbits(np.frombuffer(probe.compute_bitmask(), np.uint8), bitorder="little")
            if probe.is_error():
                raise ValueError(_reason(probe))
            if probe.is_stopped():
                break
            probe.consume_token(int(bits.argmax()))
        return Constraint(matcher, self._vocab_size, self._vocabulary.twins)

    @cached_property
    def _index(self) -> LLTokenizer:
        return LLTokenizer(TokenizerWrapper(self._vocabulary))

    @cached_property
    def _vocabulary(self) -> "_Vocabulary":
        return _Vocabulary(self._tokenizer, self._vocab_size)


class _Vocabulary:
    """What llguidance wants to know of a tokenizer."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self._tokenizer = tokenizer
        self.eos_token_id = int(Special.END_TURN)  # a turn that ends with <eos> would not go on in the template's way
        self.bos_token_id = int(Special.BOS)
        pieces = [tokenizer.piece(token_id) for token_id in range(vocab_size)]
        never_text = {token_id: text.encode() for text, token_id in tokenizer.control_ids.items()}
        never_text |= {token_id: piece for token_id, piece in enumerate(pieces) if _UNUSED.fullmatch(piece)}
        self.tokens = [never_text.get(token_id, piece) for token_id, piece in enumerate(pieces)]
        self.special_token_ids = sorted(never_text)
        self.twins = _twins(self.tokens)
        """Letters and their byte tokens, mostly: llguidance would offer one of them only."""
        for token_id in self.twins:
            self.tokens[token_id] = b""

    def __call__(self, text: bytes) -> list[int]:
        """Token ids, for the spelling of what a grammar leaves no choice about."""
        return [self.twins.get(token_id, token_id) for token_id in self._tokenizer.encode(text.decode())]


def _twins(tokens: Sequence[bytes]) -> dict[int, int]:
    """Ids of tokens that are the same bytes as an earlier one, to that one."""
    first: dict[bytes, int] = {}
    found = {token_id: first.setdefault(piece, token_id) for token_id, piece in enumerate(tokens) if piece}
    return {token_id: earlier for token_id, earlier in found.items() if earlier != token_id}


def _json_grammar(schema: dict[str, object]) -> str:
    """Raises PromptError for what is no JSON."""
    try:
        return LLMatcher.grammar_from_json_schema(json.dumps(plain_schema(schema)), overrides=STRICT_JSON)
    except (TypeError, ValueError, RecursionError) as error:
        raise PromptError("The schema for the answer cannot be used: it is no JSON, or nested too deeply.") from error


def _or_call(grammar: str) -> str:
    """The grammar, or the token that begins a call."""
    (answer,) = json.loads(grammar)["grammars"]
    start = {"lark_grammar": f"start: @answer | <[{Special.BEGIN_TOOL_CALL:d}]>"}
    return json.dumps({"grammars": [start, answer | {"name": "answer"}]})


def _reason(matcher: LLMatcher) -> str:
    """What is wrong with a grammar, in a few words."""
    told = matcher.get_error()
    if told.startswith("NoExtension"):
        return "nothing can be of this form"
    cause = re.search(r"^error: (.+)", told, re.MULTILINE)
    return (cause[1] if cause else told.partition("\n")[0])[:200].strip(" .")
