"""Requests, events and options: one JSON form each, strict on the way in, and frames that cannot be mistaken."""

import io
import json
import struct
import typing
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.process.wire import (
    MAX_FRAME_BYTES,
    WireError,
    decode_event,
    decode_request,
    encode,
    read_frame,
    write_frame,
)
from engine.protocol.documents import (
    Box,
    DocumentInfo,
    PageInfo,
    PageReceipt,
    PageText,
    Reading,
    ReadingCost,
    SpokenPiece,
    TextLine,
)
from engine.protocol.events import (
    DocumentLooked,
    DocumentRead,
    EngineEvent,
    EngineRested,
    EngineStarted,
    Failed,
    Finished,
    FinishReason,
    LoadProgress,
    Logprob,
    Logprobs,
    MediaProgress,
    ModelInfo,
    ModelLoaded,
    PageLooked,
    PageProgress,
    PageRead,
    PageShown,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    RecordingRead,
    SpeechRead,
    Stats,
    TextDelta,
    ThoughtDelta,
    ThoughtEnd,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
    Traits,
)
from engine.protocol.messages import BUDGETS, DEFAULT_BUDGET, Message, Picture, Quote, Text, ToolCall, ToolResult, user
from engine.protocol.models import Lever, Machine, Use
from engine.protocol.options import GREEDY, VENDOR_SAMPLING, JsonSchema, NamedTool, Options, Sampling
from engine.protocol.requests import (
    AnswerNow,
    Cancel,
    Envelope,
    LoadModel,
    LookAtDocument,
    ReadDocument,
    Request,
    Respond,
    ShowPage,
    Shutdown,
    Transcribe,
)
from engine.protocol.tools import Tool

STATS = Stats(300, 20, 41, 120.5, 2500.0, 61.25, 3 * 1024**3)
INFO = ModelInfo(
    "gemma-4-E2B-it", "/models/é", "E2B", ("text", "picture"), 131072, 4_629_000_000, 3_583_069_162,
    "4-bit affine, group 64", "bfloat16", "metal",
    traits=Traits("A model", 280, 14, newest_message_only=True, hint="It reads."),
)  # fmt: skip
CONVERSATION = (
    Message("system", (Text("Be brief."),)),
    Message("user", (Quote("a b.txt", "```\n"), Text("File: a\n```\nb\n```"))),
    user("What is this?", Picture("/tmp/a b/é🙂.png", 1120), Picture("b.heic")),
    Message("assistant", (Text("A “cat” \\ \n\t🙂 <|turn>"),), thought="Looks like a cat."),
    user("Sure?"),
)
TOOL_CONVERSATION = (
    user("How late is it?"),
    Message("assistant", (ToolCall("clock", {"zone": "Europe/Oslo", "deep": [1, {"a": None}]}, "call_1"),), "A clock."),
    Message("tool", (ToolResult({"time": "12:00"}, "call_1"), Picture("chart.png"))),
    Message("developer", (Text("Be brief."),)),
)
CLOCK = Tool("clock", "The time", {"type": "object", "properties": {"zone": {"type": "string"}}}, {"type": "string"})
TOOL_OPTIONS = Options(
    Sampling(min_p=0.1, repetition_penalty=1.1, presence_penalty=-0.5, logit_bias={7: -2.5}),
    thinking_budget=0,
    stop=("END",),
    num_logprobs=3,
    format=JsonSchema({"type": "object"}),
    tools=(CLOCK,),
    tool_choice=NamedTool("clock"),
    continues=True,
)
READING = Reading("tiles", "fields", {"type": "object"}, budget=1120, turned=270, region=Box(0.0, 0.0, 0.5, 1.0))
PAGE = PageInfo(2, 595.0, 842.0, "old_ocr", "It is a scan.", 180, 2129, 0.04, "iv", 2100)
LINE = TextLine("Αλίκη 愛", Box(0.1, 0.1, 0.9, 0.2), -0.25, ((0, 5),), differs="Alice")

