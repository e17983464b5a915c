"""A lesson as its notebook knows it: the language that it speaks, the judge of its exercises, and what is solved."""

from __future__ import annotations

import inspect
from dataclasses import replace
from html import escape
from typing import Any

from pasapas import i18n
from pasapas.course import progress
from pasapas.course.exercises import exercises_of
from pasapas.course.verdict import Verdict
from pasapas.doctor.texts import LESSONS
from pasapas.errors import PasapasError, one_of
from pasapas.i18n import _, ngettext


class Source:
    """The text of a function or a class, with colours where there are any."""

    def __init__(self, subject: Any) -> None:
        self.text = inspect.getsource(subject)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        try:
            from pygments import highlight  # IPython brings it
            from pygments.formatters import HtmlFormatter
            from pygments.lexers import PythonLexer
        except ImportError:
            return f"<pre>{escape(self.text)}</pre>"
        html: str = highlight(
            self.text, PythonLexer(), HtmlFormatter(cssclass="highlight", prestyles="white-space: pre")
        )
        return f"<div style='font-family: monospace; font-size: .9em; overflow-x: auto'>{html}</div>"


class Lesson:
    """A lesson by its name, such as "3-backpropagation", in "fr" or "en".

    From here on pasapas speaks that language, matplotlib draws in the course's style, and the matrix products share no
    threads. As the last line of a cell, a lesson shows which of its exercises are solved.
    """

    def __init__(self, name: str, language: str | None = None) -> None:
        self.name = one_of(_("lesson"), name, LESSONS)
        if language is not None:
            one_of(_("language"), language, i18n.LANGUAGES)
        i18n.activate(language)
        self.number = int(name.split("-")[0])
        _use_style()
        _use_one_thread()

    def check(self, exercise: int, *answers: Any, **named: Any) -> Verdict:
        """What comes of an answer to exercise 1, 2, …; kept in the notebook's folder unless there is none yet."""
        exercises = exercises_of(self.number)
        if isinstance(exercise, bool) or not isinstance(exercise, int) or not 1 <= exercise <= len(exercises):
            raise PasapasError(
                _("This lesson has exercises 1 to {last}, not '{n}'.").format(last=len(exercises), n=exercise)
            )
        asked = exercises[exercise - 1]
        title = _("Exercise {number}").format(number=f"{self.number}.{exercise}")
        verdict = replace(asked.judge(*answers, **named), exercise=title, all_hints=asked.hints)
        if verdict.status != "unanswered":
            progress.record(self.name, exercise, verdict.status)
        return verdict

    def source(self, subject: Any) -> Source:
        """The code of a function or a class, to be read: what is explained is what runs."""
        return Source(subject)

    def _line(self) -> str:
        done = progress.read().get(self.name, {})
        numbers = range(1, len(exercises_of(self.number)) + 1)
        marks = " ".join(f"{self.number}.{n} {'✓' if done.get(str(n)) == 'right' else '·'}" for n in numbers)
        n = progress.solved(done)
        solved = ngettext("{n} of {all} exercises solved", "{n} of {all} exercises solved", n).format(
            n=n, all=len(numbers)
        )
        title = _("Lesson {n}, {title}").format(n=self.number, title=LESSONS[self.name])
        return f"{title} · {solved} · {marks}"

    def __repr__(self) -> str:
        return self._line()

    def _repr_html_(self) -> str:
        return f"<p lang='{i18n.language()}'>{escape(self._line())}</p>"


def _use_style() -> None:
    """Figures that a notebook draws itself look like those of pasapas."""
    import matplotlib.pyplot as plt
    from matplotlib.scale import register_scale

    from pasapas.figures.style import STYLE, LinearScale

    plt.style.use([STYLE, {"figure.constrained_layout.use": True}])
    register_scale(LinearScale)


def _use_one_thread() -> None:
    """Networks of the course are so small that threads wait for each other, and on a busy machine for minutes."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(1, user_api="blas")
