"""The course: notebooks in French and English, whose exercises are judged here.

`fr/` and `en/` hold the lessons, with `solutions/` and, for teachers, `teacher/`. The code cells of a lesson are the same in
both languages, but for the one that says which language it is.
"""

from pasapas.course.lesson import Lesson
from pasapas.course.verdict import Verdict

__all__ = ["Lesson", "Verdict"]
