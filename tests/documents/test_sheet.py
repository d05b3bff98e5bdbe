"""From a page's picture to rows and pieces: on pages whose print is known."""

from functools import partial
from itertools import count, pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from engine.documents.cut import Piece
from engine.documents.halftone import find_halftone
from engine.documents.ink import as_positive, find_ink
from engine.documents.layout import arrange
from engine.documents.lines import find_ground
from engine.documents.sheet import Sheet, take_apart, without_cut_print
from engine.documents.skew import find_skew, is_sideways
from engine.documents.verdict import NO_LAYER, see
from engine.protocol.documents import Box
from tests.documents.pages import WORDS, Placed, as_ink, draw_page, prose
from tests.growth import assert_linear


def starts(sheet: Sheet) -> list[tuple[int, int]]:
    """Where the rows begin, in steps of ten pixels."""
    return [(round(row.left / 10), round(row.top / 10)) for row in sheet.rows]


@pytest.mark.parametrize("degrees", [-7.1, -4.4, -1.2, -0.3, 0.0, 0.7, 2.5, 4.8])
def test_skew_is_found_to_a_fifth_of_a_degree(degrees: float) -> None:
    page = draw_page(prose(20, 120, 300, 8)).rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=255)
    assert find_skew(as_ink(page)) == pytest.approx(degrees, abs=0.2)


@pytest.mark.parametrize("degrees", [-7, -4, 0, 4, 7])
def test_lines_that_run_down_the_page_are_seen(degrees: int) -> None:
    page = draw_page(prose(20, 120, 300, 8)).rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=255)
    assert not is_sideways(as_ink(page))
    assert is_sideways(as_ink(page.rotate(90, expand=True)))


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (250, 120), (20, 235), (190, 40)])
def test_ink_is_what_differs_from_the_paper(paper: int, ink: int) -> None:
    dark = as_ink(draw_page(prose(10, 120, 100, 8)))
    found = find_ink(as_positive(np.asarray(draw_page(prose(10, 120, 100, 8), paper=paper, ink=ink))))
    assert (found == dark).mean() > 0.985
    assert found.mean() > 0.5 * dark.mean()


def test_a_shadow_over_half_the_page_is_no_ink() -> None:
    page = np.asarray(draw_page(prose(10, 120, 100, 8))).astype(float)
    shadow = np.linspace(1.0, 0.45, page.shape[1])[None]
    found = find_ink((page * shadow).astype(np.uint8))
    assert (found == as_ink(draw_page(prose(10, 120, 100, 8)))).mean() > 0.985


def test_every_line_of_prose_is_a_row_in_its_order() -> None:
    sheet = take_apart(draw_page(prose(25, 100, 100, 8)))
    assert len(sheet.rows) == 25
    assert [row.top for row in sheet.rows] == sorted(row.top for row in sheet.rows)
    assert sheet.unexplained < 0.01


def test_columns_are_read_one_after_the_other_and_what_stands_around_them_before_and_behind() -> None:
    title, foot = (300.0, 60.0, "Down the Rabbit-Hole"), (480.0, 900.0, "- 7 -")
    left, right = prose(15, 60, 160, 5), prose(9, 540, 160, 5)
    sheet = take_apart(draw_page([title, foot, *left, *right]))
    wanted = [title, *left, *right, foot]
    assert len(sheet.rows) == len(wanted)
    assert all(abs(row.left - x) < 12 for row, (x, _, _) in zip(sheet.rows, wanted, strict=True))
    assert [row.block for row in sheet.rows] == [0] + [1] * 15 + [2] * 9 + [3]


@pytest.mark.parametrize("step", [36, 50, 64])
def test_columns_below_a_title_are_whole_however_far_apart_their_lines_stand(step: float) -> None:
    title = (300.0, 20.0, "The Daily News")
    left, right = prose(6, 60, 60 + 1.6 * step, 5, step), prose(6, 540, 60 + 1.6 * step, 4, step)
    sheet = take_apart(draw_page([title, *left, *right]))
    assert [row.block for row in sheet.rows] == [0] + [1] * 6 + [2] * 6


