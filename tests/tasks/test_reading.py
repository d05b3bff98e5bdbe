"""Pages read in pieces by a model that says what the test wants."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from engine.documents.skew import find_skew
from engine.engine import Engine
from engine.protocol.documents import Box, PageInfo, PageText, Reading, TextLine, Way
from engine.protocol.errors import Cancelled
from engine.protocol.events import Logprob, PageProgress, Traits
from engine.protocol.messages import Picture
from engine.tasks.asking import Answered, Ask, Asking, ask_engine
from engine.tasks.reading import _taken_apart, read_page
from tests.documents.pages import WORDS, as_ink, draw_page, prose
from tests.tiny import write_checkpoint

PAGE = PageInfo(3, 595, 842, "picture", "No text layer.")
UPRIGHT = Reading(turned=0)
TRAITS = Traits(max_line_characters=40)
PATIENCE_S = 240


def said(text: str, logprob: float = -0.01) -> Answered:
    """An answer of single characters."""
    return Answered(text, "end_of_turn", tuple(Logprob(1, each, logprob) for each in text), 46)


def asking(answer: Callable[[int, Image.Image], Answered]) -> Asking:
    """Answers each picture, the last one first."""
    count = 0

    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        nonlocal count
        found = []
        for index, each in enumerate(asks):
            (picture,) = [part for part in each.messages[0].parts if isinstance(part, Picture)]
            with Image.open(Path(picture.path)) as shown:
                found.append((index, answer(count, shown)))
            count += 1
        yield from reversed(found)

    return ask


def read(
    page: Image.Image,
    asked: Asking,
    reading: Reading = UPRIGHT,
    traits: Traits = TRAITS,
    layer: Sequence[TextLine] = (),
    info: PageInfo = PAGE,
) -> tuple[PageText, list[PageProgress]]:
    steps = read_page(page, info, layer, reading, traits, asked)
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return end.value, progress


def test_pieces_are_put_together_in_the_order_of_the_page() -> None:
    page, progress = read(draw_page(prose(3, 60, 100, 14), (1500, 400)), asking(lambda i, _: said(f"piece{i}")))
    assert (page.number, page.state) == (3, "done")
    words = page.text.split()
    assert words == [f"piece{i}" for i in range(len(words))]
    assert len(page.lines) == 3
    assert [each.num_done for each in progress] == list(range(1, len(words) + 1))
    assert [line for each in progress for line in each.lines] == [line.text for line in page.lines]
    assert page.receipt is not None
    assert (page.receipt.num_pieces, page.receipt.num_soft_tokens) == (len(words), 46 * len(words))


@pytest.mark.parametrize(
    "nonsense",
    [
        said("word " * 40), said('{"a": "b"}'), said("two\nlines"), said("word", -3.0),
        Answered("word word", "length"), Answered("", None, error="The picture cannot be read."),
    ],
)  # fmt: skip
def test_what_a_piece_cannot_be_is_read_again_in_halves(nonsense: Answered) -> None:
    page, _ = read(
        draw_page([(60, 100, "Alice was beginning")]), asking(lambda i, _: nonsense if i == 0 else said("half"))
    )
    assert page.text in ("half half", "halfhalf")
    assert page.state == "done"
    assert page.receipt is not None
    assert page.receipt.num_read_again == 2


@pytest.mark.parametrize(("halves", "text"), [(["or else", "or else"], "or else or else"), (["or", "else"], "or else")])
def test_what_a_piece_says_twice_is_kept_only_if_its_halves_say_so(halves: list[str], text: str) -> None:
    page, _ = read(
        draw_page([(60, 100, "Alice was beginning")]),
        asking(lambda i, _: said("or else or else" if i == 0 else halves[(i - 1) % 2])),
    )
    assert page.text.replace(" ", "") == text.replace(" ", "")


def test_what_stays_nonsense_is_said_and_marked() -> None:
    page, _ = read(draw_page([(60, 100, "Alice was beginning")]), asking(lambda *_: Answered("no no no", "length")))
    assert page.state == "looped"
    assert page.reason
    assert page.lines[0].doubtful[0][0] == 0


def test_doubtful_characters_are_marked_where_they_stand() -> None:
    answer = Answered("Alica", "end_of_turn", tuple(Logprob(1, c, -0.5 if c == "a" else 0.0) for c in "Alica"))
    page, _ = read(draw_page([(60, 100, "Alice")]), asking(lambda *_: answer))
    (line,) = page.lines
    assert line.doubtful == ((4, 5),)
    assert line.confidence == -0.5


def test_who_gives_up_does_not_wait_until_another_page_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def take_apart(_picture: Image.Image, _between: Callable[[], None]) -> None:
        has_begun.set()
        assert may_end.wait(PATIENCE_S)
        raise Cancelled

    def give_up() -> None:
        raise Cancelled

    monkeypatch.setattr("engine.tasks.reading.take_apart", take_apart)
    picture = draw_page([(60, 100, "Alice")])
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(_taken_apart, picture, lambda: None)
        try:
            assert has_begun.wait(PATIENCE_S)
            second = threads.submit(_taken_apart, picture, give_up)
            assert isinstance(second.exception(PATIENCE_S), Cancelled)
            assert not first.done()
        finally:
            may_end.set()


def test_ink_without_text_is_counted() -> None:
    page, _ = read(draw_page(prose(3, 60, 100, 1)), asking(lambda i, _: said("" if i == 1 or i > 2 else "text")))
    assert (len(page.lines), page.num_lines_unread, page.state) == (2, 1, "done")


def test_an_empty_page_asks_nothing() -> None:
    page, _ = read(Image.new("RGB", (600, 800), "white"), asking(lambda *_: pytest.fail("asked")))
    assert (page.state, page.lines) == ("empty", ())


def test_leaders_are_not_read() -> None:
    page, _ = read(draw_page([(60, 100, "One " + "." * 30 + " 7")]), asking(lambda i, _: said("x")))
    assert page.text == "x\t" + "." * 30 + "\tx"


def test_one_failed_piece_does_not_fail_the_page() -> None:
    broken = Answered("", None, error="The picture cannot be read.")
    page, _ = read(draw_page(prose(3, 60, 100, 4)), asking(lambda i, _: broken if i == 0 or i > 2 else said("text")))
    assert page.state == "done"
    assert "The picture cannot be read." in page.reason
    nothing, _ = read(draw_page(prose(1, 60, 100, 4)), asking(lambda *_: broken))
    assert nothing.state == "failed"


def test_a_page_on_its_head_is_turned_when_the_model_reads_it_more_surely_so() -> None:
    upright = draw_page(prose(4, 60, 100, 3), (900, 400))
    foot = np.asarray(upright).sum(axis=1).argmin()
    asked = 0

    def answer(_: int, shown: Image.Image) -> Answered:
        nonlocal asked
        asked += 1
        return said("sure") if 3 < asked <= 6 or asked > 6 else said("unsure", -1.0)

    page, _ = read(upright.transpose(Image.Transpose.ROTATE_180), asking(answer), Reading())
    assert page.turned == 180
    boxes = [line.box for line in page.lines if line.box]
    assert min(abs(box.top * 400 - foot) for box in boxes) < 40


def test_a_page_on_its_head_is_turned_though_some_of_its_lines_look_right_so() -> None:
    upright = draw_page([(60, 100 + 40 * line, "TTTT TTTT TTTT TTTT") for line in range(4)], (900, 400))
    asked = 0

    def answer(_: int, shown: Image.Image) -> Answered:
        nonlocal asked
        asked += 1
        ink = np.asarray(shown.convert("L")) < 128
        rows = np.flatnonzero(ink.any(axis=1))
        is_upright = np.flatnonzero(ink).mean() / ink.shape[1] < (rows[0] + rows[-1]) / 2
        return said("T" if is_upright else "L", -0.001 if is_upright else -0.1 if asked <= 3 else -1.0)

    page, _ = read(upright.transpose(Image.Transpose.ROTATE_180), asking(answer), Reading())
    assert (page.state, page.turned) == ("done", 180)
    assert {letter for line in page.lines for letter in line.text} <= {"T", " "}
    asked = 0
    kept, _ = read(upright, asking(answer), Reading())
    assert (kept.state, kept.turned) == ("done", 0)


def test_what_is_sure_upright_stays_so() -> None:
    page, _ = read(draw_page(prose(4, 60, 100, 3)), asking(lambda *_: said("sure")), Reading())
    assert page.turned == 0


def test_a_page_whose_lines_run_down_is_turned() -> None:
    page, _ = read(draw_page(prose(12, 60, 100, 8)).rotate(90, expand=True), asking(lambda *_: said("sure")), Reading())
    assert page.turned == 90
    assert len(page.lines) == 12


def test_rows_of_cells_become_a_table_and_fields() -> None:
    columns = (80.0, 480.0, 640.0)
    texts = [["Item", "Units", "Sum"], ["Lamp, brass", "2", "97.00"], ["Total", "", "97.00"]]
    placed = [(60.0, 100.0, "Invoice"), (60.0, 160.0, "Due:"), (480.0, 160.0, "2024"), (60.0, 200.0, "No:"),
              (480.0, 200.0, "7")]  # fmt: skip
    placed += [(x, 300.0 + 40 * i, t) for i, row in enumerate(texts) for x, t in zip(columns, row, strict=True) if t]
    known = iter(text for _, _, text in placed)
    words = iter(list(known))

    def answer(*_: object) -> Answered:
        return said(next(words))

    page, _ = read(draw_page(placed), asking(answer), Reading(turned=0, form="table"))
    assert page.answer == 'Item,Units,Sum\n"Lamp, brass",2,97.00\nTotal,,97.00\n'
    words = iter([text for _, _, text in placed])
    schema = {"type": "object", "properties": {"due": {"type": "string"}, "phone": {}}}
    page, _ = read(draw_page(placed), asking(answer), Reading(turned=0, form="fields", schema=schema))
    assert json.loads(page.answer) == {"due": "2024", "phone": None}
    words = iter([text for _, _, text in placed])
    page, _ = read(draw_page(placed), asking(answer), Reading(turned=0, form="markdown"))
    assert "| Item | Units | Sum |\n| --- | --- | --- |\n| Lamp, brass | 2 | 97.00 |" in page.answer


WHOLE = Traits()


def test_a_model_of_any_line_reads_the_page_at_once_and_its_lines_have_places() -> None:
    lines = prose(5, 60, 100, 6)
    asked: list[tuple[int, int]] = []

    def answer(_: int, shown: Image.Image) -> Answered:
        asked.append(shown.size)
        return said("\n".join(text for _, _, text in lines))

    page, progress = read(draw_page(lines), asking(answer), UPRIGHT, WHOLE)
    assert asked == [(1000, 1400)]
    assert page.receipt is not None
    assert (page.receipt.way, page.receipt.budget) == ("page", 1120)
    assert page.text == "\n".join(text for _, _, text in lines)
    assert (page.num_lines_unread, page.num_lines_unseen) == (0, 0)
    assert [round(line.box.top * 1400 / 36) for line in page.lines if line.box] == [3, 4, 5, 6, 7]
    assert progress == [PageProgress(3, 1, 1)]


def test_a_model_of_whole_pages_sees_colours_and_a_straight_page() -> None:
    page = draw_page(prose(9, 60, 300, 7)).convert("RGB")
    ImageDraw.Draw(page).rectangle([60, 60, 300, 160], fill="red")
    seen: list[Image.Image] = []

    def answer(_: int, shown: Image.Image) -> Answered:
        seen.append(shown.convert("RGB"))
        return said("text")

    read(page.rotate(-3, Image.Resampling.BICUBIC, fillcolor="white"), asking(answer), UPRIGHT, WHOLE)
    assert seen[0].getpixel((180, 110)) == (255, 0, 0)
    assert abs(find_skew(as_ink(seen[0].convert("L")))) < 0.3


def test_lines_that_were_left_out_and_lines_that_are_not_there_are_counted() -> None:
    lines = prose(6, 60, 100, 6)
    some = [text for _, _, text in lines]
    page, _ = read(draw_page(lines), asking(lambda *_: said("\n".join(some[:3] + some[4:]))), UPRIGHT, WHOLE)
    assert (page.num_lines_unread, page.num_lines_unseen) == (1, 0)
    page, _ = read(draw_page(lines), asking(lambda *_: said("\n".join([*some, some[0]]))), UPRIGHT, WHOLE)
    assert (page.num_lines_unread, page.num_lines_unseen) == (0, 1)
    assert [line.text for line in page.lines if line.box is None] != []


def test_small_print_is_read_in_tiles_that_part_no_line_and_come_together_again() -> None:
    lines = [(60.0, 60.0 + 20 * i, f"line {i}") for i in range(60)]
    page_shown = draw_page(lines, (1000, 1400), height=15)

    def answer(index: int, shown: Image.Image) -> Answered:
        start = [0, 30, 60][index]
        return said("\n".join(text for _, _, text in lines[start:][:30]))

    page, progress = read(page_shown, asking(answer), Reading(way="tiles", turned=0), WHOLE)
    assert page.receipt is not None
    assert (page.receipt.way, page.receipt.num_pieces) == ("tiles", 2)
    assert page.text == "\n".join(text for _, _, text in lines)
    assert page.num_lines_unread == 0
    assert len(progress) == 2


@pytest.mark.parametrize(("way", "num_pieces"), [("page", 1), ("tiles", 4)])
def test_a_model_sees_the_whole_page_or_its_tiles_by_the_engine(tmp_path: Path, way: Way, num_pieces: int) -> None:
    write_checkpoint(tmp_path / "model")
    engine, shown = Engine.load(tmp_path / "model"), draw_page(prose(6, 60, 100, 6))
    reading, seen = Reading(way=way, turned=0, budget=70), list[tuple[Ask, Answered]]()

    def asked(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        kept = list(asks)
        for index, answered in ask_engine(engine)(kept):
            seen.append((kept[index], answered))
            yield index, answered

    page, _ = read(shown, asked, reading, engine.info.traits)
    assert page.receipt is not None
    assert (page.receipt.way, page.receipt.num_pieces, page.receipt.budget) == (way, num_pieces, 70)
    assert page.receipt.num_soft_tokens == sum(answered.num_soft_tokens for _, answered in seen) > 0
    assert page.state in ("done", "looped", "cut_off")  # a model of random weights says something, to the last token
    assert all(answered.logprobs for _, answered in seen)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (said("one\ntwo\n" + "again\n" * 30), "looped"), (Answered("one", "length"), "cut_off"),
        (Answered("one", "loop"), "looped"), (Answered("", "end_of_turn"), "empty"),
        (Answered("", None, error="The picture cannot be read."), "failed"), (Answered("on", "cancelled"), "cut_off"),
    ],
)  # fmt: skip
def test_how_the_reading_of_a_page_ended_is_said(answer: Answered, state: str) -> None:
    page, _ = read(draw_page(prose(5, 60, 100, 6)), asking(lambda *_: answer), UPRIGHT, WHOLE)
    assert page.state == state
    assert bool(page.reason) == (state != "empty")
    assert page.text.count("again") <= 1


def read_as(*lines: str, num_rows: int = 5) -> PageText:
    page = draw_page(prose(num_rows, 60, 100, 6))
    return read(page, asking(lambda *_: said("\n".join(lines))), UPRIGHT, WHOLE)[0]


@pytest.mark.parametrize("unit", ["erener", "before their houses ", "a", "le chat "])
def test_a_line_that_goes_round_in_circles_is_cut_short(unit: str) -> None:
    page = read_as("The river rose again", "Adey" + unit * (600 // len(unit)), "on Monday night and")
    assert page.state == "looped"
    assert "repeated itself" in page.reason
    first, second, third = page.lines
    assert (first.text, third.text) == ("The river rose again", "on Monday night and")
    assert second.text.startswith("Adey" + unit)
    assert len(second.text) < 80
    assert second.doubtful == ((0, len(second.text)),)


def test_a_loop_that_is_not_quite_regular_is_one_all_the_same() -> None:
    rng = np.random.default_rng(3)
    page = read_as("Adeypep" + "".join(rng.choice(["erenener", "ereremere", "erenemer"], 40)))
    assert page.state == "looped"
    assert len(page.text) < 120


@pytest.mark.parametrize(
    "line",
    [" ".join(WORDS * 6), "Chapter one " + "." * 200 + " 7", "0.00 " * 40, "_" * 150, "- " * 90, "1,234.50 | " * 20,
     "Rhabarberbarbarabarbarbarenbartbarbier", "yes no yes yes no no yes no yes yes no no yes no"],
)  # fmt: skip
def test_text_leaders_and_rows_of_numbers_go_round_in_no_circles(line: str) -> None:
    page = read_as(line)
    assert (page.state, page.text) == ("done", line.strip())


def test_lines_that_come_again_and_again_are_cut_wherever_they_stand() -> None:
    page = read_as("one", *["before the houses"] * 11, "before the")
    assert (page.state, page.text) == ("looped", "one\nbefore the houses")
    page = read_as("one", *["two", "three"] * 6, "two", "thr")
    assert (page.state, page.text) == ("looped", "one\ntwo\nthree")
    page = read_as("one", *["before the houses"] * 11, "and so on")
    assert (page.state, page.text) == ("looped", "one\nbefore the houses\nand so on")


def test_lines_of_a_page_that_are_alike_are_no_loop() -> None:
    page = read_as("one", *["Yes"] * 6, "last", num_rows=8)
    assert (page.state, len(page.lines)) == ("done", 8)


def test_layer_and_reading_are_compared_line_by_line() -> None:
    lines = prose(3, 60, 100, 2)
    layer = [
        TextLine(text, Box(0.06, y / 1400, 0.3, (y + 30) / 1400), source="layer")
        for (_, y, _), text in zip(lines, ("alpha", "wrong", "gamma"), strict=True)
    ]
    layer.append(TextLine("nobody sees this", Box(0.06, 0.5, 0.4, 0.52), source="layer"))
    words = iter(["alpha", "beta", "gamma"])
    page, _ = read(
        draw_page(lines), asking(lambda *_: said(next(words))), Reading(turned=0, compares=True), layer=layer
    )
    assert [(line.text, line.source, line.differs) for line in page.lines] == [
        ("alpha", "read", None), ("beta", "read", "wrong"), ("gamma", "read", None), ("nobody sees this", "layer", ""),
    ]  # fmt: skip


def test_addresses_side_by_side_are_lines_of_their_own_in_the_order_they_are_meant() -> None:
    sides = ["Harbour Trust", "17 Quay Street", "Bergen"], ["Helen Brook", "44 Station Road", "Leeds LS1"]
    page = draw_page([(x, 100.0 + 36 * i, side[i]) for i in range(3) for x, side in zip((60, 600), sides, strict=True)])
    words = iter(side[i] for i in range(3) for side in sides)
    found, _ = read(page, asking(lambda *_: said(next(words))))
    assert found.text == "\n".join([*sides[0], *sides[1]])
    lefts = [line.box.left for line in found.lines if line.box]
    assert [left < 0.1 for left in lefts] == [True] * 3 + [False] * 3


def test_a_cell_that_is_only_guessed_is_left_out_of_its_line_and_said() -> None:
    page = draw_page([(x, 100.0 + 50 * i, "Number" if x < 100 else "20481") for i in range(4) for x in (60, 700)])
    found, _ = read(page, asking(lambda i, _: said("scribble", -0.9) if i == 1 else said(f"sure{i}")))
    assert found.text == "sure0\nsure2\tsure3\nsure4\tsure5\nsure6\tsure7"
    assert (found.state, found.num_lines_unread) == ("done", 1)
    assert found.reason == "1 of 4 lines could not be read, or not whole."


def test_a_code_that_could_not_be_decoded_is_said() -> None:
    page = draw_page([(60, 100, "Fragile")])
    for i in range(20):
        page.paste(0, (60 + 12 * i, 300, 60 + 12 * i + 3 + i % 2 * 4, 420))
    found, _ = read(page, asking(lambda *_: said("Fragile")))
    assert (found.text, found.state) == ("Fragile", "done")
    assert found.reason == "What looks like a QR code or a barcode on this page could not be decoded, and is left out."


def test_what_the_model_only_guesses_is_no_text() -> None:
    page, _ = read(draw_page(prose(4, 60, 100, 1)), asking(lambda *_: said("jx", -0.9)))
    assert (page.state, page.lines, page.num_lines_unread) == ("failed", (), 4)
    assert page.reason
    lines = prose(6, 60, 100, 1)
    page, _ = read(draw_page(lines), asking(lambda i, _: said("jx", -0.9) if i == 2 else said("certainly")))
    assert (page.state, len(page.lines), page.num_lines_unread) == ("done", 5, 1)
    assert "1 of 6" in page.reason


def test_a_page_of_dots_is_not_read_to_its_end() -> None:
    dots = np.where((np.indices((1400, 1000)) % 16 < 8).all(axis=0), 0, 255).astype(np.uint8)
    asked: list[int] = []

    def answer(index: int, _: Image.Image) -> Answered:
        asked.append(index)
        return said("oo", -0.8)

    page, _ = read(Image.fromarray(dots), asking(answer))
    assert (page.state, page.lines) == ("failed", ())
    assert len(asked) < 20


def with_squares(page: Image.Image, *places: tuple[int, int], is_spoiled: bool = False) -> Image.Image:
    """With codes there of which nobody tells the reader; spoiled ones, with solid corners, look like none."""
    code = zxingcpp.create_barcode("https://example.org/pay?id=42", zxingcpp.BarcodeFormat.QRCode)
    pixels = np.array(code.to_image(scale=1, add_quiet_zones=False))
    if is_spoiled:
        pixels[:7, :7] = pixels[-7:, :7] = 0
    drawn = Image.fromarray(pixels).convert("L")
    for place in places:
        page.paste(drawn.resize((400, 400), Image.Resampling.NEAREST), place)
    return page


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (said("OPEN"), "done", "OPEN"),
        (said("ebabasejegouo\nEXXM", -1.1), "failed", ""),
        (said("\n".join(["EkX3M"] * 9)), "looped", "EkX3M"),
        (said(""), "empty", ""),
    ],
)
def test_what_a_model_of_lines_says_to_a_whole_picture_is_text_only_where_it_is_sure(
    answer: Answered, state: str, text: str
) -> None:
    shown = with_squares(draw_page([], (1240, 1754)), (120, 500), (700, 500), is_spoiled=True)
    page, _ = read(shown, asking(lambda *_: answer))
    assert page.receipt is not None
    assert (page.receipt.way, page.state, page.text) == ("page" if text else page.receipt.way, state, text)
    assert page.reason or state == "done"


def test_lines_that_are_read_surely_stay_whatever_ink_is_beside_them() -> None:
    lines = [(120.0, 200.0, "Pay here with your"), (120.0, 260.0, "telephone: 42 euro")]
    shown = with_squares(draw_page(lines, (1240, 1754), 48), (760, 260))
    page, _ = read(shown, asking(lambda *_: said("sure")))
    assert page.receipt is not None
    assert (page.receipt.way, page.state, page.text) == ("pieces", "done", "sure\nsure")
    assert page.reason.startswith("What looks like a QR code")


def test_ink_that_is_no_print_is_said() -> None:
    noise = np.random.default_rng(1).integers(0, 2, (20, 30), np.uint8) * 200
    picture = Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC)
    shown = Image.new("L", (900, 900), 255)
    shown.paste(picture, (100, 100))
    page, _ = read(shown, asking(lambda *_: said("jx", -0.9)))
    assert page.state in ("empty", "failed")
    assert page.reason
    assert page.lines == ()
