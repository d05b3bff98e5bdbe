"""`tokenizer.json`, checked before the tokenizers library sees it.

That library is Rust: of an odd file some parts end the thread that loads them, some take for ever on a text, and some
change what is read (`truncation` cuts prompts, `padding` fills them). So only what Gemma's files have is let through,
and the library is handed what was checked, written anew. What a text is never encoded with is left out.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.files.model_files import read_whole
from engine.protocol.errors import CheckpointError, shortened

__all__ = ["checked_tokenizer"]

MAX_BYTES = 128 * 1024 * 1024
"""Gemma 4's has 32 MB."""

_Id = Annotated[int, Meta(ge=0, lt=2**20)]
_Piece = Annotated[str, Meta(min_length=1, max_length=1000)]
_Few = Meta(max_length=8)
_Short = Annotated[str, Meta(max_length=100)]


class _Typed(msgspec.Struct, tag_field="type"):
    """A part of the file, told by its `type`."""


class _Literally(msgspec.Struct):
    """A pattern that is a plain string: no regular expression is ever run."""

    string: Annotated[str, Meta(min_length=1, max_length=100)] = msgspec.field(name="String")


class _Replace(_Typed, tag="Replace"):
    pattern: _Literally
    content: _Short


class _Split(_Typed, tag="Split"):
    pattern: _Literally
    behavior: Literal["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    invert: bool = False


class _ByteFallback(_Typed, tag="ByteFallback"):
    pass


class _Fuse(_Typed, tag="Fuse"):
    pass


class _Normalizers(_Typed, tag="Sequence"):
    normalizers: Annotated[list[_Replace], _Few]


class _PreTokenizers(_Typed, tag="Sequence"):
    pretokenizers: Annotated[list[_Split], _Few]


class _Decoders(_Typed, tag="Sequence"):
    decoders: Annotated[list[_Replace | _ByteFallback | _Fuse], _Few]


class _TemplateProcessing(_Typed, tag="TemplateProcessing"):
    """Adds `<bos>` where special tokens are asked for, which they never are."""


class _BytePairs(_Typed, tag="BPE"):
    vocab: dict[_Piece, _Id]
    merges: msgspec.Raw
    unk_token: _Piece | None = None
    continuing_subword_prefix: Literal[""] | None = None
    end_of_word_suffix: Literal[""] | None = None
    fuse_unk: bool = False
    byte_fallback: bool = False
    ignore_merges: bool = False


class _AddedToken(msgspec.Struct):
    id: _Id
    content: _Piece
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class _TokenizerFile(msgspec.Struct):
    model: _BytePairs
    added_tokens: list[_AddedToken] = []
    normalizer: _Replace | _Normalizers | None = None
    pre_tokenizer: _Split | _PreTokenizers | None = None
    post_processor: _TemplateProcessing | None = None
    decoder: _Replace | _ByteFallback | _Fuse | _Decoders | None = None
    version: str = "1.0"


def checked_tokenizer(path: Path) -> tuple[bytes, int]:
    """The file as the library may have it, and its largest id; raises CheckpointError for what no Gemma file has."""
    try:
        found = msgspec.json.decode(read_whole(path, MAX_BYTES), type=_TokenizerFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} cannot be read as a tokenizer of Gemma 4: {shortened(error)}. Download the model again."
        ) from error
    if found.model.unk_token is not None and found.model.unk_token not in found.model.vocab:
        raise CheckpointError(f"{path}: the token for unknown characters is not in the vocabulary.")
    found.post_processor = None
    ids = [*found.model.vocab.values(), *(token.id for token in found.added_tokens)]
    return msgspec.json.encode(found), max(ids, default=0)