REQUESTS: list[Request] = [
    LoadModel(1, "/models/gemma"),
    Respond(2, CONVERSATION, Options(Sampling(0.5, 0, 1.0, 2**63 - 1), thinking=True, max_new_tokens=1)),
    Respond(3, ()),
    Respond(4, TOOL_CONVERSATION, TOOL_OPTIONS),
    Cancel(2**40),
    AnswerNow(4),
    LookAtDocument(5, "/a b/é.pdf", "open sesame", (1, 3), READING),
    ShowPage(6, "a.tif", 2, "/tmp/page.png", 800, 90, Box(0.0, 0.25, 1.0, 0.5)),
    ReadDocument(7, "a.pdf", Reading(), (3, 1), is_queued=True),
    Transcribe(8, "a.m4a", "German", "English", SpokenPiece(0.0, 27.5, "so far")),
    Shutdown(),
]
EVENTS: list[EngineEvent] = [
    EngineStarted("0.1.0", "cpu", Machine("Apple M4 Pro", 24 * 2**30, 16 * 2**30, "macOS 15.2", has_gpu=True)),
    EngineRested(),
    LoadProgress(0.25),
    ModelLoaded(INFO, 812.5),
    PromptReady(300, 20, (PictureReceipt("a.png", 280, 912, 672, 266, 41.5),)),
    PromptReady(3, num_characters=7, num_text_tokens=2),
    MediaProgress(12, 54),
    PrefillProgress(256, 300),
    ThoughtStarted(),
    ThoughtDelta("Hm 🙂"),
    ThoughtFinished(1500.0),
    *(ThoughtFinished(1.5, 12, reason) for reason in typing.get_args(ThoughtEnd)),
    Logprobs(Logprob(7, "a", -0.5), (Logprob(7, "a", -0.5), Logprob(8, "\ufffd", -2.0))),
    ToolCalled(ToolCall("clock", {}, "call_1")),
    ToolCallRefused("call:clock{", "It was cut off.", ToolCall("clock", {}, "call_2")),
    ToolFinished(ToolResult(["a", None, 1.5], "call_1", "clock"), 20.5, failed=True),
    ToolFinished(ToolResult("Drawn.", "call_2", "plot"), 3.0, media=(Picture("plot.png"),)),
    TextDelta("Ein <|image|> \x00\u2028"),
    *(Finished(reason, STATS) for reason in typing.get_args(FinishReason)),
    PageLooked(PAGE, 4),
    DocumentLooked(DocumentInfo("/a.pdf", "pdf", (PAGE,), "A title"), ReadingCost(1, 1092, 6.5, 2**30)),
    PageShown("/tmp/page.png", 800, 566),
    PageProgress(2, 3, 220),
    PageRead(PageText(2, "cut_off", (LINE,), "It was cut off.", receipt=PageReceipt("pieces", 70, 1240, 1754, 60))),
    DocumentRead(4, is_cancelled=True),
    SpeechRead(SpokenPiece(0.0, 27.5, "one two", confidence=-0.25), 600.0),
    RecordingRead(600.0),
    Failed("ContextFull", "Too “long”."),
    Failed("CheckpointError", "No model there.", has_model=True),
    Failed("NotEnoughMemory", "It is too much.", levers=(Lever("8K instead of 32K saves 1.1 GB", 2**30, True, Use()),)),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda value: type(value).__name__)
def test_every_request_comes_back_from_its_json(request_: Request) -> None:
    assert decode_request(encode(request_)) == request_


@pytest.mark.parametrize("event", EVENTS, ids=lambda value: type(value).__name__)
def test_every_event_comes_back_from_its_json(event: EngineEvent) -> None:
    assert decode_event(encode(Envelope(7, event))) == Envelope(7, event)


def test_every_kind_of_request_and_event_is_covered_and_has_a_name_of_its_own() -> None:
    assert {type(value) for value in REQUESTS} == set(typing.get_args(Request))
    assert {type(value) for value in EVENTS} == set(typing.get_args(EngineEvent))
    for values, key in ((REQUESTS, "request"), (EVENTS, "event")):
        names = {type(value): json.loads(encode(value))[key] for value in values}
        assert len(set(names.values())) == len(names)


def test_the_json_of_a_request_is_the_documented_one() -> None:
    request = Respond(2, (user("Hi", Picture("a.png", 70)),), Options(GREEDY))
    assert json.loads(encode(request)) == {
        "request": "respond", "request_id": 2,
        "messages": [
            {
                "role": "user", "thought": "",
                "parts": [{"type": "picture", "path": "a.png", "budget": 70}, {"type": "text", "text": "Hi"}],
            }
        ],
        "options": {
            "sampling": {
                "temperature": 0.0, "top_k": None, "top_p": None, "seed": None, "min_p": None,
                "repetition_penalty": None, "presence_penalty": None, "logit_bias": None,
            },
            "thinking": False, "thinking_budget": 8192, "max_new_tokens": 4096, "context_limit": 0,
            "own_template": False, "stop": [], "num_logprobs": 0, "format": None, "tools": [], "tool_choice": "auto",
            "max_tool_rounds": 16, "max_repeated": 1024,
            "tool_timeout_s": 60.0, "draft": "auto", "continues": False,
        },
        "priority": "interactive", "is_once": False, "keeping": None,
    }  # fmt: skip


