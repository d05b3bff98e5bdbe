"""Arithmetic from text, exactly where numbers allow it: no names, no calls, no numbers that fill the memory."""

import ast
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from engine import ToolError

__all__ = ["work_out"]

MAX_LENGTH = 500
MAX_BITS = 4096
"""No number may get longer: powers of powers would never end."""

MAX_EXPONENT = 4096

Number = Fraction | float

_BINARY: Final[dict[type[ast.operator], Callable[[Number, Number], Number]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
}
_WRITTEN = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "\u00a0": " ", "\u202f": " "})


def work_out(expression: str) -> int | float:
    """The value of an expression of numbers, + - * / // % ** and brackets; raises ToolError.

    Sums and products are exact, other results have twelve digits: 0.1 + 0.2 is 0.3.
    """
    if len(expression) > MAX_LENGTH:
        raise ToolError(f"The expression is longer than {MAX_LENGTH} characters.")
    try:
        tree = ast.parse(expression.translate(_WRITTEN).strip().rstrip("=? "), mode="eval")
        return _plain(_value(tree.body))
    except ZeroDivisionError as error:
        raise ToolError("Division by zero.") from error
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise ToolError("That is no expression of numbers and the signs + - * / ** ( ).") from error


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Fraction(str(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bounded(_power(_value(left), _value(right)))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _bounded(_BINARY[type(sign)](_value(left), _value(right)))
        case _:
            raise ValueError(ast.dump(node))


def _power(base: Number, exponent: Number) -> Number:
    if not -MAX_EXPONENT <= exponent <= MAX_EXPONENT:
        raise OverflowError(exponent)
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        power = exponent.numerator
        if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(power) > MAX_BITS:
            raise OverflowError(exponent)
        return Fraction(base**power)
    return math.pow(float(base), float(exponent))


def _bounded(value: Number) -> Number:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
            raise OverflowError(value.numerator.bit_length())
    elif not math.isfinite(value):
        raise OverflowError(value)
    return value


def _plain(value: Number) -> int | float:
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    return float(f"{float(value):.12g}")