def test_columns_begin_anew_below_a_heading() -> None:
    parts = [prose(8, x, y, 5) for y in (60, 480) for x in (60, 540)]
    placed = [*parts[0], *parts[1], (60.0, 400.0, "A heading"), *parts[2], *parts[3]]
    sheet = take_apart(draw_page(placed))
    assert [
        (abs(row.left - x) < 12, abs(row.top - y) < 14) for row, (x, y, _) in zip(sheet.rows, placed, strict=True)
    ] == [(True, True)] * len(placed)


def test_a_heading_below_the_end_of_the_other_column_parts_nothing() -> None:
    left = [*prose(8, 60, 60, 5), (60.0, 400.0, "A heading"), *prose(6, 60, 480, 5)]
    placed = [*left, *prose(7, 540, 60, 5)]
    sheet = take_apart(draw_page(placed))
    assert all(
        abs(row.left - x) < 12 and abs(row.top - y) < 14 for row, (x, y, _) in zip(sheet.rows, placed, strict=True)
    )
    assert [row.block for row in sheet.rows] == [0] * 15 + [1] * 7


def test_labels_and_values_are_joined_row_before_column() -> None:
    labels = ["Number", "Date", "Customer", "Due", "Sum"]
    placed = [(80.0, 100 + 40 * i, label) for i, label in enumerate(labels)]
    placed += [(600.0, 100 + 40 * i, "2024-03-1" + str(i)) for i in range(5)]
    sheet = take_apart(draw_page(placed))
    assert [len(row.cells) for row in sheet.rows] == [2] * 5


@pytest.mark.parametrize("frame", [False, True])
def test_a_table_is_read_by_rows_with_and_without_a_grid(frame: bool) -> None:
    columns = (80, 480, 640, 800)
    page = draw_page([(x, 105 + 50 * i, f"{'Lamps' if x == 80 else i * x}") for i in range(6) for x in columns])
    if frame:
        draw = ImageDraw.Draw(page)
        for i in range(7):
            draw.line([60, 92 + 50 * i, 940, 92 + 50 * i], fill=0, width=3)
        for x in (60, 460, 620, 780, 940):
            draw.line([x, 92, x, 392], fill=0, width=3)
    sheet = take_apart(page)
    assert [len(row.cells) for row in sheet.rows] == [4] * 6
    assert bool(sheet.ground.rules) == frame


