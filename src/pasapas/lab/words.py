"""Every word of the page around the views."""

from __future__ import annotations

from typing import Any

from pasapas.i18n import _, language


def page_words(runs_code: bool) -> dict[str, Any]:
    """For the page: its words in the language spoken now, and the views in their order."""
    views = [
        ("draw", _("Draw"), _("Write a digit and watch a network read it")),
        ("microscope", _("Microscope"), _("One training step, number by number, forwards and backwards")),
        ("train", _("Train"), _("Watch networks learn, side by side")),
        ("descent", _("Descent"), _("Gradient descent, to play with")),
        ("evaluate", _("Evaluate"), _("Where a network is wrong, and what it costs to disturb it")),
        ("doctor", _("Doctor"), _("Which mistake your backward pass makes")),
    ]
    return {
        "language": language(),
        "other": "en" if language() == "fr" else "fr",
        "otherName": "English" if language() == "fr" else "Français",
        "title": _("pasapas lab"),
        "skip": _("To the content"),
        "views": [{"name": name, "title": title, "about": about} for name, title, about in views],
        "navigation": _("Views of the lab"),
        "theme": _("Colours"),
        "themes": {"auto": _("as the system"), "light": _("light"), "dark": _("dark")},
        "loading": _("Just a moment …"),
        "lost": _("The lab does not answer. Start it again with “pasapas lab”; this page goes on by itself."),
        "back": _("The lab is back."),
        "again": _("The lab had closed this session; a new one has begun, from the same settings."),
        "broken": _("This view stopped: {error}. Reload the page to go on."),
        "runsCode": runs_code,
        "api": _("The API"),
    }
