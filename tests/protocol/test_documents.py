"""Which of a page's fields its model was not sure of."""

from engine.protocol.documents import PageText, TextLine


def test_a_field_is_doubtful_where_all_places_of_its_value_are() -> None:
    lines = (
        TextLine("Total 4.20", doubtful=((6, 8),)),
        TextLine("Cash 4.20 Change 0.80", doubtful=((0, 4),)),
        TextLine("Due 31 May", doubtful=((8, 9),)),
    )
    answer = '{"total": "4.20", "change": "0.80", "due": "31 May", "shop": "Kiosk", "vat": null}'
    assert PageText(1, "done", lines, answer=answer).doubtful_fields == {"due"}
    assert PageText(1, "done", lines[:1], answer=answer).doubtful_fields == {"total"}
    assert PageText(1, "done", lines).doubtful_fields == set()


def test_fields_are_text_whatever_a_model_wrote_for_their_values() -> None:
    halves = PageText(1, "done", answer='{"na\\ud800me": "Ki\\udc00osk", "list": ["\\ud83d"]}')
    assert halves.fields == {"na?me": "Ki?osk", "list": '["?"]'}
    for depth in range(900, 1100):  # where writing again takes more room than reading took
        assert PageText(1, "done", answer=f'{{"a": {"[" * depth}{"]" * depth}}}').fields.keys() <= {"a"}
