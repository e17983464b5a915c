"""The page of a step in a real browser, driven by keyboard and pointer, with Python answering."""

from __future__ import annotations

import re

import numpy as np
import pytest
from view_page import Page

from pasapas import He, i18n, mlp, trace
from pasapas.views.sources import account, written


@pytest.fixture(scope="module")
def step(mnist):
    network = mlp(784, 12, 10)
    return trace(network, network.initialize(He(), seed=1), mnist[0].images[:3], mnist[0].labels[:3], learning_rate=0.1)


@pytest.fixture
def open_page(browser, step):
    """Opens a page, and asserts at the end that nothing went wrong on it."""
    pages = []

    def open_page(step=step, **options):
        opened = Page(browser, step, **options)
        pages.append(opened)
        return opened.page

    yield open_page
    for opened in pages:
        opened.context.close()
        assert opened.troubles == []


def current(page):
    return page.locator("[aria-current=step]").inner_text()


def lit(page):
    """What is lit in each picture: the slice that is written beside it."""
    page.wait_for_function("document.querySelector('.entry') !== null")
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.operands figure')]"
        ".map((one) => [one.dataset.tensor, one.querySelector('.lit-text').textContent]))"
    )


def entry(page, text):
    page.locator(".entry", has_text=text).wait_for()
    return page.locator(".entry").inner_text()


