"""Lines become the paragraphs they were set from: nothing lost, words cut at line ends whole, columns followed."""

from hypothesis import given
from hypothesis import strategies as st

from engine.documents.paragraphs import join_lines, paragraphs, words_of
from engine.protocol.documents import Box, TextLine

WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyzäöéß", min_size=1, max_size=14), min_size=1, max_size=60)


def wrapped(words: list[str], width: int, cuts: list[bool]) -> list[str]:
    """The words set in lines; some that do not fit are cut after their second letter."""
    lines, line = [], ""
    for place, word in enumerate(words):
        rest = word
        room = width - len(line) - 1
        if line and len(word) > room:
            if cuts[place % len(cuts)] and len(word) > 5:
                line, rest = f"{line} {word[:2]}-", word[2:]
            lines.append(line)
            line = rest
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


@given(WORDS, st.integers(15, 60), st.lists(st.booleans(), min_size=1, max_size=7))
def test_a_text_that_was_wrapped_and_hyphenated_comes_back(words: list[str], width: int, cuts: list[bool]) -> None:
    joins = {"and", "or", "to", "und", "oder", "bis", "sowie", "et", "ou", "y", "o", "e", "en", "of"}
    words = [f"{word}x" if any(word[2:] == each for each in joins) else word for word in words]
    assert join_lines(wrapped(words, width, cuts)) == " ".join(words)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_no_character_is_lost_but_hyphens_and_blanks(texts: list[str]) -> None:
    kept = [
        character for text in texts for character in text if not character.isspace() and character not in "-‐\u00ad"
    ]
    joined = [character for character in join_lines(texts) if not character.isspace() and character not in "-‐\u00ad"]
    assert joined == kept


def test_a_hyphen_stays_where_the_word_has_it() -> None:
    lines = [
        "a well-known case of a well-",
        "known man, MX-",
        "77 and Anglo-",
        "American, Vor-",
        "und Nachteile; re-",
        "turned",
    ]
    joined = join_lines(lines, words_of(lines))
    assert joined == "a well-known case of a well-known man, MX-77 and Anglo-American, Vor- und Nachteile; returned"


def test_scripts_without_blanks_get_none_and_dashes_neither() -> None:
    assert join_lines(["日本語の", "文章です。", "次"]) == "日本語の文章です。次"
    assert join_lines(["it was—", "so to say—done"]) == "it was—so to say—done"
    assert join_lines(["soft\u00ad", "ly said"]) == "softly said"
    assert join_lines(["one –", "two"]) == "one – two"


def placed(text: str, left: float, top: float, right: float, height: float = 0.012) -> TextLine:
    return TextLine(text, Box(left, top, right, top + height))


def test_paragraphs_begin_after_short_lines_gaps_and_indents() -> None:
    lines = [
        placed("The first paragraph fills its whole", 0.1, 0.10, 0.5),
        placed("line and ends.", 0.1, 0.12, 0.25),
        placed("The second begins at once and goes", 0.1, 0.14, 0.5),
        placed("on until here, as wide as all others.", 0.1, 0.16, 0.5),
        placed("Indented is the third, after a full one,", 0.12, 0.18, 0.5),
        placed("and far below it stands a fourth line", 0.1, 0.20, 0.5),
        placed("Which is another.", 0.1, 0.26, 0.3),
    ]
    assert [len(group) for group in paragraphs(lines)] == [2, 2, 2, 1]


def test_a_paragraph_goes_on_in_the_next_column() -> None:
    lines = [
        placed("A sentence that begins in the left", 0.1, 0.84, 0.45),
        placed("column and is not over there but", 0.1, 0.86, 0.45),
        placed("goes on in the right one.", 0.55, 0.10, 0.8),
    ]
    assert len(paragraphs(lines)) == 1


def test_items_of_a_list_are_paragraphs_of_their_own() -> None:
    lines = [placed(text, 0.1, 0.1 + 0.02 * place, 0.5) for place, text in enumerate(("- one", "- two", "2. three"))]
    assert [len(group) for group in paragraphs(lines)] == [1, 1, 1]


def test_rows_of_cells_are_no_sentence() -> None:
    texts = ("Net amount\t12.50", "tax\t2.50", "and so on")
    lines = [placed(text, 0.1, 0.1 + 0.02 * place, 0.5) for place, text in enumerate(texts)]
    assert [len(group) for group in paragraphs(lines)] == [1, 1, 1]


def test_entries_of_a_table_of_contents_are_paragraphs_of_their_own() -> None:
    lines = [TextLine(f"{at} Some words of a title . . . . . . . . . . . {at}") for at in range(3)]
    assert paragraphs(lines) == [(line,) for line in lines]


def test_lines_without_places_are_told_by_their_length() -> None:
    texts = [
        "A line that is as long as all lines are here",
        "and the last, short.",
        "A new one that is again as long as all are",
        "to",
    ]
    assert [len(group) for group in paragraphs([TextLine(text) for text in texts])] == [2, 2]


@given(st.lists(st.text(max_size=20), max_size=30))
def test_every_line_with_text_is_in_one_paragraph_in_order(texts: list[str]) -> None:
    lines = [TextLine(text) for text in texts]
    assert [line for group in paragraphs(lines) for line in group] == [line for line in lines if line.text.strip()]
