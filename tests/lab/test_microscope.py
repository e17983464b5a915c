"""The view Microscope: its API, and its page in a real browser."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from pasapas import He, load_mnist, mlp, trace, verify
from pasapas.models import Model
from pasapas.tracing.capsule import load_capsule
from pasapas.views.microscope import MicroscopeView
from pasapas.views.sources import account, written

SMALL = "microscope?model=small&images=3,7,11"


@pytest.fixture(scope="module")
def step():
    """What the page shows at `SMALL`."""
    return walked(0)


def walked(updates, learning_rate=0.01):
    data, _test = load_mnist()
    network = mlp(784, 12, 10)
    params = network.initialize(He(), 1, "float64")
    for _time in range(updates + 1):
        step = trace(network, params, data.images[[3, 7, 11]], data.labels[[3, 7, 11]], learning_rate=learning_rate)
        params = step.params("_new")
    return step


# The API


def test_the_api_answers_as_the_view(ask, step):
    shown = ask("microscope/step", {"model": "small", "images": [3, 7, 11]})
    assert shown.status_code == 200
    assert shown.json() == MicroscopeView().answer("step", {"model": "small", "images": [3, 7, 11]})
    after = ask("microscope/go", {"updates": 1}).json()
    assert after["losses"] == [step.loss, step.loss_after]
    assert ask("microscope/entry", {"tensor": "L", "index": []}).json()["value"] == written(step.loss_after)
    assert ask("microscope/chain", {"layer": 2}).json()["weight"].startswith("W2[")
    sent = ask("microscope/arrays", {"tensors": ["X"]}).json()["arrays"]["X"]
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(sent), "<f4"), step["X"].value.astype("<f4").ravel())


def test_a_capsule_travels_through_the_api(ask, step, tmp_path):
    ask("microscope/step", {"model": "small", "images": [3, 7, 11]})
    saved = ask("microscope/save", {}).json()
    path = tmp_path / "step.capsule"
    path.write_bytes(base64.b64decode(saved["content"]))
    assert verify(path) == []
    opened = ask("microscope/open", saved)
    assert opened.status_code == 200
    assert opened.json()["labels"] == step["y"].value.tolist()
    refused = ask("microscope/open", {"name": "x.capsule", "content": "AAAA"})
    assert (refused.status_code, refused.json()) == (400, {"error": "'x.capsule' is no capsule, or it is damaged."})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("step", {}), ("step", {"model": "small", "images": []}), ("step", {"model": "small", "images": [60_000]}),
        ("step", {"model": "small", "images": [0] * 9}), ("step", {"model": "small", "learning_rate": 0}),
        ("step", {"model": "../small"}), ("step", {"model": "small", "updates": 1.5}), ("go", {"updates": 201}),
        ("go", {"updates": "1"}), ("arrays", {"tensors": []}), ("entry", {"tensor": "X", "index": [0, 0, 0]}),
        ("entry", {"tensor": "X", "index": [-1]}), ("chain", {"layer": 0}), ("open", {"name": "a", "content": "?"}),
    ],
    ids=str,
)  # fmt: skip
def test_requests_are_checked(ask, path, body):
    assert ask(f"microscope/{path}", body).status_code == 422


# The page


def loss(one):
    return float(one.page.locator(".amount").first.inner_text())


def stage(one):
    return one.page.locator("[aria-current=step]").inner_text()


def walk_to(one, name):
    one.page.locator(".pasapas-step .stage", has_text=name).filter(has=one.page.locator(f"text='{name}'")).click()


def opened(tab, place=SMALL, **options):
    one = tab(place, **options)
    one.page.wait_for_selector(".microscope:not([aria-busy]) .links ol")
    one.page.wait_for_selector(".pasapas-step .entry")
    return one


def test_the_stages_are_walked_by_the_keyboard(tab, step):
    one = opened(tab, SMALL + "&stage=X")
    one.page.locator("[aria-current=step]").focus()
    names = [t.name for t in step if t.name == "X" or t.stage not in ("inputs", "parameters")]
    for name in names:
        assert stage(one) == name
        assert one.page.locator(".direction").inner_text().endswith(f" · {name}")
        assert one.page.locator(".pasapas-step .meaning").inner_text().endswith(step[name].meaning)
        one.page.keyboard.press("ArrowRight")
    one.page.keyboard.press("ArrowLeft")
    assert stage(one) == names[-2]
    expect(one.page).to_have_url(re.compile(f"stage={names[-2]}$"))


def test_the_network_walks_too(tab):
    one = opened(tab, SMALL + "&stage=Z1")
    network = one.page.locator(".network")
    network.get_by_role("button", name="Next").click()
    assert stage(one) == "A1"
    assert network.locator(".name").all_text_contents() == ["W1", "W2", "X", "A1"]
    assert network.locator(".name.now").text_content() == "A1"
    network.get_by_role("button", name="Previous").click()
    network.get_by_role("button", name="Previous").click()
    assert stage(one) == "X"
    network.get_by_role("button", name="Previous").press("Enter")
    assert stage(one) == "X"


def test_what_is_pointed_at_lights_up_exactly_where_it_came_from(tab, step):
    one = opened(tab, SMALL + "&stage=dA1")
    one.page.locator("td[data-row='1'][data-column='4']").hover()
    one.page.locator(".entry", has_text="dA1[1,4]").wait_for()
    found = account(step, "dA1", (1, 4))
    lit = one.page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.operands figure')].map((f) => [f.dataset.tensor, f.querySelector('.lit-text').textContent]))"
    )
    assert lit == {region.tensor: str(region) for region in found.regions} == {"dZ2": "dZ2[1, :]", "W2": "W2[4, :]"}
    rows = one.page.locator(".pasapas-step .terms tbody tr").all_inner_texts()
    assert [row.split("\t")[:2] for row in rows] == [[term.names, term.numbers] for term in found.sum.shown()]
    units = one.page.locator(".network .unit.source").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert [text.split(",")[0] for text in units] == [f"Class {k}" for k in range(10)]
    assert one.page.locator(".network .link.source").count() == 10  # the weights of unit 4 to the classes
    assert one.page.locator(".network .unit.here").get_attribute("aria-label").startswith("Unit 4 of layer 1, image 1")
    assert one.page.locator(".batch [aria-pressed=true]").inner_text() == str(step["y"].value[1])


def test_the_batch_shows_which_image_the_network_is_drawn_with(tab, step):
    one = opened(tab, SMALL)
    one.page.locator(".batch button").nth(2).click()
    one.page.get_by_role("button", name="Do the update").click()
    expect(one.page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "false")
    one.page.get_by_label("Colours", exact=True).select_option("dark")
    drawn = int(re.search(r"image (\d)", one.page.locator(".network svg").first.get_attribute("aria-label"))[1])
    expect(one.page.locator(".batch [aria-pressed=true]")).to_have_text(str(step["y"].value[drawn]))
    assert drawn == 2


def test_units_by_keyboard(tab, step):
    one = opened(tab, SMALL + "&stage=P")
    assert one.page.locator(".unit[tabindex='0']").count() == 1
    one.page.locator(".unit").first.focus()
    one.page.keyboard.press("ArrowDown")
    label = one.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("Unit 1 of layer 1, image 0: Z1 = ")
    assert float(label.rpartition("A1 = ")[2].replace("−", "-")) == pytest.approx(
        step["A1"].value[0, 1], rel=1e-3, abs=1e-6
    )
    assert one.page.locator(".readout").inner_text() == label
    one.page.keyboard.press("ArrowRight")
    assert "Class 1, image 0" in one.page.evaluate("document.activeElement.getAttribute('aria-label')")
    one.page.keyboard.press("Enter")
    one.page.locator(".entry", has_text="P[0,1]").wait_for()
    assert one.page.evaluate("document.activeElement.textContent") == "P"


def test_the_update_is_done_and_undone(tab, step):
    one = opened(tab)
    assert loss(one) == pytest.approx(step.loss, abs=1e-6)
    assert one.page.locator(".chart").is_hidden()
    one.page.get_by_role("button", name="Do the update").press("Enter")
    expect(one.page.locator(".amount").first).to_have_text(f"{step.loss_after:.6f}")
    assert one.page.evaluate("document.activeElement.textContent") == "Do the update"
    assert f"{step.loss_after:.6f} before" in one.page.locator(".pasapas-step .title").inner_text()
    one.page.get_by_role("button", name="Do the update").click(click_count=3)
    expect(one.page.locator(".amount").first).to_have_text(f"{walked(4).loss:.6f}")
    assert one.page.locator(".chart").is_visible()
    expect(one.page).to_have_url(re.compile("updates=4"))
    one.page.get_by_role("button", name="Undo").click()
    expect(one.page.locator(".amount").first).to_have_text(f"{walked(3).loss:.6f}")
    one.page.get_by_role("button", name="Back to the start").click()
    expect(one.page.locator(".amount").first).to_have_text(f"{step.loss:.6f}")
    one.page.get_by_role("button", name="Undo").press("Enter")  # there is nothing before the start
    assert loss(one) == pytest.approx(step.loss, abs=1e-6)


def test_an_update_leaves_the_entry_that_is_looked_at(tab):
    one = opened(tab, SMALL + "&stage=dZ2")
    one.page.locator("td[data-row='2'][data-column='1']").click()
    one.page.locator(".entry", has_text="dZ2[2,1]").wait_for()
    one.page.get_by_role("button", name="Do the update").click()
    value = written(account(walked(1), "dZ2", (2, 1)).value)
    one.page.locator(".entry", has_text=f"dZ2[2,1] = {value}").wait_for()


def test_large_arrays_are_fetched_when_they_are_looked_at(tab):
    one = opened(tab, "microscope?stage=Z2")
    asked = []
    one.page.on(
        "request", lambda request: asked.append(request.post_data) if request.url.endswith("arrays?lang=en") else None
    )
    walk_to(one, "dA1")
    one.page.locator(".entry", has_text="dA1[").wait_for()
    assert asked == []
    walk_to(one, "W1_new")
    one.page.locator(".entry", has_text="W1_new[").wait_for()
    assert asked == ['{"tensors":["W1_new","W1","dW1"]}']
    assert one.page.locator(".tensor canvas").first.get_attribute("width") == "128"


def test_a_capsule_is_saved_checked_and_opened_again(tab, tmp_path):
    one = opened(tab, SMALL + "&updates=2")
    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="Save as a capsule").click()
    path = tmp_path / download.value.suggested_filename
    assert path.name == "step-2.capsule"
    download.value.save_as(path)
    assert verify(path) == []
    assert load_capsule(path).loss == walked(2).loss
    one.page.get_by_role("button", name="Back to the start").click()
    expect(one.page).not_to_have_url(re.compile("updates"))
    one.page.set_input_files("input[accept='.capsule']", path)
    one.page.locator(".verdict", has_text="every number is what the step gives").wait_for()
    assert loss(one) == pytest.approx(walked(2).loss, abs=1e-6)
    assert one.page.locator(".microscope select").first.input_value() == "capsule"
    assert one.page.locator(".batch button").count() == 3


def test_an_altered_capsule_says_so(tab, step, tmp_path):
    path = step.save(tmp_path / "mine.capsule")
    content = bytearray(path.read_bytes())
    place = content.rindex(step["dZ2"].value.tobytes())
    content[place : place + 8] = np.float64(0.25).tobytes()
    path.write_bytes(content)
    one = opened(tab)
    one.page.set_input_files("input[accept='.capsule']", path)
    one.page.locator(".verdict", has_text="mine.capsule: 1 number is not what the step gives.").wait_for()
    assert "dZ2[0, 0] is 0.25, but the step gives" in one.page.locator(".verdict li").inner_text()
    (tmp_path / "none.capsule").write_bytes(b"nothing")
    one.page.set_input_files("input[accept='.capsule']", tmp_path / "none.capsule")
    one.page.locator(".trouble", has_text="'none.capsule' is no capsule, or it is damaged.").wait_for()
    assert "status of 400" in one.troubles.pop()  # the browser says by itself what it was refused


def test_a_model_of_ones_own_is_opened_from_the_menu(tab, tmp_path):
    network = mlp(784, 5, 10, activation="tanh")
    path = Model(network, network.initialize()).save(tmp_path / "mine.safetensors")
    one = opened(tab)
    one.page.set_input_files("input[accept^='.safetensors']", path)
    expect(one.page).to_have_url(re.compile("model=opened-1"))
    assert one.page.locator(".microscope select").first.input_value() == "opened-1"
    assert "5 units" in one.page.locator(".network svg").text_content()
    one.page.locator(".microscope select").first.select_option("small")
    expect(one.page).not_to_have_url(re.compile("opened"))
    assert "12 units" in one.page.locator(".network svg").text_content()
    assert "mine.safetensors" in one.page.locator(".microscope select").first.inner_text()


def test_the_chain_rule_of_a_weight_that_one_chooses(tab, step):
    one = opened(tab)
    chain = one.page.locator(".chain")
    chain.get_by_label("From input i").fill("300")
    chain.get_by_label("To unit j").fill("5")
    chain.get_by_label("To unit j").press("Enter")
    chain.locator("h3", has_text="dW1[300,5]").wait_for()
    totals = [row.replace("\t", " ") for row in chain.locator(".total").all_inner_texts()]
    assert totals[-1] == f"dW1[300,5] = {written(step['dW1'].value[300, 5])}"
    assert [total.partition("[")[0] for total in totals] == ["dZ2", "dA1", "dZ1", "dW1"]
    assert chain.locator(".path .factor").count() == 4
    assert chain.locator(".path math").count() == 4
    expect(one.page).to_have_url(re.compile("weight=1%2C300%2C5"))
    name = chain.locator(".path .open").first.inner_text()
    chain.locator(".path .open").first.click()
    one.page.locator(".entry", has_text=name).wait_for()
    assert stage(one) == "dZ2"
    chain.get_by_label("From input i").fill("784")
    chain.get_by_label("From input i").press("Enter")
    chain.locator("h3", has_text="dW1[783,5]").wait_for()


def test_the_address_brings_it_back(tab, step):
    one = opened(tab, SMALL + "&rate=0.02&convention=per-example&updates=1&stage=dZ1&weight=2,3,4,1")
    assert loss(one) == pytest.approx(walked(1, 0.02).loss, abs=1e-6)
    assert stage(one) == "dZ1"
    assert one.page.locator(".chain h3").first.inner_text() == "One path to dW2[3,4]"
    assert one.page.get_by_label("Division by m").input_value() == "per-example"
    one.page.evaluate("location.hash = '#microscope?model=small'")
    one.page.wait_for_function("() => !location.hash.includes('rate=0.02')")
    one.page.wait_for_timeout(300)
    assert stage(one) == "P"  # an address without a stage is that of the first
    bad = opened(tab, "microscope?model=capsule&images=1,x&rate=-3&updates=many&stage=Q&weight=9,9,9,9")
    assert bad.page.get_by_label("Numbers of training images").input_value() == "0, 1, 2, 3, 4"
    assert stage(bad) == "P"


def test_what_is_refused_is_said_and_taken_back(tab, step):
    one = opened(tab)
    one.page.get_by_label("Numbers of training images").fill("3, 99999999")
    one.page.get_by_label("Numbers of training images").press("Enter")
    one.page.locator(".trouble", has_text="Choose 1 to 8 training images by their numbers, 0 to 59,999.").wait_for()
    assert one.page.get_by_label("Numbers of training images").input_value() == "3, 7, 11"
    one.page.get_by_label("Learning rate").fill("0.5")
    one.page.get_by_label("Learning rate").press("Enter")
    expect(one.page).to_have_url(re.compile("rate=0.5"))
    assert one.page.locator(".trouble:visible").count() == 0
    one.page.get_by_role("button", name="Other images").click()
    expect(one.page).not_to_have_url(re.compile("images=3%2C7%2C11"))
    assert one.page.locator(".batch button").count() == 3


def test_colours_follow_the_choice_of_the_page(tab):
    one = opened(tab, color_scheme="light")
    ground = "getComputedStyle(document.querySelector('.pasapas-step')).backgroundColor"
    light = one.page.evaluate(ground)
    one.page.select_option(".lab-settings select", "dark")
    assert one.page.evaluate(ground) != light
    one.page.select_option(".lab-settings select", "light")
    assert one.page.evaluate(ground) == light


@pytest.mark.parametrize("width", [375, 1280, 1920])
@pytest.mark.parametrize("place", ["model=shipped&stage=dW2&updates=3", "stage=W1_new"])
def test_it_fits(tab, width, place):
    one = opened(tab, f"microscope?{place}", language="fr", viewport={"width": width, "height": 800})
    assert one.fits()
    assert one.serious() == []
