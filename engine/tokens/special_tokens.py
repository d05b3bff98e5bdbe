"""The control tokens of the family, by their text. Ids below 107 are the same in every checkpoint."""

from enum import IntEnum

__all__ = ["SPECIAL_TEXTS", "STOP_TOKEN_IDS", "Special"]


class Special(IntEnum):
    """Control tokens with fixed ids."""

    PAD = 0
    EOS = 1
    BOS = 2
    BEGIN_TOOL = 46
    END_TOOL = 47
    BEGIN_TOOL_CALL = 48
    END_TOOL_CALL = 49
    BEGIN_TOOL_RESPONSE = 50
    END_TOOL_RESPONSE = 51
    STRING_QUOTE = 52
    THINK = 98
    BEGIN_CHANNEL = 100
    END_CHANNEL = 101
    BEGIN_TURN = 105
    END_TURN = 106


STOP_TOKEN_IDS = (Special.EOS, Special.END_TURN, Special.BEGIN_TOOL_RESPONSE)
"""Always stop on these, whatever a conversion's files say."""

SPECIAL_TEXTS = (
    "<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>",
    "<|tool_response>", "<tool_response|>", '<|"|>', "<|think|>", "<|channel>", "<channel|>", "<|turn>", "<turn|>",
    "<|image>", "<|image|>", "<image|>", "<|audio>", "<|audio|>", "<audio|>", "<|video|>",
)  # fmt: skip
"""Strings that text from a person or a file must never turn into tokens."""