@pytest.mark.parametrize("height", [44, 60, 100])
def test_the_sides_of_a_field_are_no_letters(height: int) -> None:
    page = draw_page([(x, 110 + 130 * i, text) for i in range(4) for x, text in ((80, "Town"), (420, "Leeds"))])
    draw = ImageDraw.Draw(page)
    for i in range(4):
        draw.rectangle([400, 125 + 130 * i - height // 2, 900, 125 + 130 * i + height // 2], outline=0, width=2)
    sheet = take_apart(page)
    assert [[cell.width < 200 for cell in row.cells] for row in sheet.rows] == [[True, True]] * 4


def test_text_beside_a_picture_is_read_and_the_picture_is_not() -> None:
    page = draw_page([*prose(9, 500, 100, 5), *prose(8, 100, 460, 10)])
    noise = np.random.default_rng(1).integers(0, 170, (10, 12), np.uint8)
    page.paste(Image.fromarray(noise).resize((340, 300), Image.Resampling.BICUBIC), (100, 100))
    sheet = take_apart(page)
    assert len(sheet.rows) == 17
    assert len(sheet.ground.pictures) == 1


def test_light_print_on_a_dark_panel_is_print() -> None:
    page = draw_page(prose(6, 100, 300, 8))
    draw = ImageDraw.Draw(page)
    draw.rectangle([80, 80, 900, 180], fill=30)
    draw.text((100, 110), "Annual report", fill=250, font=ImageFont.load_default(40))
    sheet = take_apart(page)
    assert len(sheet.rows) == 7
    assert (sheet.rows[0].left, sheet.rows[0].right) == (pytest.approx(102, abs=4), pytest.approx(350, abs=30))
    shown = np.asarray(sheet.strips().picture(sheet.pieces(200)[0]))
    assert np.median(shown) > 200


@pytest.mark.parametrize(("paper", "ink"), [("white", "yellow"), ("green", "red"), ("white", "black")])
def test_print_that_differs_by_its_colour_alone_is_print(paper: str, ink: str) -> None:
    mask = ImageOps.invert(draw_page(prose(5, 100, 300, 8)))
    page = Image.composite(Image.new("RGB", mask.size, ink), Image.new("RGB", mask.size, paper), mask)
    assert len(take_apart(page).rows) == 5
    assert see(page, NO_LAYER).verdict == "picture"


def test_the_dot_of_a_thin_letter_and_a_sign_between_wide_blanks_belong_to_their_line() -> None:
    page = draw_page([(100, 100, "Pr"), (150, 100, "ce and more words"), (100, 200, "Sum"), (205, 200, "of all words")])
    draw = ImageDraw.Draw(page)
    draw.rectangle([138, 110, 140, 125], fill=0)
    draw.rectangle([139, 104, 140, 105], fill=0)
    draw.rectangle([174, 212, 190, 214], fill=0)
    draw.rectangle([174, 218, 190, 220], fill=0)
    ground = take_apart(page).ground
    parts, members = ground.components, np.concatenate([run.members for run in ground.runs])
    assert {4, 51} <= set(parts.area[members].tolist())
    assert len(ground.runs) == 2


def test_quotes_and_marks_between_words_part_no_line() -> None:
    lines = [(60.0, 60 + 50 * i, text) for i, text in enumerate(('he said: "It is!" and I\'ve', 'time?" , she; said'))]
    sheet = take_apart(draw_page([*lines, *prose(5, 60, 300, 6)], height=30))
    assert [len(row.cells) for row in sheet.rows] == [1] * 7


def test_a_letter_head_at_the_right_does_not_part_a_table_below() -> None:
    placed = [(600.0, 60 + 36 * i, "Harbour Street") for i in range(4)]
    placed += [(60.0, 260 + 36 * i, "Anna Berg") for i in range(3)]
    placed += [(x, 460 + 40 * i, f"{x * i}") for i in range(5) for x in (60.0, 400.0, 600.0, 750.0)]
    sheet = take_apart(draw_page(placed))
    assert [len(row.cells) for row in sheet.rows] == [1] * 7 + [4] * 5


def test_notes_at_the_side_stand_in_no_line_of_the_text_that_they_stand_level_with() -> None:
    text = prose(24, 300, 100, 7)
    notes = [(60.0, y + 36 * i, note) for y in (100, 460) for i, note in enumerate(("A note", "on this"))]
    sheet = take_apart(draw_page([*text, *notes]))
    assert [round(row.left / 10) for row in sheet.rows] == [6] * 4 + [30] * 24


def test_labels_and_values_of_about_a_width_are_read_across() -> None:
    labels = ("Invoice number", "Date", "Number of yours", "Due date of it")
    values = ("BW-10442-2023", "21 May of 2024", "8830-7", "20 June of 2024")
    pairs = [(x, 100 + 50 * i, side[i]) for x, side in ((80.0, labels), (330.0, values)) for i in range(4)]
    assert [len(row.cells) for row in take_apart(draw_page(pairs)).rows] == [2] * 4


def test_a_letterhead_an_address_and_a_date_are_read_from_top_to_bottom() -> None:
    head = [(700.0, 60 + 36 * i, text) for i, text in enumerate(("Harbour Trust", "17 Quay Street", "Bergen"))]
    address = [(80.0, 260 + 36 * i, text) for i, text in enumerate(("Helen Brook", "44 Station Road", "Leeds"))]
    later = [(700.0, 430.0, "12 October"), (80.0, 500.0, "Your letter of May"), (80.0, 560.0, "Dear Helen,")]
    sheet = take_apart(draw_page([*head, *address, *later, *prose(8, 80, 620, 8)]))
    assert [row.top for row in sheet.rows] == sorted(row.top for row in sheet.rows)


def test_a_small_number_far_from_large_print_is_read() -> None:
    page = draw_page([(100, 100 + 150 * i, "Large print of a slide") for i in range(4)], (1600, 900), 70)
    draw = ImageDraw.Draw(page)
    draw.text((1500, 840), "7", fill=0, font=ImageFont.load_default(36))
    assert len(take_apart(page).rows) == 5


def test_a_row_of_dots_is_a_leader_of_as_many_dots() -> None:
    sheet = take_apart(draw_page([*prose(4, 100, 100, 8), (100.0, 300.0, "Chapter one " + "." * 40 + " 7")]))
    cells = sheet.rows[-1].cells
    assert [cell.leader for cell in cells] == ["", "." * 40, ""]


def pieces_of(page: Image.Image, reach: int) -> tuple[Sheet, list[Piece]]:
    sheet = take_apart(page)
    return sheet, sheet.pieces(reach)


@pytest.mark.parametrize("reach", [14, 40])
def test_no_piece_is_wider_than_the_reach_whatever_the_gaps_say(reach: int) -> None:
    lines: list[Placed] = [*prose(5, 60, 100, 11), (60.0, 400.0, "m" * 60), (60.0, 460.0, "_|" * 40)]
    sheet, pieces = pieces_of(draw_page(lines, size=(1600, 700)), reach)
    assert all(piece.width <= reach * 0.36 * piece.height for piece in pieces)
    for index, row in enumerate(sheet.rows):
        own = [piece for piece in pieces if piece.row == index]
        assert (own[0].left, own[-1].right) == (row.left, row.right)
        assert all(a.right <= b.left for a, b in pairwise(own))


def test_a_cut_at_a_blank_is_a_blank() -> None:
    sheet, pieces = pieces_of(draw_page(prose(6, 60, 100, 14), size=(1600, 500)), 40)
    assert len(sheet.rows) == 6
    assert len(pieces) > 6
    firsts = {row: min(p.left for p in pieces if p.row == row) for row in range(6)}
    assert all(piece.before == ("" if piece.left == firsts[piece.row] else " ") for piece in pieces)


def test_a_strip_shows_its_own_line_alone() -> None:
    tight = prose(6, 60, 100, 8, step=25)
    alone = take_apart(draw_page([tight[2]]))
    sheet = take_apart(draw_page(tight))
    strips, (piece, *_) = sheet.strips(), [p for p in sheet.pieces(200) if p.row == 2]
    shown = np.asarray(strips.picture(piece)) < 128
    wanted = np.asarray(alone.strips().picture(alone.pieces(200)[0])) < 128
    assert shown.shape == wanted.shape
    assert (shown != wanted).mean() < 0.01


def test_a_box_stands_around_its_line_on_the_page_as_it_was() -> None:
    page = draw_page([(200.0, 300.0, " ".join(WORDS[:8]))], size=(1000, 800))
    page.paste(draw_page(prose(8, 0, 0, 5), size=(500, 300)), (200, 400))
    turned = page.rotate(-3, Image.Resampling.BICUBIC, fillcolor=255)
    sheet = take_apart(turned)
    row = sheet.rows[0]
    box = sheet.box(row.left, row.top, row.right, row.bottom)
    ink = as_ink(turned)
    left, top, right, bottom = (
        round(box.left * 1000), round(box.top * 800), round(box.right * 1000), round(box.bottom * 800)
    )  # fmt: skip
    assert ink[top:bottom, left:right].sum() >= 0.99 * as_ink(page)[290:340].sum()
    assert bottom - top < 90


def test_a_page_without_print_has_no_rows() -> None:
    assert take_apart(Image.new("L", (600, 800), 255)).rows == ()
    assert take_apart(Image.new("RGB", (7, 3), "white")).rows == ()


def test_one_large_letter_below_a_header_is_print() -> None:
    page = draw_page([(80, 60, "Chapter 3: The Caucus-Race")])
    ImageDraw.Draw(page).text((400, 500), "Q", fill=0, font=ImageFont.load_default(300))
    assert len(take_apart(page).rows) == 2


@pytest.mark.parametrize("has_frame", [True, False])
@pytest.mark.parametrize("words", [["EXIT 12"], ["OPEN"], ["Room 3", "Desk 8"]])
@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (60, 255)])
def test_large_print_on_a_small_sign_is_print(*, has_frame: bool, words: list[str], paper: int, ink: int) -> None:
    sign = draw_page([(90, 60 + 130 * i, word) for i, word in enumerate(words)],
                     (640, 110 + 130 * len(words)), 110, paper, ink)  # fmt: skip
    if has_frame:
        ImageDraw.Draw(sign).rectangle((10, 10, sign.width - 11, sign.height - 11), outline=ink, width=8)
    sheet = take_apart(sign)
    assert len(sheet.rows) == len(words)
    assert all(row.left > 60 for row in sheet.rows)
    assert sheet.unexplained < 0.05


