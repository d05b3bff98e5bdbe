"""The sample's vocabulary: 1024 entries, one character each, no merges.

Layout and settings follow the published Gemma 4 tokenizer (low special ids, newline at 107, bytes at 238,
space written as U+2581), so that an engine needs no special case for the sample.

Run it to write tokenizer.json and tokenizer_config.json into a folder:

    python tokenizer.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

VOCAB_SIZE = 1024
PAD, EOS, BOS, THINK, CHANNEL_OPEN, CHANNEL_CLOSE, TURN_OPEN, TURN_CLOSE, NEWLINE = (
    0,
    1,
    2,
    98,
    100,
    101,
    105,
    106,
    107,
)
FIRST_BYTE, FIRST_CHARACTER = 238, 494
LOW_SPECIALS = {
    "<pad>": 0,
    "<eos>": 1,
    "<bos>": 2,
    "<unk>": 3,
    "<mask>": 4,
    "<|tool>": 46,
    "<tool|>": 47,
    "<|tool_call>": 48,
    "<tool_call|>": 49,
    "<|tool_response>": 50,
    "<tool_response|>": 51,
    '<|"|>': 52,
    "<|think|>": 98,
    "<|channel>": 100,
    "<channel|>": 101,
    "<|turn>": 105,
    "<turn|>": 106,
}
MEDIA = {
    "<|image>": 1010,
    "<|image|>": 1011,
    "<image|>": 1012,
    "<|audio>": 1013,
    "<|audio|>": 1014,
    "<audio|>": 1015,
    "<|video|>": 1016,
}
IMAGE_OPEN, IMAGE, IMAGE_CLOSE = MEDIA["<|image>"], MEDIA["<|image|>"], MEDIA["<image|>"]
AUDIO_OPEN, AUDIO, AUDIO_CLOSE = MEDIA["<|audio>"], MEDIA["<|audio|>"], MEDIA["<audio|>"]
SPECIALS = {**LOW_SPECIALS, **MEDIA}
NAMES = {
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
    "sot_token": "<|turn>",
    "eot_token": "<turn|>",
    "soc_token": "<|channel>",
    "eoc_token": "<channel|>",
    "think_token": "<|think|>",
    "escape_token": '<|"|>',
    "str_token": "<|tool_response>",
    "etr_token": "<tool_response|>",
    "stc_token": "<|tool_call>",
    "etc_token": "<tool_call|>",
    "std_token": "<|tool>",
    "etd_token": "<tool|>",
}


def characters() -> list[str]:
    """The characters with an entry of their own; everything else is spelled in bytes."""
    ascii_part = [chr(c) for c in range(33, 127)]
    latin = [chr(c) for c in range(0xA1, 0x100) if c != 0xAD]
    return [
        "\u2581",
        *ascii_part,
        *latin,
        *"\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2022\u2026\u20ac\u2122",
    ]


def vocabulary() -> dict[str, int]:
    vocab = dict(SPECIALS)
    vocab["\n"] = NEWLINE
    vocab |= {f"<0x{b:02X}>": FIRST_BYTE + b for b in range(256)}
    vocab |= {c: FIRST_CHARACTER + i for i, c in enumerate(characters())}
    taken = set(vocab.values())
    free = (i for i in range(VOCAB_SIZE) if i not in taken)
    vocab |= {f"<unused{n}>": i for n, i in enumerate(free)}
    if sorted(vocab.values()) != list(range(VOCAB_SIZE)):
        raise ValueError("the vocabulary has holes or doubles")
    return vocab


def build() -> Tokenizer:
    tok = Tokenizer(
        models.BPE(
            vocab=vocabulary(),
            merges=[],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
            ignore_merges=False,
        )
    )
    tok.normalizer = normalizers.Replace(" ", "\u2581")
    tok.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tok.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in sorted(SPECIALS, key=SPECIALS.get)])
    for token, number in SPECIALS.items():
        if tok.token_to_id(token) != number:
            raise ValueError(f"{token} is {tok.token_to_id(token)}, not {number}")
    return tok


_VOCAB = vocabulary()


def encode(text: str) -> list[int]:
    """Ids of ordinary text (never special tokens); the same as the tokenizer gives, without its overhead."""
    ids: list[int] = []
    for c in text.replace(" ", "\u2581"):
        n = _VOCAB.get(c)
        if n is None:
            ids.extend(FIRST_BYTE + b for b in c.encode("utf-8", "replace"))
        else:
            ids.append(n)
    return ids


def save(folder: Path) -> None:
    build().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "GemmaTokenizer",
                "backend": "tokenizers",
                "bos_token": "<bos>",
                "eos_token": "<eos>",
                "pad_token": "<pad>",
                "unk_token": "<unk>",
                "mask_token": "<mask>",
                "padding_side": "left",
                "clean_up_tokenization_spaces": False,
                "model_max_length": 131072,
                "processor_class": "Gemma4Processor",
                "extra_special_tokens": NAMES,
                **NAMES,
            },
            indent=2,
        )
        + "\n"
    )


if __name__ == "__main__":
    save(Path(sys.argv[1]))
