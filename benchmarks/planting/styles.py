"""Right programs in other styles, drawn from all combinations of what learners do differently."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from planting.writing import ACTIVATIONS, Setting, program

CHOICES: dict[str, tuple[Any, ...]] = {
    "output": ("softmax", "softmax", "softmax", "sigmoid"),
    "penalty": (False, False, True),
    "dropout": (False, False, False, True),
    "centred": (False, False, True),
    "division": ("", "delta", "gradient", "update", "nowhere"),
    "bias": ("", "row", "flat", "column"),
    "derivative": ("", "helper", "inline"),
    "update": ("", "new", "in place"),
    "columns": (False, False, True),
    "reverse": (False, False, False, True),
    "at_zero": (False, True),
    "float32": (False, False, False, True),
    "integers": (False, False, False, True),
    "extra": (False, True),
    "names": ("course", "french", "short"),
}


@dataclass(frozen=True)
class Right:
    """A right program."""

    number: int
    setting: Setting
    text: str

    @property
    def name(self) -> str:
        """As a file's: what is not the default of its dialect."""
        s, plain = self.setting, Setting()
        told = [f"{k}-{getattr(s, k)}" for k in CHOICES if getattr(s, k) != getattr(plain, k)]
        first = f"correct--{self.number:03}--dialect{s.dialect}-depth{s.depth}-{s.activation}"
        return "--".join([first, *told]).replace(" ", "-").replace("-True", "")


def possible(s: Setting) -> bool:
    """Whether the styles go together."""
    if s.output == "sigmoid" and s.integers:
        return False
    if s.dropout and s.derivative == "inline" and s.activation in ("tanh", "sigmoid"):
        return False  # the formulas in A want A from before dropout
    return not (s.at_zero and s.activation != "relu")


def styles(n: int = 120, seed: int = 0) -> list[Right]:
    """The plain programs of every dialect, depth and activation, then others with some styles of their own."""
    grid = [Setting(d, L, a) for d in (1, 2) for L in (2, 3, 4) for a in ACTIVATIONS]
    chosen, source = list(grid), random.Random(seed)
    while len(chosen) < n:
        s = source.choice(grid)
        for name in source.sample(sorted(CHOICES), source.randint(1, 5)):
            s = replace(s, **{name: source.choice(CHOICES[name])})
        if possible(s) and s not in chosen:
            chosen.append(s)
    return [Right(i, s, program(s)) for i, s in enumerate(chosen)]
