"""The lesson's pictures hold the numbers that they claim, in both languages, and nothing in them is cut off."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text

from pasapas import Dataset, figures, i18n, mlp
from pasapas.errors import PasapasError
from pasapas.models import Model
from pasapas.studies import demonstrations, gradient_flow, landscape, units

random = np.random.default_rng(5)
IMAGES = random.integers(0, 256, (40, 28, 28)).astype(np.uint8)
LABELS = np.arange(40) % 10


@pytest.fixture(params=i18n.LANGUAGES)
def language(request):
    i18n.activate(request.param)
    return request.param


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def model(*sizes):
    network = mlp(*sizes)
    return Model(network, network.initialize(seed=1))


def surface(low=0.1, high=3.0, n=11):
    x = np.linspace(-1, 1, n)
    bowl = x[None] ** 2 + x[:, None] ** 2
    return landscape.Surface(x, 2 * x, low + (high - low) * bowl / 2)


def plane():
    steps = np.linspace(1, 0, 12)[:, None]
    params = model(784, 3, 10).params
    return landscape.PathPlane(params, params, -steps * [0.8, 1.5] * [1, 0.7], np.array([0.919, 0.0631]))


def flows(steps=12):
    data = Dataset(IMAGES, LABELS)
    return [gradient_flow.gradient_flow(case, data, (8, 8), steps, 10) for case in gradient_flow.CASES]


def unit(*sizes):
    found = units.look_at(model(*sizes), 2, Dataset(IMAGES, LABELS))
    return found, figures.unit(found, IMAGES, LABELS)


# --- loss


def test_loss_curve_and_bars_are_minus_the_logarithm(language):
    curve, bars = figures.loss_curve().axes
    line = curve.lines[0].get_xydata()
    np.testing.assert_allclose(line[:, 1], -np.log(line[:, 0] / 100), atol=1e-12)
    assert len(line) > 100
    heights = [bar.get_height() for bar in bars.patches]
    np.testing.assert_allclose(heights, -np.log([0.99, 0.80, 0.50, 0.20, 0.05]))
    point = "," if language == "fr" else "."
    written = ["0.010", "0.223", "0.693", "1.609", "2.996"]
    assert [text.get_text() for text in bars.texts] == [value.replace(".", point) for value in written]
    bad, good = (mark.get_xydata()[0] for mark in curve.lines[1:])
    np.testing.assert_allclose([bad, good], [[10, -np.log(0.1)], [90, -np.log(0.9)]])
    notes = " ".join(text.get_text() for text in curve.texts)
    assert f"2{point}303" in notes
    assert f"0{point}105" in notes


def test_bars_differ_without_colour():
    bars = figures.loss_curve([0.9, 0.5, 0.123]).axes[1]
    assert len({bar.get_hatch() for bar in bars.patches}) == 3
    assert [label.get_text() for label in bars.get_xticklabels()] == ["90%", "50%", "12.3%"]


@pytest.mark.parametrize("probabilities", [[], [0], [1], [0.5, float("nan")], [-1], [2]])
def test_loss_of_what_is_no_probability(probabilities):
    with pytest.raises(PasapasError, match="above 0 and below 1"):
        figures.loss_curve(probabilities)


# --- descent


def test_descent_shows_each_rate_and_all_distances(language):
    figure = figures.descent()
    *panels, distances = figure.axes
    assert len(panels) == 5
    steps = np.arange(16)
    for axes, rate in zip(panels, demonstrations.RATES, strict=True):
        x = 2.5 * (1 - 2 * rate) ** steps
        np.testing.assert_allclose(axes.lines[1].get_xydata(), np.transpose([x, x**2]), atol=1e-12)
        low, high = axes.get_xlim()
        assert low < x.min() < x.max() < high
    assert distances.get_yscale() == "log"
    labelled = [line for line in distances.lines if not line.get_label().startswith("_")]
    assert len(labelled) == 5
    for line, rate in zip(labelled, demonstrations.RATES, strict=True):
        if rate != 0.5:
            np.testing.assert_allclose(line.get_ydata(), 2.5 * abs(1 - 2 * rate) ** steps)
    assert list(labelled[2].get_xdata()) == [0, 1]  # there after one step
    point = "," if language == "fr" else "."
    factors = [f"× {f}" for f in ("0.8", "0.4", "0", "−0.6", "−1.1")]
    for axes, factor in zip(panels, factors, strict=True):
        assert axes.texts[0].get_text().startswith(factor.replace(".", point) + " ")
    looks = {(line.get_color(), line.get_marker()) for line in labelled}
    assert len(looks) == len({marker for _, marker in looks}) == 5


@pytest.mark.parametrize("rates", [[0.5], [1e-9, 10], [0.4999999]])
def test_descent_with_other_rates(rates):
    assert len(figures.descent(rates).axes) == len(rates) + 1


def test_descent_says_when_it_leaves_the_picture():
    figure = figures.descent([1.5])
    assert any("leaves the picture at step 3" in text for text in texts(figure))  # 2.5, −5, 10, −20


@pytest.mark.parametrize("rates", [[], [0], [-1], [11], [float("nan")], [0.1] * 9])
def test_descent_with_rates_that_cannot_be(rates):
    with pytest.raises(PasapasError, match="1 to 8 learning rates"):
        figures.descent(rates)


def test_valley_shows_both_paths_and_their_losses(language):
    plain, fast, losses = figures.valley().axes
    for axes, line, momentum in zip((plain, fast), losses.lines, (0, demonstrations.MOMENTUM), strict=True):
        path = demonstrations.valley(momentum)
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), path.points)
        np.testing.assert_array_equal(line.get_ydata(), path.loss)
    assert losses.get_yscale() == "log"
    assert len({(line.get_linestyle(), line.get_marker()) for line in losses.lines}) == 2


# --- surface


def test_surface_and_path(language):
    figure = figures.loss_surface(surface(), (surface(0.2, 2), plane()), 0.1)
    left, right, bar = figure.axes
    assert bar.get_ylabel() == i18n._("Loss")
    np.testing.assert_array_equal(right.lines[0].get_xydata(), plane().coordinates)
    assert ("91,9\u202f%" if language == "fr" else "91.9%") in right.get_xlabel()
    assert ("6,3\u202f%" if language == "fr" else "6.3%") in right.get_ylabel()
    assert ("0,100" if language == "fr" else "0.100") in left.texts[-1].get_text()
    assert list(left.lines[0].get_xydata()[0]) == [0, 0]
    assert left.get_xlim() == (-1, 1)
    assert left.get_ylim() == (-2, 2)


@pytest.mark.parametrize(
    "loss",
    [
        surface(1, 1).loss,
        surface(0, 1e9).loss,
        np.where(surface().loss > 1, np.nan, surface().loss),
        np.full((11, 11), np.nan),
    ],
)
def test_surfaces_that_are_flat_steep_or_broken(loss):
    x = np.linspace(-1, 1, 11)
    assert len(figures.loss_surface(landscape.Surface(x, x, loss)).axes) == 2


# --- gradients


def test_gradient_flow_draws_every_layer(language):
    found = flows()
    figure = figures.gradient_flow(found)
    for axes, flow in zip(figure.axes, found, strict=True):
        assert axes.get_yscale() == "log"
        assert len(axes.lines) == 3
        for i, line in enumerate(axes.lines):
            np.testing.assert_array_equal(line.get_ydata(), flow.dZ[:, i])
        assert len({line.get_marker() for line in axes.lines}) == 3
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_ratios_are_read_at_a_glance():
    from pasapas.figures.flow import ratio

    assert [ratio(v) for v in (281.6, 9.5, 0.3706, 2.228e-5)] == ["280", "9.50", "0.37", "1/45,000"]


def test_nothing_to_draw():
    with pytest.raises(PasapasError, match="no network"):
        figures.gradient_flow([])


# --- units


def test_unit_shows_weights_and_extremes(language):
    found, figure = unit(784, 5, 10)
    shown = [axes for axes in figure.axes if axes.images]
    np.testing.assert_array_equal(shown[0].images[0].get_array(), found.weights.reshape(28, 28))
    assert shown[0].images[0].get_clim()[0] == -shown[0].images[0].get_clim()[1]
    for axes, i in zip(shown[1:], [*found.most, *found.least], strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), IMAGES[i])
        written = f"z = {found.sums[i]:.2f}\na = {found.activations[i]:.2f}".replace("-", "−")
        assert axes.get_title(loc="center") == (written.replace(".", ",") if language == "fr" else written)
        assert axes.get_xlabel().endswith(f" {LABELS[i]}")
    bars = next(axes for axes in figure.axes if axes.patches and not axes.images and len(axes.patches) == 10)
    np.testing.assert_allclose([bar.get_height() for bar in bars.patches], found.likes)


def test_unit_of_other_images():
    found, _ = unit(784, 5, 10)
    with pytest.raises(PasapasError, match="not the images"):
        figures.unit(found, IMAGES[:5], LABELS[:5])
    with pytest.raises(PasapasError, match="not the images"):
        figures.unit(found, IMAGES[:, :10, :10], LABELS)


# --- all of them

ALL = {
    "loss": figures.loss_curve,
    "descent": figures.descent,
    "valley": figures.valley,
    "surface": lambda: figures.loss_surface(surface(), (surface(), plane()), 0.1),
    "gradients": lambda: figures.gradient_flow(flows()),
    "unit": lambda: unit(784, 5, 10)[1],
}


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_nothing_is_cut_off_and_no_title_runs_into_the_next(draw, language):
    figure = draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    for artist in figure.findobj(Text):
        inside = artist.axes is None or artist.get_position()[0] >= 0  # labels of ticks that are not drawn
        if not (artist.get_visible() and artist.get_text().strip() and inside) or artist.get_clip_on():
            continue
        box = artist.get_window_extent(renderer)
        assert min(box.x0, box.y0) >= -1, artist
        assert box.x1 <= width + 1, artist
        assert box.y1 <= height + 1, artist
    titles = [
        text.get_window_extent(renderer)
        for axes in figure.axes
        for text in (axes.title, axes._left_title)
        if text.get_text()
    ]
    for i, box in enumerate(titles):
        assert not any(box.overlaps(other) for other in titles[i + 1 :])


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    for name in "ab":
        figures.save(figures.loss_curve(), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
