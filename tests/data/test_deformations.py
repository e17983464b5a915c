import array_api_strict
import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pasapas import i18n
from pasapas.data.dataset import scaled
from pasapas.data.deformations import SAMPLINGS, Deformation, deformed, sampled
from pasapas.errors import PasapasError

REFERENCE = {"rotation": 10.0, "scaling": 0.12, "shear": 0.1, "translation": 0.5, "elastic": 46.0}
DTYPES = [np.float32, np.float64]
NONE, ROTATION, DOWN, ACROSS, SHEAR, SHIFT_DOWN, SHIFT_ACROSS = -1, 0, 1, 2, 3, 4, 5
both = pytest.mark.parametrize("sampling", SAMPLINGS)
precisely = pytest.mark.parametrize("dtype", DTYPES)


def share(which, value, m=1, dtype=np.float64):
    """Numbers that make one of the shares `value`, from -1 to 1, and all others 0."""
    affine = np.full((m, 6), 0.5, dtype)
    if which != NONE:
        affine[:, which] = (1 + value) / 2
    return affine


def apply(deformation, images, affine, strength=1.0):
    nothing = np.zeros(0, images.dtype)
    assert not deformation.elastic
    return deformation.apply(images, affine.astype(images.dtype), nothing, strength)


@pytest.fixture
def images(random):
    return random.random((3, 9, 12))


@precisely
@both
def test_nothing_asked_nothing_changed(images, random, sampling, dtype):
    images = images.astype(dtype)
    for deformation, strength in [
        (Deformation(sampling=sampling), 1.0),
        (Deformation(**REFERENCE, sampling=sampling), 0.0),
    ]:
        affine, noise = (random.random(n, dtype=dtype) for n in deformation.numbers(*images.shape))
        got = deformation.apply(images, affine, noise, strength)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, images)
    assert not Deformation(sampling=sampling)
    for name, amplitude in REFERENCE.items():
        assert Deformation(**{name: amplitude})


@precisely
@both
@pytest.mark.parametrize(("which", "axis"), [(SHIFT_DOWN, 1), (SHIFT_ACROSS, 2)])
@pytest.mark.parametrize("pixels", [-2, 3, 20])
def test_a_shift_by_whole_pixels_is_exact_and_down_or_to_the_right(images, sampling, dtype, which, axis, pixels):
    images = images.astype(dtype)
    got = apply(Deformation(translation=32, sampling=sampling), images, share(which, pixels / 32))
    moved = np.zeros_like(images)
    n = images.shape[axis]
    if abs(pixels) < n:
        target, source = ([slice(None)] * 3 for _ in range(2))
        target[axis] = slice(max(pixels, 0), n + min(pixels, 0))
        source[axis] = slice(max(-pixels, 0), n - max(pixels, 0))
        moved[tuple(target)] = images[tuple(source)]
    np.testing.assert_array_equal(got, moved)


@precisely
@both
@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("turns", [-2, -1, 1, 2])
def test_positive_angles_turn_counter_clockwise(random, sampling, dtype, side, turns):
    images = random.random((2, side, side)).astype(dtype)
    got = apply(Deformation(rotation=180, sampling=sampling), images, share(ROTATION, turns / 2))
    np.testing.assert_allclose(got, np.rot90(images, turns, axes=(1, 2)), atol=2e-5 if dtype == np.float32 else 1e-13)


def test_each_image_has_its_own_share(random):
    images = random.random((2, 8, 8))
    affine = np.concatenate([share(ROTATION, 0.5), share(ROTATION, -0.5)])
    got = apply(Deformation(rotation=180), images, affine)
    np.testing.assert_allclose(got[0], np.rot90(images[0]), atol=1e-13)
    np.testing.assert_allclose(got[1], np.rot90(images[1], -1), atol=1e-13)


@both
@pytest.mark.parametrize(("which", "axis"), [(DOWN, 1), (ACROSS, 2)])
def test_scaling_multiplies_one_axis_about_the_centre(sampling, which, axis):
    rows, columns = Deformation(scaling=0.5, sampling=sampling).places(
        (1, 9, 13), share(which, 1.0), np.zeros(0)
    )  # by 1.5
    centre = np.array([4.0, 6.0])
    y, x = np.meshgrid(np.arange(9) - centre[0], np.arange(13) - centre[1], indexing="ij")
    np.testing.assert_allclose(rows[0], centre[0] + (y / 1.5 if axis == 1 else y))
    np.testing.assert_allclose(columns[0], centre[1] + (x / 1.5 if axis == 2 else x))


