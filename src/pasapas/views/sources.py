"""Where an entry of a traced step comes from: which entries of which tensors, and the sum that gives it.

Nothing is known here of layers or losses. The formula that a tensor carries, the text that Python evaluates, is read as
a tree, and the one entry that is asked for is followed down through it: the entry (n, j) of `X @ W1 + b1` needs row n of
X, column j of W1 and b1[j], and is a sum of products and a bias.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer, short
from pasapas.tracing import Trace, formulas

SHOWN = 8
"""So many terms of a long sum are shown: the largest."""
WHOLE = 12
"""A sum of so many terms is shown whole, in its own order."""

Index = tuple[int, ...]
_Array = npt.NDArray[Any]
_Place = tuple[int, int]


@dataclass(frozen=True)
class Region:
    """Entries of a tensor: one, a row, a column, or all of them. An array of one dimension counts as one row; a single number as one entry."""

    tensor: str
    rows: range
    columns: range
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """As a slice is written: `W1[:, 5]`."""
        spans = (self.rows, self.columns)[2 - len(self.shape) :]
        inside = ", ".join(str(span.start) if len(span) == 1 else ":" for span in spans)
        return f"{self.tensor}[{inside}]" if inside else self.tensor

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def entries(self) -> Iterator[tuple[str, Index]]:
        """Each of its entries, as the tensor's name and an index into it."""
        for place in itertools.product(self.rows, self.columns):
            yield self.tensor, place[2 - len(self.shape) :]


@dataclass(frozen=True)
class Term:
    """One term of a sum: with names, with numbers, what it comes to, and the entries that it is made of."""

    names: str
    numbers: str
    value: float
    regions: tuple[Region, ...]


@dataclass(frozen=True)
class Terms:
    """Terms that are alike: what each comes to, and how the i-th is written."""

    values: npt.NDArray[np.float64]
    term: Callable[[int], Term]


@dataclass(frozen=True)
class Sum:
    """A number as a sum of terms; `total` is what they add up to."""

    parts: tuple[Terms, ...]

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        """What each term comes to."""
        return np.concatenate([part.values for part in self.parts])

    @property
    def total(self) -> float:
        """All terms added up."""
        return float(np.sum(self.values))

    def __len__(self) -> int:
        return len(self.values)

    def shown(self) -> list[Term]:
        """All terms of a short sum; of a long one the largest, the largest first."""
        if len(self) <= WHOLE:
            return [self._term(i) for i in range(len(self))]
        order = np.argsort(-np.abs(self.values), kind="stable")[:SHOWN]
        return [self._term(int(i)) for i in order]

    def _term(self, i: int) -> Term:
        for part in self.parts:
            if i < len(part.values):
                return part.term(i)
            i -= len(part.values)
        raise IndexError(i)


@dataclass(frozen=True)
class Account:
    """How one entry came about: its recorded value, where from, and as what sum; both empty where it was given.

    `inside` is the sum that softmax divides by.
    """

    tensor: str
    index: Index
    value: float
    regions: tuple[Region, ...]
    sum: Sum | None
    inside: Sum | None = None
    largest: float = 0.0

    @property
    def entry(self) -> str:
        """The entry as it is written: Z1[0,3]."""
        return entry_text(self.tensor, self.index)


def sources(step: Trace, name: str, index: Sequence[int]) -> list[tuple[str, Index]]:
    """The entries from which entry `index` of tensor `name` was computed, in the tensors that its formula names.

    Raises PasapasError for a tensor or an entry that is not there.
    """
    return [entry for region in account(step, name, index).regions for entry in region.entries()]


