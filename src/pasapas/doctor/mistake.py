"""What an entry of the catalogue is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pasapas import i18n
from pasapas.doctor.replay import Replay

Stage = Literal["data", "initialisation", "forward", "loss", "backward", "update", "measure"]

STAGES: tuple[Stage, ...] = ("data", "initialisation", "forward", "loss", "backward", "update", "measure")
"""The order of the computation, and so of findings."""

PARTS: dict[Stage, tuple[str, ...]] = {
    "data": (),
    "initialisation": ("initialize",),
    "forward": ("forward",),
    "loss": ("loss",),
    "backward": ("backward",),
    "update": ("update", "backward"),
    "measure": ("accuracy",),
}
"""The parts of a submission in which mistakes of a stage are made, likeliest first."""


@dataclass(frozen=True)
class Text:
    """A text in both languages. Braces are filled where it is shown: {tensor}, {layer}, {previous}, {next}, {function}."""

    en: str
    fr: str

    def __str__(self) -> str:
        return self.fr if i18n.language() == "fr" else self.en

    def show(self, **values: object) -> str:
        """The text in the language spoken now, filled."""
        return str(self).format(**values)


@dataclass(frozen=True)
class Replays:
    """How a mistake is made in the right pass: `kind` inherits from Replay and overrides what goes wrong.

    `tensor` is where it first shows, with {l} for its layer and {L} for the last. `layers` says where it can be made:
    "all" at once alone, "each" one by one as well, "hidden" and "upper" (2 to L) likewise without the others.
    `needs` names activations or a loss without which the mistake cannot be told, or means something else.
    """

    kind: type[Replay]
    tensor: str
    layers: Literal["all", "each", "hidden", "upper"] = "each"
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """One entry of the catalogue: a mistake's code, its words, how it is replayed, and how it is planted in programs.

    `examples` plants it: for each program in `programs/` that has it, the lines to replace, old → new.
    """

    code: str
    stage: Stage
    name: Text
    hints: tuple[Text, Text, Text]
    lesson: str
    replays: tuple[Replays, ...] = ()
    examples: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    trains: bool = False
    """Whether a network with this mistake still trains well enough for nobody to notice."""


Evidence = Any
Detector = Callable[[Evidence], Any]