def test_shear_moves_pixels_sideways_by_their_height():
    image = np.zeros((1, 9, 9))
    image[0, :, 4] = 1  # an upright line
    got = apply(Deformation(shear=1.0), image, share(SHEAR, 1.0))
    np.testing.assert_array_equal(got[0], np.eye(9))  # its lower end is to the right
    got = apply(Deformation(shear=1.0), image, share(SHEAR, -1.0), 0.5)
    assert got[0, 8, 2] == got[0, 0, 6] == 1


def test_first_scaled_then_sheared_then_turned_then_shifted():
    deformation = Deformation(rotation=90, scaling=0.5, shear=0.8, translation=3)
    affine = np.array([[0.7, 0.9, 0.3, 0.8, 0.1, 0.6]])
    turn, down, across, shear, shift_down, shift_across = 2 * affine[0] - 1
    angle = np.radians(90) * turn
    forward = (
        np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])  # rows, columns; to the top
        @ np.array([[1, 0], [0.8 * shear, 1]])
        @ np.diag([1 + 0.5 * down, 1 + 0.5 * across])
    )
    rows, columns = deformation.places((1, 7, 10), affine, np.zeros(0))
    there = np.stack([rows[0].ravel() - 3, columns[0].ravel() - 4.5])
    here = forward @ there + 3 * np.array([[shift_down], [shift_across]]) + [[3], [4.5]]
    expected = np.stack(np.meshgrid(np.arange(7.0), np.arange(10.0), indexing="ij")).reshape(2, -1)
    np.testing.assert_allclose(here, expected, atol=1e-12)


@precisely
@pytest.mark.parametrize("shape", [(28, 28), (28, 20), (5, 31), (1, 7)])
@pytest.mark.parametrize("sigma", [0.5, 3.0, 6.0])
def test_smoothing_is_a_gaussian_of_21_taps(random, dtype, shape, sigma):
    noise = random.uniform(-1, 1, (2, 2, *shape)).astype(dtype)
    got = Deformation(elastic=1.0, elastic_sigma=sigma).smoothed(noise)
    assert got.dtype == dtype
    expected = [[ndimage.gaussian_filter(n, sigma, mode="constant", radius=10) for n in pair] for pair in noise]
    np.testing.assert_allclose(got, expected, atol=1e-6 if dtype == np.float32 else 1e-14)


def test_elastic_adds_the_smoothed_noise_to_the_places(random):
    deformation = Deformation(elastic=46.0, elastic_sigma=6.0)
    noise = random.random((2, 2, 28, 20))
    moves = 0.5 * 46 * deformation.smoothed(2 * noise - 1)
    rows, columns = deformation.places((2, 28, 20), share(NONE, 0, 2), noise, 0.5)
    np.testing.assert_allclose(rows - np.arange(28)[:, None], moves[:, 0], atol=1e-12)
    np.testing.assert_allclose(columns - np.arange(20), moves[:, 1], atol=1e-12)


def random_places(random, shape, dtype):
    m, height, width = shape
    rows, columns = (random.uniform(-4, n + 3, (m, 1, 40)) for n in (height, width))
    rows[..., :10], columns[..., 5:15] = (random.uniform(-100, 100, (m, 1, 10)) for _ in range(2))
    rows[..., 30], rows[..., 31], columns[..., 32], columns[..., 33] = 1e9, -1e9, 1e9, -1e9
    rows[..., 34:37], columns[..., 34:37] = [0, height - 1, -1], [width - 1, 0, width]
    return rows.astype(dtype), columns.astype(dtype)


@precisely
def test_linear_sampling_is_scipys(random, dtype):
    images = random.random((3, 7, 10)).astype(dtype)
    rows, columns = random_places(random, images.shape, dtype)
    got = sampled(images, rows, columns, "linear")
    assert got.dtype == dtype
    for image, y, x, values in zip(images, rows, columns, got, strict=True):
        zeros = np.pad(image, 1).astype(float)  # scipy itself fades to zero one pixel sooner
        expected = ndimage.map_coordinates(zeros, [y.astype(float) + 1, x.astype(float) + 1], order=1, mode="constant")
        np.testing.assert_allclose(values, expected, atol=1e-6 if dtype == np.float32 else 1e-13)


