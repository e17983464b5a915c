"""Functions that count right answers, and do not count them right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.detectors.probing import Prober, careful, is_label
from pasapas.doctor.inventory import Function, called, words
from pasapas.doctor.replay import Replay
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import other_role, parameter_roles, tensor_of
from pasapas.doctor.session import Failure, Outcome
from pasapas.doctor.world import World

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

_NAMES = re.compile(
    r"accura|exactitude|justesse|reussite|^acc$|^taux$|evalu|^score$|^precision$|precision(du|sur|de)|calcul\w*precision"
    r"|correct(es)?$|bonnesreponses|bienclass|pourcent|performance"
)
_NOT = re.compile(
    r"apprent|learn|plot|affich|show|print|trac|bias|biais|recall|rappel|matrix|matrice|confusion|history|courbe|grad"
)
_COLUMN = re.compile(r"reshape\(\(?\s*(-1|1|len\(\w+\)|\w+)\s*,\s*(-1|1)\s*\)|newaxis|\[:, ?None\]|\[None, ?:\]")
_SHAPES = re.compile(r"broadcast|shape|dimension|axis \d|operands", re.IGNORECASE)


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Asks for the accuracy in two batches where it is known."""
    prober = Prober(evidence)
    if re.search(r"\b(recall|rappel|f1_score)", prober.source.lower()):
        return
    for f in _functions(prober):
        wrong = judged(prober, f)
        if wrong is not None:
            yield Finding("accuracy-wrong", "accuracy", evidence.worlds[0].L, facts=prober.facts(f, **wrong))
            return


def _functions(prober: Prober) -> list[Function]:
    binding = prober.binding
    found = []
    for f in prober.functions:
        joined = "".join(f.words)
        if f in (binding.forward, binding.backward) or not _NAMES.search(joined) or _NOT.search(joined):
            continue
        if f.owner is not None and not prober.network_has(f):
            continue
        if not _compares(prober, f):
            continue
        found.append(f)
    return found


def _compares(prober: Prober, f: Function) -> bool:
    """Whether a function, or one that it calls, compares or counts."""
    texts = [f.text, *(g.text for g in prober.functions if g.short in f.calls)]
    return any(re.search(r"==|equal|!=|count_nonzero|argmax", t) for t in texts)


# judging ---------------------------------------------------------------------------------------------------------------


def judged(prober: Prober, f: Function) -> dict[str, Any] | None:
    """What is wrong with it, as facts; None where one plausible way of use gives the right number, or none can be told."""
    provider = prober.binding.provider
    ten = [*prober.sizes[:-1], 10]
    choices = [prober.sizes] if provider.fixed or prober.sizes[-1] in (1, 10) else [prober.sizes, ten]
    wrong = None
    for sizes in choices:  # what they write may want ten classes
        verdict, facts = _judged(prober, f, sizes)
        if verdict is True:
            return None
        wrong = wrong or (facts if verdict is False else None)
    return wrong


def _judged(prober: Prober, f: Function, sizes: list[int]) -> tuple[bool | None, dict[str, Any]]:
    """Whether it is right with layers of these widths, None where that cannot be told, and the facts."""
    results: list[list[tuple[str, bool | None, Any]]] = []
    shares_labels = other_role(f) == "loss" or f.has("loss", "perte", "cout", "cost")
    for m, hits, seed in ((17, 11, 21), (23, 8, 22)):
        known = _known(prober, sizes, m, hits, seed)
        if known is None:
            return None, {}
        results.append(list(_answers(prober, f, known, hits / m, shares_labels)))
    first, second = ({form: (ok, got) for form, ok, got in way} for way in results)
    right = {form for form in first if first[form][0] and second.get(form, (None,))[0]}
    if prober.binding.labels != "numbers in a column" and not _COLUMN.search(prober.source):
        right -= {"numbers in a column"}
    if not shares_labels and right:
        sure = _given(prober, f)
        right = {form for form in right if sure is None or form.startswith(sure)}
    if right:
        return True, {}
    numbers = [got for ok, got in first.values() if isinstance(got, float)]
    failures = [got for ok, got in first.values() if isinstance(got, Failure)]
    unclear = any(got == "unknown" for _ok, got in (*first.values(), *second.values()))
    hit = any(ok for ok, _got in (*first.values(), *second.values()))
    telling = any(_decisions_against_rows(failure, sizes[-1]) for failure in failures)
    if not numbers and not hit and not telling and (unclear or not failures):
        return None, {}
    got: Any = round(numbers[0], 4) if numbers else failures[0].kind if failures else 1.0
    return False, {"got": got, "expected": round(11 / 17, 4)}


