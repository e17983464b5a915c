"""The catalogue of mistakes, one in each file of this folder: to add a mistake is to add a file with its `MISTAKE`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from pasapas.doctor.mistake import STAGES, Mistake
from pasapas.errors import PasapasError, nearest
from pasapas.i18n import _


@cache
def mistakes() -> dict[str, Mistake]:
    """All mistakes by code, in the order of the computation and then by code. Not to be changed by who is given it."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__) if not m.name.startswith("_"))
    found: list[Mistake] = [module.MISTAKE for module in modules]
    return {mistake.code: mistake for mistake in sorted(found, key=lambda m: (STAGES.index(m.stage), m.code))}


def find(code: str) -> Mistake:
    """The mistake of this code. Raises PasapasError, naming the nearest, if there is none."""
    if code not in mistakes():
        raise PasapasError(
            _("There is no mistake with the code '{code}'; 'pasapas mistakes' lists them.").format(code=code)
            + nearest(code, mistakes())
        )
    return mistakes()[code]
