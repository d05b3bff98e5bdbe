"""Tools as values: what the model is told that it may call."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, get_type_hints

import msgspec

from engine.protocol.errors import PromptError

__all__ = ["Tool", "check_tool_name", "check_tools_differ", "follow_references", "schema_at", "tool_from_function"]

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declaration of a function that the model may call."""

    name: str
    """Letters, digits and `_ . : -`."""
    description: str = ""
    parameters: dict[str, Any] = {}
    """JSON Schema of an object: one property per argument. Empty for a function without arguments."""
    response: dict[str, Any] = {}
    """JSON Schema of what it gives, if that is worth telling. The model is told its description only."""


def check_tool_name(name: str) -> str:
    """The name, if it can stand in a prompt; raises PromptError."""
    if not _NAME.fullmatch(name):
        raise PromptError(f"A tool cannot be called {name[:80]!r}. Use letters, digits and the signs _ . : - only.")
    return name


def check_tools_differ(tools: Iterable[Tool]) -> None:
    """Refuse two tools of one name, of which a call could mean either; raises PromptError."""
    names = set()
    for tool in tools:
        if tool.name in names:
            raise PromptError(f"Two tools are called {tool.name[:80]!r}. Give each a name of its own.")
        names.add(tool.name)


def schema_at(reference: object, whole: dict[str, Any]) -> dict[str, Any] | None:
    """What a reference such as `#/$defs/place` leads to in the whole schema; None where that is nothing."""
    root, *steps = str(reference).split("/")
    found: Any = whole if root == "#" else None
    for step in steps:
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def follow_references(schema: object, whole: dict[str, Any]) -> dict[str, Any]:
    """The schema with what it refers to in place of `$ref`; what stands beside a reference goes before.

    What leads nowhere or back to itself allows anything, as a schema that is no map does.
    """
    found = schema if isinstance(schema, dict) else {}
    seen = set()
    while "$ref" in found:
        reference = str(found["$ref"])
        target = None if reference in seen else schema_at(reference, whole)
        if target is None:
            return {}
        seen.add(reference)
        found = target | {key: value for key, value in found.items() if key != "$ref"}
    return found


def tool_from_function(function: Callable[..., Any]) -> Tool:
    """The declaration of a Python function, from its signature, type hints and docstring.

    Any type that msgspec knows may be an argument's: numbers, text, lists, maps, `Literal`, `Enum`, `X | None`,
    dataclasses and typed dicts. The docstring's section `Args:` describes the arguments, the text before its first
    section the function. Raises PromptError for what cannot be declared.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if name == "<lambda>" or not _NAME.fullmatch(name):
        raise PromptError(f"The function {name} cannot be a tool: give it a name of letters, digits and _.")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise _refused(name, "write it as an ordinary function that returns its result")
    try:
        parameters = inspect.signature(function).parameters.values()
        hints = get_type_hints(function, include_extras=True)
    except (TypeError, ValueError, NameError) as error:
        raise _refused(name, f"its signature cannot be read ({error})") from error
    for parameter in parameters:
        _check_parameter(name, parameter, hints)
    description, texts = _read_docstring(inspect.getdoc(function) or "")
    if not parameters:
        return Tool(name, description)
    types = [hints[parameter.name] for parameter in parameters]
    try:
        schemas, shared = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    except TypeError as error:
        raise _refused(
            name, "its arguments must be numbers, texts, lists, maps, Literal, Enum, dataclasses or typed dicts"
        ) from error
    properties = {}
    for parameter, schema in zip(parameters, schemas, strict=True):
        told = {"description": texts[parameter.name]} if parameter.name in texts else {}
        properties[parameter.name] = {**schema, **_default(parameter), **told}
    required = [each.name for each in parameters if each.default is each.empty]
    return Tool(
        name,
        description,
        {"type": "object", "properties": properties, "required": required} | ({"$defs": shared} if shared else {}),
    )


def _check_parameter(name: str, parameter: inspect.Parameter, hints: dict[str, Any]) -> None:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise _refused(name, f"name each argument instead of {parameter}")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise _refused(name, f"the argument {parameter.name} must be one that can be given by name")
    if parameter.name not in hints:
        raise _refused(name, f"the argument {parameter.name} needs a type, like {parameter.name}: str")


def _refused(name: str, reason: str) -> PromptError:
    return PromptError(f"The function {name} cannot be a tool: {reason}.")


def _default(parameter: inspect.Parameter) -> dict[str, Any]:
    """The default as JSON. None says only that the argument may be left out, and what is no JSON cannot be told."""
    if parameter.default is parameter.empty or parameter.default is None:
        return {}
    try:
        return {"default": msgspec.to_builtins(parameter.default)}
    except TypeError:
        return {}


_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns?|Yields?|Raises|Examples?|Notes?|Attributes):\s*")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)")


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """What the function does, and a text for each argument of a section `Args:` in Google's style."""
    section, told, texts = "", [], {}
    name, margin = "", 0
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if indent == 0 and (found := _SECTION.fullmatch(line)):
            section, name, margin = found[1], "", 0
        elif not section:
            told.append(line)
        elif section in ("Args", "Arguments", "Parameters") and line.strip():
            margin = margin or indent
            if indent <= margin and (found := _ARGUMENT.fullmatch(line.strip())):
                name, texts[found[1]] = found[1], found[2].strip()
            elif name:
                texts[name] = f"{texts[name]} {line.strip()}".strip()
    return "\n".join(told).strip(), texts
