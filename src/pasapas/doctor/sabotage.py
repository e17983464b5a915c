"""Exercises: a program with one mistake planted that still learns, and the judgement of who says which one it is."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, cached_property
from hashlib import blake2b
from importlib import resources
from random import Random
from typing import Literal

from pasapas.doctor import programs
from pasapas.doctor.catalogue import find, mistakes
from pasapas.doctor.mistake import Mistake
from pasapas.doctor.syntax import parse
from pasapas.errors import PasapasError
from pasapas.i18n import _

WELL_ENOUGH = 0.88
"""From this test accuracy on, nobody notices that something is wrong."""

State = Literal["planted", "repaired", "changed"]
"""Whether the lines of the mistake are as planted, as they should be, or otherwise."""

_MARK = re.compile(r"^# pasapas sabotage ([0-9a-f]{8})$", re.MULTILINE)
_NEAR = 1
"""A diagnosis may miss the line by so many: some mistakes are a line that is not there."""


@cache
def measured() -> Mapping[str, Mapping[str, float | None]]:
    """The test accuracy of each planted program, by code and program; that of the right ones under "right".

    None where the program fails. `benchmarks/planted.py` measures them.
    """
    text = (resources.files(programs.__name__) / "measured.json").read_text(encoding="utf-8")
    content: dict[str, dict[str, float | None]] = json.loads(text)
    return content


@dataclass(frozen=True)
class Exercise:
    """One program with one mistake in it."""

    program: str
    code: str

    @property
    def mistake(self) -> Mistake:
        """The mistake's entry in the catalogue."""
        return find(self.code)

    @property
    def edits(self) -> Mapping[str, str]:
        """What was replaced by what."""
        return self.mistake.examples[self.program]

    @property
    def accuracy(self) -> float | None:
        """What the program reaches on the test images, as a fraction; None where it fails."""
        return measured().get(self.code, {}).get(self.program)

    @property
    def learns(self) -> bool:
        """Whether it learns so well that nobody notices."""
        return (self.accuracy or 0) >= WELL_ENOUGH

    @cached_property
    def mark(self) -> str:
        """What the file is recognised by, and what tells nobody the mistake."""
        return blake2b(f"{self.program} {self.code}".encode(), digest_size=4).hexdigest()

    @cached_property
    def text(self) -> str:
        """The file that is handed out."""
        return f"# pasapas sabotage {self.mark}\n" + programs.planted(self.program, self.edits)

    def lines(self, text: str | None = None) -> list[int]:
        """The numbers of the planted lines in `text`, a file handed out that may have been edited since.

        Where the mistake is a line that is missing, the line that stands in its place.
        """
        planted = self.text.splitlines()
        right = programs.program(self.program).splitlines()
        places: list[int] = []
        for kind, _a, _b, start, end in SequenceMatcher(None, ["", *right], planted, autojunk=False).get_opcodes():
            if kind != "equal" and end > 1:  # the mark is the first line
                places += range(start, max(end, start + 1))
        if text is None:
            return [i + 1 for i in places]
        blocks = SequenceMatcher(None, planted, text.splitlines(), autojunk=False).get_opcodes()
        found = {
            there + min(i - here, max(there_end - there - 1, 0))
            for i in places
            for _kind, here, here_end, there, there_end in blocks
            if here <= i < here_end
        }
        return sorted(i + 1 for i in found)

    def state(self, text: str) -> State:
        """What has become of the mistake in `text`. Spaces and comments do not count."""
        right, wrong, now = _bare(programs.program(self.program)), _bare(self.text), _bare(text)
        if right == wrong:  # lines were only moved: then it matters what follows on what
            right, wrong, now = _bare(programs.program(self.program), 2), _bare(self.text, 2), _bare(text, 2)
        lost, put = right - wrong, wrong - right
        if all(now[line] >= wrong[line] for line in put) and all(now[line] <= wrong[line] for line in lost):
            return "planted"
        if all(now[line] >= right[line] for line in lost) and all(now[line] <= right[line] for line in put):
            return "repaired"
        return "changed"

    def hint(self, number: int) -> str:
        """Hint 1, 2 or 3 of the mistake, with the names and numbers of this program."""
        return self.mistake.hints[number - 1].show(**self._names())

    def _names(self) -> dict[str, object]:
        """What fills the braces of a hint: read off the planted lines."""
        tree, planted = parse(self.text), self.text.splitlines()
        last = max((int(n) for n in re.findall(r"\bdW(\d)\b", self.text)), default=3)
        first = self.lines()[0]
        function = next(
            (n.name for n in _inner_first(tree) if n.lineno <= first <= (n.end_lineno or first)),
            "",
        )
        target = re.match(r"\s*(?:self\.)?(\w+)(?:\[[^=]*\])? [-+*/]?= ", planted[first - 1])
        digits = re.findall(r"\d+", target[1]) if target else []
        deep = next((r.layers for r in self.mistake.replays), "all") == "hidden"
        layer = int(digits[0]) if digits else last - 1 if deep else last
        layer = min(layer, last)
        shown = self.mistake.replays[0].tensor if self.mistake.replays else ""
        tensor = target[1] if target else _fill(shown, layer, last) or function
        return {
            "tensor": tensor, "layer": layer, "previous": layer - 1, "next": layer + 1, "last": last, "function": function,
        }  # fmt: skip