def account(step: Trace, name: str, index: Sequence[int]) -> Account:
    """The sum that gave entry `index` of tensor `name`, and where its terms came from.

    Raises PasapasError for a tensor or an entry that is not there.
    """
    tensor, at = step[name], tuple(index)
    if len(at) != len(tensor.shape) or not all(0 <= i < n for i, n in zip(at, tensor.shape, strict=True)):
        raise PasapasError(
            _("{name} has the shape {shape}: there is no entry {index} in it.").format(
                name=name, shape=tensor.shape, index=list(at)
            )
        )
    value = float(tensor.value[at])
    if tensor.formula is None:
        return Account(name, at, value, (), None)
    row, column = (0, 0, *at)[-2:]
    place = row, column
    reader = _Reader(step, tensor.formula)
    tree = ast.parse(tensor.formula, mode="eval").body
    regions = reader.regions(tree, place)
    if _called(tree) == "softmax":
        whole, inside, largest = reader.softmax(tree, place)
        return Account(name, at, value, regions, whole, inside, largest)
    return Account(name, at, value, regions, Sum(tuple(reader.terms(tree, place))))


class _Reader:
    """Follows single entries through the tree of one formula. Everything has rows and columns here, as NumPy broadcasts."""

    def __init__(self, step: Trace, formula: str) -> None:
        names = set(re.findall(r"\w+", formula))
        self.tensors = {tensor.name: tensor.value for tensor in step if tensor.name in names}
        self.values: dict[str, Any] = {
            name: value if np.issubdtype(value.dtype, np.integer) else value.astype(np.float64)
            for name, value in self.tensors.items()
        }
        self.values |= {"m": step.m, "learning_rate": step.learning_rate}
        self.cache: dict[str, _Array] = {}

    def array(self, node: ast.expr) -> _Array:
        """What a part of the formula comes to, in float64 and with two dimensions."""
        text = ast.unparse(node)
        if text not in self.cache:
            self.cache[text] = np.atleast_2d(formulas.evaluate(text, self.values))
        return self.cache[text]

    def number(self, node: ast.expr, place: _Place) -> float:
        """The entry at `place` of what a part comes to; a row or a number stands for every row or entry."""
        array = self.array(node)
        return float(array[tuple(min(i, n - 1) for i, n in zip(place, array.shape, strict=True))])

    def is_number(self, node: ast.expr) -> bool:
        """Whether a part has no tensor in it."""
        return not any(isinstance(n, ast.Name) and n.id in self.tensors for n in ast.walk(node))

    # Which entries

    def regions(self, node: ast.expr, place: _Place) -> tuple[Region, ...]:
        """The blocks that the entry at `place` of what `node` comes to is made of, each once, in the formula's order."""
        return tuple(dict.fromkeys(self._regions(node, *_only(place))))

    def _regions(self, node: ast.expr, rows: range, columns: range) -> Iterator[Region]:
        match node:
            case ast.Name(id=name) if name in self.tensors:
                shape = self.tensors[name].shape
                yield Region(name, rows if len(shape) == 2 else range(1), columns if shape else range(1), shape)
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                inner = range(self.array(left).shape[1])
                yield from self._regions(left, rows, inner)
                yield from self._regions(right, inner, columns)
            case ast.Attribute(attr="T", value=value):
                yield from self._regions(value, columns, rows)
            case ast.Call(args=[first, *others]):
                if _called(node) == "one_hot":
                    yield from self._regions(first, range(1), rows)  # y is one row: its columns are the samples
                else:
                    height, width = self.array(first).shape
                    if _called(node) in ("softmax", "log_softmax"):
                        columns = range(width)
                    if _called(node) == "sum":
                        rows, columns = range(height), columns if node.keywords else range(width)
                    for part in (first, *others):
                        yield from self._regions(part, rows, columns)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        yield from self._regions(child, rows, columns)

    # Which terms

    def terms(self, node: ast.expr, place: _Place, sign: int = 1, scales: tuple[_Scale, ...] = ()) -> list[Terms]:
        """The sum for the entry at `place`; numbers before or under a sum go with each of its terms."""
        row, column = place
        match node:
            case ast.BinOp(op=ast.Add() | ast.Sub() as op, left=left, right=right):
                other = -sign if isinstance(op, ast.Sub) else sign
                return [*self.terms(left, place, sign, scales), *self.terms(right, place, other, scales)]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.terms(operand, place, -sign, scales)
            case ast.BinOp(op=ast.Div(), left=left, right=right) if self.is_number(right) and not self.is_number(left):
                return self.terms(left, place, sign, (*scales, _Scale(right, under=True)))
            case ast.BinOp(op=ast.Mult(), left=left, right=right) if self.is_number(left) and _is_sum(right):
                return self.terms(right, place, sign, (*scales, _Scale(left, under=False)))
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                inner = range(self.array(left).shape[1])
                products = self.array(left)[row] * self.array(right)[:, column]
                return [self._alike(sign, scales, products, lambda k: [(left, (row, inner[k])), (right, (k, column))])]
            case ast.Call(args=[summed]) if _called(node) == "sum":
                array = self.array(summed)
                if node.keywords:
                    return [self._alike(sign, scales, array[:, column], lambda k: [(summed, (k, column))])]
                width = array.shape[1]
                return [self._alike(sign, scales, array.ravel(), lambda k: [(summed, divmod(k, width))])]
        return [self._alike(sign, scales, np.array([self.number(node, place)]), lambda _k: [(node, place)])]

    def _alike(
        self,
        sign: int,
        scales: tuple[_Scale, ...],
        values: _Array,
        factors: Callable[[int], list[tuple[ast.expr, _Place]]],
    ) -> Terms:
        factor = float(sign)
        for scale in scales:
            number = self.number(scale.node, (0, 0))
            factor = factor / number if scale.under else factor * number
        products = np.asarray(values, np.float64) * factor

        def term(i: int) -> Term:
            parts = factors(i)
            names, numbers = (self._written(parts, sign, scales, with_numbers) for with_numbers in (False, True))
            regions = (r for node, place in parts for r in self._regions(node, *_only(place)))
            return Term(names, numbers, float(products[i]), tuple(dict.fromkeys(regions)))

        return Terms(products, term)

    def softmax(self, node: ast.expr, place: _Place) -> tuple[Sum, Sum, float]:
        """The quotient as a sum of one term, the sum under it, and the largest score, which is subtracted first."""
        assert isinstance(node, ast.Call)
        row, column = place
        scores = node.args[0]
        Z = self.array(scores)[row]  # (n_classes,)
        largest = float(Z.max())
        powers = np.exp(Z - largest)
        total = float(powers.sum())

        def power(k: int, over: str, under: str, value: float) -> Term:
            names, numbers = (self._text(scores, (row, k), with_numbers)[0] for with_numbers in (False, True))
            numbers = f"exp({numbers} − {_bracketed(largest)})"
            return Term(f"exp({names} − c){over}", f"{numbers}{under}", value, self.regions(scores, (row, k)))

        def quotient(_i: int) -> Term:
            return power(column, " / S", f" / {written(total)}", float(powers[column]) / total)

        inside = Terms(powers, lambda k: power(k, "", "", float(powers[k])))
        return Sum((Terms(powers[[column]] / total, quotient),)), Sum((inside,)), largest

    # How it is written

    def _written(
        self, parts: list[tuple[ast.expr, _Place]], sign: int, scales: tuple[_Scale, ...], with_numbers: bool
    ) -> str:
        before = [self._text(s.node, (0, 0), with_numbers) for s in scales if not s.under]
        below = [self._text(s.node, (0, 0), with_numbers) for s in scales if s.under]
        factors = [*before, *(self._text(node, place, with_numbers) for node, place in parts)]
        if len(factors) == 1 and not below and sign > 0:
            return factors[0][0]
        text = " × ".join(_in_brackets(factor, 2) for factor in factors)
        return ("−" if sign < 0 else "") + text + "".join(f" / {_in_brackets(number, 3)}" for number in below)

    def _text(self, node: ast.expr, place: _Place, with_numbers: bool) -> tuple[str, int]:
        """One entry of a part with names or with numbers, and how tightly it holds together: 1 sum, 2 product, 3, 4."""
        match node:
            case ast.Name(id=name) if name in self.tensors:
                if with_numbers:
                    return _number(self.number(node, place))
                at = place[2 - self.tensors[name].ndim :]
                return entry_text(name, at), 4
            case ast.Name(id=name):
                return _number(self.values[name]) if with_numbers else (name, 4)
            case ast.Constant(value=value):
                return _number(float(str(value)))
            case ast.Attribute(attr="T", value=value):
                return self._text(value, place[::-1], with_numbers)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return "−" + _in_brackets(self._text(operand, place, with_numbers), 2), 1
            case ast.Compare(left=left, comparators=[right]):
                sides = " > ".join(self._text(side, place, with_numbers)[0] for side in (left, right))
                return (f"{sides} → {written(self.number(node, place))}" if with_numbers else sides), 0
            case ast.BinOp(op=ast.Pow(), left=left):
                return _in_brackets(self._text(left, place, with_numbers), 4) + "²", 3
            case ast.BinOp(op=op, left=left, right=right):
                tie, mark = {
                    ast.Add: (1, "+"), ast.Sub: (1, "−"), ast.Mult: (2, "×"), ast.Div: (2, "/")
                }[type(op)]  # fmt: skip
                first = _in_brackets(self._text(left, place, with_numbers), tie)
                return f"{first} {mark} {_in_brackets(self._text(right, place, with_numbers), tie + 1)}", tie
            case ast.Call(args=[first, *_others]) if _called(node) == "one_hot":
                inner = self._text(first, (0, place[0]), with_numbers)[0]
                return f"one_hot({inner})[{place[1]}]", 4
            case ast.Call(args=[scores]) if _called(node) == "log_softmax":
                if with_numbers:
                    return _number(self.number(node, place))
                probabilities = "P" if isinstance(scores, ast.Name) else "P_new"
                return f"log {entry_text(probabilities, place)}", 3
            case ast.Call(args=arguments):
                inner = ", ".join(self._text(argument, place, with_numbers)[0] for argument in arguments)
                return f"{_called(node)}({inner})", 4
        raise TypeError(ast.dump(node))


