import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasapas import i18n
from pasapas.data.disturbances import DISTURBANCES
from pasapas.errors import PasapasError

BY_NAME = {disturbance.name: disturbance for disturbance in DISTURBANCES}


def variants(name, images, strength):
    return list(BY_NAME[name].variants(images, strength))


def one(name, images, strength):
    (image,) = variants(name, images, strength)
    return image


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist[1].images[:250]  # more than are redrawn at a time


@pytest.fixture(scope="module")
def corner():
    image = np.zeros((1, 5, 7), np.uint8)
    image[0, 1, 2] = 200
    return image


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=BY_NAME)
def test_strength_0_leaves_images_as_they_are(disturbance, digits):
    for image in disturbance.variants(digits, 0):
        np.testing.assert_array_equal(image, digits)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=BY_NAME)
def test_disturbed_images_are_images_and_always_the_same(disturbance, digits):
    before = digits.copy()
    for strength in disturbance.strengths:
        first, again = (list(disturbance.variants(digits, strength)) for _ in range(2))
        for a, b in zip(first, again, strict=True):
            assert a.dtype == np.uint8
            assert a.shape == digits.shape
            assert (a != digits).any(axis=(1, 2)).all()
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(digits, before)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=BY_NAME)
def test_the_stronger_the_farther_from_the_original(disturbance, digits):
    distances = [
        np.mean([np.abs(image - digits.astype(float)).mean() for image in disturbance.variants(digits, strength)])
        for strength in (0, *disturbance.strengths)
    ]
    assert distances == sorted(set(distances))


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=BY_NAME)
def test_each_image_is_disturbed_on_its_own(disturbance, digits):
    strength = disturbance.strengths[-1]
    few, many = (next(disturbance.variants(images, strength)) for images in (digits[:3], digits))
    np.testing.assert_array_equal(few, many[:3])


def test_shift_moves_a_pixel_each_way_and_over_the_edge(corner):
    places = [list(zip(*np.nonzero(image[0]), strict=True)) for image in variants("shift", corner, 2)]
    assert places == [[(1, 4)], [(1, 0)], [(3, 2)], []]


def test_rotation_is_about_the_centre_and_both_ways():
    image = np.zeros((1, 5, 5), np.uint8)
    image[0, 2, 4] = image[0, 2, 2] = 100  # right, and at the centre
    left, right = variants("rotation", image, 90)
    assert left[0, 2, 2] == right[0, 2, 2] == 100
    assert left[0, 0, 2] == right[0, 4, 2] == 100  # counter-clockwise goes to the top
    (half, _) = variants("rotation", image, 45)
    assert half[0, 1, 3] > half[0, 3, 3] == 0


def test_noise_has_its_deviation_where_nothing_is_clipped():
    grey = np.full((20, 28, 28), 128, np.uint8)
    for deviation in (0.05, 0.1):
        noise = one("noise", grey, deviation) / 255 - 128 / 255
        assert noise.std() == pytest.approx(deviation, rel=0.03)
        assert abs(noise.mean()) < 0.003


def test_noise_does_not_wrap_around(digits):
    noisy = one("noise", digits, 0.5)
    assert noisy[digits > 250].mean() > 180
    assert noisy[digits == 0].mean() < 75


def test_thick_strokes_grow_by_as_much_and_thin_ones_shrink():
    stroke = np.zeros((1, 28, 28), np.uint8)
    stroke[0, 4:24, 12:16] = 255  # 4 wide
    for width in (0.5, 1, 1.5, 2):
        assert one("thick", stroke, width)[0, 14].sum() / 255 == pytest.approx(4 + width, abs=0.01)
        assert one("thin", stroke, width)[0, 14].sum() / 255 == pytest.approx(4 - width, abs=0.12)


def test_thick_has_more_ink_and_thin_less(digits):
    ink = digits.sum(axis=(1, 2), dtype=int)
    for strength in (0.5, 1, 1.5):
        assert (one("thick", digits, strength) >= digits).all()
        assert (one("thick", digits, strength).sum(axis=(1, 2), dtype=int) > 1.1 * ink).all()
        thinner = one("thin", digits, strength)
        assert (thinner.sum(axis=(1, 2), dtype=int) < ink).all()
        assert (thinner.max(axis=(1, 2)) > 150).all()  # thin, not faint


@given(st.sampled_from(list(BY_NAME)), st.integers(1, 6), st.integers(1, 6))
def test_images_of_any_size_even_without_ink(name, height, width):
    empty = np.zeros((2, height, width), np.uint8)
    for strength in BY_NAME[name].strengths:
        for image in BY_NAME[name].variants(empty, strength):
            assert image.shape == empty.shape
            assert name == "noise" or not image.any()


@pytest.mark.parametrize("images", [np.zeros((2, 784), np.uint8), np.zeros((2, 28, 28)), np.zeros((28, 28), np.uint8)])
def test_other_forms_are_refused(images):
    with pytest.raises(PasapasError, match="uint8"):
        BY_NAME["shift"].variants(images, 1)


def test_strengths_are_labelled_in_both_languages():
    assert BY_NAME["rotation"].label(5) == "±5°"
    assert BY_NAME["thin"].label(0.5) == "−0.5\u00a0px"
    i18n.activate("fr")
    assert BY_NAME["noise"].label(0.1) == "σ\u00a00,1"
