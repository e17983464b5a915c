"""The view Evaluate: its API, and its page."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from pasapas import mlp
from pasapas.models import Model

MODEL = {"model": "shipped"}


def test_the_api_gives_the_overview(ask):
    found = ask("evaluate/overview", MODEL).json()
    assert sum(map(sum, found["counts"])) == found["images"] == 10_000
    assert found["accuracy"] == 1 - found["errors"] / 10_000 > 0.99


def test_the_api_gives_the_images_of_an_entry(ask):
    truth, answer = ask("evaluate/overview", MODEL).json()["worst"]
    found = ask("evaluate/images", {**MODEL, "truth": truth, "answer": answer}).json()
    assert found["total"] == len(found["images"]) > 1
    image = ask("evaluate/image", {**MODEL, "number": found["images"][0]["number"]}).json()
    assert (image["label"], image["answer"]) == (truth, answer)
    assert image["probabilities"][answer] == pytest.approx(found["images"][0]["probability"])


def test_the_api_disturbs(ask):
    found = ask("evaluate/disturb", {**MODEL, "kind": "noise", "strength": 0.5}).json()
    assert 0.5 < found["accuracy"] < found["clean"]
    assert found["cost"] == pytest.approx(found["clean"] - found["accuracy"])


@pytest.mark.parametrize(("path", "body", "status"), [
    ("overview", {"model": "opened-1"}, 400),
    ("overview", {"model": "../../etc/passwd"}, 422),
    ("overview", {}, 422),
    ("images", {**MODEL, "truth": 10}, 422),
    ("images", {**MODEL, "truth": "3"}, 422),
    ("images", {**MODEL, "offset": -1}, 422),
    ("image", {**MODEL, "number": 10_000}, 400),
    ("disturb", {**MODEL, "kind": "blur", "strength": 1}, 400),
    ("disturb", {**MODEL, "kind": "shift", "strength": 100}, 400),
    ("disturb", {**MODEL, "kind": "shift", "strength": 1e9}, 422),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(ask, path, body, status):
    answer = ask(f"evaluate/{path}", body)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1e400"])
def test_a_strength_is_a_number(lab, number):
    with httpx.Client(base_url=lab.address) as client:
        headers = {"X-Session": client.post("/api/sessions").json()["session"], "Content-Type": "application/json"}
        body = f'{{"model": "shipped", "kind": "shift", "strength": {number}}}'
        assert client.post("/api/evaluate/disturb", content=body, headers=headers).status_code == 422


@pytest.fixture
def page(tab):
    """Opens the view in a state, with its images there."""

    def opened(state="", **options):
        page = tab(f"evaluate?{state}", **options).page
        page.wait_for_selector(".gallery button, .images h2:has-text('no image')")
        return page

    return opened


def test_the_most_frequent_confusion_is_open(page, ask):
    truth, answer = ask("evaluate/overview", MODEL).json()["worst"]
    one = page()
    expect(one.locator(".images > h2")).to_contain_text(f"{truth} read as {answer}")
    expect(one.locator("[role=grid] button[aria-current]")).to_have_attribute(
        "aria-label", one.text_content(".images > h2")
    )
    expect(one.locator(".opened p").first).to_contain_text(f"It is a {truth}, but the network reads {answer}.")


def test_a_click_opens_the_images_of_an_entry_and_the_address_says_so(page):
    one = page()
    one.click("[role=grid] button[aria-label^='5 read as 3']")
    expect(one.locator(".images > h2")).to_have_text("5 read as 3: 3 images")
    expect(one.locator(".gallery button")).to_have_count(3)
    one.locator(".gallery button").nth(2).click()
    number = one.locator(".gallery button").nth(2).get_attribute("data-number")
    expect(one.locator(".opened a").first).to_have_attribute("href", f"#draw?image={number}&model=shipped")
    assert "cell=5-3" in one.url
    assert f"image={number}" in one.url
    one.reload()
    expect(one.locator(".gallery button[aria-pressed=true]")).to_have_attribute("data-number", number)
    expect(one.locator(".images > h2")).to_have_text("5 read as 3: 3 images")


def test_the_matrix_is_walked_by_keyboard(page):
    one = page("cell=5-3")
    one.focus("[role=grid] button[aria-current]")
    one.keyboard.press("ArrowLeft")
    one.keyboard.press("ArrowUp")
    assert one.evaluate("document.activeElement.ariaLabel").startswith("4 read as 2: no image")
    one.keyboard.press("Enter")
    expect(one.locator(".images > h2")).to_have_text("4 read as 2: no image")
    expect(one.locator(".opened")).to_be_hidden()
    one.keyboard.press("End")
    one.keyboard.press("PageDown")
    one.keyboard.press("Enter")
    expect(one.locator(".images > h2")).to_have_text("All mistakes: 45 images")
    assert one.evaluate("document.querySelectorAll('[role=grid] [tabindex=\"0\"]').length") == 1


def test_it_fits_a_phone_with_all_mistakes_open(tab):
    one = tab("evaluate?cell=x-x", language="fr", viewport={"width": 375, "height": 740}, color_scheme="dark")
    expect(one.page.locator(".gallery button")).to_have_count(24)
    expect(one.page.locator(".examples figure")).to_have_count(10)
    assert one.fits()
    assert one.serious() == []


def test_more_images_are_shown(page):
    one = page("cell=7-7")
    expect(one.locator(".gallery button")).to_have_count(24)
    one.click("text=Show more")
    expect(one.locator(".gallery button")).to_have_count(48)


def test_a_disturbance_says_what_it_costs(page):
    one = page("by=noise&strength=0.3")
    expect(one.locator(".cost")).to_contain_text("points less than undisturbed")
    before = one.text_content(".cost")
    one.focus(".disturb input[type=range]")
    one.keyboard.press("End")
    expect(one.locator(".slider output").first).to_have_text("σ\u00a01")
    expect(one.locator(".cost")).not_to_have_text(before)
    expect(one.locator(".examples .mistaken").first).to_be_visible()
    one.check("input[value=shift]")
    expect(one.locator(".slider output").first).to_have_text("4\u00a0px")
    expect(one).to_have_url(re.compile("by=shift&strength=4"))
    one.keyboard.press("Home")
    one.focus(".disturb input[type=range]")
    one.keyboard.press("Home")
    expect(one.locator(".cost")).to_contain_text("nothing is disturbed")


def test_the_curve_fills_up_by_itself(page):
    one = page("by=thick")
    expect(one.locator(".disturb .line.one").first).to_have_attribute("d", re.compile("^M[^L]+(L[^L]+){8}$"))


def test_answering_only_when_sure(page, ask):
    one = page("sure=5")
    now = ask("evaluate/overview", MODEL).json()["abstention"][5]
    expect(one.locator(".rest [role=status]")).to_contain_text(f"Wrong: {now['errors']} of {now['answered']:,}.")


def test_nonsense_in_the_address_is_ignored(page):
    one = page("cell=12-x&model=gone&by=blur&strength=abc&image=x&sure=-3")
    expect(one.locator("[role=grid] button[aria-current]")).to_have_count(1)
    expect(one.locator(".cost")).to_contain_text("points less")
    assert one.locator(".trouble:visible").count() == 0


def test_a_network_that_diverged_leaves_no_number_of_another(tab, tmp_path):
    opened = tab("evaluate")
    one = opened.page
    one.wait_for_selector(".gallery button")
    network = mlp(784, 6, 10)
    params = network.initialize()
    params[0]["W"][:] = 3e38
    path = Model(network, params).save(tmp_path / "huge.safetensors")
    one.locator("input[accept*=safetensors]").set_input_files(path)
    expect(one.locator(".trouble").first).to_contain_text("diverged")
    assert not one.locator(".figures dd").count()
    expect(one.locator("[role=grid]")).to_be_hidden()
    assert all("400" in trouble for trouble in opened.troubles)  # the browser tells of what was refused
    opened.troubles.clear()
    one.locator(".head select").first.select_option("shipped")
    expect(one.locator("[role=grid]")).to_be_visible()


def test_another_address_shows_another_entry(page):
    one = page("cell=5-3")
    one.evaluate("location.hash = '#evaluate?cell=7-7'")
    expect(one.locator(".images > h2")).to_contain_text("7 read as 7, rightly")
    assert one.locator(".evaluate").count() == 1