@dataclass(frozen=True)
class _Scale:
    """A number that multiplies a whole sum, or divides it."""

    node: ast.expr
    under: bool


def written(value: float) -> str:
    """A number with four digits that count, with a real minus: −0.01235, in French −0,01235."""
    return short(float(f"{value:.4g}") + 0.0).replace("-", "−")


def more(whole: Sum) -> str:
    """How many terms of a long sum are not shown, and what they come to: "+ 776 more: 0.0123"; "" if all are shown."""
    terms = whole.shown()
    left = len(whole) - len(terms)
    if not left:
        return ""
    rest = whole.total - sum(term.value for term in terms)
    size = float(np.max(np.abs(whole.values)))
    rest = 0.0 if abs(rest) < 1e-13 * size * len(whole) else rest  # what rounding leaves of a difference
    return _("+ {n} more: {rest}").format(n=integer(left), rest=written(rest))


def _only(place: _Place) -> tuple[range, range]:
    return range(place[0], place[0] + 1), range(place[1], place[1] + 1)


def _is_sum(node: ast.expr) -> bool:
    return (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)) or _called(node) == "sum"


def _called(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def entry_text(name: str, index: Index) -> str:
    """An entry as it is written: Z1[0,3]; the bare name of a single number."""
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _number(value: float) -> tuple[str, int]:
    return written(value), 1 if value < 0 else 4


def _bracketed(value: float) -> str:
    return _in_brackets(_number(value), 2)


def _in_brackets(text: tuple[str, int], tie: int) -> str:
    return text[0] if text[1] >= tie else f"({text[0]})"
