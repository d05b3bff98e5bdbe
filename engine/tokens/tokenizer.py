"""Text to token ids and back. Text never makes a control token: those are placed by the builder, as ids."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tokenizers import Tokenizer as TokenizersTokenizer

from engine.protocol.errors import CheckpointError, shortened
from engine.tokens.special_tokens import SPECIAL_TEXTS, Special
from engine.tokens.tokenizer_file import checked_tokenizer

__all__ = ["Tokenizer"]

_LONG, _MOST_KEPT = 256, 2**21
"""Characters of a text from which on its ids are kept, and of all of them: each turn brings the whole conversation."""

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Tokenizer:
    """A checkpoint's `tokenizer.json`; raises CheckpointError when it is not a Gemma 4 tokenizer."""

    def __init__(self, path: Path) -> None:
        content, self.largest_id = checked_tokenizer(path)
        try:
            self._inner = TokenizersTokenizer.from_buffer(content)
        except Exception as error:  # the library raises bare Exception for every damaged file
            raise CheckpointError(f"{path} cannot be read as a tokenizer: {shortened(error)}.") from error
        self._inner.encode_special_tokens = True
        self._special_ids = {
            token_id for text in SPECIAL_TEXTS if (token_id := self._inner.token_to_id(text)) is not None
        }
        self._kept: dict[str, list[int]] = {}
        """The ids of long texts, used longest ago first."""
        self._num_kept = 0
        """Their characters."""
        self._markers = re.compile("|".join(re.escape(text) for text in SPECIAL_TEXTS))
        for special in Special:
            if special not in self._special_ids:
                raise CheckpointError(f"{path} has no token {special} ({special.name}): not a Gemma 4 tokenizer.")

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        return self._inner.get_vocab_size(with_added_tokens=True)

    def id_of(self, text: str) -> int | None:
        """The id of one piece of the vocabulary."""
        found: int | None = self._inner.token_to_id(text)
        return found

    @property
    def control_ids(self) -> Mapping[str, int]:
        """The id of every control token by its text: the family's, and what else the file calls special."""
        added = self._inner.get_added_tokens_decoder().items()
        special = {token.content: token_id for token_id, token in added if token.special}
        family = {text: token_id for text in SPECIAL_TEXTS if (token_id := self.id_of(text)) is not None}
        return special | family

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text. Marker strings in it become ordinary characters, never control tokens."""
        if len(text) < _LONG:
            return self._encode(text)
        if (ids := self._kept.pop(text, None)) is None:
            ids = self._encode(text)
            self._num_kept += len(text)
        self._kept[text] = ids
        while self._num_kept > _MOST_KEPT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._num_kept -= len(oldest)
        return list(ids)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._inner.encode(text, add_special_tokens=False).ids
        if self._special_ids.isdisjoint(ids):
            return ids
        # Some files list a marker as an added token that is not "special": cut every marker in two.
        ids, start = [], 0
        for marker in self._markers.finditer(text):
            ids += self._inner.encode(text[start : marker.start() + 1], add_special_tokens=False).ids
            start = marker.start() + 1
        return ids + self._inner.encode(text[start:], add_special_tokens=False).ids

    def piece(self, token_id: int) -> bytes:
        """The bytes that a token stands for; b"" for a control token or an id beyond the vocabulary."""
        if token_id in self._special_ids:
            return b""
        text: str | None = self._inner.id_to_token(token_id)
        if text is None:
            return b""
        byte = _BYTE.fullmatch(text)
        return bytes([int(byte[1], 16)]) if byte else text.replace("▁", " ").encode()

    def decode(self, token_ids: Iterable[int]) -> str:
        """The text of token ids; control tokens are left out, broken UTF-8 is replaced."""
        return b"".join(map(self.piece, token_ids)).decode(errors="replace")