def _decisions_against_rows(failure: Failure, n: int) -> bool:
    """Whether m decisions met m rows of n numbers: digits on one side, one-hot rows on the other."""
    shapes = re.findall(r"\((\d+),\s*(\d*)\)", failure.message)
    return len(shapes) == 2 and shapes[0][0] == shapes[1][0] and sorted(s[1] for s in shapes) == ["", str(n)]


@dataclass
class Known:
    """A world, what the network gives in it without dropout, and whether there is dropout."""

    w: World
    P: np.ndarray
    dropout: bool


def _known(prober: Prober, sizes: list[int], m: int, hits: int, seed: int) -> Known | None:
    """A world in which so many of the m answers are right, and not all answers the same; None where there is none."""
    for scale in (1, 2, 4, 8):
        known = _drawn(prober, sizes, m, hits, seed, scale)
        if known is None or len(np.unique(known.P.argmax(axis=1) if sizes[-1] > 1 else known.P > 0.5)) > 1:
            return known
    return None


def _drawn(prober: Prober, sizes: list[int], m: int, hits: int, seed: int, scale: int) -> Known | None:
    """As `_known`, with whatever answers there are; weights larger than usual make them differ more."""
    evidence, n = prober.evidence, sizes[-1]
    if m in sizes or prober.binding.single:
        return None
    w = prober.binding.world(m, seed, sizes)
    w = replace(w, W=tuple(scale * W for W in w.W))
    architecture = evidence.architecture
    seen, again = (prober.binding.observe(w, watch=False, only_forward=True, seed=k) for k in (0, 1))
    P = seen.P if seen.failure is None else None
    dropout = P is not None and (again.P is None or not np.array_equal(P, again.P))
    if dropout and (evidence.findings or evidence.base is not Replay):
        return None
    if architecture is not None and (P is None or dropout):
        with np.errstate(all="ignore"):
            P = evidence.base(replace(architecture.problem(w), masks=())).forward()
    if P is None or P.shape != (m, n) or not np.all(np.isfinite(P)):
        return None
    order = np.random.default_rng(seed).permutation(m)
    if n == 1:
        if architecture is None or architecture.activations[-1] != "sigmoid":
            return None
        answers = (P[:, 0] > 0.5).astype(int)
        labels = answers.copy()
        labels[order[hits:]] = 1 - answers[order[hits:]]
        return Known(replace(w, labels=labels, Y=labels[:, None].astype(float)), P, dropout)
    answers = P.argmax(axis=1)
    labels = answers.copy()
    labels[order[hits:]] = (answers[order[hits:]] + 1) % n
    return Known(replace(w, labels=labels, Y=np.eye(n)[labels]), P, dropout)


def _answers(
    prober: Prober, f: Function, known: Known, truth: float, shares_labels: bool
) -> Iterator[tuple[str, bool | None, Any]]:
    """For each form of the labels: whether it is right, None where it raised, and what came."""
    w, binding, layout = known.w, prober.binding, prober.binding.layout
    numbers = w.labels
    forms: dict[str, Any] = {
        "one-hot": layout.rows(w.Y),
        "numbers": numbers,
        "numbers in a column": numbers[None, :] if layout.columns else numbers[:, None],
    }
    if shares_labels:
        forms = {binding.labels: forms[binding.labels]}
    for form, Y in forms.items():
        outcomes = list(_called(prober, f, known, Y))
        if not outcomes:
            continue
        yield form, *_verdict(outcomes, (truth, 100 * truth, truth * w.m, round(100 * truth, 2)))


def _verdict(outcomes: list[Outcome], right: tuple[float, ...]) -> tuple[bool | None, Any]:
    """Of several ways to call it, the best: right, wrong with a number, a shape that does not fit, "unknown"."""
    wrong: Any = None
    misfit: Failure | None = None
    for outcome in outcomes:
        failure = outcome.failure
        if failure is not None:
            fits = failure.kind in ("ValueError", "AxisError", "IndexError") and _SHAPES.search(failure.message)
            misfit = misfit or (failure if fits and failure.line else None)
            continue
        values = _numbers(outcome.value)
        if any(np.isclose(v, t, atol=1e-6) for v in values for t in right):
            return True, None
        wrong = values[-1] if values and wrong is None else wrong
    if wrong is not None:
        return False, wrong
    return None, misfit if misfit is not None else "unknown"


