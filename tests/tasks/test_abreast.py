"""Pages that are read at once: told in their order, each as if it were alone, as many as there is room for."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from engine.engine import Engine
from engine.process.worker import EngineWorker
from engine.protocol.documents import MOST_PAGES, Reading, TextLine
from engine.protocol.errors import Cancelled, EngineError
from engine.protocol.events import DocumentRead, Failed, ModelInfo, PageRead, Traits
from engine.protocol.models import Machine
from engine.protocol.requests import Envelope, LoadModel, ReadDocument
from engine.tasks.abreast import Places, abreast, pages_at_once
from engine.tasks.asking import Answered, Ask, Asking
from engine.tasks.documents import Lent, read_document
from engine.tasks.pace import Pace
from tests.documents.pages import draw_page

PATIENCE_S = 240
NUM_PAGES = 3


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pages, each with something else on it."""
    drawn = [draw_page([(20, 20, "1234 " * n)], (240, 60), 20) for n in range(1, NUM_PAGES + 1)]
    path = tmp_path_factory.mktemp("pages") / "a.tif"
    drawn[0].save(path, save_all=True, append_images=drawn[1:])
    return path


def test_what_ends_first_is_told_in_its_turn() -> None:
    is_over = threading.Event()

    def slow() -> Iterator[str]:
        yield "a slow beginning"
        assert is_over.wait(PATIENCE_S)
        yield "a slow end"

    def quick() -> Iterator[str]:
        yield "quick"
        is_over.set()

    told = list(abreast([slow(), quick()], lambda: 2))
    assert told == ["a slow beginning", "a slow end", "quick"]


def test_no_more_are_begun_than_there_is_room_for() -> None:
    begun = list[int]()

    def work(number: int) -> Iterator[int]:
        begun.append(number)
        yield number

    for told in abreast((work(number) for number in range(20)), lambda: 3):
        assert len(begun) <= told + 3
    assert sorted(begun) == list(range(20))


def test_what_goes_wrong_is_raised_in_its_turn_and_nothing_is_begun_any_more() -> None:
    def work(number: int) -> Iterator[int]:
        if number == 1:
            raise EngineError("It broke.")
        yield number

    told = abreast(map(work, range(9)), lambda: 2)
    assert next(told) == 0
    with pytest.raises(EngineError, match="It broke"):
        next(told)
    assert list(told) == []


def test_whoever_stops_listening_gives_up_what_is_under_way() -> None:
    is_given_up = threading.Event()

    def work(number: int) -> Iterator[int]:
        yield number
        assert is_given_up.wait(PATIENCE_S)

    told = abreast(map(work, range(9)), lambda: 3, is_given_up.set)
    assert next(told) == 0
    told.close()
    assert is_given_up.is_set()


@pytest.mark.parametrize(("background", "expected"), [((), [0, 1, 2, 3]), ((0, 1, 3), [0, 2, 1, 3])])
def test_places_are_shared_and_given_in_order_last_to_what_is_in_the_background(
    background: tuple[int, ...], expected: list[int]
) -> None:
    places, order, first_is_in, may_go = Places(), list[int](), threading.Event(), threading.Event()
    has_asked = [threading.Event() for _ in range(4)]

    def work(number: int) -> None:
        with places.taken(has_asked[number].set, in_background=number in background):
            order.append(number)
            first_is_in.set()
            assert may_go.wait(PATIENCE_S)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    threads[0].start()
    assert first_is_in.wait(PATIENCE_S)
    for number in (1, 2, 3):
        threads[number].start()
        assert has_asked[number].wait(PATIENCE_S)
    assert order == [0]
    may_go.set()
    for thread in threads:
        thread.join()
    assert order == expected


def test_who_gives_up_waiting_keeps_no_place() -> None:
    places = Places()

    def give_up() -> None:
        raise Cancelled

    with places.taken(lambda: None), pytest.raises(Cancelled), places.taken(give_up):
        pass
    with places.taken(give_up):
        pass


def test_as_many_pages_as_fit_well_are_read_at_once_and_one_by_a_model_of_pieces(tiny_checkpoint: Path) -> None:
    info = Engine.load(tiny_checkpoint).info
    roomy = Machine("a chip", 2**36, 2**36, "a system", has_gpu=True)
    assert pages_at_once(info, roomy) == MOST_PAGES
    assert pages_at_once(msgspec.structs.replace(info, shapes=None), roomy) == 1
    assert pages_at_once(msgspec.structs.replace(info, traits=Traits(max_line_characters=40)), roomy) == 1
    numbers = [pages_at_once(info, msgspec.structs.replace(roomy, working_set_bytes=2**n)) for n in range(20, 30)]
    assert numbers == sorted(numbers)
    assert numbers[0] == 1 < numbers[-1]


def test_pages_are_under_way_together(pages: Path, tiny_checkpoint: Path) -> None:
    info, together = Engine.load(tiny_checkpoint).info, threading.Barrier(NUM_PAGES)

    class Model:
        def __init__(self, info: ModelInfo) -> None:
            self.info = info

        @property
        def asking(self) -> Asking:
            def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
                together.wait(PATIENCE_S)
                yield from ((index, Answered("Some words.", "end_of_turn")) for index, _ in enumerate(asks))

            return ask

    @contextmanager
    def lend() -> Iterator[Lent]:
        yield Model(info)

    request = ReadDocument(1, str(pages), Reading("page", turned=0))
    events = list(read_document(request, lambda: None, lend, Pace(), Places(lambda: NUM_PAGES)))
    assert [each.page.text for each in events if isinstance(each, PageRead)] == ["Some words."] * NUM_PAGES
    assert events[-1] == DocumentRead(NUM_PAGES)


def test_each_page_is_read_as_if_it_were_alone(pages: Path, tiny_checkpoint: Path) -> None:
    heard = queue.SimpleQueue[Envelope]()
    reading = Reading("page", budget=70, turned=0)
    worker = EngineWorker(heard.put)

    def read(*requests: ReadDocument) -> list[TextLine]:
        lines: dict[int, list[TextLine]] = {request.request_id: [] for request in requests}
        for request in requests:
            worker.submit(request)
        num_over = 0
        while num_over < len(requests):
            envelope = heard.get(timeout=PATIENCE_S)
            assert not isinstance(envelope.event, Failed), envelope
            num_over += isinstance(envelope.event, DocumentRead)
            if isinstance(envelope.event, PageRead):
                lines[envelope.request_id] += envelope.event.page.lines
        return [line for each in lines.values() for line in each]

    worker.start()
    try:
        worker.submit(LoadModel(1, str(tiny_checkpoint)))
        single = [ReadDocument(2 + number, str(pages), reading, (number,)) for number in range(1, NUM_PAGES + 1)]
        together = read(ReadDocument(2, str(pages), reading))
        of_several_requests = read(*single)
        alone = [line for request in single for line in read(request)]
    finally:
        worker.close()
    likely = [line.confidence for line in alone]
    for lines in (together, of_several_requests):
        assert [line.text for line in lines] == [line.text for line in alone]
        assert [line.confidence for line in lines] == pytest.approx(likely, abs=1e-4)
    assert len(set(likely)) >= NUM_PAGES
