"""A small tokenizer in the published layout: byte-fallback BPE, low control ids, bytes at 238, media ids at the end."""

from collections.abc import Collection
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from engine.models.config import SpecialTokenIds

VOCAB_SIZE = 1024
LOW = {
    "<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "<|tool>": 46, "<tool|>": 47, "<|tool_call>": 48,
    "<tool_call|>": 49, "<|tool_response>": 50, "<tool_response|>": 51, '<|"|>': 52, "<|think|>": 98,
    "<|channel>": 100, "<channel|>": 101, "<|turn>": 105, "<turn|>": 106,
}  # fmt: skip
MEDIA = {
    "<|image>": 1000, "<|audio>": 1001, "<|image|>": 1010, "<|audio|>": 1011, "<image|>": 1012, "<audio|>": 1013,
    "<|video|>": 1014,
}  # fmt: skip
MARKERS = LOW | MEDIA
IDS = SpecialTokenIds(
    image=1010, begin_image=1000, end_image=1012, audio=1011, begin_audio=1001, end_audio=1013, video=1014
)

# "<|" and "|>" are pieces of their own, so that markers typed as text are spelled with the nastiest pieces there are.
WORDS = (
    "thought",
    "user",
    "model",
    "system",
    "turn",
    "channel",
    "▁the",
    "▁and",
    "▁picture",
    "ing",
    "<|",
    "|>",
    "한",
    "é",
)
LETTERS = [chr(code) for code in range(33, 127)] + [*"▁한é́äöüß"]
RUNS = {"\n": 8, "▁": 8}


def write_tokenizer(path: Path, plain: Collection[str] = ()) -> Path:
    """Save it. Markers in `plain` are listed as added tokens that are not special, as some uploads do."""
    pieces: list[str] = list(LETTERS)
    merges: list[tuple[str, str]] = []
    for word in [*WORDS, *(letter * count for letter, count in RUNS.items())]:
        for end in range(2, len(word) + 1):
            if word[:end] not in pieces:
                pieces.append(word[:end])
                merges.append((word[: end - 1], word[end - 1]))
    vocabulary = MARKERS | {"\n": 107} | {f"<0x{byte:02X}>": 238 + byte for byte in range(256)}
    for token_id, piece in enumerate((piece for piece in pieces if piece not in vocabulary), 494):
        vocabulary[piece] = token_id
    taken = set(vocabulary.values())
    vocabulary |= {f"<unused{token_id}>": token_id for token_id in range(VOCAB_SIZE) if token_id not in taken}

    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    for marker, token_id in sorted(MARKERS.items(), key=lambda item: item[1]):
        added = AddedToken(marker, normalized=False, special=marker not in plain)
        if marker in plain:
            tokenizer.add_tokens([added])
        else:
            tokenizer.add_special_tokens([added])
        assert tokenizer.token_to_id(marker) == token_id
    tokenizer.save(str(path))
    return path