def _numbers(value: Any) -> list[float]:
    if isinstance(value, bool):
        return []
    if isinstance(value, (int, float)):
        return [float(value)]
    if isinstance(value, np.ndarray):
        return [float(value.reshape(-1)[0])] if value.size == 1 and value.dtype.kind in "fiu" else []
    if isinstance(value, (tuple, list)):
        return [n for v in value[:6] for n in _numbers(v)]
    if isinstance(value, dict):
        return [n for v in list(value.values())[:6] for n in _numbers(v)]
    return []


def _called(prober: Prober, f: Function, known: Known, Y: Any) -> Iterator[Outcome]:
    """The function's answers for labels in one form; to probabilities, and to decisions where it takes these."""
    w, P, binding = known.w, known.P, prober.binding
    labels = _label_parameter(f)
    names = [p.name for p in f.parameters]
    if labels is None:
        return
    for p in f.parameters:
        told = (
            parameter_roles(p.name)
            or tensor_of(p.name) is not None
            or _inputs(p.name)
            or p.name in binding.provider.names
        )
        if p.required and p.name != labels and not told:
            return
    by_inputs = any("X" in parameter_roles(n) or _inputs(n) for n in names if n != labels)
    outputs = [n for n in names if n != labels and "P" in parameter_roles(n)]
    if known.dropout and not by_inputs and not outputs:
        return
    ways = range(1) if by_inputs and not outputs else range(4)
    for k in ways:
        sources, holder = binding.parameters(w)
        sources["X"], sources["Y"], sources["m"] = binding.layout.rows(w.X), Y, w.m
        forward = None
        if binding.forward is not None:
            options = binding.options(binding.forward, sources, None)
            way = options[min(binding.forward_choice, len(options) - 1)] if options else {}
            forward = binding._run(binding.forward, way, sources, holder, False, 0)
            if forward.failure is not None:
                return
        elif not by_inputs:
            return
        options = binding.options(f, sources, forward)
        if k >= max(len(options), 1):
            break
        arguments = dict(options[k]) if options else {}
        for p in f.parameters:
            if not p.required and p.name not in (labels, *outputs):
                arguments.pop(p.name, None)
        arguments[labels] = Y
        arguments |= _together(prober, f, sources)
        if by_inputs or not known.dropout:
            yield binding._run(f, arguments, sources, holder, False, 0)
        if k == 0 and outputs and not by_inputs:
            decisions = P.argmax(axis=1) if P.shape[1] > 1 else (P > 0.5).astype(int)
            decider = _decider(prober, f, outputs[0])
            if decider is not None:
                given = {decider.parameters[0].name: binding.layout.rows(P)}
                decided = binding._run(decider, given, sources, holder, False, 0)
                if decided.failure is None and isinstance(decided.value, np.ndarray):
                    decisions = decided.value
            for value in (binding.layout.rows(P), decisions):
                yield binding._run(f, {**arguments, outputs[0]: value}, sources, holder, False, 0)


def _decider(prober: Prober, f: Function, name: str) -> Function | None:
    """The file's own function of P alone that makes what is given to f under a name; None where there is none."""
    found = set()
    for call in prober.calls(f.short):
        argument = _argument(f, call, name)
        if isinstance(argument, ast.Name):
            made = [
                n.value
                for n in ast.walk(prober.scope(call))
                if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == argument.id
            ]
            argument = made[0] if len(made) == 1 else None
        if isinstance(argument, ast.Call) and len(argument.args) == 1:
            found.add(called(argument))
    own = [g for g in prober.functions if {g.short} == found and g.owner is None and len(g.parameters) == 1]
    return next((g for g in own if "argmax" in g.text and not _inputs(g.parameters[0].name)), None)


