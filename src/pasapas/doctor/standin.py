"""An object that takes the place of what is not there, and lets anything be done with it.

Plots, progress bars and models of other libraries only have to do nothing, without stopping the code around them.
"""

from __future__ import annotations

import opcode
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any, Literal, Self

_UNPACK = (opcode.opmap["UNPACK_SEQUENCE"], opcode.opmap["UNPACK_EX"])
_CACHE = opcode.opmap.get("CACHE", -1)
_EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]


class Base:
    """What a class derives from whose base is a stand-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __init_subclass__(cls, **kwargs: Any) -> None: ...


class StandIn:
    """Called, indexed, added, entered or asked for an attribute, it gives a stand-in. It is false, zero and empty."""

    __array_ufunc__ = None  # `array + stand-in` is for the stand-in to say
    __version__ = "0"

    def __init__(self, name: str = "") -> None:
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """A stand-in for the result; a function that is decorated stays what it is."""
        if len(args) == 1 and not kwargs and isinstance(args[0], (FunctionType, type)):
            return args[0]
        return StandIn(self._name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        others = [b for b in bases if not isinstance(b, StandIn)]
        return () if others or next(b for b in bases if isinstance(b, StandIn)) is not self else (Base,)

    def __iter__(self) -> Iterator[Any]:
        wanted, _nested = unpacked(sys._getframe(1))
        return iter([StandIn(self._name) for _ in range(wanted)])

    def __getitem__(self, key: Any) -> StandIn:
        return StandIn(self._name)

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __delitem__(self, key: Any) -> None: ...

    def __contains__(self, value: Any) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> Literal[False]:
        return False

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __repr__(self) -> str:
        return f"<stand-in for {self._name}>"

    def __format__(self, specification: str) -> str:
        return ""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _absorb(self, *_: Any) -> StandIn:
        return StandIn(self._name)

    def _is_not(self, other: Any) -> bool:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _absorb
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _absorb
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __lshift__ = __rshift__ = _absorb
    __neg__ = __pos__ = __abs__ = __invert__ = __round__ = _absorb
    __lt__ = __le__ = __gt__ = __ge__ = _is_not


def unpacked(frame: Any) -> tuple[int, bool]:
    """Into how many names the code in `frame` is unpacking something now, and whether the first of them is unpacked in
    turn: (2, True) for `(a, b), (c, d) = it`; (0, False) where it unpacks nothing, as in `for x in it`.

    Nothing but the instruction tells `fig, ax = plt.subplots()` from a loop that should not run.
    """
    code, at = frame.f_code.co_code, frame.f_lasti
    if at < 0 or code[at] not in _UNPACK:
        return 0, False
    wanted = code[at + 1]
    if at >= 2 and code[at - 2] == _EXTENDED_ARG:  # `a, *b, c = it`: names after the star
        wanted += code[at - 1]
    following = at + 2
    while following < len(code) and code[following] == _CACHE:
        following += 2
    return wanted, following < len(code) and code[following] in _UNPACK
