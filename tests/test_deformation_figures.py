"""The picture of deformed digits, and `pasapas show deformations`."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from pasapas import figures, i18n
from pasapas.data.deformations import REFERENCE, Deformation
from pasapas.errors import PasapasError


@pytest.fixture(scope="module")
def digit(mnist):
    return mnist[0].images[7]


def rows(figure, draws):
    """The axes in rows: the images, and the grid last."""
    axes = figure.axes
    return [axes[i : i + draws + 1] for i in range(0, len(axes), draws + 1)]


def shown(row):
    return [np.asarray(axes.images[0].get_array()) for axes in row if axes.images]


def test_a_row_for_each_way_with_the_same_shares_in_a_column(digit):
    figure = figures.deformed_digits(REFERENCE, digit, draws=3, seed=5)
    original, *ways, together = rows(figure, 3)
    assert len(ways) == 5
    (image,) = shown(original)
    np.testing.assert_allclose(image, digit / 255)
    random = np.random.default_rng(5)
    affine, noise = random.random((3, 6)), random.random((3, 2, 28, 28))
    three = np.repeat(digit[None] / 255, 3, axis=0)
    for row, name in zip(ways, ("rotation", "scaling", "shear", "translation", "elastic"), strict=True):
        alone = Deformation(**{name: getattr(REFERENCE, name)})
        np.testing.assert_allclose(shown(row), alone.apply(three, affine, noise))
    np.testing.assert_allclose(shown(together), REFERENCE.apply(three, affine, noise))


def test_ways_without_amplitude_are_left_out(digit):
    figure = figures.deformed_digits(Deformation(shear=0.5), digit, draws=2)
    labels = [row[0].get_ylabel() for row in rows(figure, 2)]
    assert labels == ["Original", "Shear\n±0.5"]
    assert len(rows(figures.deformed_digits(Deformation(), digit), 6)) == 1


def test_labels_as_each_language_writes_numbers(digit):
    asked = dataclasses.replace(REFERENCE, elastic_sigma=4.5)
    labels = [row[0].get_ylabel() for row in rows(figures.deformed_digits(asked, digit), 6)]
    assert [label.partition("\n")[2] for label in labels] == [
        "", "±10°", "±12%", "±0.1", "±0.5\u00a0px", "46\u00a0px, σ\u00a04.5\u00a0px", "",
    ]  # fmt: skip
    i18n.activate("fr")
    labels = [row[0].get_ylabel() for row in rows(figures.deformed_digits(asked, digit), 6)]
    assert labels[2].endswith("\n±12\u202f%")
    assert labels[5].endswith("\n46\u00a0px, σ\u00a04,5\u00a0px")


def lines(axes):
    """The grid's lines, (n, 2) each: columns and rows."""
    contours = [artist for artist in axes.get_children() if isinstance(artist, ContourSet)]
    return [
        line for contour in contours for path in contour.get_paths() for line in path.to_polygons(closed_only=False)
    ]


def test_the_grid_goes_where_the_image_goes(digit):
    first, turned = (row[-1] for row in rows(figures.deformed_digits(Deformation(rotation=20), digit, seed=1), 6))
    straight = lines(first)
    assert len(straight) == 12  # every fourth of 28, each way, but for the edges
    assert all(np.ptp(line, axis=0).min() == 0 for line in straight)
    share = 2 * np.random.default_rng(1).random((6, 6))[0, 0] - 1
    for line in lines(turned):
        if len(line) > 20:
            across, down = line[-1] - line[0]
            angle = np.degrees(np.arctan2(-down, across)) % 90  # counter-clockwise
            assert angle == pytest.approx(20 * share % 90, abs=0.01)


def test_images_of_other_sizes_and_kinds(random):
    row = random.random((12, 17))
    (image, *_rest) = shown(rows(figures.deformed_digits(REFERENCE, row, draws=1), 1)[0])
    np.testing.assert_array_equal(image, row)
    with pytest.raises(PasapasError, match="from 0 to 255"):
        figures.deformed_digits(REFERENCE, np.array([[0.0, 255.0]]))
    with pytest.raises(PasapasError, match="draws"):
        figures.deformed_digits(REFERENCE, row, draws=0)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_show_says_so_where_a_recipe_deforms_nothing(run, tmp_path, language):
    ran = run("show", "deformations", "--recipe", "lesson-3", "--index", 7, "--lang", language)
    assert (ran.status, ran.err) == (0, "")
    assert "lesson-3" in ran.out
    assert (tmp_path / "deformations.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(run("show", "deformations", "--json").out) == {
        "picture": "deformations", "figure": None, "recipe": "default", "deforms": False,
        "amplitudes": dataclasses.asdict(REFERENCE), "index": 0, "true": 5,
    }  # fmt: skip


def test_show_takes_the_amplitudes_of_a_recipe(run, tmp_path):
    (tmp_path / "mine.toml").write_text('rotation = 7.5\nsampling = "cubic"\n')
    found = json.loads(run("show", "deformations", "--recipe", "mine.toml", "--index", 59999, "--json").out)
    assert found["deforms"]
    assert found["amplitudes"] == dataclasses.asdict(Deformation(rotation=7.5, sampling="cubic"))
    assert (found["index"], found["true"]) == (59999, 8)
    assert "mine.toml" not in run("show", "deformations", "--recipe", "mine.toml").out  # it deforms: nothing to excuse


TABLE = [
    ("show deformations --recipe nothing-like-it", "nothing-like-it"),
    ("show deformations --recipe missing.toml", "missing.toml"),
    ("show deformations --index 60000", "60000"),
    ("show deformations --index x", "'x'"),
    ("show deformations --model run", "--model"),
    ("show loss --recipe default", "--recipe"),
    ("show --recipe default", "--recipe"),
]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(("command", "names"), TABLE, ids=[command for command, _ in TABLE])
def test_one_sentence(command, names, language, refuses):
    refuses(command, names, language)
