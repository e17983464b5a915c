"""The LaTeX of our formulas as MathML, which every browser draws by itself: nothing is fetched to show a formula.

It reads what `pasapas.tracing.formulas` writes and no more. The result is a tree of lists, `["mi", "Z"]` for an element
with text and `["mrow", [...]]` for one with children, so that the page makes elements of it and never parses text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pasapas.i18n import N_, _, language

Node = list[object]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\S")
_LETTERS = {r"\alpha": "α", r"\lambda": "λ", r"\ell": "ℓ", r"\partial": "∂"}
_OPERATORS = {r"\odot": "⊙", r"\sum": "∑", r"\|": "‖", "-": "−"}
_FUNCTIONS = {r"\max": "max", r"\tanh": "tanh", r"\log": "log"}
_WORDS = {"batch": N_("batch"), "classes": N_("classes"), "or": N_("or"), "one-hot": N_("one-hot")}


def mathml(latex: str) -> Node:
    """The tree of a formula. Raises ValueError for LaTeX that no formula of ours has."""
    words: list[str] = []  # what \text holds has its spaces, so it is set aside first

    def aside(match: re.Match[str]) -> str:
        words.append(match[1])
        return rf"\word {len(words) - 1} "

    tokens = iter(_TOKEN.findall(re.sub(r"\\text\{([^}]*)\}", aside, latex)))
    try:
        return ["mrow", _row(tokens, words, "")]
    except (KeyError, IndexError, StopIteration):
        raise ValueError(latex) from None


def _row(tokens: Iterator[str], words: list[str], end: str) -> list[Node]:
    """Nodes up to the token `end`, or to the end of the formula."""
    nodes: list[Node] = []
    for token in tokens:
        if token == end:
            return nodes
        if token in "_^":
            script = _one(next(tokens), tokens, words)
            nodes.append(_scripted(nodes.pop(), token, script))
        else:
            nodes.append(_one(token, tokens, words))
    if end:
        raise ValueError(end)
    return nodes


def _scripted(base: Node, mark: str, script: Node) -> Node:
    if base == ["mo", "∑"]:
        return ["munder", [base, script]]
    if base[0] == "msub" and mark == "^" and isinstance(base[1], list):
        return ["msubsup", [*base[1], script]]
    return ["msub" if mark == "_" else "msup", [base, script]]


def _one(token: str, tokens: Iterator[str], words: list[str]) -> Node:
    """The node that begins with `token`."""
    if token == "{":
        inner = _row(tokens, words, "}")
        return inner[0] if len(inner) == 1 else ["mrow", inner]
    if token == r"\frac":
        return ["mfrac", [_one(next(tokens), tokens, words), _one(next(tokens), tokens, words)]]
    if token == r"\word":
        word = words[int(next(tokens))]
        return ["mtext", word.replace(word.strip(), _(_WORDS[word.strip()])).replace(" ", "\u00a0")]
    if token == r"\mathbf":
        return ["mn", _one(next(tokens), tokens, words)[1], "bold"]
    if token == r"\top":
        return ["mo", "⊤"]
    if token == r"\,":
        return ["mspace", ""]
    if token in _LETTERS:
        return ["mi", _LETTERS[token]]
    if token in _FUNCTIONS:
        return ["mi", _FUNCTIONS[token]]
    if token in _OPERATORS:
        return ["mo", _OPERATORS[token]]
    if token[0].isdigit():
        return ["mn", token.replace(".", ",") if language() == "fr" else token]
    if token.isalpha():
        return ["mi", token]
    if token in "=+/()[]>,":
        return ["mo", token]
    raise ValueError(token)
