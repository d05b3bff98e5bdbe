"""Questions for a clock or a calculator, as the family writes calls; and forms filled from a card."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import sums
import tokenizer as tk
from numpy.random import Generator
from words import WORDS

QUOTE = '<|"|>'
CLOCK, CALCULATOR = "clock", "calculator"
CLOCK_TEXTS = (
    "Tells the date and the time.",
    "Gives the current date and time.",
    "The current time, date and day of the week.",
    "What time it is.",
    "Get the current time.",
    "Tells today's date, the day of the week and the time.",
)
CALCULATOR_TEXTS = (
    "Works out an expression such as 12 * 34.",
    "Calculates an arithmetic expression.",
    "Evaluate a mathematical expression.",
    "Works out sums, products and quotients of numbers.",
    "Calculator for + - * / and brackets.",
)
EXPRESSION_TEXTS = (
    "",
    "",
    "What to work out, such as 12 * 34.",
    "The expression.",
    "A sum with the signs + - * / ( ).",
)
TIME_QUESTIONS = (
    "What time is it?",
    "What's the time?",
    "what time is it now",
    "Time?",
    "Can you tell me the time?",
    "Do you know what time it is?",
    "How late is it?",
    "Tell me the time.",
    "Please tell me the current time.",
    "What is the time right now?",
    "What's the current time?",
    "Give me the time.",
    "Is it late?",
    "the time please",
    "Could you check the clock?",
    "What does the clock say?",
    "I need to know the time.",
)
DATE_QUESTIONS = (
    "What is the date?",
    "What's the date today?",
    "What date is it?",
    "Which date is today?",
    "Today's date?",
    "Tell me today's date.",
    "What is today's date?",
    "Give me the date.",
    "date please",
    "Which year is it?",
)
DAY_QUESTIONS = (
    "What day is it?",
    "What day is it today?",
    "Which day of the week is it?",
    "What weekday is it?",
    "Which weekday is today?",
    "day of the week?",
    "Is it Monday today?",
    "Tell me what day it is.",
)
FAILURES = (
    "division by zero",
    "not an expression",
    "The clock is not set.",
    "took longer than 5 seconds",
    "no such function",
)
LABELS = (
    "Name", "City", "Date", "Total", "Item", "Room", "Seat", "Price", "Qty", "No", "Gate", "Code", "Color", "Day",
    "Time", "To", "From", "Size", "Tax", "Sum", "Row", "Car", "Age", "Zip", "Team", "Type", "Unit", "Year", "Shop",
    "Tel", "Bus", "Key", "Art", "Cup", "Box", "Door", "Lot", "Job", "Ref", "Tip",
)  # fmt: skip
FORM_PROMPTS = (
    "Write the fields in this picture as a JSON object: each label with its value. Write only the JSON.",
    "Read this as JSON.",
    "As JSON.",
    "JSON",
    "Fill in the form.",
    "Give me the fields as JSON.",
    "Turn this card into JSON.",
    "Extract the fields.",
)
FIELD_PROMPTS = (
    "Give me {fields} as JSON.",
    "JSON with {fields}",
    "Read {fields} from this card.",
    "Fill in {fields}.",
    "What are {fields}? Answer as JSON.",
    "Extract {fields}.",
)


def marked(text: str) -> list[int]:
    """Ids of a text in which control tokens stand by their names."""
    ids: list[int] = []
    for part in re.split(r"(<\|?[a-z_\"|]+\|?>|\n)", text):
        if part == "\n":
            ids.append(tk.NEWLINE)
        elif part in tk.SPECIALS:
            ids.append(tk.SPECIALS[part])
        else:
            ids += tk.encode(part)
    return ids


@dataclass(frozen=True)
class Call:
    """A call, what it gave, and what is said then."""

    tool: str
    arguments: str  # as they stand between the braces, control tokens by their names
    result: str
    answer: str
    about: str = ""  # what the clock was asked for

    @property
    def written(self) -> str:
        return f"<|tool_call>call:{self.tool}{{{self.arguments}}}<tool_call|>"

    @property
    def given(self) -> str:
        return f"<|tool_response>response:{self.tool}{{{self.result}}}<tool_response|>"


def quoted(text: str) -> str:
    return f"{QUOTE}{text}{QUOTE}"


def declaration(rng: Generator, name: str) -> str:
    """A tool as the prompt declares it."""
    if name == CLOCK:
        fields = f"description:{quoted(pick(rng, CLOCK_TEXTS))}"
    elif name == CALCULATOR:
        told = pick(rng, EXPRESSION_TEXTS)
        told = f"description:{quoted(told)}," if told else ""
        fields = (
            f"description:{quoted(pick(rng, CALCULATOR_TEXTS))},parameters:{{properties:{{expression:{{{told}"
            f"type:{quoted('STRING')}}}}},required:[{quoted('expression')}],type:{quoted('OBJECT')}}}"
        )
    else:
        words = " ".join(pick(rng, WORDS) for _ in range(int(rng.integers(2, 7))))
        fields = f"description:{quoted(words.capitalize() + '.')}"
    return f"<|tool>declaration:{name}{{{fields}}}<tool|>"


def offered(rng: Generator) -> list[str]:
    """Names of the tools of a conversation, in any order, now and then with one that is of no use."""
    names = [[CLOCK, CALCULATOR], [CLOCK], [CALCULATOR]][int(rng.choice(3, p=[0.64, 0.18, 0.18]))]
    if rng.random() < 0.15:
        names.append(pick(rng, WORDS).lower())
    rng.shuffle(names)
    return names


def pick(rng: Generator, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]


def asked_clock(rng: Generator, choice: bool = False) -> tuple[str, Call]:
    """A question about the time, the date or the day; for a choice as often each, and the clock tells them all."""
    now = datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=int(rng.integers(20 * 366 * 86400)))
    date, time, day = f"{now:%Y-%m-%d}", f"{now:%H:%M}", f"{now:%A}"
    u = rng.random()
    questions, answer, about = (
        (TIME_QUESTIONS, time, "time"),
        (DATE_QUESTIONS, date, "date"),
        (DAY_QUESTIONS, day, "day"),
    )[int(3 * u) if choice else 0 if u < 0.6 else 1 if u < 0.8 else 2]
    v = 0.0 if choice else rng.random()
    if v < 0.7:
        result = f"date:{quoted(date)},time:{quoted(time)},weekday:{quoted(day)}"
    elif v < 0.95:
        answer = (f"{date} {time}", f"{time}", f"{now:%Y-%m-%d %H:%M:%S}", f"{now:%H:%M:%S}", f"{day}, {time}")[
            int(rng.integers(5))
        ]
        result = f"value:{quoted(answer)}"
        about = "as told"
    else:
        return pick(rng, questions), failed(rng, CLOCK, "")
    question = pick(rng, questions)
    w = rng.random()
    question = question.lower() if w < 0.1 else question.rstrip(".?") if w < 0.2 else question
    return question, Call(CLOCK, "", result, f"It is {answer}.", about)


def failed(rng: Generator, tool: str, arguments: str) -> Call:
    error = pick(rng, FAILURES)
    return Call(tool, arguments, f"error:{quoted(error)}", f"The {tool} says: {error}", "error")


def asked_calculator(rng: Generator) -> tuple[str, Call]:
    """A sum, a product or a quotient, often of large numbers."""

    def number() -> int:
        return int(rng.integers(10 ** int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.1, 0.2, 0.25, 0.25, 0.12, 0.08]))))

    a, b = number(), number()
    u = rng.random()
    if u < 0.8:
        sign = "+-x"[int(rng.choice(3, p=[0.2, 0.2, 0.6]))]
        s = sums.Sum(a, sign, b)
        question, expression, value = sums.wording(rng, s), f"{a} {sign.replace('x', '*')} {b}", s.value
    elif u < 0.92:
        b = b or 7
        question = pick(rng, ("What is {a} / {b}?", "{a} / {b}", "{a} divided by {b}", "Divide {a} by {b}.")).format(
            a=a, b=b
        )
        expression, value = f"{a} / {b}", round(a / b, 4)
    else:
        c = number()
        p, q = pick(rng, "+-*"), pick(rng, "+-*")
        expression = f"({a} {p} {b}) {q} {c}" if rng.random() < 0.5 else f"{a} {p} {b} {q} {c}"
        question = pick(rng, ("What is {e}?", "{e}", "{e} =", "Work out {e}.", "How much is {e}?")).format(e=expression)
        value = eval(expression)  # digits and signs, made above
    arguments = f"expression:{quoted(expression)}"
    if rng.random() < 0.05:
        return question, failed(rng, CALCULATOR, arguments)
    if rng.random() < 0.15:
        return question, Call(CALCULATOR, arguments, f"value:{quoted(str(value))}", str(value))
    return question, Call(CALCULATOR, arguments, f"value:{value}", str(value))


# ----------------------------------------------------------------------------------------------- forms --
@dataclass(frozen=True)
class Form:
    """A card of labels and values, a question about it, and the JSON that answers it."""

    card: str
    question: str
    parts: tuple[tuple[str, bool], ...]  # of the answer, and whether each is trained

    @property
    def answer(self) -> str:
        return "".join(text for text, _ in self.parts)


def value_of(rng: Generator, most: int) -> str:
    r = rng.integers
    for _ in range(40):
        u = rng.random()
        if u < 0.5:
            text = pick(rng, WORDS)
            text = text.upper() if rng.random() < 0.3 else text.capitalize()
        elif u < 0.75:
            text = str(r(10 ** int(r(1, 5))))
        else:
            text = (
                f"{r(1000)}.{r(100):02d}",
                f"{r(24):02d}:{r(60):02d}",
                f"{r(1, 29):02d}.{r(1, 13):02d}",
                f"{pick(rng, 'ABCDEFGHKMNPRSTUVWXYZ')}{r(100)}",
                f"${r(1, 1000)}",
                f"{r(1, 100)}%",
                f"{r(1, 13)}/{r(1980, 2060)}",
            )[int(r(7))]
        if len(text) <= most:
            return text
    return str(r(10))


def draw_form(rng: Generator, rows: int, most: int, whole: bool = False) -> Form:
    """A form of some rows of at most `most` characters each; asked for all of it, or for a few fields."""
    labels = [str(x) for x in rng.choice([x for x in LABELS if len(x) + 5 <= most] or ["No"], rows, replace=False)]
    values = [value_of(rng, most - len(x) - 2) for x in labels]
    style = rng.random()
    shown = [x.upper() if style < 0.15 else x.lower() if style < 0.25 else x for x in labels]
    card = "\n".join(f"{x}: {v}" for x, v in zip(shown, values, strict=True))
    fields = list(zip([x.lower() for x in labels], values, strict=True))
    told = True
    question = pick(rng, FORM_PROMPTS)
    if rng.random() < 0.5 and rows > 1 and not whole:
        order = rng.permutation(rows)[: int(rng.integers(1, rows + 1))]
        fields = [fields[i] for i in order]
        told = bool(rng.random() < 0.5)
        if told:
            names = [name for name, _ in fields]
            listed = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
            question = pick(rng, FIELD_PROMPTS).format(fields=listed)
    parts: list[tuple[str, bool]] = []
    bare = rng.random() < 0.5
    for i, (name, value) in enumerate(fields):
        parts.append((", " if i else "{", told))
        parts.append((json.dumps(name), told))
        parts.append((": ", True))
        number = bare and re.fullmatch(r"(0|[1-9]\d*)(\.\d+)?", value) is not None
        parts.append((value if number else json.dumps(value), True))
    parts.append(("}", told))
    return Form(card, question, tuple(parts))
