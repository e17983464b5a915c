import gettext
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from pasapas import figures, i18n, metrics
from pasapas.data import Dataset
from pasapas.errors import PasapasError
from pasapas.figures import style
from pasapas.training import Epoch

random = np.random.default_rng(3)
IMAGES = random.integers(0, 256, (30, 28, 28)).astype(np.uint8)
LABELS = np.arange(30) % 10


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_catalogue", lambda language: gettext.NullTranslations())
    monkeypatch.setattr(i18n, "_language", "en")


@pytest.fixture
def french(monkeypatch, english):
    monkeypatch.setattr(i18n, "_language", "fr")


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def pictures(figure):
    return [axes for axes in figure.axes if axes.images]


def history(n, validation=True, test=True):
    return [
        Epoch(
            e,
            1 / e,
            1 - 0.5 / e,
            1.1 / e if validation else None,
            1 - 0.6 / e if validation else None,
            1.2 / e if test else None,
            1 - 0.7 / e if test else None,
            0.1,
            1.0,
        )
        for e in range(1, n + 1)
    ]


def probabilities(classes, n_classes=10, sure=0.7):
    P = np.full((len(classes), n_classes), (1 - sure) / (n_classes - 1))
    P[np.arange(len(classes)), classes] = sure
    return P


def prepared(image=None, ink=None):
    ink = np.zeros((60, 80), np.uint8) if ink is None else ink
    return SimpleNamespace(
        source=255 - ink, ink=ink, box=(10, 20, 40, 35), image=np.zeros((28, 28), np.uint8) if image is None else image
    )


# --- training


def test_history_draws_what_was_measured():
    epochs = history(5)
    loss, accuracy, _ = figures.training_history(epochs).axes
    training, validation, test = loss.lines
    assert list(training.get_xdata()) == [1, 2, 3, 4, 5]
    assert list(training.get_ydata()) == [e.loss for e in epochs]
    assert list(validation.get_ydata()) == [e.validation_loss for e in epochs]
    assert list(test.get_ydata()) == [e.test_loss for e in epochs]
    assert list(accuracy.lines[1].get_ydata()) == [100 * e.validation_accuracy for e in epochs]
    assert [text.get_text() for text in accuracy.get_legend().texts] == ["Training", "Validation", "Test"]
    assert len({(line.get_linestyle(), line.get_marker()) for line in loss.lines}) == 3  # told apart without colour


def test_history_leaves_out_what_was_not_measured():
    epochs = history(3, validation=False)
    epochs[1] = history(3, validation=False, test=False)[1]
    loss, _, _ = figures.training_history(epochs).axes
    assert [line.get_label() for line in loss.lines] == ["Training", "Test"]
    assert list(loss.lines[1].get_xdata()) == [1, 3]


def test_one_epoch_is_seen():
    loss, accuracy, _ = figures.training_history(history(1, False, False)).axes
    assert loss.lines[0].get_marker() == "o"
    low, high = loss.get_xlim()
    assert [place for place in loss.get_xticks() if low <= place <= high] == [1]
    assert loss.get_ylim()[0] == 0
    assert loss.get_ylim()[1] > 1
    assert accuracy.lines[0].get_ydata()[0] == 50


def test_many_epochs_have_no_markers():
    loss, _, _ = figures.training_history(history(500)).axes
    assert {line.get_marker() for line in loss.lines} == {"None"}


def test_history_shows_the_final_statistics():
    epochs = history(4)
    shown = texts(figures.training_history(epochs))
    rows = figures.final_statistics(epochs)
    assert len(rows) == 4
    assert {text for row in rows for text in row} <= set(shown)


def test_no_history_is_refused():
    with pytest.raises(PasapasError, match="no epoch"):
        figures.training_history([])


def test_axes_speak_french(french):
    loss, _, _ = figures.training_history(history(5)).axes
    assert "0,2" in ticks(loss.yaxis)
    assert not any("." in t for t in ticks(loss.yaxis))