def test_grain_is_no_print() -> None:
    grain = np.random.default_rng(4).normal(0, 14, (1400, 1000))
    clean = draw_page(prose(8, 100, 300, 8))
    noisy = Image.fromarray(np.clip(np.asarray(clean) + grain, 0, 255).astype(np.uint8))
    assert len(take_apart(noisy).rows) == 8
    assert take_apart(Image.fromarray(np.clip(200 + grain, 0, 255).astype(np.uint8))).rows == ()


def test_a_bad_copy_strewn_with_specks_is_read() -> None:
    pixels = np.array(draw_page(prose(8, 100, 300, 8)))
    pixels[np.random.default_rng(5).random(pixels.shape) < 0.05] = 0
    assert len(take_apart(Image.fromarray(pixels)).rows) == 8


@pytest.mark.parametrize("kind", ["dots", "diffused"])
def test_a_halftone_is_a_picture_and_the_print_around_it_is_read(kind: str) -> None:
    y, x = np.mgrid[:500, :600]
    tone = 0.5 + 0.5 * np.sin(x / 60) * np.cos(y / 50)
    screen = (np.cos(np.pi * (x + y) / 4) * np.cos(np.pi * (x - y) / 4) + 1) / 2
    dots = Image.fromarray(np.where(screen > tone, 255, 0).astype(np.uint8))
    page = draw_page([*prose(6, 100, 60, 8), *prose(4, 100, 1000, 8)])
    page.paste(dots if kind == "dots" else Image.fromarray((255 * tone).astype(np.uint8)).convert("1"), (100, 400))
    sheet = take_apart(page)
    assert len(sheet.rows) == 10
    assert sheet.skew == 0
    assert sheet.unexplained < 0.05


