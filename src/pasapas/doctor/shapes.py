"""Explains what Python and NumPy raise in a learner's code: which product of which shapes, and what they should be."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pasapas.doctor.inventory import called, words
from pasapas.doctor.report import Context
from pasapas.doctor.session import Failure
from pasapas.doctor.syntax import parse
from pasapas.errors import nearest
from pasapas.i18n import _, ngettext

Shape = tuple[int, ...]

_SAME = (
    "exp", "log", "log2", "log10", "log1p", "tanh", "sqrt", "abs", "absolute", "square", "sign", "array", "asarray",
    "copy", "astype", "clip", "zeros_like", "ones_like", "float64", "float32", "negative", "round",
)  # fmt: skip
_TOGETHER = ("multiply", "add", "subtract", "divide", "true_divide", "maximum", "minimum", "power", "where")
_REDUCED = ("sum", "mean", "max", "min", "prod", "std", "var", "argmax", "argmin")
_OPERATORS = {ast.Mult: "*", ast.Add: "+", ast.Sub: "-", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@"}


@dataclass
class Misfit(Exception):
    """A product, or an operation number by number, whose operands do not fit. `operator` is "@", "*", "+", …"""

    code: str
    operator: str
    left: str
    right: str
    shapes: tuple[Shape, Shape]
    target: str = ""


def explain(failure: Failure, context: Context, hint: int = 1) -> str:
    """One or two sentences: where, what was attempted, and what it would need. With hint 3 the way out too."""
    place = ""
    if failure.line:
        place = context.where(failure.line)
        place = place[0].upper() + place[1:]
        if failure.function and not failure.function.startswith("<") and f" {failure.function}" not in place:
            place += _(", in `{function}`").format(function=failure.function)
    elif failure.function:
        place = f"`{failure.function}`"
    what = _what(failure, context, hint)
    return _("{place}: {what}").format(place=place, what=what) if place else what[0].upper() + what[1:]


def _what(failure: Failure, context: Context, hint: int) -> str:
    misfit = find_misfit(failure, context)
    if misfit is not None:
        explained = _matrix(misfit, context, hint) if misfit.operator == "@" else _elementwise(misfit, context, hint)
        return f"{explained} {_legend(context, misfit.shapes)}".rstrip()
    for kinds, words_for in _KINDS.items():
        if failure.kind in kinds:
            found = words_for(failure, context)
            if found:
                return found
    return _python_says(failure, context)


def _python_says(failure: Failure, context: Context) -> str:
    code = context.line(failure.line)
    said = f"{failure.kind}: {failure.message}".rstrip(": \n")
    if code:
        return _("`{code}` fails: Python says “{words}”.").format(code=cut(code), words=said)
    return _("Python says “{words}”.").format(words=said)


def cut(code: str, length: int = 90) -> str:
    """Code on one line, not too long."""
    code = re.sub(r"\s+", " ", code)
    return code if len(code) <= length else code[: length - 1] + "…"


# products ------------------------------------------------------------------------------------------------------------


def _matrix(misfit: Misfit, context: Context, hint: int) -> str:
    left, right = misfit.shapes
    show = context_shape(context)
    if not left or not right:
        return _("`{code}` multiplies {left} by {right}: a matrix product needs two arrays, not a number.").format(
            code=cut(misfit.code), left=show(left), right=show(right)
        )
    inner = left[-1], right[-2] if len(right) > 1 else right[0]
    text = _(
        "`{code}` multiplies {left} by {right}: the inner dimensions, {a} and {b}, must be equal, since the sum runs over them."
    ).format(
        code=cut(misfit.code), left=show(left), right=show(right), a=_dim(inner[0], context), b=_dim(inner[1], context)
    )
    wanted = expected_shape(misfit.target, context)
    if wanted is not None:
        text += " " + _("{target} should be {shape}.").format(target=f"`{misfit.target}`", shape=show(wanted))
    ways = list(_ways(misfit, left, right, wanted))
    if ways:
        factor, given, needed, result, code = ways[0]
        text += " " + _("With {needed} in place of {given} for `{factor}`, the product is {result}.").format(
            needed=show(needed), given=show(given), factor=cut(factor, 40), result=show(result)
        )
        if hint >= 3:
            text += " " + _("That is `{code}`.").format(code=code)
    return text


def _ways(
    misfit: Misfit, left: Shape, right: Shape, wanted: Shape | None
) -> Iterator[tuple[str, Shape, Shape, Shape, str]]:
    """How one factor, transposed, makes the product possible: the factor, its shape, the one it needs, and the result."""
    if len(left) != 2 or len(right) != 2:
        return
    if left[1] == right[1] and wanted in (None, (left[0], right[0])):
        yield misfit.right, right, right[::-1], (left[0], right[0]), transposed(misfit.right)
    if left[0] == right[0] and wanted in (None, (left[1], right[1])):
        yield misfit.left, left, left[::-1], (left[1], right[1]), transposed(misfit.left)


def transposed(code: str) -> str:
    """The text of the transpose: W2.T for W2, and W2 for W2.T."""
    if code.endswith(".T"):
        return code[:-2]
    return f"{code}.T" if re.fullmatch(r"[\w.\[\]'\"]+", code) else f"({code}).T"


def _elementwise(misfit: Misfit, context: Context, hint: int) -> str:
    left, right = misfit.shapes
    show = context_shape(context)
    text = {
        "*": _("`{code}` multiplies {left} by {right} number by number, and these shapes do not fit."),
        "+": _("`{code}` adds {left} and {right}, and these shapes do not fit."),
        "-": _("`{code}` subtracts {right} from {left}, and these shapes do not fit."),
        "=": _("`{code}` puts {right} in the place of {left}, and these shapes do not fit."),
    }.get(misfit.operator, _("`{code}` goes through {left} and {right} number by number, and these shapes do not fit."))
    text = text.format(code=cut(misfit.code), left=show(left), right=show(right))
    text += " " + _("Counted from the right, dimensions must be equal, or one of them 1.")
    wanted = expected_shape(misfit.target, context)
    if wanted is not None:
        text += " " + _("{target} should be {shape}.").format(target=f"`{misfit.target}`", shape=show(wanted))
    if misfit.operator == "*" and len(left) == len(right) == 2 and left[1] == right[0]:
        result = (left[0], right[1])
        if wanted in (None, result):
            text += " " + _("A matrix product of the same two is possible, and gives {shape}.").format(
                shape=show(result)
            )
            if hint >= 3:
                text += " " + _("That is `{code}`.").format(code=f"{misfit.left} @ {misfit.right}")
    return text


def context_shape(context: Context) -> Callable[[Shape], str]:
    """A function that writes a shape, with m for the number of samples."""

    def show(shape: Shape) -> str:
        if not shape:
            return _("a single number")
        dims = [_dim(n, context) for n in shape]
        return f"({', '.join(dims)}{',' if len(dims) == 1 else ''})"

    return show


def _dim(n: int, context: Context) -> str:
    return "m" if n in context.batch_sizes and n not in context.sizes and n > 1 else str(n)


def _legend(context: Context, shapes: Sequence[Shape]) -> str:
    """What the numbers in the shapes stand for."""
    if not context.sizes:
        return ""
    dims = {n for shape in shapes for n in shape}
    names = [_("m = {m} samples").format(m=n) for n in context.batch_sizes if n in dims and _dim(n, context) == "m"][:1]
    sizes = context.sizes
    if sizes[0] in dims:
        names.append(_("{n} inputs").format(n=sizes[0]))
    hidden = [n for n in sizes[1:-1] if n in dims]
    if hidden:
        names.append(_("{n} hidden units").format(n=_(" and ").join(map(str, dict.fromkeys(hidden)))))
    if sizes[-1] in dims and sizes[-1] > 1:
        names.append(_("{n} classes").format(n=sizes[-1]))
    return _("(Here {names}.)").format(names=", ".join(names)) if names else ""


def expected_shape(target: str, context: Context) -> Shape | None:
    """What a name promises by itself: dW2 has the shape of W2, dA1 (m, n_1); None where it promises nothing."""
    name = re.sub(r"^.*[.\['\"]|['\"\]]+$", "", target)
    text = "".join(words(name.replace("δ", "dz").replace("∂", "d")))
    match = re.fullmatch(r"(?:grad|d|g)?_?(w|z|a|delta|dz|da)_?(\d)", text)
    sizes = context.sizes
    if match is None or not sizes or not 1 <= int(match[2]) < len(sizes):
        return None
    kind, l = match[1], int(match[2])
    if kind == "w":
        return (sizes[l], sizes[l - 1]) if context.out_in else (sizes[l - 1], sizes[l])
    m = context.batch_sizes[0] if context.batch_sizes else 0
    if not m:
        return None
    return (sizes[l], m) if context.columns else (m, sizes[l])


# finding the place ---------------------------------------------------------------------------------------------------


def find_misfit(failure: Failure, context: Context) -> Misfit | None:
    """The operation on the failing line whose operands do not fit; None where the error is of another kind."""
    if failure.kind != "ValueError":
        return None
    said = _said(failure.message)
    if said is None:
        return None
    for statement in statements_at(context.source, failure.line):
        target = _target(statement)
        for misfit in _Reader(failure.shapes).misfits(statement):
            if _agrees(misfit, said):
                misfit.target = target
                return misfit
        unread = list(_unread(statement, said, failure))
        if len(unread) == 1 and len(said[1]) == 2:
            node = unread[0]
            left, right = _operands(node)
            return Misfit(ast.unparse(node), _operator(node), left, right, (said[1][0], said[1][1]), target)
    return None


def _said(message: str) -> tuple[str, list[Shape]] | None:
    """What NumPy says of the operation, "@" or "*", and of its shapes; for "matmul" it tells the inner dimensions alone."""
    if match := re.search(r"shapes \(([\d, ]*)\) and \(([\d, ]*)\) not aligned", message):
        return "@", [_shape(match[1]), _shape(match[2])]
    if match := re.search(r"matmul.*\(size (\d+) is different from (\d+)\)", message):
        return "inner", [(int(match[1]), int(match[2]))]
    if "matmul" in message and "enough dimensions" in message:
        return "inner", []
    if "broadcast" in message:
        return "*", [_shape(text) for text in re.findall(r"\(([\d, ]*)\)", message)]
    return None


def _shape(text: str) -> Shape:
    return tuple(int(n) for n in text.split(",") if n.strip())


def _agrees(misfit: Misfit, said: tuple[str, list[Shape]]) -> bool:
    """Whether what was read from the line is what NumPy complains about."""
    kind, shapes = said
    if kind == "inner":
        if misfit.operator != "@":
            return False
        left, right = misfit.shapes
        return not shapes or (bool(left and right) and {left[-1], right[-2:][0]} == set(shapes[0]))
    if (misfit.operator == "@") != (kind == "@"):
        return False
    return not shapes or list(misfit.shapes) == shapes[:2] or list(misfit.shapes)[::-1] == shapes[:2]


def statements_at(source: str, line: int) -> Iterator[ast.AST]:
    """The statement on a line, or, of one that has others in it, its own expressions; the smallest first."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    for node in sorted(found, key=lambda n: (n.end_lineno or n.lineno) - n.lineno)[:1]:
        if hasattr(node, "body"):
            yield from (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        else:
            yield node


def _target(statement: ast.AST) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return ast.unparse(statement.targets[0])
    if isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        return ast.unparse(statement.target)
    return ""


def _operator(node: ast.AST) -> str:
    if isinstance(node, ast.BinOp):
        return _OPERATORS.get(type(node.op), "·")
    name = called(node) if isinstance(node, ast.Call) else ""
    return {"dot": "@", "matmul": "@", "multiply": "*", "add": "+", "subtract": "-", "divide": "/"}.get(name, "·")


def _operands(node: ast.AST) -> tuple[str, str]:
    if isinstance(node, ast.BinOp):
        return ast.unparse(node.left), ast.unparse(node.right)
    assert isinstance(node, ast.Call)
    if len(node.args) == 1 and isinstance(node.func, ast.Attribute):
        return ast.unparse(node.func.value), ast.unparse(node.args[0])
    return ast.unparse(node.args[0]), ast.unparse(node.args[1])


def _unread(statement: ast.AST, said: tuple[str, list[Shape]], failure: Failure) -> Iterator[ast.AST]:
    """The operations of the kind that NumPy names, where the shapes cannot be read from the text."""
    for node in ast.walk(statement):
        operator = _operator(node)
        call = isinstance(node, ast.Call) and (
            len(node.args) >= 2 or (isinstance(node.func, ast.Attribute) and node.args)
        )
        if (isinstance(node, ast.BinOp) or call) and operator != "·" and (operator == "@") == (said[0] != "*"):
            reader = _Reader(failure.shapes)
            try:
                known = reader.of(node) is not None
            except Misfit:
                known = True
            if not known:
                yield node


class _Reader:
    """Works out shapes from the text of an expression, given those of the variables. None is "cannot tell"."""

    def __init__(self, known: dict[str, Shape]) -> None:
        self.known = {re.sub(r"\s", "", name): tuple(shape) for name, shape in known.items()}

    def misfits(self, statement: ast.AST) -> Iterator[Misfit]:
        """Every operation in a statement whose operands do not fit, innermost first."""
        nodes = [n for n in ast.walk(statement) if isinstance(n, ast.expr)]
        seen = set()
        for node in reversed(nodes):
            try:
                self.of(node)
            except Misfit as misfit:
                if misfit.code not in seen:
                    seen.add(misfit.code)
                    yield misfit
        if isinstance(statement, ast.AugAssign):
            yield from self._in_place(statement)
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
            yield from self._into(statement)

    def _in_place(self, statement: ast.AugAssign) -> Iterator[Misfit]:
        left, right = self._quietly(statement.target), self._quietly(statement.value)
        if left is not None and right is not None and _broadcast(left, right) != left:
            yield Misfit(
                ast.unparse(statement), _OPERATORS.get(type(statement.op), "·"),
                ast.unparse(statement.target), ast.unparse(statement.value), (left, right),
            )  # fmt: skip

    def _into(self, statement: ast.Assign) -> Iterator[Misfit]:
        left, right = self._quietly(statement.targets[0]), self._quietly(statement.value)
        if left is not None and right is not None and _broadcast(left, right) != left:
            target = ast.unparse(statement.targets[0])
            yield Misfit(ast.unparse(statement), "=", target, ast.unparse(statement.value), (left, right))

    def _quietly(self, node: ast.expr) -> Shape | None:
        try:
            return self.of(node)
        except Misfit:
            return None

    def of(self, node: ast.AST) -> Shape | None:
        """The shape of an expression. Raises Misfit where operands do not fit."""
        text = re.sub(r"\s", "", ast.unparse(node)) if isinstance(node, ast.expr) else ""
        if text in self.known:
            return self.known[text]
        if isinstance(node, ast.Name):
            inside = any(name.startswith((f"{node.id}[", f"{node.id}.")) for name in self.known)
            return None if inside else ()  # every array is among the known ones: the rest are numbers
        if isinstance(node, ast.Constant):
            return () if isinstance(node.value, (int, float)) else None
        if isinstance(node, ast.UnaryOp):
            return self.of(node.operand)
        if isinstance(node, ast.Attribute):
            if node.attr == "T":
                value = self.of(node.value)
                return None if value is None else value[::-1]
            return () if node.attr in ("size", "ndim") else None
        if isinstance(node, ast.Subscript):
            return self._item(node)
        if isinstance(node, ast.BinOp):
            left, right = self.of(node.left), self.of(node.right)
            if isinstance(node.op, ast.MatMult):
                return self._dot(node, left, right)
            return self._together(node, [(node.left, left), (node.right, right)])
        if isinstance(node, ast.Compare) and len(node.comparators) == 1:
            sides = [node.left, node.comparators[0]]
            return self._together(node, [(side, self.of(side)) for side in sides])
        if isinstance(node, ast.Call):
            return self._call(node)
        return None

    def _item(self, node: ast.Subscript) -> Shape | None:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return ()
        value = self.of(node.value)
        if value is None or not value:
            return None
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return value[1:]
        return value if isinstance(node.slice, ast.Slice) and ast.unparse(node.slice) == ":" else None

    def _call(self, node: ast.Call) -> Shape | None:
        name = called(node)
        if name in ("len", "float", "int"):
            return ()
        method = isinstance(node.func, ast.Attribute) and not (
            isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "math")
        )
        given: list[ast.expr] = [
            *([node.func.value] if method and isinstance(node.func, ast.Attribute) else []),
            *node.args,
        ]
        if not given:
            return None
        if name in ("dot", "matmul") and len(given) >= 2:
            return self._dot(node, self.of(given[0]), self.of(given[1]))
        if name in _TOGETHER and len(given) >= 2:
            return self._together(node, [(side, self.of(side)) for side in given[:3]])
        first = self.of(given[0])
        if name in _SAME or (len(given) == 1 and not node.keywords and not method and name not in _REDUCED):
            if name in ("transpose", "ravel", "flatten") or first is None:
                return self._turned(name, first)
            return first
        if first is None:
            return None
        if name in ("transpose", "ravel", "flatten") and len(given) == 1:
            return self._turned(name, first)
        if name in _REDUCED:
            return _reduced(node, first, given)
        if name == "reshape":
            return _reshaped(node, first, given)
        if name == "outer" and len(given) == 2:
            second = self.of(given[1])
            return None if second is None else (math.prod(first), math.prod(second))
        return None

    def _turned(self, name: str, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None
        return shape[::-1] if name == "transpose" else (math.prod(shape),)

    def _dot(self, node: ast.BinOp | ast.Call, left: Shape | None, right: Shape | None) -> Shape | None:
        if left is None or right is None or max(len(left), len(right)) > 2:
            return None
        if not left or not right:
            if isinstance(node, ast.Call) and called(node) == "dot":
                return left or right
            raise Misfit(ast.unparse(node), "@", *_operands(node), (left, right))
        if left[-1] != right[-2:][0]:
            raise Misfit(ast.unparse(node), "@", *_operands(node), (left, right))
        return left[:-1] + (right[1:] if len(right) == 2 else ())

    def _together(self, node: ast.AST, sides: list[tuple[ast.expr, Shape | None]]) -> Shape | None:
        shapes = [shape for _side, shape in sides if shape is not None]
        if len(shapes) < len(sides):
            return None
        result = shapes[0]
        for (side, shape), (before, _shape_before) in zip(sides[1:], sides, strict=False):
            assert shape is not None
            both = _broadcast(result, shape)
            if both is None:
                operator = _operator(node)
                raise Misfit(ast.unparse(node), operator, ast.unparse(before), ast.unparse(side), (result, shape))
            result = both
        return result


def _broadcast(left: Shape, right: Shape) -> Shape | None:
    try:
        return np.broadcast_shapes(left, right)
    except ValueError:
        return None


def _argument(node: ast.Call, name: str, place: int, given: list[ast.expr]) -> ast.expr | None:
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value
    return given[place] if len(given) > place else None


def _reduced(node: ast.Call, shape: Shape, given: list[ast.expr]) -> Shape | None:
    axis = _argument(node, "axis", 1, given)
    keep = _argument(node, "keepdims", 99, given)
    kept = isinstance(keep, ast.Constant) and bool(keep.value)
    if axis is None or (isinstance(axis, ast.Constant) and axis.value is None):
        return (1,) * len(shape) if kept else ()
    try:
        number = int(ast.literal_eval(axis)) % max(len(shape), 1)
    except (ValueError, TypeError, SyntaxError):
        return None
    return tuple(1 if i == number else n for i, n in enumerate(shape) if kept or i != number)


def _reshaped(node: ast.Call, shape: Shape, given: list[ast.expr]) -> Shape | None:
    try:
        wanted = [ast.literal_eval(argument) for argument in given[1:]]
    except (ValueError, SyntaxError):
        return None
    flat = list(wanted[0]) if len(wanted) == 1 and isinstance(wanted[0], tuple) else wanted
    if not all(isinstance(n, int) for n in flat) or flat.count(-1) > 1:
        return None
    rest = math.prod(n for n in flat if n != -1)
    if -1 in flat and (not rest or math.prod(shape) % rest):
        return None
    return tuple(math.prod(shape) // rest if n == -1 else n for n in flat)


# other errors --------------------------------------------------------------------------------------------------------


def _value_error(failure: Failure, context: Context) -> str:
    show = context_shape(context)
    code = cut(context.line(failure.line))
    if match := re.search(r"cannot reshape array of size (\d+) into shape \(?([\d, -]*)\)?", failure.message):
        return _(
            "`{code}` wants to give the shape {shape} to an array of {n} numbers; the products of both must agree."
        ).format(code=code, shape=show(_shape(match[2].replace(", ", ","))), n=match[1])
    if match := re.search(r"too many values to unpack \(expected (\d+)", failure.message):
        return _("`{code}` has {n} names on the left, and the right side gives more values.").format(
            code=code, n=match[1]
        )
    if match := re.search(r"not enough values to unpack \(expected (?:at least )?(\d+), got (\d+)", failure.message):
        return ngettext(
            "`{code}` has {n} names on the left, and the right side gives {got} value.",
            "`{code}` has {n} names on the left, and the right side gives {got} values.",
            int(match[2]),
        ).format(code=code, n=match[1], got=match[2])
    if "truth value of an array" in failure.message:
        return _(
            "`{code}` asks whether a whole array is true: compare its numbers one by one, or say any or all."
        ).format(code=code)
    if said := _said(failure.message):
        shapes = " × ".join(show(shape) for shape in said[1]) if said[0] != "inner" else ""
        if shapes:
            return _("in `{code}` the shapes {shapes} do not fit together.").format(code=code, shapes=shapes)
        if said[1]:
            a, b = said[1][0]
            return _("in `{code}` the inner dimensions of a matrix product, {a} and {b}, are not equal.").format(
                code=code, a=_dim(b, context), b=_dim(a, context)
            )
    return ""


def _name_error(failure: Failure, context: Context) -> str:
    name = failure.message
    if failure.kind == "UnboundLocalError":
        match = re.search(r"'(\w+)'", name)
        return _("`{name}` is read before it is given a value in this function.").format(
            name=match[1] if match else name
        )
    nodes = list(_walk(context.source))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    if name in bound:
        return _("`{name}` has no value yet: what would give it one comes later, or does not run.").format(name=name)
    return _("nothing in the file gives `{name}` a value.").format(name=name) + nearest(name, sorted(bound - {name}))


def _walk(source: str) -> Iterator[ast.AST]:
    try:
        return ast.walk(parse(source))
    except (SyntaxError, ValueError):
        return iter(())


def _key_error(failure: Failure, context: Context) -> str:
    key = failure.message.strip("'\"")
    for statement in statements_at(context.source, failure.line):
        for node in ast.walk(statement):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.slice, ast.Constant)
                and str(node.slice.value) == key
            ):
                owner = ast.unparse(node.value)
                keys = [
                    name[len(owner) + 1 : -1].strip("'\"")
                    for name in failure.shapes
                    if name.startswith(owner + "[") and name.count("[") == owner.count("[") + 1
                ]
                text = _("`{owner}` has no key '{key}'").format(owner=owner, key=key)
                return text + (_("; it has {keys}.").format(keys=", ".join(keys)) if keys else ".")
    return _("there is no key '{key}' in the dictionary.").format(key=key)


