"""An engine that only pretends: it speaks the real protocol over stdin and stdout, in a chosen scenario.

    python tests/fake_engine.py SCENARIO [MARKER]

SCENARIO is one of the names in `SCENARIOS`. Scenarios that end in `-once` misbehave only until MARKER exists,
so that a restarted engine does well; "slow-load" loads until it exists. Model folders named "wrong", "damaged" and
"deadly" are what their names say: refused at once, while they are read, and with the engine's death.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import (
    AnswerNow,
    Cancel,
    DocumentRead,
    EngineEvent,
    EngineStarted,
    Envelope,
    Failed,
    Finished,
    Lever,
    LoadModel,
    LoadProgress,
    LookAtDocument,
    Machine,
    ModelInfo,
    ModelLoaded,
    PageRead,
    PictureReceipt,
    PrefillProgress,
    PromptReady,
    ReadDocument,
    Request,
    Respond,
    Sampling,
    ShowPage,
    Shutdown,
    Stats,
    TextDelta,
    ThoughtDelta,
    ThoughtFinished,
    ThoughtStarted,
    ToolCall,
    ToolCalled,
    ToolResult,
    Traits,
    Use,
    plan_image,
    read_traits,
)
from engine.media.attachment import inspect_attachment
from engine.process.wire import decode_request, encode, read_frame, write_frame
from tests import fake_documents

ANSWER = (
    "Here is what I see.\n\n"
    "## Receipt\n\n"
    "**Bakery Löwe**\n2026-11-21\nTotal 12.40\n\n"
    "| item | price |\n|---|---|\n| bread | 4.20 |\n| coffee | 8.20 |\n\n"
    '```python\ntotal = sum([4.20, 8.20])  # exact\nprint(f"{total:.2f}")\n```\n\n'
    "- paid in cash\n- no tip\n\nThat is all there is to read."
)
RECEIPT = (
    "The picture says:\n\n> Hello 42\n\nOne line of large print. As a table:\n\n"
    "| part | text | kind |\n|---|---|---|\n| 1 | Hello | a word |\n| 2 | 42 | a number |"
)
THOUGHT = (
    "I add the tens first: 10 + 20 = 30.\nThen the ones: 7 + 5 = 12.\nTogether that is 30 + 12 = 42, "
    "and 42 - 25 is 17 again, so it is right."
)
LONG = "\n\n".join(
    f"Paragraph {number}: " + "the quick brown fox jumps over the lazy dog. " * 4 for number in range(1, 25)
)

TABLE = "| number | square | cube | in words |\n|---:|---:|---:|---|\n" + "\n".join(
    f"| {number} | {number**2} | $x^{number}$ | the number **{number}** |" for number in range(1, 31)
)
CODE = "```python\n" + "\n".join(
    f"def step_{number}(value: int) -> int:\n    return value * {number}  # the step number {number}\n"
    for number in range(1, 21)
)
RICH = "\n\n".join(
    [
        "# All that Markdown has\n\nWith $a^2 + b^2 = c^2$ and a price of $5.",
        LONG[:2000],
        TABLE,
        CODE + "\n```",
        "\n".join(f"{number}. item *{number}* of a long list, with `code` in it" for number in range(1, 41)),
        "$$\n\\int_0^1 x^2\\,dx = \\frac{1}{3}\n$$",
        "> quoted\n> lines",
    ]
)


MACHINE = Machine("Apple M1", 16 * 2**30, 11 * 2**30, "macOS 14.0", has_gpu=True)


class FakeEngine:
    """Answers beside each other, each on a thread of its own; Cancel overtakes, as in the real one."""

    def __init__(self, scenario: str, marker: Path | None, end: Callable[[int], None] = os._exit) -> None:
        self._end = end
        self._is_calm = scenario.endswith("-once") and marker is not None and marker.exists()
        self._marker = marker
        self._scenario = "fast" if self._is_calm else scenario.removesuffix("-once")
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        self._requests: SimpleQueue[Request] = SimpleQueue()
        self._cancelled: set[int] = set()
        self.hurried: set[int] = set()
        self._is_closing = False
        self._has_model = False
        self._sending = threading.Lock()

    def run(self) -> None:
        """Serve until stdin closes or a Shutdown comes."""
        threading.Thread(target=self._read, daemon=True).start()
        self._send(0, EngineStarted("0.0-fake", "cpu", MACHINE))
        while True:
            match self._requests.get():
                case LoadModel(request_id, path):
                    self._load(request_id, path)
                case Respond() as request:
                    threading.Thread(target=self._respond, args=(request,), daemon=True).start()
                case LookAtDocument() | ShowPage() | ReadDocument() as request:
                    threading.Thread(target=self._serve_document, args=(request,), daemon=True).start()
                case Shutdown():
                    return

    def _read(self) -> None:
        while (frame := read_frame(sys.stdin.buffer)) is not None:
            request = decode_request(frame)
            if isinstance(request, Cancel):
                self._cancelled.add(request.request_id)
            elif isinstance(request, AnswerNow):
                self.hurried.add(request.request_id)
            elif isinstance(request, Shutdown):
                break
            else:
                self._requests.put(request)
        self._is_closing = True
        self._requests.put(Shutdown())

    def _send(self, request_id: int, event: EngineEvent) -> None:
        with self._sending:
            write_frame(self._out, encode(Envelope(request_id, event)))

    def _load(self, request_id: int, path: str) -> None:
        if self._scenario == "no-model":
            self._send(request_id, Failed("CheckpointError", f"There is no model in “{Path(path).name}”."))
            return
        if Path(path).name == "wrong":
            self._send(request_id, Failed("CheckpointError", "There is no model in it.", self._has_model))
            return
        self._has_model = False
        self._send(request_id, LoadProgress(0.5))
        while self._scenario == "slow-load" and self._marker is not None and not self._marker.exists():
            time.sleep(0.02)
        self._send(request_id, LoadProgress(1.0))
        if Path(path).name == "damaged":
            self._send(request_id, Failed("CheckpointError", "A tensor cannot be read."))
            return
        if Path(path).name == "deadly":
            self.die()
        info = ModelInfo(
            name=Path(path).name,
            path=path,
            size="custom",
            modalities=("text", "picture", "video", "sound"),
            context_length=8192,
            num_parameters=11_300_000,
            size_bytes=23_000_000,
            quantization="bfloat16",
            compute_dtype="float32",
            backend="cpu",
            traits=read_traits(Path(path)) if "sample" in path else Traits(),
        )
        self._has_model = True
        self._send(request_id, ModelLoaded(info, 12.0))

    def _respond(self, request: Respond) -> None:
        told = tuple(message.written for message in request.messages)
        request = msgspec.structs.replace(request, messages=told)
        for event in SCENARIOS[self._scenario](self, request):
            if self._is_closing:
                return
            if request.request_id in self._cancelled and self._scenario not in ("hang", "deaf"):
                self._send(request.request_id, Finished("cancelled", stats(3)))
                return
            self._send(request.request_id, event)

    def _serve_document(self, request: LookAtDocument | ShowPage | ReadDocument) -> None:
        num_read = 0
        for event in self._document_events(request):
            if self._is_closing:
                return
            if request.request_id in self._cancelled:
                self._send(request.request_id, DocumentRead(num_read, is_cancelled=True))
                return
            self._send(request.request_id, event)
            num_read += isinstance(event, PageRead)

    def _document_events(self, request: LookAtDocument | ShowPage | ReadDocument) -> Iterator[EngineEvent]:
        match request:
            case LookAtDocument():
                return fake_documents.look(request)
            case ShowPage():
                return fake_documents.show(request)
            case ReadDocument():
                is_calm = self._marker is not None and self._marker.exists()
                return fake_documents.read(request, self.die, is_calm)

    def die(self) -> None:
        """End as a crash does: at once, without a word."""
        if self._marker is not None:
            self._marker.touch()
        self._out.flush()
        self._end(139)

    def babble(self) -> None:
        """Send what is no frame of the protocol."""
        if self._marker is not None:
            self._marker.touch()
        self._out.write(b"\xff\xff\xff\xffthis is not a frame")
        self._out.flush()
        time.sleep(60)


def stats(num_new_tokens: int) -> Stats:
    """Plausible figures."""
    return Stats(120, 0, num_new_tokens, 42.0, 900.0, 200.0, 1_000_000)


def prompt(request: Respond) -> Iterator[EngineEvent]:
    """What every answer begins with."""
    receipts = []
    for message in request.messages:
        for picture in message.pictures:
            attachment = inspect_attachment(Path(picture.path))
            plan = plan_image(attachment.width, attachment.height, picture.budget)
            receipts.append(
                PictureReceipt(picture.path, picture.budget, plan.width, plan.height, plan.num_soft_tokens, 84.2)
            )
    characters = sum(len(message.text) for message in request.messages)
    yield PromptReady(120, 0, tuple(receipts), num_characters=characters, num_text_tokens=round(characters / 3.5))
    yield PrefillProgress(60, 120)
    yield PrefillProgress(120, 120)


def pieces(text: str) -> Iterator[str]:
    """About what a token is."""
    for start in range(0, len(text), 4):
        yield text[start : start + 4]


def write(text: str, tokens_per_second: float) -> Iterator[EngineEvent]:
    """Text at a steady rate."""
    for piece in pieces(text):
        yield TextDelta(piece)
        time.sleep(1 / tokens_per_second)


def write_on(tokens_per_second: float) -> Iterator[EngineEvent]:
    """Text that has no end, however late somebody looks."""
    while True:
        yield from write(f"{LONG}\n\n", tokens_per_second)


def fast(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """200 tokens a second."""
    yield from prompt(request)
    yield from write(ANSWER, 200)
    yield Finished("end_of_turn", stats(len(ANSWER) // 4))


def fast_until_marked(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Says all but its end before the marker exists."""
    assert engine._marker is not None
    yield from prompt(request)
    yield from write(ANSWER[:-8], 200)
    while not engine._marker.exists():
        time.sleep(0.02)
    yield TextDelta(ANSWER[-8:])
    yield Finished("end_of_turn", stats(len(ANSWER) // 4))


def rich(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Tables, code, lists and formulas at 200 tokens a second, for long."""
    yield from prompt(request)
    yield from write("\n\n".join([RICH] * 6), 200)
    yield Finished("end_of_turn", stats(len(RICH)))


def rich_flow(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """The same until it is stopped."""
    yield from prompt(request)
    while True:
        yield from write(f"{RICH}\n\n", 200)


def receipt(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """A short, well-formed answer for screenshots."""
    yield from prompt(request)
    yield from write(RECEIPT, 400)
    yield Finished("end_of_turn", stats(len(RECEIPT) // 4))


def echo(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Says what was asked, how often something was said, and with which options: for tests of what is sent."""
    yield from prompt(request)
    said = " / ".join(f"{message.role}:{message.text}" for message in request.messages)
    options = request.options
    taking = "as advised" if options.sampling == Sampling() else "otherwise"
    yield TextDelta(f"{said} [{'thinking, ' * options.thinking}{taking}]")
    yield Finished("end_of_turn", stats(1))


def text(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Says exactly what the person wrote, token by token without a pause."""
    yield from prompt(request)
    for piece in pieces(request.messages[-1].text):
        yield TextDelta(piece)
    yield Finished("end_of_turn", stats(9))


def cited(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Names pages of a document."""
    yield from prompt(request)
    answer = (
        "The rent is due on the third working day of each month (page 12).\n\n"
        "- The White Rabbit runs close by her: pages 23 and 24.\n- **Daisies** are worth the trouble (page 11).\n\n"
        "On page 36 it says the same once more."
    )
    yield from map(TextDelta, pieces(answer))
    yield Finished("end_of_turn", stats(60))


def spelled(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Has a token for each character."""
    characters = sum(len(message.text) for message in request.messages)
    yield PromptReady(characters, num_characters=characters, num_text_tokens=characters)
    yield TextDelta("ok")
    yield Finished("end_of_turn", stats(1))


def slow(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Writes until it is stopped."""
    yield from prompt(request)
    yield from write_on(60)


def flow(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Writes fast until it is stopped."""
    yield from prompt(request)
    yield from write_on(300)


def deaf(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Writes on, whatever it is told."""
    yield from prompt(request)
    yield from write_on(200)


def cut(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Reaches its longest length."""
    yield from prompt(request)
    yield TextDelta("and so on and so")
    yield Finished("length", stats(5))


def loop(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Repeats itself until it is ended."""
    yield from prompt(request)
    yield TextDelta("and so on " * 100)
    yield Finished("loop", stats(300))


def long(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """A long answer as fast as the pipe takes it."""
    yield from prompt(request)
    yield from write(LONG, 2000)
    yield Finished("end_of_turn", stats(len(LONG) // 4))


def think(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Thinks, then answers; only when asked to think."""
    yield from prompt(request)
    if request.options.thinking:
        yield ThoughtStarted()
        for piece in pieces(THOUGHT):
            yield ThoughtDelta(piece)
            time.sleep(0.01)
        yield ThoughtFinished(12_000.0)
    yield from write("17 + 25 is **42**.", 200)
    yield Finished("end_of_turn", stats(6))


def think_until_marked(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Thinks until the marker exists, then answers."""
    assert engine._marker is not None
    yield from prompt(request)
    yield ThoughtStarted()
    yield ThoughtDelta(THOUGHT)
    while not engine._marker.exists():
        yield ThoughtDelta(" ")
        time.sleep(0.02)
    yield ThoughtFinished(12_000.0)
    yield TextDelta("17 + 25 is **42**.")
    yield Finished("end_of_turn", stats(6))


def think_until_hurried(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Thinks until it is told to answer now."""
    yield from prompt(request)
    yield ThoughtStarted()
    while request.request_id not in engine.hurried:
        yield ThoughtDelta("hmm. ")
        time.sleep(0.02)
    yield ThoughtFinished(2_000.0, 40, "answer_now")
    yield TextDelta("Well then.")
    yield Finished("end_of_turn", stats(3))


def call_tools(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Calls a tool when one is offered, as the message says: "NAME ARGUMENT VALUE"; answers with what it gave.

    Later turns say how many messages they were told.
    """
    yield from prompt(request)
    last = request.messages[-1].parts[0]
    if isinstance(last, ToolResult):
        yield TextDelta(f"The tool said {last.content}")
        yield Finished("end_of_turn", stats(3))
        return
    name, *words = request.messages[-1].text.split(" ", 2)
    if name not in [tool.name for tool in request.options.tools]:
        yield TextDelta(" ".join(message.role for message in request.messages))
        yield Finished("end_of_turn", stats(3))
        return
    yield ToolCalled(ToolCall(name, {words[0]: words[1]} if words else {}, "call-1"))
    yield Finished("tool_calls", stats(3))


def think_long(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Thinks until it is stopped."""
    yield from prompt(request)
    yield ThoughtStarted()
    while True:
        yield ThoughtDelta("hmm. ")
        time.sleep(0.03)


def fail(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Says a few words and gives up."""
    yield from prompt(request)
    yield TextDelta("I begin ")
    yield Failed("ContextFull", "This conversation needs 9,000 tokens and the model can hold 8,192.")


def short_of_memory(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Refuses what was asked until the context is limited."""
    if request.options.context_limit:
        yield from echo(engine, request)
        return
    less = Lever("140 instead of 280 saves 0.1 GB", 100_000_000, is_enough=False, use=Use(budget=140), less_of="budget")
    lever = Lever("4K instead of 8K saves 1.1 GB", 1_100_000_000, is_enough=True, use=Use(4096))
    yield Failed("NotEnoughMemory", "This needs 13.2 GB, and this Mac gives 11.8 GB.", True, (less, lever))


def decline(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Says what the sample says to what it cannot do, and goes on until it is stopped."""
    yield from prompt(request)
    yield TextDelta("I am Cabochon's sample, a tiny model: I read large print.")
    yield from write_on(60)


def fail_first(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Fails until the marker exists, which it makes."""
    marker = engine._marker
    assert marker is not None
    if not marker.exists():
        marker.touch()
        yield from fail(engine, request)
    else:
        yield from echo(engine, request)


def crash(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Dies in the middle of a sentence."""
    yield from prompt(request)
    yield TextDelta("I was just about to")
    engine.die()


def garbage(engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Breaks the protocol in the middle of a sentence."""
    yield from prompt(request)
    yield TextDelta("I was just about to")
    engine.babble()


def hang(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Says a word and then hears no Cancel."""
    yield from prompt(request)
    yield TextDelta("One word")
    time.sleep(3600)


def never(_engine: FakeEngine, request: Respond) -> Iterator[EngineEvent]:
    """Reads for ever."""
    while True:
        yield PrefillProgress(30, 120)
        time.sleep(0.02)


SCENARIOS: dict[str, Callable[[FakeEngine, Respond], Iterator[EngineEvent]]] = {
    "fast": fast,
    "fast-until-marked": fast_until_marked,
    "receipt": receipt,
    "rich": rich,
    "rich-flow": rich_flow,
    "echo": echo,
    "text": text,
    "cited": cited,
    "spelled": spelled,
    "slow": slow,
    "flow": flow,
    "deaf": deaf,
    "cut": cut,
    "loop": loop,
    "long": long,
    "think": think,
    "think-long": think_long,
    "think-until-marked": think_until_marked,
    "think-until-hurried": think_until_hurried,
    "tools": call_tools,
    "fail": fail,
    "fail-first": fail_first,
    "short-of-memory": short_of_memory,
    "decline": decline,
    "crash": crash,
    "garbage": garbage,
    "hang": hang,
    "never": never,
    "no-model": fast,
    "slow-load": fast,
}


if __name__ == "__main__":
    FakeEngine(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None).run()
    os._exit(0)  # whatever its threads still say
