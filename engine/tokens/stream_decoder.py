"""Token ids to text as they come, holding back the bytes of an unfinished character."""

import codecs

from engine.tokens.tokenizer import Tokenizer

__all__ = ["StreamDecoder"]


class StreamDecoder:
    """Concatenating what it returns equals decoding everything at once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token_id: int) -> str:
        """The text that this token completes; may be empty."""
        return self._utf8.decode(self._tokenizer.piece(token_id))

    @property
    def is_at_boundary(self) -> bool:
        """Whether no bytes of a character are held back."""
        held, _ = self._utf8.getstate()
        return not held

    def flush(self) -> str:
        """What is still held back: a replacement character for each broken sequence, else nothing."""
        return self._utf8.decode(b"", final=True)
