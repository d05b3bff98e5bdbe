"""Ink of codes that cannot be decoded: left out, where print and rules stay."""

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from engine.documents.codes import find_codes
from engine.documents.sheet import Sheet, take_apart
from engine.documents.skew import is_sideways
from tests.documents.pages import as_ink, draw_page

KINDS = zxingcpp.BarcodeFormat


def damaged(content: str, kind: zxingcpp.BarcodeFormat, scale: int, height: int | None = None) -> Image.Image:
    """A code with a blot and a hole in its middle."""
    pixels = np.array(zxingcpp.create_barcode(content, kind).to_image(scale=scale, add_quiet_zones=True))
    drawn = Image.fromarray(pixels).convert("L")
    drawn = drawn.resize((drawn.width, height)) if height else drawn
    draw, (width, tall) = ImageDraw.Draw(drawn), drawn.size
    draw.rectangle((0.42 * width, 0.4 * tall, 0.55 * width, 0.58 * tall), fill=0)
    draw.rectangle((0.55 * width, 0 if height else 0.45 * tall, 0.62 * width, tall if height else 0.7 * tall), fill=255)
    return drawn


LINK = "https://example.org/pay?id=42&to=Harbour+Trust"


def sides(sheet: Sheet) -> np.ndarray:
    return np.array([(row.left, row.top, row.right, row.bottom) for row in sheet.rows])


@pytest.mark.parametrize(
    "code",
    [
        damaged(LINK, KINDS.QRCode, 4), damaged(LINK, KINDS.QRCode, 10), damaged(LINK, KINDS.QRCode, 6).rotate(90),
        damaged("4006381333931", KINDS.EAN13, 4, 150), damaged("MX-20481", KINDS.Code128, 3, 90),
        damaged("MX-20481", KINDS.Code128, 3, 90).rotate(90, expand=True),
    ],
    ids=["small", "large", "turned", "bars", "low bars", "bars on their side"],
)  # fmt: skip
def test_a_code_that_nobody_decodes_is_left_out_and_noted(code: Image.Image) -> None:
    page = draw_page([(80, 80, "Pay here with your"), (80, 140, "telephone: 42 euro"), (80, 640, "Thank you")],
                     (1000, 720), 40)  # fmt: skip
    alone = take_apart(page)
    page.paste(code, (560, 60))
    assert not find_codes(page)
    sheet = take_apart(page)
    assert len(sheet.rows) == 3
    assert sides(sheet) == pytest.approx(sides(alone), abs=2)
    assert (sheet.ground.has_codes, alone.ground.has_codes) == (True, False)
    assert sheet.unexplained < 0.05


def test_bars_do_not_lay_a_label_on_its_side() -> None:
    page = draw_page([(40, 40, "Oat biscuits 250 g"), (40, 450, "Keep in a cool, dry place")], (900, 560), 44)
    page.paste(damaged("4006381333931", KINDS.EAN13, 4, 170), (40, 200))
    assert not is_sideways(as_ink(page))


def test_ticked_boxes_letters_and_rules_are_no_code() -> None:
    page = draw_page([(140, 100 + 60 * i, "illicit filling lilies lll III") for i in range(6)], height=34)
    draw = ImageDraw.Draw(page)
    for i in range(6):
        draw.rectangle((90, 105 + 60 * i, 118, 133 + 60 * i), outline=0, width=4)
        draw.rectangle((98, 113 + 60 * i, 110, 125 + 60 * i), fill=0)
    for i, size in enumerate((22, 26, 30)):
        text = "The committee will still fill little tilting titles at 11:11, if it filters all till 12 July"
        draw.text((40, 480 + 40 * i), text, fill=0, font=ImageFont.load_default(size))
    for x in range(100, 900, 100):
        draw.line((x, 620, x, 900), fill=0, width=3)
    assert not take_apart(page).ground.has_codes
