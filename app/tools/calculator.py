"""Arithmetic from text, exactly where numbers allow it: no names, no calls, no numbers that fill the memory."""

import ast
import decimal
import operator
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from engine import ToolError

__all__ = ["work_out"]

MAX_LENGTH = 500
MAX_BITS = 4096
"""No number may get longer: powers of powers would never end."""

MAX_EXPONENT = 4096

_INEXACT = decimal.Context(
    prec=40, Emax=4 * MAX_EXPONENT, Emin=-4 * MAX_EXPONENT,
    traps=[decimal.DivisionByZero, decimal.InvalidOperation, decimal.Overflow, decimal.Underflow],
)  # fmt: skip
"""For roots and what comes of them: more digits than are told, and no number that turns to 0 or to infinity."""

_TOLD = decimal.Context(prec=12, Emax=4 * MAX_EXPONENT, Emin=-4 * MAX_EXPONENT)

Number = Fraction | Decimal

_BINARY: Final[dict[type[ast.operator], Callable[[Number, Number], Number]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_WHOLE: Final[dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]] = {
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
}
_WRITTEN = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "\u00a0": " ", "\u202f": " "})


def work_out(expression: str) -> int | float | str:
    """The value of an expression of numbers, + - * / // % ** and brackets; raises ToolError.

    Sums and products are exact, other results have twelve digits: 0.1 + 0.2 is 0.3. What no float holds is a text such
    as "5.72E-955".
    """
    if len(expression) > MAX_LENGTH:
        raise ToolError(f"The expression is longer than {MAX_LENGTH} characters.")
    source = expression.translate(_WRITTEN).strip().rstrip("=? ")
    try:
        with decimal.localcontext(_INEXACT):
            return _plain(_value(ast.parse(source, mode="eval").body, source))
    except ZeroDivisionError as error:
        raise ToolError("Division by zero.") from error
    except decimal.InvalidOperation as error:
        raise ToolError("That has no value among the real numbers.") from error
    except (OverflowError, decimal.Overflow, decimal.Underflow) as error:
        raise ToolError("A number in it is too large, or too near to zero, to be worked with.") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError("That is no expression of numbers and the signs + - * / ** ( ).") from error


def _value(node: ast.expr, source: str) -> Number:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return _bounded(Fraction(value))
        case ast.Constant(value=float()):
            return _literal(ast.get_source_segment(source, node) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, source)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, source)
        case ast.BinOp(left=left, op=sign, right=right):
            return _bounded(_joined(_value(left, source), sign, _value(right, source)))
        case _:
            raise ValueError(ast.dump(node))


def _literal(text: str) -> Fraction:
    """A number as it is written: a float would hold 16 of its digits, and nothing of 1e-999."""
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise OverflowError(text)
    return Fraction(number)


def _joined(left: Number, sign: ast.operator, right: Number) -> Number:
    if isinstance(sign, ast.Pow):
        return _power(left, right)
    if type(sign) in _WHOLE:
        return _WHOLE[type(sign)](Fraction(left), Fraction(right))
    if type(sign) not in _BINARY:
        raise ValueError(ast.dump(sign))
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return _BINARY[type(sign)](left, right)
    return _BINARY[type(sign)](_inexact(left), _inexact(right))


def _power(base: Number, exponent: Number) -> Number:
    if not -MAX_EXPONENT <= exponent <= MAX_EXPONENT:
        raise OverflowError(exponent)
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        power = exponent.numerator
        if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(power) > MAX_BITS:
            raise OverflowError(exponent)
        return Fraction(base**power)
    return _inexact(base) ** _inexact(exponent)


def _inexact(number: Number) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(number.numerator) / Decimal(number.denominator)


def _bounded(value: Number) -> Number:
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise OverflowError(value.numerator.bit_length())
    return value


def _plain(value: Number) -> int | float | str:
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    told = _TOLD.plus(_inexact(value))
    if told and not sys.float_info.min <= abs(told) <= sys.float_info.max:
        return str(told)
    return float(told)