def _index_error(failure: Failure, context: Context) -> str:
    code = cut(context.line(failure.line))
    if match := re.search(r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)", failure.message):
        return _("`{code}` asks for number {i} along axis {axis}, which has {n}, counted from 0.").format(
            code=code, i=match[1], axis=match[2], n=_dim(int(match[3]), context)
        )
    if match := re.search(r"shape mismatch.*?((?:\([\d, ]*\) ?)+)", failure.message):
        show = context_shape(context)
        shapes = " × ".join(show(_shape(text)) for text in re.findall(r"\(([\d, ]*)\)", match[1]))
        return _("`{code}` uses indices of the shapes {shapes}, which do not fit together.").format(
            code=code, shapes=shapes
        )
    if "list index" in failure.message or "tuple index" in failure.message:
        return _("`{code}` asks for an element after the last one.").format(code=code)
    if "indices" in failure.message or "index" in failure.message:
        return _(
            "`{code}` uses as an index what is no whole number: class numbers are wanted there, perhaps one-hot labels came."
        ).format(code=code)
    return ""


def _type_error(failure: Failure, context: Context) -> str:
    code = cut(context.line(failure.line))
    message = failure.message
    if match := re.search(r"([\w.]+)\(\) missing (\d+) required .*?: (.*)", message):
        return _("`{function}` is called without {names}.").format(
            function=match[1], names=re.sub(r"'(\w+)'", r"`\1`", match[3]).replace(" and ", _(" and "))
        )
    if match := re.search(r"([\w.]+)\(\) takes (?:from )?(\d+)(?: to (\d+))? positional arguments? but (\d+)", message):
        return _("`{function}` takes {n} arguments, and {given} are given.").format(
            function=match[1], n=match[3] or match[2], given=match[4]
        )
    if match := re.search(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'", message):
        return _("`{function}` has no parameter `{name}`.").format(function=match[1], name=match[2])
    if "NoneType" in message:
        return _("in `{code}` something is None: a function without a `return`, or a value that was never set.").format(
            code=code
        )
    if match := re.search(r"cannot unpack non-iterable (\w+) object|object of type '(\w+)' has no len", message):
        return _("`{code}` takes apart, or counts, something that has no elements: a {kind}.").format(
            code=code, kind=match[1] or match[2]
        )
    if match := re.search(r"'(\w+)' object is not (subscriptable|callable|iterable)", message):
        return {
            "subscriptable": _("`{code}` takes an element, by [ ], of something that has none: a {kind}."),
            "callable": _("`{code}` calls, by ( ), something that is no function: a {kind}."),
            "iterable": _("`{code}` goes through something that has no elements: a {kind}."),
        }[match[2]].format(code=code, kind=match[1])
    if match := re.search(r"unsupported operand type\(s\) for (\S+): '(.*?)' and '(.*?)'", message):
        return _("`{code}` cannot take {operator} between a {left} and a {right}.").format(
            code=code, operator=match[1].rstrip(":"), left=match[2], right=match[3]
        )
    if "indices must be" in message:
        return _(
            "`{code}` takes an element by a name or a wrong index, where a list or a tuple wants its number."
        ).format(code=code)
    return ""


def _attribute_error(failure: Failure, context: Context) -> str:
    if match := re.search(r"'(\w+)' object has no attribute '(\w+)'", failure.message):
        kind, name = match[1], match[2]
        if kind == "NoneType":
            return _type_error(failure, context)
        if any(isinstance(n, ast.ClassDef) and n.name == kind for n in _walk(context.source)):
            return _("the object of class `{kind}` has no `{name}`: nothing has set it before this line.").format(
                kind=kind, name=name
            )
        if kind == "dict":
            return _("a dictionary has keys, not attributes: `{name}` is reached by ['{name}'].").format(name=name)
        return _("a {kind} has no `{name}`.").format(kind=kind, name=name)
    if match := re.search(r"module '([\w.]+)' has no attribute '(\w+)'", failure.message):
        return _("the module `{module}` has no `{name}`.").format(module=match[1], name=match[2]) + nearest(
            match[2], dir(np) if match[1] == "numpy" else []
        )
    return ""


def _assertion(failure: Failure, context: Context) -> str:
    code = cut(context.line(failure.line))
    return _("what this line claims is not true: `{code}`.").format(code=code) if code else ""


def _plainly(text: Callable[[], str]) -> Callable[[Failure, Context], str]:
    return lambda _failure, _context: text()


_KINDS: dict[tuple[str, ...], Callable[[Failure, Context], str]] = {
    ("ValueError",): _value_error,
    ("NameError", "UnboundLocalError"): _name_error,
    ("KeyError",): _key_error,
    ("IndexError",): _index_error,
    ("TypeError",): _type_error,
    ("AttributeError",): _attribute_error,
    ("AssertionError",): _assertion,
    ("RecursionError",): _plainly(lambda: _("the function calls itself without end.")),
    ("OutOfTime",): _plainly(lambda: _("it takes too long on a handful of samples: is there a loop that never ends?")),
    ("ZeroDivisionError",): _plainly(lambda: _("something is divided by 0.")),
    ("MemoryError",): _plainly(lambda: _("it asks for more memory than is allowed.")),
    ("NotImplementedError",): _plainly(lambda: _("this is not written yet: it raises NotImplementedError.")),
    ("SystemExit", "KeyboardInterrupt"): _plainly(lambda: _("it ends the program (exit, quit), so that nothing comes back.")),
    ("PermissionError",): lambda failure, _context: _("it does what a check does not allow: {words}.").format(
        words=re.sub(r"^\[Errno \d+\] ", "", failure.message).rstrip(".")
    ),
    ("ModuleNotFoundError", "ImportError"): lambda failure, _context: _("it imports what is not there: {words}.").format(
        words=failure.message.rstrip(".")
    ),
}  # fmt: skip
