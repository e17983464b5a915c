"""The view Draw: its API, and its page in a browser."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image, ImageDraw

from pasapas import mlp
from pasapas.models import Committee, Model


def one(side=140):
    """A stroke down the middle: greys (side, side)."""
    picture = Image.new("L", (side, side), 255)
    ImageDraw.Draw(picture).line([(side / 2, side / 5), (side / 2, 4 * side / 5)], fill=0, width=side // 14)
    return picture


def png(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def text(content):
    return base64.b64encode(content).decode()


# The API


def test_a_drawing_is_read(ask):
    answer = ask("draw/read", {"pixels": text(one().tobytes()), "width": 140, "unit": {"layer": 1, "number": 7}})
    reply = answer.json()
    assert answer.status_code == 200
    assert reply["predicted"] == 1
    assert reply["sure"]
    assert sum(reply["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert [layer["units"] for layer in reply["layers"]] == [720, 500]
    assert reply["unit"]["number"] == 7


def test_a_picture_is_opened_and_read(ask):
    greys = ask("draw/open", {"name": "one.png", "content": text(png(one(300)))}).json()
    assert ask("draw/read", greys).json()["predicted"] == 1


def test_images_that_excite_a_unit(ask):
    images = ask("draw/excites", {"model": "shipped", "unit": 45}).json()["images"]
    assert len(images) == 6
    assert len(base64.b64decode(images[0]["image"])) == 784


def test_about_has_every_word_in_the_language_asked_for(ask):
    english, french = (ask("draw", headers={"Accept-Language": one}).json()["texts"] for one in ("en", "fr"))
    assert english["clear"] == "Clear"
    assert english.keys() == french.keys()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("read", {"image": 10_000}, 422),
        ("read", {"image": "3"}, 422),
        ("read", {"pixels": "AAAA", "width": 641}, 422),
        ("read", {"pixels": "A" * 600_000, "width": 640}, 422),
        ("read", {"pixels": "AAAA", "width": 2}, 400),
        ("read", {"unit": {"layer": 0}}, 422),
        ("read", {"image": 3, "unit": {"layer": 5, "number": 0}}, 400),
        ("read", {"model": "opened-1"}, 400),
        ("read", {"model": "../x"}, 422),
        ("read", {"more": 1}, 422),
        ("read", {"pixels": "A" * (1 << 20)}, 413),
        ("open", {"name": "x.png", "content": text(b"no picture")}, 400),
        ("open", {"name": "blank.png", "content": text(png(Image.new("L", (50, 50), 255)))}, 400),
        ("excites", {"model": "shipped", "unit": 720}, 400),
    ],
)
def test_what_is_refused(ask, path, body, status):
    answer = ask(f"draw/{path}", body)
    assert answer.status_code == status
    assert answer.json()["error"]


# The page


def stroke(page, *places):
    """A line through places, shares of the pad's side."""
    edges = page.locator(".pad").bounding_box()
    points = [(edges["x"] + x * edges["width"], edges["y"] + y * edges["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


ONE = (0.5, 0.2), (0.48, 0.8)
SEVEN = (0.3, 0.22), (0.7, 0.2), (0.55, 0.5), (0.45, 0.85)


def expect_verdict(page, words):
    page.wait_for_function("words => document.querySelector('.verdict').innerText.startsWith(words)", arg=words)


def test_a_digit_is_written_with_the_mouse(tab):
    page = tab("draw").page
    expect_verdict(page, "nothing written yet")
    stroke(page, *SEVEN)
    expect_verdict(page, "7")
    page.wait_for_function("() => document.querySelector('[role=status].unseen').textContent.startsWith('7, ')")
    best = page.locator(".bars li.best")
    assert best.locator(".name").inner_text() == "7"
    assert best.locator(".mark").inner_text() == "▸"
    assert best.locator(".share").inner_text().endswith("%")
    assert page.locator(".layer").count() == 2
    assert "above 0" in page.locator(".layer").first.inner_text()


def test_what_was_written_is_taken_back(tab):
    page = tab("draw").page
    stroke(page, *ONE)
    expect_verdict(page, "1")
    stroke(page, (0.5, 0.2), (0.85, 0.2))
    stroke(page, (0.2, 0.8), (0.8, 0.8))
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Undo").click()
    expect_verdict(page, "1")
    page.get_by_role("button", name="Clear").click()
    expect_verdict(page, "nothing written yet")
    assert page.locator(".hint").is_visible()
    page.get_by_role("button", name="Undo").click()
    expect_verdict(page, "1")
    page.get_by_role("button", name="Undo").click()
    expect_verdict(page, "nothing written yet")
    page.get_by_role("button", name="Redo").click()
    expect_verdict(page, "1")


def test_a_stroke_taken_back_while_it_is_drawn_ends_there(tab):
    page = tab("draw").page
    edges = page.locator(".pad").bounding_box()
    page.mouse.move(edges["x"] + 50, edges["y"] + 50)
    page.mouse.down()
    page.mouse.move(edges["x"] + 50, edges["y"] + 150, steps=5)
    page.wait_for_selector(".bars .best")
    page.keyboard.press("Control+z")
    page.mouse.move(edges["x"] + 150, edges["y"] + 150, steps=5)
    page.mouse.up()
    expect_verdict(page, "nothing written yet")
    assert page.locator(".hint").is_visible()


def test_a_digit_is_written_with_the_keyboard(tab):
    page = tab("draw").page
    page.locator(".pad").focus()
    for _step in range(7):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _step in range(15):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect_verdict(page, "1")
    page.keyboard.press("Delete")
    expect_verdict(page, "nothing written yet")


def test_a_digit_is_written_with_a_finger(tab):
    page = tab("draw", viewport={"width": 375, "height": 740}, has_touch=True).page
    edges = page.locator(".pad").bounding_box()
    client = page.context.new_cdp_session(page)
    for kind, y in [("touchStart", 0.2), *(("touchMove", 0.2 + 0.03 * i) for i in range(1, 20))]:
        points = [{"x": edges["x"] + edges["width"] / 2, "y": edges["y"] + y * edges["height"]}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect_verdict(page, "1")
    assert page.evaluate("scrollY") == 0


def test_a_test_image_is_in_the_address_until_something_is_written_on_it(tab):
    page = tab("draw?image=17").page
    expect_verdict(page, "7")
    assert "its label is 7" in page.locator(".reading").inner_text()
    page.get_by_role("spinbutton").fill("5")
    page.keyboard.press("Enter")
    expect_verdict(page, "1")
    assert page.url.endswith("#draw?image=5")
    page.evaluate("location.hash = '#draw?image=17'")
    expect_verdict(page, "7")
    stroke(page, (0.3, 0.5), (0.8, 0.5))
    page.wait_for_function("() => location.hash === '#draw'")
    page.get_by_role("button", name="At random").click()
    page.wait_for_function("() => location.hash.startsWith('#draw?image=')")
    page.wait_for_function("() => /its label is \\d/.test(document.querySelector('.reading').innerText)")


def test_the_image_that_is_shown_is_the_one_that_is_read(tab):
    """Images that follow each other faster than they are read: a late answer does not lend its ink to the next."""
    drawn = "document.querySelector('.pad canvas').toDataURL()"
    page = tab("draw?image=10").page
    expect_verdict(page, "0")
    page.get_by_role("spinbutton").focus()
    for _press in range(5):
        page.keyboard.press("ArrowUp")
    page.wait_for_function("() => document.querySelector('.reading').innerText.includes('Test image 15')")
    page.wait_for_timeout(500)
    fresh = tab("draw?image=15").page
    expect_verdict(fresh, "5")
    fresh.wait_for_timeout(500)
    fresh.get_by_role("spinbutton").focus()
    assert page.evaluate(drawn) == fresh.evaluate(drawn)


def test_bad_values_in_the_address_are_passed_over(tab):
    page = tab("draw?image=99999&unit=9-9&model=nobody").page
    expect_verdict(page, "nothing written yet")
    page.wait_for_function("() => location.hash === '#draw'")
    assert page.locator(".trouble:visible").count() == 0


def test_a_unit_is_opened_and_left_with_the_keyboard(tab):
    page = tab("draw?image=17").page
    grid = page.get_by_role("slider", name="Hidden layer 1: 720 units")
    grid.focus()
    for key in ("ArrowRight", "ArrowRight", "End", "Home", "ArrowRight"):
        page.keyboard.press(key)
    assert grid.get_attribute("aria-valuetext").startswith("unit 1: a = ")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.textContent === 'Unit 1 of hidden layer 1'")
    assert page.url.endswith("unit=1-1")
    panel = page.locator(".opened")
    assert "ReLU(z)" in panel.inner_text()
    assert panel.locator(".adds rect").count() == 10
    panel.get_by_role("button", name="Put test image").nth(5).wait_for()
    panel.get_by_role("button", name="Close").press("Enter")
    assert not panel.is_visible()
    assert grid.evaluate("grid => grid === document.activeElement")


def test_a_unit_of_a_later_layer_leads_to_those_before(tab):
    one = tab("draw?image=17&unit=2-107", language="fr", color_scheme="dark")
    one.page.wait_for_selector(".opened:visible .links button")
    assert one.serious() == []
    number = one.page.locator(".links button").first.inner_text().split()[1]
    one.page.locator(".links button").first.click()
    one.page.wait_for_function("number => location.hash.endsWith(`unit=1-${parseInt(number)}`)", arg=number)
    one.page.wait_for_selector(".examples canvas")
    assert one.fits()


def test_a_picture_file_is_put_on_the_pad_and_what_is_none_is_refused(tab):
    one_tab = tab("draw")
    page = one_tab.page
    file = page.locator(".tools input[accept='image/*']")
    file.set_input_files({"name": "one.png", "mimeType": "image/png", "buffer": png(one(300))})
    expect_verdict(page, "1")
    file.set_input_files({"name": "none.png", "mimeType": "image/png", "buffer": b"none"})
    page.wait_for_selector(".trouble:visible")
    assert "none.png" in page.locator(".tools .trouble").inner_text()
    assert len(one_tab.troubles) == 1  # the browser notes the refusal
    assert "400" in one_tab.troubles.pop()


@pytest.mark.parametrize(("kind", "where"), [("drop", ".pad"), ("paste", "body")])
def test_a_picture_is_dropped_or_pasted(tab, kind, where):
    page = tab("draw").page
    page.evaluate(
        """([kind, where, content]) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], "one.png"));
            const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
            const event = kind === "drop" ? new DragEvent(kind, options) : new ClipboardEvent(kind, options);
            document.querySelector(where).dispatchEvent(event);
        }""",
        [kind, where, text(png(one(300)))],
    )
    expect_verdict(page, "1")


def test_a_committee_has_no_hidden_units(tab, tmp_path):
    page = tab("draw?image=3&unit=1-5").page
    page.wait_for_selector(".opened:visible")
    network = mlp(784, 6, 10)
    members = [Model(network, network.initialize(seed=seed)) for seed in (1, 2)]
    path = Committee(members).save(tmp_path / "committee.safetensors")
    page.locator(".tools input[accept*=safetensors]").set_input_files(path)
    page.wait_for_function("() => document.querySelector('.hidden-units').innerText.includes('committee')")
    assert page.locator(".layer").count() == 0
    assert not page.locator(".opened").is_visible()
    assert page.locator(".bars li.best").count() == 1


def test_below_its_threshold_a_model_calls_itself_not_sure(tab, tmp_path):
    page = tab("draw?image=3").page
    network = mlp(784, 6, 10)
    path = Model(network, network.initialize(), {"threshold": 0.999}).save(tmp_path / "humble.safetensors")
    page.locator(".tools input[accept*=safetensors]").set_input_files(path)
    expect_verdict(page, "Not sure")
    assert page.locator(".bars li.best .mark").inner_text() == "?"


def test_the_colours_of_the_page_are_those_of_the_pad(tab):
    page = tab("draw?image=17", color_scheme="light").page
    expect_verdict(page, "7")
    content = "document.querySelector('.reading canvas').toDataURL()"
    light = page.evaluate(content)
    page.select_option(".lab-settings select", "dark")
    page.wait_for_function(f"light => {content} !== light", arg=light)
    page.select_option(".lab-settings select", "light")
    page.wait_for_function(f"light => {content} === light", arg=light)