FREE = ("parameters", "response", "schema", "arguments", "content", "logit_bias")
"""Fields that hold any JSON."""


def objects(value: Any) -> list[dict[str, Any]]:
    """Every JSON object with known fields inside a value, itself included."""
    match value:
        case dict():
            inside = [item for key, item in value.items() if key not in FREE]
            return [value, *(found for item in inside for found in objects(item))]
        case list():
            return [found for item in value for found in objects(item)]
        case _:
            return []


@pytest.mark.parametrize("value", [*REQUESTS, *EVENTS], ids=lambda value: type(value).__name__)
def test_a_field_that_nobody_knows_is_refused_at_every_depth(value: Request | EngineEvent) -> None:
    is_request = isinstance(value, typing.get_args(Request))
    whole = json.loads(encode(value if is_request else Envelope(1, value)))  # type: ignore[arg-type]
    for place in objects(whole):
        place["surprise"] = 1
        with pytest.raises(WireError, match="unknown field `surprise`"):
            (decode_request if is_request else decode_event)(json.dumps(whole).encode())
        del place["surprise"]


def respond(**change: Any) -> bytes:
    """The JSON of a request with one value changed; keys are paths with `__` between their steps."""
    whole = json.loads(encode(Respond(1, CONVERSATION)))
    for path, new in change.items():
        *steps, last = path.split("__")
        place = whole
        for step in steps:
            place = place[int(step) if step.isdigit() else step]
        place[last] = new
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"request": "explode"},
        {"request_id": "1"},
        {"request_id": None},
        {"messages": "Hi"},
        {"messages__0__role": "bystander"},
        {"messages__0__parts": None},
        {"messages__1__parts__0__type": "audio"},
        {"messages__1__parts__0__budget": 0},
        {"messages__1__parts__0__budget": 10**9},
        {"messages__1__parts__0__budget": "280"},
        {"options__max_new_tokens": 0},
        {"options__thinking": 1},
        {"options__sampling__temperature": -0.5},
        {"options__sampling__temperature": "1"},
        {"options__sampling__top_k": -1},
        {"options__sampling__top_k": 1.5},
        {"options__sampling__top_p": 0},
        {"options__sampling__top_p": 1.5},
        {"options__sampling__seed": -1},
        {"options__sampling__seed": 2**63},
        {"options__sampling__min_p": 1.5},
        {"options__sampling__repetition_penalty": 0},
        {"options__sampling__logit_bias": {"a": 1}},
        {"options__thinking_budget": -1},
        {"options__stop": [""]},
        {"options__stop": "END"},
        {"options__num_logprobs": 65},
        {"options__format": {"type": "xml"}},
        {"options__tools": [{"description": "no name"}]},
        {"options__tool_choice": "sometimes"},
        {"options__max_tool_rounds": 0},
        {"options__tool_timeout_s": 0},
    ],
    ids=lambda change: f"{next(iter(change.items()))}",
)
def test_a_value_out_of_its_range_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WireError, match="cannot read"):
        decode_request(respond(**change))


def test_an_unchanged_request_is_taken() -> None:
    assert decode_request(respond()) == Respond(1, CONVERSATION)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"1", b"\xff\xfe", b'{"request": "cancel"}', b"[" * 100_000,
        b'{"request":"load_model","request_id":1,"path":"\xff"}', b'{"request":"cancel","request_id":1}x',
        b'{"request":"respond","request_id":1,"messages":' + b"[" * 100_000,
    ],
    ids=lambda data: ascii(data[:30]),
)  # fmt: skip
def test_what_is_no_message_of_the_protocol_is_a_wire_error(data: bytes) -> None:
    for decode in (decode_request, decode_event):
        with pytest.raises(WireError, match=r"\.$"):
            decode(data)


def test_a_request_is_not_an_event_and_an_event_no_request() -> None:
    with pytest.raises(WireError):
        decode_event(encode(Shutdown()))
    with pytest.raises(WireError):
        decode_request(encode(Envelope(1, ThoughtStarted())))