def test_language_is_asked_when_drawing(monkeypatch):
    class Loud(gettext.NullTranslations):
        def gettext(self, message):
            return message.upper()

    monkeypatch.setattr(i18n, "_catalogue", lambda language: Loud())
    assert {"EPOCH", "LOSS (CROSS-ENTROPY)", "TRAINING"} <= set(texts(figures.training_history(history(2))))


def test_ticks_stay_in_the_language_they_were_drawn_in(monkeypatch, french):
    loss, _, _ = figures.training_history(history(5)).axes
    monkeypatch.setattr(i18n, "_language", "en")
    loss.figure.draw_without_rendering()
    assert "0,2" in ticks(loss.yaxis)


@pytest.mark.parametrize(
    ("lang", "places", "expected"),
    [
        ("en", [0, 2000, 4000], ["0", "2,000", "4,000"]),
        ("fr", [0, 2000, 4000], ["0", "2\u202f000", "4\u202f000"]),
        ("en", [-0.5, 0, 0.5], ["−0.5", "0.0", "0.5"]),
        ("fr", [-0.25, -0.0, 0.25], ["−0,25", "0,00", "0,25"]),
    ],
)
def test_numbers_at_ticks(monkeypatch, lang, places, expected):
    monkeypatch.setattr(i18n, "_language", lang)
    axes = Figure().add_subplot()
    axes.set_xlim(places[0], places[-1])
    axes.xaxis.set_major_formatter(style.NumberFormatter())
    axes.set_xticks(places)
    assert ticks(axes.xaxis) == expected


# --- mistakes


def test_confusion_matrix_writes_every_count_and_colours_mistakes_alone():
    counts = np.array([[1200, 30, 0], [4, 900, 5], [0, 0, 0]])
    (axes,) = figures.confusion_matrix(counts).axes
    written = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert written[0, 0] == "1,200"
    assert all(written[i, j] == f"{counts[i, j]:,}" for i in range(3) for j in range(3))
    assert [written[i, 3] for i in range(3)] == ["97.6%", "99.0%", "—"]
    assert [written[3, j] for j in range(3)] == ["99.7%", "96.8%", "0.0%"]
    heat = axes.images[0].get_array()
    assert np.ma.getmaskarray(heat).tolist() == np.eye(3, dtype=bool).tolist()
    assert heat[0, 1] == 30
    assert axes.get_xlabel() == "Predicted class"
    assert axes.get_ylabel() == "True class"


def test_confusion_matrix_without_mistakes_or_images():
    assert "5 of 5 images recognised (100.00%)" in texts(figures.confusion_matrix(np.diag([2, 3])))
    assert "0 of 0 images recognised" in texts(figures.confusion_matrix(np.zeros((2, 2), int)))


def test_every_count_can_be_read_on_its_colour():
    counts = np.array([[50, 1, 10, 20], [30, 50, 40, 50], [60, 70, 50, 80], [90, 100, 0, 50]])
    (axes,) = figures.confusion_matrix(counts).axes
    shown = axes.images[0].to_rgba(axes.images[0].get_array())

    def luminance(color):
        linear = np.where(np.asarray(color[:3]) <= 0.04, np.asarray(color[:3]) / 12.92, 0)
        linear = np.where(linear == 0, ((np.asarray(color[:3]) + 0.055) / 1.055) ** 2.4, linear)
        return linear @ [0.2126, 0.7152, 0.0722]

    for text in axes.texts[:16]:
        x, y = text.get_position()
        dark, light = sorted([luminance(to_rgba(text.get_color())), luminance(shown[y, x])])
        assert (light + 0.05) / (dark + 0.05) > 4, text.get_text()  # WCAG 2.2 asks for 4.5, or 3 in large type