def _fill(tensor: str, layer: int, last: int) -> str:
    return tensor.format(l=layer, L=last, previous=layer - 1, next=layer + 1)


def names_in_general(mistake: Mistake) -> dict[str, object]:
    """What fills the braces of a mistake's hints where no program is meant: a network with two layers."""
    tensor = mistake.replays[0].tensor if mistake.replays else "dW{l}"
    layer = 2 if "{L}" in tensor or (mistake.replays and mistake.replays[0].layers == "upper") else 1
    return {
        "tensor": _fill(tensor, layer, 2), "layer": layer, "previous": layer - 1, "next": layer + 1, "last": 2,
        "function": "backward",
    }  # fmt: skip


@cache
def exercises() -> tuple[Exercise, ...]:
    """All programs with all mistakes that can be planted in them."""
    return tuple(Exercise(program, code) for code, mistake in mistakes().items() for program in mistake.examples)


def choose(seed: int | None = None, program: str | None = None, code: str | None = None) -> Exercise:
    """An exercise that still learns, drawn by `seed`; of this program, or with this mistake, where one is named.

    A mistake that is named need not let the program learn. Raises PasapasError where there is no such exercise.
    """
    if program is not None:
        programs.program(program)
    if code is not None:
        find(code)
    fitting = [e for e in exercises() if program in (None, e.program) and code in (None, e.code)]
    learning = [e for e in fitting if e.learns and e.mistake.trains]
    possible = learning if learning or code is None else fitting
    if not possible and code is not None:
        raise PasapasError(
            _("The mistake '{code}' cannot be planted in the program '{program}': choose one of {programs}.").format(
                code=code, program=program, programs=", ".join(find(code).examples)
            )
        )
    if not possible:
        raise PasapasError(
            _("No mistake in the program '{program}' lets it learn: choose another one.").format(program=program)
        )
    draw = Random(seed)
    codes = sorted({e.code for e in possible})  # each mistake as often as any other, in however many programs it is
    drawn = draw.choice(codes)
    return draw.choice([e for e in possible if e.code == drawn])


def recognise(text: str) -> Exercise | None:
    """The exercise that a file was handed out as, by its mark, otherwise by its lines; None where it is none."""
    match = _MARK.search(text)
    for exercise in exercises():
        if match and exercise.mark == match[1]:
            return exercise
    lines = _bare(text)
    if not lines:
        return None
    program = max(programs.names(), key=lambda name: (lines & _bare(programs.program(name))).total())
    if (lines & _bare(programs.program(program))).total() < 0.5 * lines.total():
        return None
    kept = [e for e in exercises() if e.program == program and e.state(text) == "planted"]
    return max(kept, key=lambda e: (lines & _bare(e.text)).total(), default=None)


@dataclass(frozen=True)
class Judgement:
    """What a diagnosis is worth. `line` is None where no line was named."""

    mistake: bool
    line: bool | None
    state: State

    @property
    def right(self) -> bool:
        """Whether all that was said is right."""
        return self.mistake and self.line is not False


def judge(exercise: Exercise, text: str, code: str, line: int | None = None) -> Judgement:
    """Judges the diagnosis that `text` has the mistake `code`, in `line`. Raises PasapasError for an unknown code."""
    find(code)
    near = None if line is None else any(abs(line - place) <= _NEAR for place in exercise.lines(text))
    # the doctor confirms: where the state is "changed", only running the file tells whether it is right now
    return Judgement(code == exercise.code, near, exercise.state(text))


def _bare(text: str, together: int = 1) -> Counter[str]:
    """How often each line, or so many one after the other, stands in a program; less spaces, comments, empty lines."""
    bare = ["".join(line.partition("  #")[0].split()) for line in text.splitlines()]
    bare = [line for line in bare if line and not line.startswith("#")]
    return Counter("\n".join(bare[i : i + together]) for i in range(len(bare) - together + 1))


def _inner_first(tree: ast.AST) -> list[ast.FunctionDef]:
    """All functions, the innermost first."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return sorted(found, key=lambda node: -node.lineno)