def test_half_a_character_cannot_keep_a_message_from_being_sent() -> None:
    request = Respond(1, (user("a\ud83db 🙂"),))
    assert request.messages[0].text == "a?b 🙂"
    assert decode_request(encode(request)) == request


def test_values_cannot_be_changed() -> None:
    for value, field in ((Text("a"), "text"), (Options(), "thinking"), (user("a"), "role"), (Cancel(1), "request_id")):
        with pytest.raises(AttributeError):
            setattr(value, field, "b")


def test_what_a_person_leaves_open_is_filled_from_the_advice() -> None:
    advice = Sampling(0.7, 20, 0.8)
    assert Sampling().filled_from(advice) == advice
    assert GREEDY.filled_from(advice) == Sampling(0, 20, 0.8)
    assert Sampling(top_k=0, seed=0).filled_from(advice) == Sampling(0.7, 0, 0.8, 0)
    assert Sampling(0.1, 2, 0.3, 4).filled_from(advice) == Sampling(0.1, 2, 0.3, 4)


def test_the_vendors_defaults_hold_where_nothing_is_said() -> None:
    assert Sampling(1.0, 64, 0.95).filled_from(VENDOR_SAMPLING) == VENDOR_SAMPLING
    assert not Options().thinking
    assert msgspec.json.decode(b'{"type": "picture", "path": "a.png"}', type=Picture).budget == DEFAULT_BUDGET
    assert DEFAULT_BUDGET in BUDGETS


def test_a_user_message_holds_its_pictures_before_its_text() -> None:
    a, b = Picture("a.png"), Picture("b.png", 70)
    assert user("What?", a, b).parts == (a, b, Text("What?"))
    assert user("What?", a, b).pictures == (a, b)
    assert user("", a).parts == (a,)
    assert Message("user", (Text("one"), a, Text("two"))).text == "one\ntwo"


# --- frames


def frames(data: bytes) -> list[bytes]:
    stream, found = io.BytesIO(data), []
    while (frame := read_frame(stream)) is not None:
        found.append(frame)
    return found


def written(*frames: bytes) -> bytes:
    stream = io.BytesIO()
    for frame in frames:
        write_frame(stream, frame)
    return stream.getvalue()


def test_frames_come_back_one_by_one() -> None:
    sent = [b"", b"{}", b"\x00\x00\x00\x05hello", encode(REQUESTS[1]), bytes(70_000)]
    assert frames(written(*sent)) == sent


def test_a_frame_is_its_length_in_four_bytes_and_its_data() -> None:
    assert written(b"hi") == b"\x00\x00\x00\x02hi"


def test_the_end_of_the_stream_is_no_frame_and_no_error() -> None:
    assert read_frame(io.BytesIO()) is None


def test_half_a_frame_is_a_wire_error_wherever_it_ends() -> None:
    whole = written(b"hello")
    for length in range(1, len(whole)):
        with pytest.raises(WireError, match="middle of a frame"):
            read_frame(io.BytesIO(whole[:length]))


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_a_frame_that_is_too_large_is_refused_unread(size: int) -> None:
    stream = io.BytesIO(struct.pack(">I", size) + b"rest")
    with pytest.raises(WireError, match=f"{size} bytes is larger"):
        read_frame(stream)
    assert stream.read() == b"rest"


def test_the_largest_frame_is_taken() -> None:
    assert (
        len(read_frame(io.BytesIO(struct.pack(">I", MAX_FRAME_BYTES) + bytes(MAX_FRAME_BYTES))) or b"")
        == MAX_FRAME_BYTES
    )


NESTED = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("decode", "data"),
    [
        (decode_request, NESTED),
        (decode_request, b'{"request": "respond", "request_id": 1, "messages": %s}' % NESTED),
        (decode_event, NESTED),
        (decode_event, b'{"request_id": 1, "event": {"event": "tool_called", "call": {"arguments": %s}}}' % NESTED),
    ],
)
def test_json_nested_without_end_is_refused_on_either_side(
    decode: Callable[[bytes], msgspec.Struct], data: bytes
) -> None:
    with pytest.raises(WireError):
        decode(data)


def test_what_is_nested_without_end_cannot_be_sent() -> None:
    content: object = 0
    for _ in range(100_000):
        content = [content]
    with pytest.raises(WireError, match="nested"):
        encode(Respond(1, (Message("tool", (ToolResult(content, "call_0"),)),)))
