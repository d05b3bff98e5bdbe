"""A text layer whose letters are others than those that are seen."""

from pathlib import Path

import pytest

from engine.documents.plausible import are_letters_swapped
from engine.documents.source import Document
from tests.documents.pdf_files import Page, text, write_pdf

TEXTS = {
    "english": "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
    "conscience and should act towards one another in a spirit of brotherhood. ",
    "german": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen "
    "begabt und sollen einander im Geist der Brüderlichkeit begegnen. ",
    "polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni "
    "rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa. ",
    "welsh": "Genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau. Fe'u cynysgaeddir â rheswm a "
    "chydwybod, a dylai pawb ymddwyn y naill at y llall mewn ysbryd cymodlon. ",
    "vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều "
    "được tạo hoá ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình bằng hữu. ",
    "greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. ",
    "code": "def total(prices, discount=0.0): return sum(price * (1 - discount) for price in prices) "
    "class Widget(QWidget): def __init__(self, parent=None): super().__init__(parent) ",
}


def moved(words: str, places: int) -> str:
    return "".join(
        chr((ord(c) - ord("a") + places) % 26 + ord("a")) if c.isascii() and c.isalpha() else c
        for c in words.casefold()
    )


@pytest.mark.parametrize("words", TEXTS.values(), ids=TEXTS)
def test_texts_in_any_language_are_what_they_say(words: str) -> None:
    assert not are_letters_swapped(words * 3)
    assert not are_letters_swapped(words[:40])


@pytest.mark.parametrize(
    "words", ["3F9A 00C1 77E2 B0D4 " * 40, "ACGT TGCA GATT ACCA " * 40, "MX-77/B QZ-104 KV-9 " * 40]
)
def test_codes_are_no_language_and_yet_what_they_say(words: str) -> None:
    assert not are_letters_swapped(words)


@pytest.mark.parametrize("name", ["english", "german", "polish"])
@pytest.mark.parametrize("places", [3, 7, 10, 19])
def test_letters_that_all_moved_on_are_seen(name: str, places: int) -> None:
    assert are_letters_swapped(moved(TEXTS[name] * 3, places))


def test_a_page_whose_letters_are_others_is_read_as_a_picture(tmp_path: Path) -> None:
    lines = [TEXTS["english"][at : at + 60] for at in range(0, 170, 60)] * 3
    pages = [Page(text(*lines)), Page(text(*(moved(line, 3) for line in lines)))]
    document = Document(write_pdf(tmp_path / "a.pdf", pages))
    assert [document.look(number).verdict for number in (1, 2)] == ["text", "damaged_text"]
