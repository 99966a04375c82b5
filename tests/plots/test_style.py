"""Colours that can be seen, read and told apart; ink that the display may turn over."""

import itertools
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from unrolled.plots.style import COLOURS, DIVERGING, SEQUENTIAL, contrast, ink_on, style

# Machado, Oliveira and Fernandes (2009), severity 1: how linear RGB looks without one kind of cone.
BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb.clip(
        0, 1
    )
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.478, abs=1e-3)


@pytest.mark.parametrize("colour", [*COLOURS, "#808080"])
@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
def test_data_stands_out_on_a_light_and_on_a_dark_page(colour: str, page: str) -> None:
    assert contrast(colour, page) >= 3


@pytest.mark.parametrize("kind", BLIND)
def test_the_first_three_colours_differ_for_the_colour_blind(kind: str) -> None:
    seen = [lab(np.array(BLIND[kind]) @ linear(colour)) for colour in COLOURS[:3]]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) > 20


def test_the_sequential_scale_only_gets_darker() -> None:
    lightness = [lab(linear(mpl.colors.to_hex(SEQUENTIAL(v))))[0] for v in np.linspace(0, 1, 101)]
    steps = np.diff(lightness)
    assert (steps < 0).all()
    assert lightness[0] - lightness[-1] > 60


def test_the_diverging_scale_is_lightest_at_zero_and_alike_on_both_sides() -> None:
    lightness = np.array([lab(linear(mpl.colors.to_hex(DIVERGING(v))))[0] for v in np.linspace(0, 1, 101)])
    assert abs(int(lightness.argmax()) - 50) <= 1
    assert (np.diff(lightness[:50]) > 0).all()
    assert (np.diff(lightness[51:]) < 0).all()


@pytest.mark.parametrize("scale", [SEQUENTIAL, DIVERGING])
def test_ink_on_a_cell_can_be_read_and_is_never_pure_black(scale: mpl.colors.Colormap) -> None:
    for value in np.linspace(0, 1, 101):
        ink = ink_on(scale(value))
        assert contrast(ink, scale(value)) >= 4.5
        assert ink != "#000000"


def test_style_is_pure_black_ink_on_nothing_and_ends_with_its_context() -> None:
    before = mpl.rcParams["text.color"], mpl.rcParams["figure.constrained_layout.use"]
    with style():
        for key in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"):
            assert mpl.rcParams[key] == "#000000"
        for key in ("figure.facecolor", "axes.facecolor", "savefig.facecolor"):
            assert mpl.rcParams[key] == "none"
        assert mpl.rcParams["figure.constrained_layout.use"]
    assert (mpl.rcParams["text.color"], mpl.rcParams["figure.constrained_layout.use"]) == before


def test_plots_load_neither_models_nor_torch() -> None:
    code = "import sys, unrolled.plots; print({'torch', 'unrolled.nn', 'anywidget'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