def _together(prober: Prober, f: Function, sources: dict[str, Any]) -> dict[str, Any]:
    """Single weights and biases for a parameter that takes them all, in the order in which forward takes them."""
    binding = prober.binding
    wanted = [p.name for p in f.parameters if p.required and "params" in parameter_roles(p.name)]
    if binding.provider.kind != "loose" or len(wanted) != 1 or binding.forward is None:
        return {}
    used = binding.used.get(binding.forward.name, {})
    tensors = [used[p.name] for p in binding.forward.parameters if used.get(p.name) in sources]
    known = {slot.tensor for slot in binding.provider.slots}
    return {wanted[0]: tuple(sources[t] for t in tensors if t in known)}


def _inputs(name: str) -> bool:
    return bool(re.fullmatch(r"(x|images?|entrees?|inputs?|data|donnees)\w*", "".join(words(name))))


def _label_parameter(f: Function) -> str | None:
    names = [p.name for p in f.parameters]
    by_role = [n for n in names if parameter_roles(n)[:1] == ["Y"]]
    found = by_role or [n for n in names if is_label(n) and not _inputs(n) and "P" not in parameter_roles(n)]
    return found[-1] if found else None


# what it is given ------------------------------------------------------------------------------------------------------


def _given(prober: Prober, f: Function) -> str | None:
    """The form of labels that the file gives it for certain: "one-hot", or None where that cannot be read."""
    binding = prober.binding
    label = _label_parameter(f)
    if label is None or binding.labels != "one-hot" or prober.sizes[-1] == 1:
        return None
    forms = set()
    for call in prober.calls(f.short):
        argument = _argument(f, call, label)
        if argument is None:
            continue
        scope = prober.scope(call)
        name = _base(argument, scope)
        forms.add("one-hot" if name and (_goes_to_backward(prober, scope, name) or _encoded(prober, name)) else "")
    return "one-hot" if forms == {"one-hot"} else None


def _argument(f: Function, call: ast.Call, name: str) -> ast.expr | None:
    positional = [p.name for p in f.parameters if not p.keyword_only]
    for k in call.keywords:
        if k.arg == name:
            return k.value
    if any(isinstance(a, ast.Starred) for a in call.args):
        return None
    index = positional.index(name) if name in positional else -1
    return call.args[index] if 0 <= index < len(call.args) else None


def _base(node: ast.expr, scope: ast.AST) -> str:
    """The name that an expression takes rows of, through names for a part of it; "" where it is more than that."""
    for _step in range(5):
        while isinstance(node, ast.Subscript):
            node = node.value
        if not isinstance(node, ast.Name):
            return ast.unparse(node) if isinstance(node, ast.Attribute) and node.attr != "T" else ""
        given = list(_assigned(scope, node.id))
        if len(given) == 1 and isinstance(given[0], ast.Subscript):
            node = given[0]
            continue
        return node.id if len(given) <= 1 else ""
    return ""


def _assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    for n in ast.walk(scope):
        if isinstance(n, ast.Assign):
            for target in n.targets:
                pairs = [(target, n.value)]
                if isinstance(target, ast.Tuple) and isinstance(n.value, ast.Tuple):
                    pairs = list(zip(target.elts, n.value.elts, strict=False))
                elif isinstance(target, ast.Tuple):
                    pairs = [(t, n.value) for t in target.elts]
                yield from (v for t, v in pairs if isinstance(t, ast.Name) and t.id == name)


def _goes_to_backward(prober: Prober, scope: ast.AST, name: str) -> bool:
    """Whether the same scope hands the same labels to the backward pass."""
    backward = prober.binding.backward
    label = next((p.name for p in backward.parameters if parameter_roles(p.name)[:1] == ["Y"]), None)
    if label is None:
        return False
    for n in ast.walk(scope):
        if isinstance(n, ast.Call) and called(n) == backward.short:
            argument = _argument(backward, n, label)
            if argument is not None and _base(argument, scope) == name:
                return True
    return False


def _encoded(prober: Prober, name: str) -> bool:
    """Whether a name is given a value once in the file, and that is a one-hot table."""
    given = list(_assigned(prober.inventory.tree, name))
    if len(given) != 1:
        return False
    value = given[0]
    while isinstance(value, ast.Attribute) and value.attr == "T":
        value = value.value
    if isinstance(value, ast.Call):
        encoder = next((f for f in prober.functions if f.short == called(value)), None)
        return called(value) == "to_categorical" or (encoder is not None and other_role(encoder) == "one_hot")
    return isinstance(value, ast.Subscript) and bool(re.match(r"(np|numpy)\.(eye|identity)\(", ast.unparse(value)))