def test_worst_mistakes_come_with_the_surest_first():
    P = probabilities(LABELS)
    for i, sure in [(4, 0.8), (7, 0.99), (12, 0.6)]:
        P[i] = probabilities([(LABELS[i] + 1) % 10], sure=sure)
    figure = figures.worst_mistakes(IMAGES, LABELS, P, n=2)
    shown = pictures(figure)
    assert [axes.get_title() for axes in shown] == [
        "True: 7 | Predicted: 8\nConfidence: 99.0%",
        "True: 4 | Predicted: 5\nConfidence: 80.0%",
    ]
    np.testing.assert_array_equal(shown[0].images[0].get_array(), IMAGES[7])
    assert figure.get_suptitle() == "The surest mistakes (2 of 3)"
    assert len(pictures(figures.worst_mistakes(IMAGES.reshape(30, -1), LABELS, P))) == 3


def test_no_mistakes_are_good_news():
    figure = figures.worst_mistakes(IMAGES, LABELS, probabilities(LABELS))
    assert texts(figure) == ["No mistake to show: the network is right about all 30 images."]
    assert not pictures(figure)


@pytest.mark.parametrize("n", [0, -1])
def test_worst_mistakes_needs_something_to_show(n):
    with pytest.raises(PasapasError, match="at least 1"):
        figures.worst_mistakes(IMAGES, LABELS, probabilities(LABELS), n)


def test_worst_mistakes_refuses_what_does_not_fit():
    with pytest.raises(PasapasError, match="do not belong together"):
        figures.worst_mistakes(IMAGES, LABELS[:5], probabilities(LABELS))
    with pytest.raises(PasapasError, match="no images"):
        figures.worst_mistakes(IMAGES[:0], LABELS[:0], probabilities(LABELS)[:0])
    with pytest.raises(PasapasError, match=r"\(5,\)"):
        figures.worst_mistakes(np.zeros((30, 5)), LABELS, probabilities(LABELS[::-1]))


def test_calibration_shows_bins_that_hold_images(french):
    found = metrics.calibration(probabilities(LABELS, sure=0.75), (LABELS + (np.arange(30) < 6)) % 10)
    top, bottom = figures.calibration(found).axes
    network = next(line for line in top.lines if line.get_label() == "This network")
    np.testing.assert_allclose(network.get_xydata(), [[75, 80]])
    assert [bar.get_height() for bar in bottom.patches] == [0] * 7 + [30, 0, 0]
    assert "5,00\u202f%" in top.get_title(loc="left")


# --- predictions


def test_digit_shows_image_answer_and_probabilities():
    P = probabilities([5])[0]
    image, bars = figures.digit(IMAGES[0], P, 5).axes
    assert image.get_title(loc="center") == "True: 5 | Predicted: 5"
    np.testing.assert_array_equal(image.images[0].get_array(), IMAGES[0])
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], 100 * P)
    assert [text.get_text() for text in bars.texts][4:6] == ["3.3%", "70.0%"]
    assert ticks(bars.yaxis) == [str(c) for c in range(10)]


def test_digit_without_a_label_and_in_french(french):
    image, bars = figures.digit(IMAGES[0].ravel() / 255, probabilities([5])[0]).axes
    assert image.get_title(loc="center") == "Predicted: 5"
    assert bars.texts[5].get_text() == "70,0\u202f%"


def test_a_mistake_differs_from_a_right_answer_without_colour():
    _, bars = figures.digit(IMAGES[0], probabilities([5])[0], 3).axes
    assert [c for c, bar in enumerate(bars.patches) if bar.get_hatch()] == [3]
    _, bars = figures.digit(IMAGES[0], probabilities([5])[0], 5).axes
    assert not any(bar.get_hatch() for bar in bars.patches)


def test_of_many_classes_the_ten_most_likely():
    P = np.linspace(0, 1, 62) / 31
    _, bars = figures.digit(IMAGES[0], P).axes
    assert ticks(bars.yaxis) == [str(c) for c in range(61, 51, -1)]


def test_several_digits_in_one_figure():
    answers = [(IMAGES[i], probabilities([i])[0], None if i else 7) for i in range(3)]
    figure = figures.digits(answers)
    assert [axes.get_title(loc="center") for axes in pictures(figure)] == [
        "True: 7 | Predicted: 0",
        "Predicted: 1",
        "Predicted: 2",
    ]
    assert len(figure.axes) == 6