@precisely
def test_cubic_sampling_goes_through_the_pixels_and_reproduces_parabolas(random, dtype):
    y, x = np.meshgrid(np.arange(11.0), np.arange(14.0), indexing="ij")
    image = ((y - 4) ** 2 + (x - 5) * (y + 2) + 0.5 * x**2 + 40) / 400
    assert 0 < image.min() < image.max() < 1
    rows, columns = random.uniform(1, 9, (1, 5, 10)).astype(dtype), random.uniform(1, 12, (1, 5, 10)).astype(dtype)
    got = sampled(image[None].astype(dtype), rows, columns, "cubic")
    expected = ((rows - 4) ** 2 + (columns - 5) * (rows + 2) + 0.5 * columns**2 + 40) / 400
    np.testing.assert_allclose(got, expected, atol=1e-5 if dtype == np.float32 else 1e-13)
    np.testing.assert_array_equal(sampled(image[None], y[None], x[None], "cubic")[0], image)


def test_cubic_sampling_of_one_place_by_hand():
    image = np.zeros((1, 6, 6))
    image[0, 2, 1:5] = [0.2, 0.4, 1.0, 0.6]
    # halfway along a line: (-1, 9, 9, -1) / 16; a quarter of the way down: 111/128 of that line
    along = (-0.2 + 9 * 0.4 + 9 * 1.0 - 0.6) / 16
    got = sampled(image, np.array([[[2.0, 2.25]]]), np.array([[[2.5, 2.5]]]), "cubic")
    np.testing.assert_allclose(got[0], [[along, along * 111 / 128]], rtol=1e-15)


def test_cubic_sampling_is_clipped_to_what_pixels_can_be():
    image = np.zeros((1, 4, 8))
    image[0, :, 4:] = 1
    columns = np.array([[[2.5, 4.5]]])
    np.testing.assert_array_equal(sampled(image, np.full((1, 1, 2), 1.5), columns, "cubic"), [[[0, 1]]])


@both
def test_outside_all_is_black(sampling):
    image = np.ones((2, 5, 6), np.float32)
    for rows, columns in [(-2, 3), (7, 3), (2, -2), (2, 8), (1e9, 1e9), (-3e38, 3e38)]:
        places = (np.full((2, 1, 1), value, np.float32) for value in (rows, columns))
        np.testing.assert_array_equal(sampled(image, *places, sampling), 0)


@precisely
@both
def test_numpy_and_compiled_jax_agree(random, sampling, dtype):
    deformation = Deformation(**REFERENCE, sampling=sampling)
    images = ndimage.gaussian_filter(random.random((5, 28, 20)), (0, 1, 1)).astype(dtype)
    affine, noise = (random.random(n, dtype=dtype) for n in deformation.numbers(*images.shape))
    expected = deformation.apply(images, affine, noise, 0.7)
    with jax.enable_x64(dtype == np.float64):
        got = np.asarray(jax.jit(deformation.apply)(images, affine, noise, dtype(0.7)))
    assert got.dtype == expected.dtype == dtype
    np.testing.assert_allclose(got, expected, atol=1e-4 if dtype == np.float32 else 1e-12)


@both
def test_the_strict_array_api_runs_the_same_lines(random, sampling):
    deformation = Deformation(**REFERENCE, sampling=sampling)
    images = random.random((2, 11, 9))
    affine, noise = (random.random(n) for n in deformation.numbers(*images.shape))
    got = deformation.apply(*map(array_api_strict.asarray, (images, affine, noise)))
    np.testing.assert_allclose(np.from_dlpack(got), deformation.apply(images, affine, noise), atol=1e-12)


@precisely
@both
def test_same_seed_same_bits_block_by_block(mnist, sampling, dtype):
    deformation = Deformation(**REFERENCE, sampling=sampling)
    images = mnist[0].images[:150]  # two blocks and a part of one
    X, again = (deformed(deformation, images, np.random.default_rng(4), 0.9, dtype) for _ in range(2))
    assert (X.shape, X.dtype) == ((150, 784), dtype)
    np.testing.assert_array_equal(X, again)
    assert (deformed(deformation, images, np.random.default_rng(5), 0.9, dtype) != X).any(axis=1).all()
    random = np.random.default_rng(4)
    affine, noise = (random.random(n, dtype=dtype) for n in deformation.numbers(*images.shape))
    whole = deformation.apply(scaled(images, dtype).reshape(images.shape), affine, noise, 0.9)
    np.testing.assert_allclose(X, whole.reshape(150, -1), atol=1e-4 if dtype == np.float32 else 1e-12)


