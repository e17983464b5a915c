from __future__ import annotations

from pasapas.figures.chain import chain


def test_a_unit_is_drawn_with_the_names_of_the_derivation_and_of_the_code():
    (axes,) = chain().axes
    texts = [text.get_text() for text in axes.texts]
    assert {"X", "W1", "Z1 | A1", "W2", "Z2 | P", "L", r"$E_d$", r"$\delta_j$", r"$\delta_k$", r"$W_{ji}$"} <= set(
        texts
    )
    backward = [arrow for arrow in axes.patches if arrow.get_linestyle() != "-"]
    assert len(backward) == 4
    assert len(axes.patches) == 3 + 8
