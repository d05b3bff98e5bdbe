"""Sheets photographed on a table: found, laid bare, and their lines placed in the photograph."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from engine.documents.desk import WHOLE, clear_ground
from engine.documents.sheet import take_apart
from tests.documents.pages import draw_page, prose

LINES = prose(8, 80, 80, 6)


def photograph(
    sheet: Image.Image, ground: tuple[int, int, int], *, degrees: float = 0.0, grain: float = 0.0, at: int = 0
) -> Image.Image:
    """A sheet on a larger ground, turned clockwise; `at` moves it to the left."""
    size = (sheet.width * 3 // 2, sheet.height * 3 // 2)
    noise = np.random.default_rng(2).normal(0, grain, (size[1], size[0], 3))
    table = Image.fromarray(np.clip(noise + ground, 0, 255).astype(np.uint8))
    laid, seen = Image.new("RGB", size), Image.new("L", size)
    left, top = (size[0] - sheet.width) // 2 - at, (size[1] - sheet.height) // 2
    laid.paste(sheet.convert("RGB"), (left, top))
    seen.paste(255, (left, top, left + sheet.width, top + sheet.height))
    laid, seen = (each.rotate(-degrees, Image.Resampling.BICUBIC) for each in (laid, seen))
    return Image.composite(laid, table, seen).filter(ImageFilter.GaussianBlur(0.7))


WOOD, BLACK, CARPET = ((70, 48, 40), 0.0), ((10, 10, 12), 4.0), ((120, 80, 50), 14.0)


@pytest.mark.parametrize(
    ("ground", "grain", "degrees"),
    [(*WOOD, -6), (*WOOD, 0), (*WOOD, 5), (*BLACK, -6), (*BLACK, 1), (*CARPET, -3), (*CARPET, 5)],
)
def test_a_sheet_on_a_table_is_read_like_a_page(ground: tuple[int, int, int], grain: float, degrees: float) -> None:
    photo = photograph(draw_page(LINES, (900, 560), paper=235), ground, degrees=degrees, grain=grain)
    sheet = take_apart(photo)
    assert len(sheet.rows) == len(LINES)
    assert [len(row.cells) for row in sheet.rows] == [1] * len(LINES)
    assert sheet.skew == pytest.approx(degrees, abs=0.3)
    assert sheet.unexplained < 0.05


@pytest.mark.parametrize("degrees", [-4, 0, 3])
def test_its_lines_have_their_places_in_the_photograph(degrees: float) -> None:
    blank, one = draw_page([], (900, 560)), draw_page([(200.0, 300.0, "Dear Mrs. Thompson,")], (900, 560))
    photo = photograph(one, (60, 50, 40), degrees=degrees)
    left, top, right, bottom = ImageChops.difference(photo, photograph(blank, (60, 50, 40), degrees=degrees)).getbbox()
    sheet = take_apart(photo)
    row = sheet.rows[0]
    box = sheet.box(row.left, row.top, row.right, row.bottom)
    found = (box.left * photo.width, box.top * photo.height, box.right * photo.width, box.bottom * photo.height)
    assert np.allclose(found, (left, top, right, bottom), atol=9)


def test_a_sheet_may_reach_over_the_edge_of_the_photograph() -> None:
    photo = photograph(draw_page(LINES, (900, 560)), (60, 50, 40), at=260)
    assert len(take_apart(photo).rows) == len(LINES)


def test_two_sheets_are_both_read() -> None:
    photo = Image.new("L", (1500, 1000), 50)
    photo.paste(draw_page(prose(8, 40, 60, 4), (560, 500)), (100, 150))
    photo.paste(draw_page(prose(10, 40, 60, 4), (560, 560), paper=240), (800, 250))
    assert len(take_apart(photo).rows) == 18


def test_a_lamp_that_shines_from_the_side_leaves_the_sheet_whole() -> None:
    photo = np.asarray(photograph(draw_page(LINES, (900, 560)), (60, 50, 40), degrees=2)).astype(float)
    light = np.linspace(1.0, 0.65, photo.shape[1])[None, :, None]
    assert len(take_apart(Image.fromarray((photo * light).astype(np.uint8))).rows) == len(LINES)


def poster() -> Image.Image:
    """A dark page with light print around a light panel."""
    page = draw_page([(80.0, 60.0, "Concert in the park"), (80.0, 700.0, "Doors open at 8")], (1000, 800), 40, 20, 240)
    page.paste(draw_page(prose(8, 40, 40, 6), (800, 500)), (100, 150))
    return page


def card() -> Image.Image:
    """A light card on a coloured page with dark print around it."""
    page = draw_page([(80.0, 60.0, "Your order in detail"), (80.0, 700.0, "Thank you")], (1000, 800), 40, 150, 0)
    page.paste(draw_page(prose(8, 40, 40, 6), (800, 500)), (100, 150))
    return page


def framed() -> Image.Image:
    page = draw_page(prose(10, 100, 200, 8))
    ImageDraw.Draw(page).rectangle([0, 0, 999, 120], fill=30)
    return page


@pytest.mark.parametrize(
    "page",
    [draw_page(LINES), draw_page(LINES, paper=20, ink=235), draw_page([(90.0, 40.0, "HI")], (900, 500), 380, 10, 240),
     poster(), card(), framed(), Image.new("L", (400, 300), 10), Image.new("L", (1, 1), 0)],
    ids=["page", "negative", "sign", "poster", "card", "panel", "dark", "pixel"],
)  # fmt: skip
def test_what_is_printed_on_dark_ground_stays_as_it_is(page: Image.Image) -> None:
    same, part = clear_ground(page)
    assert same is page
    assert part == WHOLE