def test_the_images_handed_in_stay_as_they_are(random):
    for images in (random.random((70, 6, 7), dtype=np.float32), random.integers(0, 256, (70, 6, 7), np.uint8)):
        before = images.copy()
        X = deformed(Deformation(**REFERENCE), images, random)
        assert not np.shares_memory(X, images)
        np.testing.assert_array_equal(images, before)


def test_float32_throughout(random):
    deformation = Deformation(**REFERENCE, sampling="cubic")
    affine, noise = (random.random(n, dtype=np.float32) for n in deformation.numbers(2, 8, 9))
    for strength in (1, 0.5, np.float32(0.5)):
        for places in deformation.places((2, 8, 9), affine, noise, strength):
            assert places.dtype == np.float32


amplitudes = st.fixed_dictionaries(
    {
        "rotation": st.floats(0, 180),
        "scaling": st.floats(0, 0.9999999),
        "shear": st.floats(0, 2),
        "translation": st.floats(0, 28),
        "elastic": st.floats(0, 1000),
        "elastic_sigma": st.floats(1e-3, 28),
        "sampling": st.sampled_from(SAMPLINGS),
    }
)


@settings(max_examples=60)
@given(amplitudes, st.integers(0, 3), st.integers(1, 9), st.integers(1, 9), st.floats(0, 1), st.integers(0, 99))
@example({"scaling": 0.9999999}, 3, 3, 3, 1.0, 0)
def test_whatever_is_asked_gives_pixels(asked, m, height, width, strength, seed):
    random = np.random.default_rng(seed)
    images = random.random((m, height, width), dtype=np.float32)
    X = deformed(Deformation(**asked), images, random, strength)
    assert (X.shape, X.dtype) == ((m, height * width), np.float32)
    assert np.all((X >= 0) & (X <= 1))  # nan fails
    zeros = deformed(Deformation(**asked), np.zeros_like(images), random, strength)
    assert not zeros.any()


def test_even_the_smallest_random_numbers_divide_by_no_zero(random):
    """A factor of 1 - scaling that float32 would round to 0."""
    images = random.random((2, 5, 5)).astype(np.float32)
    rows, columns = Deformation(scaling=0.9999999).places(images.shape, np.zeros((2, 6), np.float32), np.zeros(0))
    assert np.isfinite(rows).all()
    assert np.isfinite(columns).all()
    with pytest.raises(PasapasError, match="below 1"):
        Deformation(scaling=0.99999999)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"rotation": -1.0}, ("rotation", "-1.0")),
        ({"elastic": np.nan}, ("elastic", "nan")),
        ({"translation": np.inf}, ("translation", "inf")),
        ({"shear": 1e7}, ("shear", "10000000")),
        ({"scaling": 1.0}, ("scaling", "1.0")),
        ({"elastic_sigma": 0.0}, ("elastic_sigma", "0")),
        ({"sampling": "cubik"}, ("cubik", "cubic")),
    ],
)
def test_amplitudes_that_cannot_be(fields, names, language):
    i18n.activate(language)
    with pytest.raises(PasapasError) as caught:
        Deformation(**fields)
    assert "\n" not in str(caught.value)
    for name in names:
        assert name in str(caught.value)


def test_images_that_cannot_be_deformed():
    deformation, rows = Deformation(rotation=5), np.zeros((4, 784))
    with pytest.raises(PasapasError, match=r"\(4, 784\)"):
        deformation.check(rows)
    for low, high in [(-0.5, 1), (0, 255), (0, np.nan)]:
        with pytest.raises(PasapasError, match=f"from {low:g} to {high:g}|nan"):
            deformation.check(np.array([[[low, high]]]))
    Deformation().check(rows)
    deformation.check(np.zeros((0, 5, 5)))
    deformation.check(np.array([[[0, 1.0]]]))
    deformation.check(np.array([[[0, 255]]], np.uint8))
