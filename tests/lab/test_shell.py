"""The page around the views."""

from __future__ import annotations

import pytest

VIEWS = ["draw", "microscope", "train", "descent", "evaluate", "doctor"]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_in_both_languages(tab, view, language):
    one = tab(view, language=language)
    assert one.page.get_attribute("html", "lang") == language
    assert one.page.locator("nav a[aria-current]").get_attribute("href") == f"#{view}"
    assert one.page.locator(".trouble:visible").count() == 0
    assert one.serious() == []


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_a_phone(tab, view, scheme):
    one = tab(view, language="fr", viewport={"width": 375, "height": 740}, color_scheme=scheme)
    assert one.fits()
    assert one.serious() == []


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_at_twice_the_size(tab, view):
    """200 % zoom of a window of 1280 pixels is one of 640 with pixels twice as fine."""
    one = tab(view, viewport={"width": 640, "height": 450}, device_scale_factor=2)
    assert one.fits()


def test_the_language_is_switched_in_place(tab):
    one = tab("descent")
    one.page.click("a.language")
    one.page.wait_for_selector("html[lang=fr] .view:not([aria-busy])")
    assert one.page.locator("nav a[aria-current]").get_attribute("href") == "#descent"


def test_colours_stay_chosen(tab):
    one = tab("draw", color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = one.page.evaluate(background)
    one.page.select_option(".lab-settings select", "dark")
    assert one.page.evaluate(background) != light
    one.page.reload()
    one.page.wait_for_selector(".view:not([aria-busy])")
    assert one.page.evaluate(background) != light


def test_views_are_reached_by_the_keyboard_alone(tab):
    one = tab("draw")
    one.page.keyboard.press("Tab")
    assert one.page.evaluate("document.activeElement.className") == "skip"
    for _press in range(3):
        one.page.keyboard.press("Tab")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector(".view:not([aria-busy])")
    assert one.page.locator("nav a[aria-current]").get_attribute("href") == "#microscope"
    assert one.page.evaluate("document.activeElement.id") == "content"
