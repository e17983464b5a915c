"""French and English: which of them to speak, message catalogues, and numbers as each language writes them.

English is the language of the source; French comes from `locale/fr`. The language is the one of `speaking`, in its block;
otherwise the one given to `activate`, otherwise `PASAPAS_LANG`, otherwise the locale of the environment, otherwise English.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = ("fr", "en")
LOCALE = Path(__file__).parent / "locale"

_language: str | None = None
_chosen: str | None = None
_here: ContextVar[str | None] = ContextVar("language", default=None)


def preferred(environment: Mapping[str, str] | None = None) -> str:
    """The language that the environment asks for: "fr" or "en"."""
    environment = os.environ if environment is None else environment
    for variable in ("PASAPAS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "").lower()
        if value:
            return "fr" if value.split("_")[0].split("-")[0].split(".")[0] == "fr" else "en"
    return "en"


def activate(language: str | None = None) -> None:
    """Speaks "fr" or "en" from now on; without a language, what the environment prefers."""
    global _language, _chosen
    _language = language or preferred()
    _chosen = _language if language or os.environ.get("PASAPAS_LANG") else None


def chosen() -> str | None:
    """The language that was asked for by name, to `activate` or by `PASAPAS_LANG`; None where the locale decided."""
    return _chosen


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speaks "fr" or "en" in this block alone: other threads and tasks go on in their own language."""
    token = _here.set(language)
    try:
        yield
    finally:
        _here.reset(token)


def language() -> str:
    """The language spoken now: "fr" or "en"."""
    here = _here.get()
    if here is not None:
        return here
    if _language is None:
        activate()
    assert _language is not None
    return _language


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("pasapas", LOCALE, languages=[language], fallback=True)


def _(message: str) -> str:
    """`message` in the language spoken now."""
    return _catalogue(language()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """`singular` or `plural`, as `n` asks for, in the language spoken now."""
    return _catalogue(language()).ngettext(singular, plural, n)


def N_(message: str) -> str:
    """Marks `message` for the catalogues and leaves it as it is; `_` translates it where it is shown."""
    return message


_THIN = "\u202f"  # the narrow no-break space that French puts between thousands and before %


def number(value: float, digits: int = 4) -> str:
    """`value` with `digits` decimals: "0.9653", in French "0,9653"."""
    text = f"{value:,.{digits}f}"
    return _localized(text if text.strip("-0,.") else text.lstrip("-"))  # no -0.0000


def short(value: float) -> str:
    """`value` with as many digits as it needs, six at most: "0.05", in French "0,05"."""
    return _localized(f"{value:.6g}")


def _localized(text: str) -> str:
    return text.translate({ord(","): _THIN, ord("."): ","}) if language() == "fr" else text


def integer(value: float) -> str:
    """`value` with its thousands apart: "60,000", in French "60 000"."""
    return number(value, 0)


def percent(value: float, digits: int = 2) -> str:
    """A fraction as a percentage: "92.25%" for 0.9225, in French "92,25 %"."""
    return number(100 * value, digits) + (_THIN + "%" if language() == "fr" else "%")
