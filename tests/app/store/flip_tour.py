"""Single wrong bits in a database of conversations, and what comes back after each.

python tests/app/store/flip_tour.py [ROUNDS] [SEED]
"""

import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from app.store import Draft, Store  # noqa: E402
from tests.app.store.stored import answered, asked, loaded, names  # noqa: E402

NUM_CONVERSATIONS = 24
ROUNDS = 100


def fill(folder: Path, seed: int) -> dict[str, list[str]]:
    """Keep conversations of short and long turns; return the texts of each, which its first turns name."""
    chance = random.Random(seed)
    texts: dict[str, list[str]] = {}
    store = Store(folder, print)
    for number in range(NUM_CONVERSATIONS):
        id_ = f"{chance.getrandbits(128):032x}"
        parent = None
        texts[id_] = []
        for turn in range(2 + chance.randrange(4)):
            text = f"{number} {turn} " + "words " * chance.choice((3, 40, 400, 3000))
            turn_id = f"{chance.getrandbits(128):032x}"
            made = answered(turn_id, text, parent, created_at=1e9 + turn) if parent else asked(turn_id, text)
            store.add_turn(id_, made)
            parent = turn_id
            texts[id_].append(text)
        store.set_title(id_, f"Conversation {number}", is_chosen=False)
        if number % 5 == 0:
            store.save_draft(id_, Draft(f"draft {number}"))
    store.close()
    return texts


def flip(path: Path, chance: random.Random) -> int:
    """Turn one bit of a file over; return where."""
    content = bytearray(path.read_bytes())
    bit = chance.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    return bit


def differences(folder: Path, texts: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    """What a store shows otherwise than it was kept, and what it said to the person.

    One broken row may have lost its text or its name; no conversation may be hidden, and no other row be changed.
    """
    said: list[str] = []
    store = Store(folder, said.append)
    found = {id_: [turn.message.text for turn in loaded(store, id_).turns] for id_ in names(store)}
    store.close()
    missing = texts.keys() - found.keys()
    renamed = found.keys() - texts.keys()
    wrong = [f"{id_} is hidden" for id_ in missing] if len(missing) > len(renamed) else []
    kept, shown = (Counter(text for each in all_.values() for text in each) for all_ in (texts, found))
    if sum((kept - shown).values()) > 1:
        wrong.append(f"{sum((kept - shown).values())} turns are lost")
    return wrong, said


def rounds(folder: Path, seeds: range) -> dict[int, list[str]]:
    """Flip a bit for each seed; return what is wrong after those with which anything is."""
    texts = fill(folder / "whole", seeds.start)
    wrong: dict[int, list[str]] = {}
    for seed in seeds:
        damaged = folder / str(seed)
        shutil.copytree(folder / "whole", damaged)
        bit = flip(damaged / "chats.sqlite3", random.Random(seed))
        found, said = differences(damaged, texts)
        if found:
            wrong[seed] = [f"bit {bit}", *found, *said]
        shutil.rmtree(damaged)
    return wrong


def main() -> None:
    """Tell what was wrong, and in how many rounds."""
    arguments = [int(value) for value in sys.argv[1:]]
    num_rounds, seed = (*arguments, *(ROUNDS, 0)[len(arguments) :])
    with tempfile.TemporaryDirectory() as folder:
        wrong = rounds(Path(folder), range(seed, seed + num_rounds))
    for number, found in wrong.items():
        print(f"{number}: {'; '.join(found)}")
    print(f"{num_rounds - len(wrong)} of {num_rounds} flips hid nothing")


if __name__ == "__main__":
    main()