def go(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()
    assert current(page) == name


def test_every_stage_by_keyboard_forwards_and_back(open_page, step):
    page = open_page()
    names = ["X", "Z1", "A1", "Z2", "P", "L", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1"]
    names += ["W1_new", "b1_new", "W2_new", "b2_new", "L_new"]
    page.keyboard.press("Tab")  # Next: there is no way back from the first stage
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "X"
    for i, name in enumerate(names):
        assert current(page) == page.evaluate("document.activeElement.textContent") == name
        assert page.locator(".meaning").inner_text().endswith(step[name].meaning)
        assert f"Stage {i + 1} of 18" in page.locator(".meaning").inner_text()
        assert page.locator(".formula > code").all_inner_texts() == (
            [f"{name} = {step[name].formula}"] if step[name].formula else []
        )
        assert page.locator("math").count() == (step[name].formula is not None)
        page.keyboard.press("ArrowRight")
    for name in reversed(names):
        assert current(page) == name
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    assert current(page) == "L_new"
    assert page.get_by_role("button", name="Next").is_disabled()
    page.keyboard.press("Home")
    assert current(page) == "X"
    page.get_by_role("button", name="Next").click()
    assert current(page) == "Z1"
    page.get_by_role("button", name="Previous").click()
    assert current(page) == "X"
    assert page.evaluate("model.get('stage')") == "X"


def test_what_is_pointed_at_lights_up_where_it_came_from(open_page, step):
    page = open_page()
    go(page, "dW2")
    i = int(np.argmax(step["A1"].value.sum(axis=0)))  # a unit that is not silent
    page.get_by_role("spinbutton", name="Row").fill(str(i))
    page.get_by_role("spinbutton", name="Row").press("Enter")
    page.locator(f"td[data-row='{i}'][data-column='3']").hover()
    assert f"dW2[{i},3]" in entry(page, f"dW2[{i},3]")
    assert lit(page) == {"A1": f"A1[:, {i}]", "dZ2": "dZ2[:, 3]"}
    assert page.locator("[data-tensor=A1]").get_attribute("data-lit") == f"0-3×{i}-{i + 1}"
    assert page.locator("[data-tensor=A1] .dim").count() == 1
    rows = page.locator(".terms tbody tr")
    found = account(step, "dW2", (i, 3))
    assert [row.split("\t")[:2] for row in rows.all_inner_texts()] == [[t.names, t.numbers] for t in found.sum.shown()]
    assert page.locator(".terms tfoot").inner_text().strip() == f"= {written(found.value)}"
    bars = [bar.bounding_box() for bar in page.locator(".bar").all()]
    largest = max(abs(term.value) for term in found.sum.shown())
    widest = max(bar["width"] for bar in bars if bar)
    for bar, term in zip(bars, found.sum.shown(), strict=True):
        assert (bar["width"] if bar else 0) == pytest.approx(widest * abs(term.value) / largest, abs=1)
    assert widest > 10
    frame = page.locator("[data-tensor=A1] .frame").first.bounding_box()
    picture = page.locator("[data-tensor=A1] canvas").first.bounding_box()
    assert frame["x"] == pytest.approx(picture["x"] + picture["width"] * i / 12, abs=1)
    assert frame["height"] == pytest.approx(picture["height"], abs=1)  # a column from top to bottom
    rows.nth(1).hover()
    page.wait_for_function("document.querySelectorAll('[data-tensor=A1] .frame.one').length === 1")
    page.mouse.move(1, 1)
    page.wait_for_function("document.querySelectorAll('.frame.one').length === 0")


def test_what_was_pointed_at_stays_until_something_was_chosen(open_page):
    page = open_page()
    go(page, "dZ2")
    page.locator("td[data-row='0'][data-column='1']").hover()
    entry(page, "dZ2[0,1]")
    page.mouse.move(1, 1)
    page.wait_for_timeout(100)
    entry(page, "dZ2[0,1]")
    page.locator("td[data-row='2'][data-column='1']").click()
    page.locator("td[data-row='1'][data-column='2']").hover()
    entry(page, "dZ2[1,2]")
    page.mouse.move(1, 1)
    entry(page, "dZ2[2,1]")


def test_pixels_that_are_lit_keep_their_colour(open_page):
    page = open_page()
    go(page, "dZ2")
    page.locator("td[data-row='1'][data-column='4']").click()
    entry(page, "dZ2[1,4]")
    alphas = page.evaluate(
        "(() => { const c = document.querySelector('[data-tensor=P] canvas.lit');"
        "return [...c.getContext('2d').getImageData(0, 0, 10, 3).data].filter((_, i) => i % 4 === 3); })()"
    )
    assert [i for i, alpha in enumerate(alphas) if alpha] == [1 * 10 + 4]


def test_numbers_by_keyboard(open_page, step):
    page = open_page()
    go(page, "Z1")
    page.get_by_role("spinbutton", name="Row").fill("0")
    page.get_by_role("spinbutton", name="Column").fill("0")
    page.get_by_role("spinbutton", name="Column").press("Enter")
    cell = page.locator("td[data-row='0'][data-column='0']")
    cell.click()
    for key, place in [
        ("ArrowRight", "0,1"), ("ArrowDown", "1,1"), ("End", "1,11"), ("PageDown", "2,11"), ("Control+Home", "0,0"),
        ("ArrowUp", "0,0"), ("ArrowLeft", "0,0"), ("Control+End", "2,11"), ("Home", "2,0"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert (
            page.evaluate("document.activeElement.dataset.row + ',' + document.activeElement.dataset.column") == place
        )
        assert page.locator("[role=gridcell][tabindex='0']").count() == 1
        entry(page, f"Z1[{place}]")
    assert lit(page) == {"X": "X[2, :]", "W1": "W1[:, 0]", "b1": "b1[0]"}
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Z1[2,0] =')")
    assert current(page) == "Z1"  # arrows in the numbers do not walk on
    shown = page.locator("td[data-row='2'][data-column='0']").inner_text()
    assert float(shown.replace("−", "-")) == pytest.approx(float(step["Z1"].value[2, 0]), abs=6e-4)
    assert "+ 777 more" in page.locator(".terms .more").inner_text()


def test_to_a_far_entry_by_typing_and_by_the_picture(open_page):
    page = open_page()
    go(page, "dW1")
    page.get_by_role("spinbutton", name="Row").fill("783")
    page.get_by_role("spinbutton", name="Column").fill("11")
    page.get_by_role("spinbutton", name="Column").press("Enter")
    entry(page, "dW1[783,11]")
    assert page.locator("td[data-row='783'][data-column='11']").get_attribute("aria-selected") == "true"
    page.get_by_role("spinbutton", name="Row").fill("99999")
    page.get_by_role("spinbutton", name="Row").press("Enter")
    entry(page, "dW1[783,11]")
    picture = page.locator(".tensor .stack")
    box = picture.bounding_box()
    picture.click(position={"x": 1, "y": 0})
    entry(page, "dW1[0,0]")
    picture.click(position={"x": box["width"] - 3, "y": box["height"] / 2 + 1})
    page.locator(".entry", has_not_text="dW1[0,0]").wait_for()
    text = entry(page, "dW1[")
    row, column = map(int, re.match(r"dW1\[(\d+),(\d+)\]", text).groups())
    assert column == 11
    assert abs(row - 393) < 8


def test_a_pixel_of_an_image_is_found_under_the_pointer(open_page):
    page = open_page()
    box = page.locator(".tensor canvas").first.bounding_box()
    pixel = box["width"] / (3 * 29 - 1)
    page.mouse.click(box["x"] + (29 + 14.5) * pixel, box["y"] + 10.5 * pixel)  # the second image
    assert entry(page, f"X[1,{10 * 28 + 14}]")
    assert "nothing of this step computed it" in page.locator(".sum").inner_text()
    go(page, "dW1")
    page.get_by_role("spinbutton", name="Row").fill("294")
    page.get_by_role("spinbutton", name="Row").press("Enter")
    entry(page, "dW1[294,")
    assert lit(page)["X"] == "X[:, 294]"
    assert page.locator("[data-tensor=X] .frame").count() == 3  # one pixel in each image


def test_from_a_term_to_where_it_was_computed(open_page):
    page = open_page()
    go(page, "Z2")
    page.locator("td[data-row='1'][data-column='2']").click()
    entry(page, "Z2[1,2]")
    target = page.locator(".terms .open").first
    name = target.inner_text()
    target.click()
    assert current(page) == "A1"
    entry(page, name)
    page.get_by_role("button", name="Z1", exact=True).last.click()  # the picture's caption
    assert current(page) == "Z1"


def test_softmax_shows_what_it_divides_by(open_page, step):
    page = open_page()
    go(page, "P")
    page.locator("td[data-row='0']").first.click()
    entry(page, "P[0,")
    assert page.locator(".terms").count() == 2
    assert page.locator(".terms").last.locator("tbody tr").count() == 10
    powers = np.exp(step["Z2"].value[0] - step["Z2"].value[0].max())
    assert f"S = {written(float(powers.sum()))}" in page.locator(".sum").inner_text()


@pytest.mark.parametrize(("width", "language"), [(360, "fr"), (700, "fr"), (1400, "en")])
def test_nothing_is_wider_than_the_page(open_page, mnist, width, language):
    i18n.activate(language)
    network = mlp(784, 16, 12, 10, dropout=0.2)
    params = network.with_masks(network.initialize(), 4, np.random.default_rng(1))
    deep = trace(network, params, mnist[0].images[:4], mnist[0].labels[:4])
    page = open_page(deep, viewport={"width": width, "height": 800})
    assert page.locator("section").first.get_attribute("lang") == language
    for name in ("X", "D1", "P", "dW1", "W3_new", "L_new"):
        page.evaluate(f"model.set('stage', '{name}')")
        assert current(page) == name
        page.locator(".entry").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (page.locator(".scale, .legend").all_inner_texts() or [""])[0].count(".") == 0 or language == "en"
    page.set_viewport_size({"width": 1800 - width, "height": 800})
    page.wait_for_function(f"document.documentElement.scrollWidth <= {1800 - width}")


def test_colours_follow_the_theme(open_page):
    """Zero is neither blue nor orange, but the colour of the paper."""
    page = open_page(color_scheme="light")
    page.evaluate(
        "window.corner = () => { const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });"
        "copy.drawImage(document.querySelector('.tensor canvas'), 0, 0); return Math.max(...copy.getImageData(0, 0, 1, 1).data.slice(0, 3)); }"
    )
    assert page.evaluate("corner()") == 255
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("corner() < 60")
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    page.wait_for_function("corner() === 255")


def test_numbers_reach_the_page_unchanged(open_page, step):
    page = open_page()
    for name in ("Z1", "P", "dZ2"):
        go(page, name)
        digits = len(page.locator("td[data-row]").first.inner_text().partition(".")[2])
        for cell in page.locator("td[data-row]").all()[:12]:
            row, column = int(cell.get_attribute("data-row")), int(cell.get_attribute("data-column"))
            shown = float(cell.inner_text().replace("−", "-"))
            assert shown == pytest.approx(float(step[name].value[row, column]), abs=0.51 * 10**-digits)


def test_without_python_the_stages_can_still_be_walked(open_page, step):
    page = open_page(answering=False)
    page.clock.install()
    go(page, "Z2")
    page.clock.fast_forward(5000)
    assert page.locator("td[data-row]").count() > 5
    page.locator(".sum", has_text="Python does not answer").wait_for()
    go(page, "dA1")
    assert step["dA1"].meaning in page.locator(".meaning").inner_text()


def test_names_and_roles(open_page):
    """Everything that can be reached has a name, pictures have texts, and words are never markup."""
    page = open_page()
    go(page, "Z1")
    page.locator(".entry").wait_for()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, canvas[role=img], table[role=grid], section, nav, [role=group]')]"
        ".filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length)).length"
    )
    assert unnamed == 0
    assert page.get_by_role("img", name="Picture of Z1").is_visible()
    assert page.locator(".meaning").get_attribute("aria-live") == "polite"
    assert page.locator(".stage[tabindex='0']").count() == 1
    assert page.get_by_role("group", name="Backward").get_by_role("button").count() == 7


def test_it_leaves_nothing_behind(open_page):
    page = open_page()
    assert page.evaluate("model.listening()") == 4
    page.evaluate("leave()")
    assert page.evaluate("model.listening()") == 0
    assert page.evaluate("Object.keys(window).filter((key) => /pasapas|step/i.test(key))") == []


def test_pointing_about_asks_little(open_page):
    page = open_page()
    go(page, "dW1")
    page.locator(".entry").wait_for()
    page.evaluate("sent.length = 0")
    box = page.locator(".tensor .stack").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2, steps=40)
    page.wait_for_timeout(300)
    assert 1 <= page.evaluate("sent.length") <= 20
