"""Texts of every shape that once held the window for seconds; each is made when it is asked for."""

from collections.abc import Callable

MEGABYTE = 1_000_000

TEXTS: dict[str, Callable[[], str]] = {
    "a line of a megabyte": lambda: "some words of text " * (MEGABYTE // 19),
    "a word of a megabyte": lambda: "w" * MEGABYTE,
    "5,000 tasks": lambda: "- [ ] a task to do\n" * 5000,
    "a table of 20,000 rows": lambda: "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20_000,
    "a table of 1,000 columns": lambda: "|" + "a|" * 1000 + "\n|" + "-|" * 1000 + "\n" + ("|" + "1|" * 1000 + "\n") * 5,
    "stars": lambda: "*a" * 100_000,
    "an unclosed fence": lambda: "```python\n" + "    x = 1  # some line of code\n" * (MEGABYTE // 31),
    "a picture in its address": lambda: "![x](data:image/png;base64," + "A" * 500_000 + ")",
    "quotes in quotes": lambda: ">" * 10_000 + " x",
    "lists in lists": lambda: "\n".join("  " * depth + "- a" for depth in range(1000)),
    "lists in a line": lambda: "- " * 10_000 + "x",
    "short paragraphs": lambda: "a line\n\n" * 100_000,
    "short lines": lambda: "ab\n" * 300_000,
    "marks on a letter": lambda: "a" + "\u0301" * 100_000,
    "from right to left": lambda: "שלום עולם " * 100_000,
    "our own marks": lambda: "\x03" + "9" * 5000 + "\x04 $x$ " + "\x02\x05\u1680\u206a\u2028\ufffc" * 1000,
    "links": lambda: "[a](http://b.c) " * 20_000,
    "rules": lambda: "---\n\n" * 100_000,
}
