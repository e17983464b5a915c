from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from pasapas import i18n, mlp, recipe, trace


class Reader(HTMLParser):
    """Text, pictures' texts, and whether every element that opens is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.alternatives: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.alternatives.append(dict(attributes)["alt"])
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_tensor_is_there(mnist, language):
    i18n.activate(language)
    lesson = recipe("lesson-3")
    params = lesson.network().initialize(lesson.make_initializer(), 42, "float64")
    step = trace(lesson.network(), params, mnist[0].images[:5], mnist[0].labels[:5])
    reader = Reader()
    reader.feed(step._repr_html_())
    assert reader.open == []
    assert "script" not in reader.tags
    text = " ".join(reader.text)
    for tensor in step:
        assert tensor.meaning in text
        assert tensor.formula is None or f"= {tensor.formula}" in text
        assert tensor.formula is None or tensor.latex in text
    assert i18n.number(step.loss, 6) in text
    assert len(reader.alternatives) == 5
    assert all(str(label) in alt for label, alt in zip([5, 0, 4, 1, 9], reader.alternatives, strict=True))
    assert ("Le lot" in text) == (language == "fr")


def test_no_pictures_where_inputs_are_none(random):
    step = trace(mlp(5, 3), mlp(5, 3).initialize(), random.random((2, 5)), np.array([0, 2]))
    assert "<img" not in step._repr_html_()
