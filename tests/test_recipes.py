from __future__ import annotations

import itertools

import pytest

from pasapas import PasapasError, Recipe, i18n, load_recipe, recipe, train
from pasapas.recipes import FIELDS, parse_field, recipe_names
from pasapas.recipes.definition import description


def test_the_package_has_its_recipes_and_describes_them_in_both_languages():
    assert recipe_names()[0] == "default"
    assert set(recipe_names()) >= {"default", "thorough", "lesson-3", "tanh-132", "laptop", "champion", "undeformed"}
    for name in recipe_names():
        recipe(name)
        texts = []
        for language in i18n.LANGUAGES:
            i18n.activate(language)
            texts.append(description(name))
        assert len(set(texts)) == 2


@pytest.mark.parametrize(
    ("name", "changes", "least"),
    [
        ("laptop", {"epochs": 4, "train_images": 3000, "warmup_epochs": 0.5}, 0.8),
        ("champion", {"epochs": 3, "train_images": 2048, "warmup_epochs": 1.0, "hidden": (256, 128)}, 0.5),
        ("undeformed", {"epochs": 3, "train_images": 2048, "warmup_epochs": 0.5, "hidden": (128, 64)}, 0.8),
    ],
)
def test_the_long_recipes_learn_in_a_reduced_length(name, changes, least):
    reduced = recipe(name, test_images=1000, **changes)
    result = train(reduced, quiet=True)
    assert all(later.loss < earlier.loss for earlier, later in itertools.pairwise(result.history))
    assert result.test[1] > least


def test_toml_there_and_back(tmp_path):
    for name in recipe_names():
        path = tmp_path / f"{name}.toml"
        path.write_text(recipe(name).to_toml(), encoding="utf-8")
        assert load_recipe(path) == recipe(name)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", " 3 ", 3),
        ("learning_rate", "0.05", 0.05),
        ("learning_rate", "0,05", 0.05),
        ("learning_rate", "1e-3", 0.001),
        ("l2", "0", 0.0),
        ("hidden", "128,64", (128, 64)),
        ("hidden", "none", ()),
        ("activation", "tanh", "tanh"),
        ("dtype", "float64", "float64"),
    ],
)
def test_options_are_read(name, text, value):
    got = parse_field(name, text)
    assert got == value
    assert type(got) is type(value)


NONSENSE = {
    int: ["-1", "1.5", "nan", "ten", "", "99999999999999999999", "0x10", "inf"],
    float: ["-0.1", "nan", "inf", "-inf", "a lot", "", "1e999"],
    tuple: ["0", "128,0", "-5", "1000000000", "128;64", "a", "128,,64", ",".join(["4"] * 101)],
    str: ["", "relux", "None"],
}
CASES = [(name, text) for name, field in FIELDS.items() for text in NONSENSE.get(field.metadata["kind"].type, [])]


@pytest.mark.parametrize(("name", "text"), [c for c in CASES if c != ("hidden", "")])
def test_every_field_refuses_nonsense(name, text):
    with pytest.raises(PasapasError) as error:
        parse_field(name, text)
    sentence = str(error.value)
    assert sentence.startswith(f"--{name.replace('_', '-')} must be ")
    assert f"not '{text}'" in sentence


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_refuses_another_type(name):
    for value in (None, object(), {}, b"x", [None], "☃"):
        with pytest.raises(PasapasError, match=name):
            Recipe(**{name: value})


def test_nearest_name_is_offered():
    for make, offered in [
        (lambda: Recipe(optimizer="nestrov"), "'nesterov'"),
        (lambda: recipe("lesson3"), "'lesson-3'"),
        (lambda: recipe(epoch=3), "'epochs'"),
    ]:
        with pytest.raises(PasapasError, match="Did you mean") as error:
            make()
        assert offered in str(error.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"train_images": 100, "validation_images": 100}, "leaves nothing"),
        ({"epochs": 2, "warmup_epochs": 2.0}, "warmup_epochs"),
        ({"hidden": (100_000, 100_000)}, "weights"),
    ],
)
def test_what_does_not_go_together(fields, says):
    with pytest.raises(PasapasError) as error:
        Recipe(**fields)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("epochs = ", "no recipe in TOML"),
        ("epochs = 0", "epochs must be a whole number from 1"),
        ("epochs = true", "epochs must be"),
        ("epohcs = 3", "Did you mean 'epochs'?"),
        ("\x00", "no recipe in TOML"),
        (b"\xff\xfe", "no recipe in TOML"),
        ("#" * 2_000_000, "too large"),
        (None, "There is no file"),
    ],
    ids=["unfinished", "zero", "bool", "unknown", "control", "binary", "huge", "missing"],
)
def test_files_that_are_no_recipes(content, says, tmp_path):
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(PasapasError) as error:
        load_recipe(path)
    assert says in str(error.value)
    assert str(path) in str(error.value) or "epo" in says


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(PasapasError, match="it is a folder"):
        load_recipe(tmp_path)
