"""As much of the Objective-C runtime as the app needs, by ctypes: messages, one class of our own, blocks."""

import ctypes
from collections.abc import Callable, Mapping
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_size_t, c_ulong, c_void_p
from ctypes.util import find_library
from typing import Any

__all__ = ["Block", "Method", "ObjectiveC", "run_block"]

Argument = tuple[Any, object]
"""The C type of an argument, and its value."""

Method = tuple[str, Any, Callable[..., None]]
"""A method of our own: its types in the runtime's letters, its C prototype, and what it does."""

_IS_GLOBAL = 1 << 28
_HAS_SIGNATURE = 1 << 30


class ObjectiveC:
    """Sends messages to Objective-C objects, which are addresses; 0 and None are nil.

    `frameworks` are loaded first: only then are their classes known. Raises OSError where there is no such runtime.
    """

    def __init__(self, *frameworks: str) -> None:
        self._library = _load("objc")
        for framework in frameworks:
            _load(framework)
        self._kept: list[object] = []

    def class_named(self, name: str) -> int | None:
        """A class of a framework that is loaded."""
        return self._call("objc_getClass", (c_char_p, name.encode()))

    def send(self, receiver: int | None, selector: str, *arguments: Argument) -> int | None:
        """Send a message. Each has its own prototype: on Apple Silicon a variadic one would be wrong."""
        return self._call("objc_msgSend", (c_void_p, receiver), (c_void_p, self._selector(selector)), *arguments)

    def string(self, text: str) -> int | None:
        """A string that is given back by itself."""
        return self.send(self.class_named("NSString"), "stringWithUTF8String:", (c_char_p, text.encode()))

    def text_of(self, string: int | None) -> str:
        """What a string says; nothing of nil."""
        characters = self.send(string, "UTF8String")
        return ctypes.string_at(characters).decode() if characters else ""

    def make(self, name: str, methods: Mapping[str, Method]) -> int | None:
        """An object of a new class `name` that has these methods, by selector. It is never given back."""
        parent = self.class_named("NSObject")
        made = self._call("objc_allocateClassPair", (c_void_p, parent), (c_char_p, name.encode()), (c_size_t, 0))
        for selector, (types, prototype, work) in methods.items():
            code = prototype(work)
            self._kept.append(code)
            what = ((c_void_p, self._selector(selector)), (c_void_p, ctypes.cast(code, c_void_p).value))
            self._call("class_addMethod", (c_void_p, made), *what, (c_char_p, types.encode()))
        self._call("objc_registerClassPair", (c_void_p, made))
        return self.send(self.send(made, "alloc"), "init")

    def _selector(self, name: str) -> int | None:
        return self._call("sel_registerName", (c_char_p, name.encode()))

    def _call(self, name: str, *arguments: Argument) -> int | None:
        prototype = CFUNCTYPE(c_void_p, *(kind for kind, _ in arguments))
        return ctypes.cast(getattr(self._library, name), prototype)(*(value for _, value in arguments))


class _Descriptor(ctypes.Structure):
    _fields_ = (("reserved", c_ulong), ("size", c_ulong), ("signature", c_char_p))


class _Literal(ctypes.Structure):
    """A block in memory, as clang's "Block Implementation Specification" has it."""

    _fields_ = (
        ("isa", c_void_p),
        ("flags", c_int),
        ("reserved", c_int),
        ("invoke", c_void_p),
        ("descriptor", POINTER(_Descriptor)),
    )


class Block:
    """A Python function as a block. Nobody copies it, for it is global; it must be kept while anybody may call it.

    `signature` is in the runtime's letters; `prototype` is that of C, whose first argument is the block itself.
    """

    def __init__(self, signature: str, prototype: Any, work: Callable[..., None]) -> None:
        self._code = prototype(work)
        self._descriptor = _Descriptor(0, ctypes.sizeof(_Literal), signature.encode())
        self._literal = _Literal(
            _global_block(),
            _IS_GLOBAL | _HAS_SIGNATURE,
            0,
            ctypes.cast(self._code, c_void_p).value,
            ctypes.pointer(self._descriptor),
        )

    @property
    def address(self) -> int:
        """What is handed over as the block."""
        return ctypes.addressof(self._literal)


def run_block(block: int, *arguments: Argument) -> None:
    """Call a block that somebody handed over."""
    prototype = CFUNCTYPE(None, c_void_p, *(kind for kind, _ in arguments))
    prototype(_Literal.from_address(block).invoke)(block, *(value for _, value in arguments))


def _load(name: str) -> Any:
    path = find_library(name)
    if path is None:
        raise OSError(f"there is no Objective-C library {name}")
    return ctypes.CDLL(path)


def _global_block() -> int:
    """The class of blocks that capture nothing."""
    return ctypes.addressof(c_void_p.in_dll(_load("System"), "_NSConcreteGlobalBlock"))
