"""The process that renders a model folder's own chat template: code of strangers, with limits and nothing to reach.

It reads `{"template": ..., "variables": {...}}` from stdin and writes the rendered text to stdout, both as JSON. When
the template fails, it ends with status 1 and the reason on stderr.

A thread could bound none of this: one expression of a template may take all time and memory inside C. Ending a
process bounds the time everywhere. Memory is bounded on Linux; macOS enforces no such limit, so there only the
seconds end its growth. This file is also run by its path, so it imports nothing of ours.
"""

import json
import resource
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["run_template_process"]

MAX_CPU_S = 2
"""For starting Python too; a real template renders in milliseconds."""

MAX_MEMORY_BYTES = 512 * 1024 * 1024

MAX_CHARACTERS = 1_000_000
"""Of what a template writes; a text of the conversation counts as one character."""


def run_template_process() -> int:
    """Render one template and return the exit status."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    from jinja2 import TemplateSyntaxError

    request = json.load(sys.stdin.buffer)
    try:
        rendered = _render(request["template"], request["variables"])
    except TemplateSyntaxError as error:
        raise SystemExit(f"line {error.lineno}: {error.message}") from error
    except MemoryError as error:
        raise SystemExit("it needs too much memory") from error
    except Exception as error:  # a template may run into any
        raise SystemExit(str(error) or type(error).__name__) from error
    sys.stdout.write(json.dumps(rendered))
    return 0


def _render(template: str, variables: dict[str, Any]) -> str:
    written: list[str] = []
    length = 0
    for text in _environment().from_string(template).generate(variables):
        length += len(text)
        if length > MAX_CHARACTERS:
            raise ValueError(f"it writes more than {MAX_CHARACTERS:,} characters")
        written.append(text)
    return "".join(written)


def _environment() -> "ImmutableSandboxedEnvironment":
    """The names and settings that transformers offers to chat templates, in jinja2's sandbox."""
    from jinja2 import TemplateError, nodes
    from jinja2.exceptions import SecurityError
    from jinja2.ext import Extension
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Generation(Extension):
        """`{% generation %}` marks what a trainer learns from; to us it is what stands in it."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    class PlainNamespace(Namespace):
        """Names like `__call__` are refused: jinja2 would take them for the object's own."""

        def __init__(self, *arguments: Any, **values: Any) -> None:
            super().__init__()
            for name, value in dict(*arguments, **values).items():
                self[name] = value

        def __setitem__(self, name: str, value: Any) -> None:
            if str(name).startswith("_"):
                raise SecurityError(f"a namespace cannot hold {name!r}")
            super().__setitem__(name, value)

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def plain_dict(*arguments: Any, **values: Any) -> dict[Any, Any]:
        return dict(*arguments, **values)  # the type itself would lend its changing methods

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", Generation]
    )
    environment.globals |= {
        "raise_exception": raise_exception,
        "strftime_now": lambda form: datetime.now().strftime(form),
        "namespace": PlainNamespace,
        "dict": plain_dict,
    }
    return environment


if __name__ == "__main__":
    sys.exit(run_template_process())