def test_finely_ruled_paper_and_small_print_are_no_halftones() -> None:
    ruled = draw_page(prose(6, 100, 60, 8))
    draw = ImageDraw.Draw(ruled)
    for at in range(0, 1400, 8):
        draw.line([0, at, 1000, at], fill=0)
        draw.line([at, 0, at, 1400], fill=0)
    small = draw_page(prose(80, 40, 40, 60, 14), height=10)
    assert not find_halftone(as_ink(ruled)).any()
    assert not find_halftone(as_ink(small)).any()


def test_a_drawing_is_no_line_of_print() -> None:
    page = draw_page([*prose(6, 100, 60, 8), *prose(4, 100, 1000, 8)])
    draw = ImageDraw.Draw(page)
    for i in range(9):
        draw.line([200 + 40 * i, 400 + 17 * i, 500 + 23 * i, 850 - 31 * i], fill=0, width=3)
    sheet = take_apart(page)
    assert len(sheet.rows) == 10
    assert sheet.unexplained > 0.05


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (33, 40), (7, 900)])
def test_pictures_of_any_shape_are_taken_apart(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, size, np.uint8)
    for pixels in (noise, noise // 255, np.full(size, 255, np.uint8)):
        sheet = take_apart(Image.fromarray(pixels))
        strips = sheet.strips()
        assert all(strips.picture(piece).height > 0 for piece in sheet.pieces(40))


@pytest.mark.parametrize("share", [pytest.param(0.05, marks=pytest.mark.tour), 0.15])
def test_grain_all_over_a_page_costs_in_proportion_to_its_size(share: float) -> None:
    """Pages of dots, of which the larger has sixteen times as many."""
    small, large = (partial(take_apart, dots(side, share)) for side in (300, 1200))
    assert_linear(small, large, 0.05, "grain")


def test_who_stops_waiting_ends_the_taking_apart_within_each_of_its_steps() -> None:
    page = draw_page([*prose(6, 20, 20, 3, 34), *prose(6, 340, 20, 3, 34)], (600, 240))
    calls = count()
    take_apart(page, lambda: next(calls) and None)
    num_calls = next(calls)
    assert num_calls >= 11
    for last in range(0, num_calls, 3):
        steps = iter(range(last))
        with pytest.raises(StopIteration):
            take_apart(page, lambda steps=steps: next(steps) and None)
    within = count()
    ground = find_ground(as_ink(page), lambda: next(within) and None)
    num_of_ground = next(within)
    arrange(ground.runs, (), lambda: next(within) and None)
    assert num_of_ground > 5
    assert next(within) > num_of_ground + 3


def dots(side: int, share: float) -> Image.Image:
    return Image.fromarray(np.where(np.random.default_rng(0).random((side, side)) < share, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("paper", [255, 210])
def test_what_the_edges_of_a_part_cut_through_is_no_line_of_it(paper: int) -> None:
    page = draw_page(prose(3, 100, 100, 8, 34), (1000, 300), paper=paper)
    rows = take_apart(page).rows
    top, bottom = rows[0].bottom - 4, rows[2].top + 2
    shown, region = without_cut_print(page.crop((0, top, 1000, bottom)), Box(0.0, top / 300, 1.0, bottom / 300))
    sheet = take_apart(shown)
    (row,) = sheet.rows
    assert len(row.cells) == 1
    box = sheet.box(row.left, row.top, row.right, row.bottom, region)
    assert (box.left * 1000, box.right * 1000) == pytest.approx((rows[1].left, rows[1].right), abs=1)
    assert (box.top * 300, box.bottom * 300) == pytest.approx((rows[1].top, rows[1].bottom), abs=1)


@pytest.mark.parametrize("fall", [-2.5, 1.5, 2.5, 3.0])
def test_a_line_that_slopes_out_of_a_part_is_no_line_of_it_anywhere(fall: float) -> None:
    slanted = draw_page(prose(6, 100, 100, 12, 34), (1000, 400)).rotate(-fall, fillcolor=255)
    whole = take_apart(slanted)
    boxes = [whole.box(row.left, row.top, row.right, row.bottom) for row in whole.rows]
    top, bottom = round(boxes[2].top * 400) - 4, round(boxes[3].bottom * 400) + 4
    shown, region = without_cut_print(slanted.crop((0, top, 1000, bottom)), Box(0.0, top / 400, 1.0, bottom / 400))
    sheet = take_apart(shown)
    found = [sheet.box(row.left, row.top, row.right, row.bottom, region) for row in sheet.rows]
    places = [(box.left * 1000, box.top * 400, box.right * 1000, box.bottom * 400) for box in boxes[2:4]]
    assert [(box.left * 1000, box.top * 400, box.right * 1000, box.bottom * 400) for box in found] == [
        pytest.approx(place, abs=2) for place in places
    ]
