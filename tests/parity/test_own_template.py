"""A model folder's own chat template gives the prompt that transformers makes of it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from engine.protocol.messages import Message, Part, Picture, Sound, Text, Video
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer
from tests.prompt.golden import CANONICAL, EXPANDED, media_input
from tests.prompt.test_own_template import CONVERSATIONS, OLDER, build


@pytest.fixture(scope="module")
def reference(tokenizer_file: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file), bos_token="<bos>")


def expected(
    reference: PreTrainedTokenizerFast, source: str, messages: Iterable[Message], *, thinking: bool
) -> list[int]:
    """The ids that transformers makes of the same template, stripped texts and media."""

    def content(parts: Sequence[Part]) -> str | list[dict[str, str]]:
        names = {Picture: "image", Sound: "audio", Video: "video"}
        items = [
            {"type": "text", "text": part.text.strip()} if isinstance(part, Text) else {"type": names[type(part)]}
            for part in parts
        ]
        return items[0]["text"] if [item["type"] for item in items] == ["text"] else items

    theirs = [{"role": message.role, "content": content(message.parts)} for message in messages]
    text = reference.apply_chat_template(
        theirs, chat_template=source, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
    )
    for marker, soft_tokens in EXPANDED.items():
        text = soft_tokens.join(text.split(marker))
    return reference.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("source", [CANONICAL, OLDER], ids=["canonical", "older"])
def test_TM_4_token_ids_equal_those_of_transformers(
    tokenizer: Tokenizer, reference: PreTrainedTokenizerFast, source: str, name: str, thinking: bool
) -> None:
    messages = CONVERSATIONS[name]
    prompt = build(tokenizer, source, messages, thinking=thinking)
    assert list(prompt.token_ids) == expected(reference, source, messages, thinking=thinking)
    assert prompt.token_ids.count(Special.BOS) == 1
    paths = [part.path for message in messages for part in message.media for _ in media_input(part).spans]
    assert [span.media.key.decode() for span in prompt.spans] == paths
