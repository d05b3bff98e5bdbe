"""Two tools to try: cabochon ask "What time is it?" --tools docs/tools.py"""

import ast
import operator
from datetime import datetime

_SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def clock() -> dict[str, str]:
    """Tells the date, the time and the day of the week."""
    now = datetime.now()
    return {"date": f"{now:%Y-%m-%d}", "time": f"{now:%H:%M}", "weekday": f"{now:%A}"}


def calculator(expression: str) -> float:
    """Works out an expression such as 12 * 34."""
    return round(_value(ast.parse(expression, mode="eval").body), 4)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            result: float = _SIGNS[type(sign)](_value(left), _value(right))
            return result
        case _:
            raise ValueError("only numbers and the signs + - * /")
