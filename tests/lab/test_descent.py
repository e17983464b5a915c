"""The view Descent: its API, and its page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from pasapas.studies.demonstrations import LANDSCAPES

PATH = {"function": "parabola", "start": [2.5], "learning_rate": 0.5}


def test_the_api_gives_a_path(ask):
    found = ask("descent/path", {**PATH, "steps": 3}).json()
    assert found["points"] == [[2.5], [0], [0], [0]]
    assert (found["regime"], found["arrived"]) == ("exact", 1)


def test_the_api_gives_what_to_draw(ask):
    assert set(ask("descent/curve", {"function": "wells"}).json()) == {"x", "values"}
    assert ask("descent/surface", {"function": "saddle"}).json()["columns"] > 100


@pytest.mark.parametrize(("path", "body", "status"), [
    ("curve", {"function": "valley"}, 400),
    ("surface", {"function": "parabola"}, 400),
    ("surface", {"function": "x" * 41}, 422),
    ("path", {**PATH, "start": [1.0, 2.0]}, 400),
    ("path", {**PATH, "start": []}, 422),
    ("path", {**PATH, "start": [1e300]}, 422),
    ("path", {**PATH, "start": ["1"]}, 422),
    ("path", {**PATH, "learning_rate": 0}, 422),
    ("path", {**PATH, "learning_rate": 11}, 422),
    ("path", {**PATH, "momentum": 1}, 422),
    ("path", {**PATH, "steps": 0}, 422),
    ("path", {**PATH, "steps": 10**9}, 422),
    ("path", {**PATH, "optimizer": "adam"}, 422),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(ask, path, body, status):
    answer = ask(f"descent/{path}", body)
    assert answer.status_code == status
    assert answer.json()["error"]


def ready(one):
    """The page, once it shows a descent and has drawn its function."""
    one.page.wait_for_selector(".ball")
    one.page.wait_for_selector(".regime:not(:empty)")
    return one.page


def slider_at(page):
    return float(page.get_attribute(".ball", "aria-valuenow"))


def centre(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("regime", LANDSCAPES["parabola"].rates)
def test_each_regime_is_a_button_away(tab, regime):
    page = ready(tab("descent"))
    page.click(f"[data-regime={regime}]")
    expect(page.locator(".regime")).to_have_text(regime)
    expect(page.locator(f"button[data-regime={regime}]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".verdict")).to_contain_text("1 − 2α")


def test_the_ball_is_dropped_by_the_mouse_and_goes(tab):
    page = ready(tab("descent"))
    box = page.locator(".drawing:visible").bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_function("() => document.querySelector('.ball').getAttribute('aria-valuenow') < 0")
    expect(page.locator(".counter")).to_have_text("Step 15 of 15", timeout=20_000)
    assert slider_at(page) == pytest.approx(-2.1, abs=0.3)


def test_the_ball_is_dragged(tab):
    page = ready(tab("descent"))
    x, y = centre(page, ".ball .body")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=4)
    page.wait_for_function("() => document.querySelector('.ball').getAttribute('aria-valuenow') < 2.4")
    assert page.inner_text(".counter") == "Step 0 of 15"
    page.mouse.up()
    expect(page.locator(".playing .main")).to_have_text("Pause")


def test_the_ball_is_moved_by_keys_and_let_go(tab):
    page = ready(tab("descent"))
    page.focus(".ball")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('.ball').getAttribute('aria-valuenow') === '2.44'")
    assert page.evaluate("document.activeElement.classList.contains('ball')")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function("() => document.querySelector('.ball').getAttribute('aria-valuenow') === '1.84'")
    page.keyboard.press("Enter")
    expect(page.locator(".counter")).to_have_text("Step 15 of 15", timeout=20_000)


def test_in_two_dimensions_keys_move_it_both_ways(tab):
    page = ready(tab("descent?f=saddle&x=1&y=0.3"))
    page.focus(".ball")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".ball")).to_have_attribute("aria-label", re.compile(re.escape("(1; 0.33)")))
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ball")).to_have_attribute("aria-label", re.compile(re.escape("(1.06; 0.33)")))


def test_in_two_dimensions_it_is_dropped_where_one_clicks(tab):
    page = ready(tab("descent?f=valley"))
    x, y = centre(page, ".picture canvas")
    page.mouse.click(x, y - 2)
    expect(page.locator(".ball")).to_have_attribute("aria-label", re.compile(r"\(−?0(\.0\d*)?; 0\.0\d*\)"))


def test_contour_lines_are_drawn(tab):
    page = ready(tab("descent?f=ravine"))
    page.wait_for_function("""() => {
      const canvas = document.querySelector(".picture canvas");
      if (!canvas?.width) return false;
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(new Uint32Array(pixels.buffer)).size > 20;
    }""")


def test_steps_are_taken_one_by_one_with_their_numbers(tab):
    page = ready(tab("descent?rate=0.3"))
    assert page.locator(".arithmetic p").last.inner_text() == "x = 2.5 − 0.3 · 5 = 1"
    page.click("text=One step")
    assert page.inner_text(".counter") == "Step 1 of 15"
    assert page.locator(".arithmetic p").last.inner_text() == "x = 1 − 0.3 · 2 = 0.4"
    assert page.locator("tr[aria-current] th").inner_text() == "1"
    page.click("[aria-label='One step back']")
    assert page.inner_text(".counter") == "Step 0 of 15"


def test_momentum_is_compared_with_none(tab):
    page = ready(tab("descent?f=ravine&rate=0.03"))
    expect(page.get_by_label("Compare")).to_be_visible()
    assert page.locator(".other rect").count() == 0
    page.get_by_role("slider", name="Momentum").fill("0.7")
    expect(page.locator(".other rect")).to_have_count(60)
    assert page.locator(".charts .key > span").count() == 2
    page.get_by_label("Compare").uncheck()
    expect(page.locator(".other rect")).to_have_count(0)


def test_sliders_change_the_descent(tab):
    page = ready(tab("descent"))
    page.get_by_role("slider", name="Learning rate").focus()
    page.keyboard.press("End")
    expect(page.locator(".regime")).to_have_text("diverging")
    page.get_by_role("slider", name="Steps").fill("30")
    expect(page.locator(".counter")).to_have_text("Step 0 of 30")


def test_the_state_is_in_the_address(tab):
    one = tab("descent?f=wells&x=-0.5&rate=0.05&momentum=0.5&nesterov=1&steps=25")
    page = ready(one)
    shown = page.inner_text(".verdict"), page.inner_text(".rows")
    page.get_by_role("slider", name="Steps").fill("26")
    page.wait_for_function("() => location.hash.includes('steps=26')")
    assert "x=-0.5" in page.evaluate("location.hash")
    page.get_by_role("slider", name="Steps").fill("25")
    page.wait_for_function("() => location.hash.includes('steps=25')")
    page.reload()
    ready(one)
    assert (page.inner_text(".verdict"), page.inner_text(".rows")) == shown
    page.evaluate("location.hash = 'descent?f=kink'")
    expect(page.locator(".formula:visible")).to_have_text("f(x) = |x|")


def test_nonsense_in_the_address_is_ignored(tab):
    page = ready(tab("descent?f=%3Cb%3E&x=1e999&rate=-3&momentum=7&steps=many"))
    assert slider_at(page) == 2.5
    assert page.inner_text(".counter") == "Step 0 of 15"


def test_another_function_begins_with_what_suits_it(tab):
    page = ready(tab("descent?rate=1.05"))
    page.select_option(".controls select", "saddle")
    expect(page.locator(".regime")).to_have_text("slow")
    assert page.locator(".picture canvas").is_visible()
    page.select_option(".controls select", "kink")
    expect(page.locator(".picture canvas")).to_be_hidden()
    expect(page.get_by_label("Compare")).to_be_hidden()


def test_with_reduced_motion_it_arrives_at_once(tab):
    page = ready(tab("descent", reduced_motion="reduce"))
    page.click("text=Let it go")
    assert page.inner_text(".counter") == "Step 15 of 15"
    box = page.locator(".drawing:visible").bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 100)
    expect(page.locator(".counter")).to_have_text("Step 0 of 15")


def test_what_came_of_it_is_announced(tab):
    page = ready(tab("descent"))
    page.click("[data-regime=exact]")
    expect(page.locator(".unseen[role=status]").filter(has_text="exact: comes to x = 0 in 1 step")).to_have_count(1)


def test_the_keyboard_alone_reaches_everything(tab):
    page = ready(tab("descent?f=valley&momentum=0.5"))
    page.focus(".drawing:visible .ball")
    reached = []
    for _press in range(18):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.type || document.activeElement.className.toString()"))
    assert {"select-one", "range", "checkbox", "button"} <= set(reached)
    assert "wide rows" in reached


@pytest.mark.parametrize("place", ["descent?f=ravine&momentum=0.6", "descent?f=wells&rate=0.3"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_fits_a_phone_and_axe_finds_nothing_serious(tab, place, language):
    one = tab(place, language=language, viewport={"width": 375, "height": 740})
    ready(one)
    assert one.fits()
    assert one.serious() == []


def test_in_french_numbers_have_commas(tab):
    page = ready(tab("descent?rate=0.1", language="fr"))
    expect(page.locator(".arithmetic p").last).to_have_text("x = 2,5 − 0,1 · 5 = 2")