def test_number_of_digits_is_checked():
    with pytest.raises(PasapasError, match="no image"):
        figures.digits([])
    with pytest.raises(PasapasError, match="at most 100"):
        figures.digits([(IMAGES[0], probabilities([1])[0], None)] * 101)


def test_preparation_shows_stages_box_and_centre():
    ink, image = np.zeros((60, 80), np.uint8), np.zeros((28, 28), np.uint8)
    ink[10:40, 20:35] = 200
    image[4:24, 9:19] = 200
    figure = figures.preparation(prepared(image, ink))
    source, inked, cut, last = pictures(figure)
    np.testing.assert_array_equal(source.images[0].get_array(), 255 - ink)
    assert cut.images[0].get_array().shape == (30, 15)
    (frame,) = (p for p in inked.patches if isinstance(p, Rectangle))
    assert frame.get_bbox().extents.tolist() == [19.5, 9.5, 34.5, 39.5]
    (box,) = (p for p in last.patches if isinstance(p, Rectangle))
    assert box.get_bbox().extents.tolist() == [3.5, 3.5, 23.5, 23.5]
    np.testing.assert_allclose(last.lines[0].get_xydata(), [[13.5, 13.5]])
    assert {"20 × 20 box", "Centre of mass"} <= set(texts(figure))


def test_preparation_of_a_blank_picture():
    empty = prepared()
    empty.box = (0, 0, 0, 0)
    figure = figures.preparation(empty)
    assert len(pictures(figure)) == 3
    assert not pictures(figure)[-1].lines


# --- weights and data


def test_units_are_the_strongest_on_one_scale():
    W = random.normal(0, 0.1, (784, 40))
    W[:, 17] *= 3
    W[5, 17] = -2
    figure = figures.first_layer_units(W, n=10)
    shown = [axes for axes in figure.axes if axes.images and axes.get_title()]
    assert len(shown) == 10
    assert shown[0].get_title() == "17"
    np.testing.assert_array_equal(shown[0].images[0].get_array(), W[:, 17].reshape(28, 28))
    assert {axes.images[0].get_clim() for axes in shown} == {(-2.0, 2.0)}
    assert "the 10 strongest of 40 units" in figure.get_suptitle()


@pytest.mark.parametrize(("shape", "units"), [((8, 8), 1), ((10, 20), 3), ((20, 10), 64)])
def test_units_of_other_networks(shape, units):
    figure = figures.first_layer_units(np.zeros((shape[0] * shape[1], units)), shape)
    assert sum(axes.get_title() != "" for axes in figure.axes) == min(units, 32)


@pytest.mark.parametrize("W", [np.ones((100, 4)), np.ones(784)])
def test_units_that_are_no_images(W):
    with pytest.raises(PasapasError, match="784 pixels of a 28 × 28 image"):
        figures.first_layer_units(W)


