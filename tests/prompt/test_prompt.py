"""A prompt's spans and keys: room for exactly the soft tokens, and equal only for equal content."""

import hashlib

import pytest

from engine.preprocess.image import plan_image
from engine.prompt.builder import build_prompt
from engine.prompt.prompt import MediaSpan, PictureInput, Prompt
from engine.prompt.template import render
from engine.protocol.messages import BUDGETS, Message, Picture, Text
from engine.tokens.tokenizer import Tokenizer
from tests.small_tokenizer import IDS


def picture(
    content: str = "a cat", budget: int = 280, size: tuple[int, int] = (640, 480), path: str = "a.png"
) -> PictureInput:
    key = hashlib.sha256(f"{content} {budget}".encode()).digest()
    return PictureInput(Picture(path, budget), key, plan_image(*size, budget), None)


def prompt(tokenizer: Tokenizer, *pictures: PictureInput, text: str = "What is this?") -> Prompt:
    parts = (*(each.part for each in pictures), Text(text))
    return build_prompt(render([Message("user", parts)], thinking=False, compact=True), pictures, tokenizer, IDS)


@pytest.mark.parametrize("budget", BUDGETS)
def test_VI_6_a_picture_fills_as_many_positions_as_the_formula_says(tokenizer: Tokenizer, budget: int) -> None:
    first, second = picture(budget=budget), picture("a dog", budget, (100, 2000))
    built = prompt(tokenizer, first, second)
    counts = [plan_image(640, 480, budget).num_soft_tokens, plan_image(100, 2000, budget).num_soft_tokens]
    assert [len(span.positions) for span in built.spans] == counts
    assert built.token_ids.count(IDS.image) == sum(counts)
    for span in built.spans:
        assert {built.token_ids[position] for position in span.positions} == {IDS.image}
        assert built.token_ids[span.start - 1] == IDS.begin_image
        assert built.token_ids[span.stop] == IDS.end_image


def test_keys_are_the_token_ids_outside_pictures(tokenizer: Tokenizer) -> None:
    built = prompt(tokenizer, picture())
    inside = {position for span in built.spans for position in span.positions}
    for position, (key, token_id) in enumerate(zip(built.keys(), built.token_ids, strict=True)):
        assert key < 0 if position in inside else key == token_id


def test_MI_3_keys_are_equal_for_equal_content_wherever_the_file_lies(tokenizer: Tokenizer) -> None:
    assert prompt(tokenizer, picture(path="a.png")).keys() == prompt(tokenizer, picture(path="b.png")).keys()


def test_MI_3_keys_differ_at_every_soft_token_between_pictures_and_between_budgets(tokenizer: Tokenizer) -> None:
    length = len(prompt(tokenizer, picture()).spans[0].positions)
    keys = [
        set(prompt(tokenizer, each).keys()[5 : 5 + length])
        for each in (picture(), picture("a dog"), picture(budget=1120), picture("a dog", 1120))
    ]
    keys = [{key for key in some if key < 0} for some in keys]
    assert not set.intersection(keys[0], keys[1]) | set.intersection(keys[0], keys[2]) | (keys[1] & keys[3])


def test_MI_3_each_soft_token_of_a_picture_has_a_key_of_its_own(tokenizer: Tokenizer) -> None:
    built = prompt(tokenizer, picture(budget=1120), picture("a dog", 1120))
    keys = built.keys()
    negative = [key for key in keys if key < 0]
    assert len(set(negative)) == len(negative)


def test_the_same_picture_twice_has_the_same_keys_twice(tokenizer: Tokenizer) -> None:
    built = prompt(tokenizer, picture(), picture())
    keys, (first, second) = built.keys(), built.spans
    assert keys[first.start : first.stop] == keys[second.start : second.stop]


def test_a_span_ends_after_its_last_soft_token() -> None:
    span = MediaSpan(10, picture(budget=70))
    assert (span.stop, span.positions) == (73, range(10, 73))


def test_text_without_pictures_has_no_spans(tokenizer: Tokenizer) -> None:
    built = prompt(tokenizer)
    assert built.spans == ()
    assert built.keys() == list(built.token_ids)
    assert not built.starts_in_thought


def test_text_and_its_tokens_are_counted_without_control_tokens_and_pictures(tokenizer: Tokenizer) -> None:
    plain, longer = prompt(tokenizer), prompt(tokenizer, text="What is this? 12")
    assert plain.num_characters == len("user\nWhat is this?\nmodel\n")
    assert longer.num_characters == plain.num_characters + 3
    assert 0 < plain.num_text_tokens < len(plain)
    assert longer.num_text_tokens - plain.num_text_tokens == len(longer) - len(plain) > 0
    seen = prompt(tokenizer, picture())
    assert seen.num_text_tokens < len(seen) - 200