def test_dataset_counts_and_averages():
    training = Dataset(IMAGES[:20], np.array([0] * 12 + [2] * 8))
    figure = figures.dataset(training, Dataset(IMAGES[20:], np.array([1] * 10)))
    counts, first, second = figure.axes
    assert [[bar.get_height() for bar in bars] for bars in counts.containers] == [[12, 0, 8], [0, 10, 0]]
    assert {"Training (20 images)", "Test (10 images)"} <= set(texts(figure))
    assert ticks(first.yaxis) + ticks(second.yaxis) == ["0", "1", "2"]
    mosaic = np.ma.filled(first.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(mosaic[:28, :28], IMAGES[0])
    np.testing.assert_array_equal(mosaic[:28, 9 * 31 : 9 * 31 + 28], IMAGES[9])
    np.testing.assert_allclose(mosaic[:28, 325:353], IMAGES[:12].mean(axis=0))
    assert np.isnan(mosaic[31:]).all()  # class 1 has no training images


@pytest.mark.parametrize(
    ("n_classes", "shape"), [(1, (8, 8)), (26, (28, 28)), (62, (28, 28)), (5, (10, 30)), (3, (64,))]
)
def test_dataset_of_other_classes_and_shapes(n_classes, shape):
    labels = np.arange(2 * n_classes) % n_classes
    data = Dataset(random.integers(0, 256, (len(labels), *shape)).astype(np.uint8), labels)
    figure = figures.dataset(data, data)
    shown = [label for axes in pictures(figure) for label in ticks(axes.yaxis)]
    assert shown == [str(c) for c in range(n_classes)]


def test_dataset_without_images():
    with pytest.raises(PasapasError, match="no images"):
        figures.dataset(Dataset(IMAGES[:0], LABELS[:0]), Dataset(IMAGES, LABELS))
    nothing = Dataset(IMAGES[:0], LABELS[:0])
    assert "Test (0 images)" in texts(figures.dataset(Dataset(IMAGES, LABELS), nothing))


# --- all of them

ALL = {
    "history": lambda: figures.training_history(history(3)),
    "confusion": lambda: figures.confusion_matrix(random.integers(0, 40, (10, 10))),
    "mistakes": lambda: figures.worst_mistakes(IMAGES, LABELS, probabilities(LABELS[::-1])),
    "units": lambda: figures.first_layer_units(random.normal(size=(784, 8))),
    "digit": lambda: figures.digit(IMAGES[0], probabilities([3])[0], 4),
    "dataset": lambda: figures.dataset(Dataset(IMAGES, LABELS), Dataset(IMAGES, LABELS)),
    "preparation": lambda: figures.preparation(prepared(IMAGES[0])),
    "calibration": lambda: figures.calibration(metrics.calibration(probabilities(LABELS), LABELS)),
}


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_nothing_is_cut_off(draw):
    figure = draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    for artist in [*figure.axes, *figure.texts, *figure.legends]:
        box = artist.get_tightbbox(renderer)
        assert min(box.x0, box.y0) >= -1, artist
        assert box.x1 <= width + 1, artist
        assert box.y1 <= height + 1, artist


def test_settings_of_the_user_are_neither_used_nor_changed():
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        before = dict.copy(matplotlib.rcParams)  # reading them one by one would choose a backend
        figure = figures.training_history(history(3))
        assert dict.copy(matplotlib.rcParams) == before
    assert figure.axes[0].lines[0].get_linewidth() == 2
    assert to_rgba(figure.axes[0].get_facecolor()) == to_rgba("white")


def test_pyplot_stays_away(tmp_path):
    code = """
import sys
from pasapas import figures
figures.save(figures.confusion_matrix([[3, 1], [0, 2]]), sys.argv[1])
sys.exit("matplotlib.pyplot" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.png")], check=False).returncode == 0


# --- files


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix, start):
    figure, again = ALL["history"](), ALL["history"]()
    files = [tmp_path / f"{name}{suffix}" for name in "abc"]
    for file, drawn in zip(files, [figure, figure, again], strict=True):
        figures.save(drawn, file)
    a, b, c = (file.read_bytes() for file in files)
    assert a == b == c
    assert a.startswith(start)
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_save_replaces_what_was_there(tmp_path):
    file = tmp_path / "été.png"
    file.write_bytes(b"old")
    figures.save(ALL["digit"](), str(file))
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "png", ".png"])
def test_unknown_suffix(tmp_path, name):
    with pytest.raises(PasapasError, match=r"\.png, \.svg or \.pdf"):
        figures.save(Figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_folder(tmp_path):
    with pytest.raises(PasapasError, match="There is no folder"):
        figures.save(Figure(), tmp_path / "nowhere" / "figure.png")


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / "figure.png").mkdir()
    with pytest.raises(PasapasError, match="Cannot write"):
        figures.save(Figure(), tmp_path / "figure.png")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failure):
    def savefig(self, file, **kwargs):
        file.write(b"half")
        raise failure

    file = tmp_path / "figure.png"
    file.write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", savefig)
    with pytest.raises(failure):
        figures.save(Figure(), file)
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    assert file.read_bytes() == b"old"
