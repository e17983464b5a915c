"""Layer objects and loss objects, and the network that a submission makes of them, as source text of the doctor's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pasapas.doctor.inventory import Class, Function, Inventory, called, plain, words
from pasapas.doctor.making import KEEP, LEARNING_RATE
from pasapas.doctor.providers import outputs_of, widths
from pasapas.doctor.roles import UPSTREAM, backward_score, forward_score, other_role, parameter_roles
from pasapas.doctor.syntax import parse

NETWORK = "PasapasNetwork"

_INIT_WEIGHTS = re.compile(r"self\.(W|w|weights?|poids|kernel|theta|coef\w*|matrice)\w*(: [\w.]+)?(, [^=\n]*)?\)? = ")
LOSS_WORDS = r"loss|perte|cout|cost|entrop|criter|erreur|error|mse|bce|nll|objecti"


def _best(c: Class, score: Callable[[Function], float]) -> Function | None:
    scored = [(score(m), m) for m in c.methods.values()]
    best = max(scored, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] > 0 else None


def forward_of(c: Class) -> Function | None:
    """The method of a layer or a loss that goes forward."""
    return _best(c, forward_score) or c.methods.get("__call__") or c.methods.get("calculer")


def backward_of(c: Class) -> Function | None:
    """The method of a layer or a loss that goes backward."""
    found = _best(c, backward_score)
    if found is None:
        found = next((m for m in c.methods.values() if m.has("grad", "deriv", "prime", "delta")), None)
    return found


@dataclass
class Layers:
    """The classes of which a submission makes networks. `container` is the one that takes the layers, if any."""

    dense: Class
    activations: list[Class]
    criterion: Class | None
    container: Class | None

    @classmethod
    def of(cls, inventory: Inventory) -> Layers | None:
        """None where there is no class of a dense layer, or where the network makes its layers itself."""
        complete = [c for c in inventory.classes.values() if forward_of(c) and backward_of(c)]
        complete = [c for c in complete if not re.search("NotImplementedError|abstractmethod", _own_text(c))]
        dense = [c for c in complete if _INIT_WEIGHTS.search(_init_text(c)) and len(_init_parameters(c)) >= 2]
        dense = [c for c in dense if not any(f"{d.name}(" in c.text for d in complete if d is not c)]
        if not dense:
            return None
        layer = max(dense, key=lambda c: bool(re.search(r"(?i)dense|linear|affine|lineaire|couche|layer|fc", c.name)))
        if max(len(re.findall(r"self\.W\d|self\.w\d", _init_text(layer))), 0) > 2:
            return None  # a network
        criterion = next((c for c in complete if _is_criterion(c)), None)
        rest = [c for c in complete if c not in (layer, criterion) and not _INIT_WEIGHTS.search(_init_text(c))]
        holders = [c for c in rest if _holds(c)]
        if any(f"{layer.name}(" in c.text for c in inventory.classes.values() if c is not layer):
            return None  # a network that makes its own layers
        activations = [c for c in rest if c not in holders and not re.search("(?i)dropout|batchnorm", c.name)]
        return cls(layer, activations, criterion, holders[0] if holders else None)


def _own_text(c: Class) -> str:
    return " ".join(m.text for m in c.methods.values() if backward_score(m) > 0 or forward_score(m) > 0)


def _init_text(c: Class) -> str:
    return c.methods["__init__"].text if "__init__" in c.methods else ""


def _init_parameters(c: Class) -> list[str]:
    return [p.name for p in c.methods["__init__"].parameters] if "__init__" in c.methods else []


def _is_criterion(c: Class) -> bool:
    forward = forward_of(c) or c.methods.get("loss")
    says = re.search(LOSS_WORDS, plain(c.name).lower())
    two = forward is not None and len([p for p in forward.parameters if p.required]) >= 2
    return bool(says or two) and not _INIT_WEIGHTS.search(_init_text(c)) and not _holds(c)


def _holds(c: Class) -> bool:
    return bool(re.search(r"\bin (reversed\()?(list\(|enumerate\()?self\.\w+|self\.(layers|couches)", _own_text(c)))


def network_source(inventory: Inventory, layers: Layers) -> tuple[str, Function, Function] | None:
    """The chain of layers as a class, with sizes of ours, as the submission builds it; and what goes forward and backward."""
    elements = _elements(inventory, layers)
    L = sum(element.startswith(f"{layers.dense.name}(") for element in elements)
    source = ast.unparse(inventory.tree)
    binary = any(re.search(rf"{layers.dense.name}\([^()]*, 1\)", element) for element in elements)
    outputs = 1 if binary or (not layers.criterion and outputs_of(source)[0] == 1) else 3
    sizes = widths(L, outputs)
    build, run_forward, run_backward, forward, backward = _chain(inventory, layers, elements, sizes)
    gradient = _gradient(inventory, layers, backward)
    if gradient is None:
        return None
    lines = [f"class {NETWORK}:", f"    def __init__(self, sizes={sizes!r}):"]
    lines += [f"        {line}" for line in build]
    lines += ["    def forward(self, X):", *(f"        {line}" for line in run_forward), "        return self.P"]
    lines += ["    def backward(self, Y):", *(f"        {line}" for line in (*gradient, *run_backward))]
    return "\n".join(lines), forward, backward


def _elements(inventory: Inventory, layers: Layers) -> list[str]:
    """The texts of the layers, sizes replaced by ours, as they are listed where the submission makes its network."""
    names = {c.name for c in inventory.classes.values()}
    lists = []
    added = []
    for node in ast.walk(inventory.tree):
        items = (
            node.elts if isinstance(node, (ast.List, ast.Tuple)) else node.args if isinstance(node, ast.Call) else []
        )
        if isinstance(node, ast.Call) and called(node) in ("add", "append", "ajouter") and len(items) == 1:
            if isinstance(items[0], ast.Call) and called(items[0]) in names:
                added.append(items[0])
            continue
        calls = [i for i in items if isinstance(i, ast.Call) and called(i) in names]
        if calls and len(calls) == len(items) and any(called(i) == layers.dense.name for i in calls):
            lists.append(calls)
    if added:
        lists.append(sorted(added, key=lambda n: n.lineno))
    used = max(lists, key=len, default=[])
    if not any(called(call) == layers.dense.name for call in used):
        activation = [f"{c.name}()" for c in layers.activations if "softmax" not in c.name.lower()][:1]
        last = [f"{c.name}()" for c in layers.activations if "softmax" in c.name.lower()][:1]
        dense = [f"{layers.dense.name}(sizes[{i}], sizes[{i + 1}])" for i in range(2)]
        return [dense[0], *activation, dense[1], *last]
    found, i = [], 0
    for call in used:
        if called(call) != layers.dense.name:
            found.append(ast.unparse(call))
            continue
        found.append(_with_sizes(call, layers.dense, i))
        i += 1
    return found


def _with_sizes(call: ast.Call, dense: Class, i: int) -> str:
    """The text of a call that makes the dense layer `i`, with sizes of ours."""
    first = _init_parameters(dense)[:2]
    new = [f"sizes[{i}]", f"sizes[{i + 1}]", *(ast.unparse(a) for a in call.args[2:])]
    new += [f"{k.arg}={ast.unparse(k.value)}" for k in call.keywords if k.arg and k.arg not in first]
    return f"{dense.name}({', '.join(new)})"


def _chain(
    inventory: Inventory, layers: Layers, elements: list[str], sizes: tuple[int, ...]
) -> tuple[list[str], list[str], list[str], Function, Function]:
    """The lines that build the network, run it forward, and run it backward; and the functions that do so."""
    build = [f"self.layers = [{', '.join(elements)}]"]
    if layers.criterion is not None:
        build.append(f"self.criterion = {layers.criterion.name}({_defaults(layers.criterion)})")
    forward, backward = forward_of(layers.dense), backward_of(layers.dense)
    assert forward is not None
    assert backward is not None
    if layers.container is not None:
        c = layers.container
        init = c.methods.get("__init__")
        own_forward, own_backward = forward_of(c), backward_of(c)
        assert own_forward is not None
        assert own_backward is not None
        if init is not None and init.node.args.vararg is not None:
            build.append(f"self.network = {c.name}(*self.layers)")
        elif init is not None and [p for p in init.parameters if not re.search("lr|taux|loss|perte|crit|pas", p.name)]:
            others = [f"{p.name}={given_value(p.name)}" for p in init.parameters[1:] if p.required]
            build.append(f"self.network = {c.name}({', '.join(['self.layers', *others])})")
        else:
            adder = next((m for m in c.methods.values() if m.has("add", "ajout", "append", "push")), None)
            build.append(f"self.network = {c.name}({_defaults(c)})")
            build.append("for layer in self.layers:")
            build.append(f"    self.network.{adder.short if adder else 'layers.append'}(layer)")
        extra = "".join(
            f", {p.name}={given_value(p.name)}" for p in own_forward.parameters[1:] if p.required and p.name != "y"
        )
        run_forward = [f"self.P = self.network.{own_forward.short}(X{extra})"]
        extra = "".join(f", {p.name}={given_value(p.name)}" for p in own_backward.parameters[1:] if p.required)
        argument = "" if not own_backward.parameters else "gradient" + extra
        return build, run_forward, [f"return self.network.{own_backward.short}({argument})"], own_forward, own_backward
    plain_forward = _runner(inventory, forward.short, forward_score)
    plain_backward = _runner(inventory, backward.short, backward_score)
    call = f"layer.{forward.short}(A)"
    run_forward = ["A = X", "for layer in self.layers:", f"    A = {call}", "self.P = A"]
    extra = "".join(f", {p.name}={given_value(p.name)}" for p in backward.parameters[1:] if p.required)
    run_backward = ["for layer in reversed(self.layers):"]
    if extra:
        wanting = [c.name for c in (layers.dense, *layers.activations) if _wants_more(c)]
        run_backward += [f"    given = dict({extra[2:]}) if isinstance(layer, ({', '.join(wanting)},)) else {{}}"]
        run_backward += [f"    gradient = layer.{backward.short}(gradient, **given)"]
    else:
        run_backward += [f"    gradient = layer.{backward.short}(gradient)"]
    if plain_forward is not None:
        run_forward = [f"self.P = {plain_forward.short}({_by_kind(plain_forward)})"]
    if plain_backward is not None:
        run_backward = [f"return {plain_backward.short}({_by_kind(plain_backward)})"]
    return build, run_forward, run_backward, plain_forward or forward, plain_backward or backward


def _wants_more(c: Class) -> bool:
    """Whether the backward pass of a layer takes more than ∂L/∂(its output)."""
    f = backward_of(c)
    return f is not None and any(p.required for p in f.parameters[1:])


def _defaults(c: Class) -> str:
    init = c.methods.get("__init__")
    return ", ".join(f"{p.name}={given_value(p.name)}" for p in init.parameters if p.required) if init else ""


def given_value(name: str) -> str:
    """The text of a value for a parameter that is neither data nor labels."""
    roles = parameter_roles(name)
    return {"lr": repr(LEARNING_RATE), "keep": repr(KEEP), "training": "True"}.get(roles[0] if roles else "", "None")


def _runner(inventory: Inventory, method: str, score: Callable[[Function], float]) -> Function | None:
    """A plain function that runs the layers one after the other."""
    found = [f for f in inventory.functions.values() if f".{method}(" in f.text and score(f) > 3]
    found = [f for f in found if len(f.parameters) == 2]
    return found[0] if found else None


def _by_kind(f: Function) -> str:
    """Arguments for a function that runs the layers: them, and the batch or the gradient."""
    given = []
    for p in f.parameters:
        joined = "".join(words(p.name))
        layers = re.search("layer|couche|reseau|net|model", joined)
        given.append("self.layers" if layers else "gradient" if UPSTREAM.match(p.name) else "X")
    return ", ".join(given)


def _gradient(inventory: Inventory, layers: Layers, backward: Function) -> list[str] | None:
    """The lines that give `gradient`, what the last layer's backward gets; None where nothing gives it."""
    first = backward.parameters[0].name if backward.parameters else None
    held = held_criterion(inventory, layers.container) if layers.container is not None else None
    if layers.container is not None and first is None:
        if held is None:
            return None
        attribute, c = held
        return criterion_lines(f"self.network.{attribute}", c)[:1]
    if layers.container is not None and first is not None and not UPSTREAM.match(first):
        return ["gradient = Y"]
    if layers.criterion is not None:
        return criterion_lines("self.criterion", layers.criterion)
    return _gradient_function(inventory) or ["gradient = (self.P - Y) / len(Y)"]


def criterion_lines(name: str, c: Class) -> list[str]:
    """The lines that show a loss object P and Y, and take its gradient."""
    forward = forward_of(c) or c.methods.get("loss")
    backward = backward_of(c)
    lines = []
    if forward is not None:
        call = name if forward.short == "__call__" else f"{name}.{forward.short}"
        lines.append(f"{call}({_P_and_Y(forward)})")
    if backward is not None:
        lines.append(f"gradient = {name}.{backward.short}({_P_and_Y(backward)})")
    return lines


def _P_and_Y(f: Function) -> str:
    """P and Y in the order in which a function of a loss takes them."""
    required = [p for p in f.parameters if p.required] or f.parameters[:2]
    given = []
    for i, p in enumerate(required):
        roles = parameter_roles(p.name)
        says_y = "Y" in roles and not re.search(r"pred|hat|chap|prob|est|out|sortie|logit|score", plain(p.name).lower())
        says_p = bool(set(roles) & {"P", "X", "cache"}) or re.search(r"logit|score|z|pred|prob|out|sortie", p.name)
        given.append("Y" if says_y and not (says_p and i == 0) else "self.P" if says_p or i == 0 else "Y")
    return ", ".join(given)


def _gradient_function(inventory: Inventory) -> list[str] | None:
    """The lines that take the gradient from a plain function of P and Y."""
    for f in inventory.functions.values():
        names = "".join(f.words)
        if len([p for p in f.parameters if p.required]) != 2 or not re.search(LOSS_WORDS + "|softmax", names):
            continue
        if len(f.returned) == 2 and not f.has("accuracy", "acc"):
            return [f"gradient = {f.short}({_P_and_Y(f)})[1]"]
        if f.has("grad", "deriv", "prime", "delta", "backward", "d"):
            return [f"gradient = {f.short}({_P_and_Y(f)})"]
    return None


def held_criterion(inventory: Inventory, c: Class) -> tuple[str, Class] | None:
    """The attribute of a network that is a loss object, and its class."""
    for attribute, name in re.findall(r"self\.(\w+) = (\w+)\(", _init_text(c)):
        held = inventory.classes.get(name)
        if held is not None and _is_criterion(held):
            return attribute, held
    return None


def given_criterion(inventory: Inventory, c: Class, factory: Function) -> tuple[str, Class] | None:
    """The same of a network that a function makes: it makes the loss object too, or hands it over."""
    held = held_criterion(inventory, c)
    if held is not None:
        return held
    made = [n for n in ast.walk(factory.node) if isinstance(n, ast.Call) and called(n) in inventory.classes]
    criterion = next((k for n in made if _is_criterion(k := inventory.classes[called(n)]) and k is not c), None)
    taken = _init_parameters(c)
    for attribute, value in _kept(c):
        if criterion is not None and value in taken and re.search(LOSS_WORDS, plain(value).lower()):
            return attribute, criterion
    return None


def _kept(c: Class) -> Iterator[tuple[str, str]]:
    """The attributes that a constructor gives an object, each with the text of its value."""
    nodes = ast.walk(c.methods["__init__"].node) if "__init__" in c.methods else iter(())
    for node in nodes:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            together = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=False) if together else [(target, value)]  # type: ignore[attr-defined]
            yield from ((t.attr, ast.unparse(v)) for t, v in pairs if isinstance(t, ast.Attribute))


# layers that keep what they compute ----------------------------------------------------------------------------------

_OUTPUT = re.compile(r"(?i)out(put)?s?|sorties?|result\w*|resultat\w*|a|activations?|value|valeur")
_PROBABILITIES = re.compile(r"(?i)out(put)?s?|sorties?|p|probs?|proba\w*|y_?(hat|pred)|pred\w*|softmax\w*|a")
_INPUT_GRADIENT = re.compile(r"(?i)(d|grad|delta)_?(in\w*|x|a\w*|entrees?)|(in\w*|x|entrees?)_?(grad|delta)\w*")
_CALCULATE = ("calculate", "calculer", "calc", "compute", "mean", "moyenne")


def _kept_values(f: Function) -> dict[str, str]:
    """The attributes that a method gives its object, each with the text of the last value."""
    given = [p.name for p in f.parameters]
    return {name: value for name, value in _attributes(f.node) if value not in given}


def _kept_as(f: Function, pattern: re.Pattern[str]) -> str | None:
    """The attribute in which a method that returns nothing keeps its result."""
    names = list(_kept_values(f))
    if not any(map(pattern.fullmatch, names)):  # the result may be what was given
        every = [name for name, _value in _attributes(f.node)]
        names = every if any(map(pattern.fullmatch, every)) else names or every
    return next((n for n in reversed(names) if pattern.fullmatch(n)), names[-1] if names else None)


def _run_lines(f: Function, on: str, result: str, argument: str, pattern: re.Pattern[str]) -> list[str]:
    """The lines that call a method of the object `on`, and leave in `result` what it returns or keeps."""
    required = [p for p in f.parameters[1:] if p.required]
    given = "".join(f", {p.name}={given_value(p.name)}" for p in required)
    call = f"{on}.{f.short}({argument}{given})"
    return [f"{result} = {call}"] if f.returned else [call, f"{result} = {on}.{_kept_as(f, pattern)}"]


Link = tuple[Class, ast.Call | None, bool]
"""A layer in a chain: its class, the call that makes it, and whether the script calls its backward pass."""


@dataclass
class Keepers:
    """Layers whose passes return nothing and keep their results, as the script makes and calls them.

    `chain` has the layers in the order of the forward pass. `judge` is the class of the loss, and `giver` that of what gives ∂L/∂(the last output).
    """

    dense: Class
    chain: list[Link]
    judge: Class | None
    giver: Class
    optimizer: tuple[Class, Function, ast.Call | None] | None
    held: dict[str, Class]
    """The loss objects that `judge` holds, by attribute."""

    @classmethod
    def of(cls, inventory: Inventory) -> Keepers | None:
        """None where layers return what they compute, and where a class makes its own layers."""
        classes = list(inventory.classes.values())
        dense = [c for c in classes if _INIT_WEIGHTS.search(_init_text(c)) and len(_init_parameters(c)) >= 2]
        dense = [c for c in dense if forward_of(c) and _keeps(backward_of(c), _INPUT_GRADIENT)]
        dense.sort(key=lambda c: not re.search(r"(?i)dense|linear|affine|lineaire|couche|layer|fc", c.name))
        if not dense or any(f"{dense[0].name}(" in c.text for c in classes if c is not dense[0]):
            return None
        layer = dense[0]
        optimizer = _optimizer(inventory, layer)
        tools = {optimizer[0].name} if optimizer else set()
        losses = [c for c in classes if c is not layer and c.name not in tools and _is_loss(c)]
        known = [c for c in classes if c not in losses and c.name not in tools and forward_of(c) is not None]
        made = _made_objects(inventory)
        called_first = _first_calls(inventory, made)
        back = {name for name, method in called_first if _is(inventory, made[name], method, backward_of)}
        forward = [name for name, method in called_first if not _is(inventory, made[name], method, backward_of)]
        names = list(dict.fromkeys(n for n in forward if called(made[n]) in {c.name for c in known}))
        chain: list[Link] = [(inventory.classes[called(made[n])], made[n], not back or n in back) for n in names]
        shown = [c for n in forward if (c := inventory.classes[called(made[n])]) in losses]
        giving = [c for n in made if n in back and (c := inventory.classes[called(made[n])]) in losses]
        able = sorted((c for c in losses if backward_of(c) is not None), key=lambda c: not _probabilities_of(c))
        giver = next(iter([*giving, *(c for c in shown if c in able), *able]), None)
        if giver is None:
            return None
        judge = next(iter(shown), giver if forward_of(giver) else None)
        if not any(c is layer for c, _call, _back in chain):
            chain = _listed(inventory, layer, known, softmax=not _probabilities_of(giver))
        kept = re.findall(r"self\.(\w+) = (\w+)\(", _init_text(judge)) if judge is not None else []
        held = {attribute: inventory.classes[name] for attribute, name in kept if name in inventory.classes}
        return cls(layer, chain, judge, giver, optimizer, held)

    def source(self) -> tuple[str, Function, Function]:
        """The network as a class, and the dense layer's own passes."""
        forward, backward = forward_of(self.dense), backward_of(self.dense)
        assert forward is not None
        assert backward is not None
        L = sum(c is self.dense for c, _call, _back in self.chain)
        last = [call for c, call, _back in self.chain if c is self.dense and call is not None][-1:]
        one = any(ast.unparse(a) == "1" for call in last for a in (*call.args[1:2], *(k.value for k in call.keywords)))
        elements: list[str] = []
        for c, call, _back in self.chain:
            i = sum(e.startswith(f"{self.dense.name}(") for e in elements)
            made = call or ast.Call(ast.Name(c.name), [], [])
            elements.append(_with_sizes(made, c, i) if c is self.dense else ast.unparse(made))
        build = [f"self.layers = [{', '.join(elements)}]", f"self.giver = {self.giver.name}({_defaults(self.giver)})"]
        same = self.judge is self.giver
        build.append(f"self.judge = {'self.giver' if same or self.judge is None else self.judge.name + '()'}")
        run_forward: list[str] = ["A = X"]
        run_backward: list[str] = []
        for i, (c, _call, back) in enumerate(self.chain):
            ahead, behind = forward_of(c), backward_of(c)
            assert ahead is not None
            run_forward += _run_lines(ahead, f"self.layers[{i}]", "A", "A", _OUTPUT)
            if back and behind is not None:
                lines = _run_lines(behind, f"self.layers[{i}]", "gradient", "gradient", _INPUT_GRADIENT)
                run_backward[:0] = lines
        run_forward += ["self.scores = self.P = A", *self._probability_lines()]
        behind = backward_of(self.giver)
        assert behind is not None
        give = f"self.giver.{behind.short}({_P_and_Y(behind)})"
        kept = [give, f"gradient = self.giver.{_kept_as(behind, _INPUT_GRADIENT)}"]
        lines = [f"class {NETWORK}:", f"    def __init__(self, sizes={widths(L, 1 if one else 3)!r}):"]
        update = self._update_lines()
        build += update[:1]
        lines += [f"        {line}" for line in build]
        lines += ["    def forward(self, X):", *(f"        {line}" for line in run_forward), "        return self.P"]
        first = ["self.loss(self.P, Y)"] if self.judge is not None else []
        run_backward = [*first, *([f"gradient = {give}"] if behind.returned else kept), *run_backward]
        lines += ["    def backward(self, Y):", *(f"        {line}" for line in run_backward)]
        if self.judge is not None:
            lines += ["    def loss(self, P, Y):", *(f"        {line}" for line in self._loss_lines())]
        if update:
            lines += ["    def update(self):", *(f"        {line}" for line in update[1:])]
        return "\n".join(lines), forward, backward

    def _probability_lines(self) -> list[str]:
        """The lines that take P from a loss that applies the softmax itself: shown labels, which P is independent of."""
        judge = self.judge
        kept = _probabilities_of(judge) if judge is not None else None
        forward = forward_of(judge) if judge is not None else None
        if kept is None or forward is None:
            return []
        call = f"self.judge.{forward.short}({_P_and_Y(forward).replace('self.P', 'A')})"
        return [
            "Y = (A != A) * 1.0",
            "Y[:, 0] = 1.0",
            "try:",
            f"    {call}",
            "except Exception:",
            "    Y = A.argmin(axis=1) * 0",
            f"    {call}",
            f"self.P = self.judge.{kept}",
        ]

    def _loss_lines(self) -> list[str]:
        """The lines that give the loss, averaged where the loss object leaves this to the script."""
        assert self.judge is not None
        forward = forward_of(self.judge)
        mean = next((m for name, m in self.judge.methods.items() if name in _CALCULATE), None)
        f = mean or forward or self.judge.methods["loss"]
        lines = []
        if _probabilities_of(self.judge):
            f = forward or f
            inner = re.search(r"self\.(\w+\.\w+)\(", f.returned[0]) if f.returned else None
            if inner is not None and inner[1].count(".") == 1:
                lines += ["if P is not self.P:", f"    return self.judge.{inner[1]}(P, Y)"]
            call = _P_and_Y(f).replace("self.P", "self.scores")
        else:
            call = _P_and_Y(f).replace("self.P", "P")
        if "new_pass" in self.judge.methods:
            lines.append("self.judge.new_pass()")
        kept = "" if f.returned else f"value = self.judge.{_kept_as(f, re.compile(LOSS_WORDS))}"
        lines += [f"value = self.judge.{f.short}({call})", *([kept] if kept else [])]
        lines.append("value = value.mean() if getattr(value, 'ndim', 0) else value")
        return [*lines, f"return value{self._penalty()}"]

    def _penalty(self) -> str:
        """What is added to the loss: the penalties that a method of the loss, or of one that it holds, gives of a layer."""
        assert self.judge is not None
        dense = f"for layer in self.layers if isinstance(layer, {self.dense.name})"
        for attribute, c in (("", self.judge), *((f".{a}", c) for a, c in self.held.items())):
            for m in c.methods.values():
                if m.has("regul", "penal") and len(m.required) == 1 and m.returned:
                    return f" + sum(self.judge{attribute}.{m.short}(layer) {dense})"
        return ""

    def _update_lines(self) -> list[str]:
        """The line that makes the optimizer, then those that call it; none where there is none."""
        if self.optimizer is None:
            return []
        c, f, made = self.optimizer
        init = c.methods.get("__init__")
        taken = init.parameters if init else []
        given = {p.name: ast.unparse(a) for p, a in zip(taken, made.args if made else [], strict=False)}
        given.update({k.arg: ast.unparse(k.value) for k in (made.keywords if made else []) if k.arg})
        given.update({p.name: given_value(p.name) for p in taken if p.required and p.name not in given})
        given.update({p.name: repr(LEARNING_RATE) for p in taken if "lr" in parameter_roles(p.name)})
        arguments = ", ".join(f"{name}={value}" for name, value in given.items())
        rest = "".join(f", {p.name}={given_value(p.name)}" for p in f.parameters[1:] if p.required)
        before, after = (
            [f"self.optimizer.{m}()" for m in c.methods if m.startswith(start)] for start in ("pre_", "post_")
        )
        dense = f"[layer for layer in self.layers if isinstance(layer, {self.dense.name})]"
        if f" in {f.parameters[0].name}:" in f.text:
            calls = [f"self.optimizer.{f.short}({dense}{rest})"]
        else:
            calls = [f"for layer in {dense}:", f"    self.optimizer.{f.short}(layer{rest})"]
        return [f"self.optimizer = {c.name}({arguments})", *before, *calls, *after]


def _keeps(f: Function | None, pattern: re.Pattern[str]) -> bool:
    """Whether a method returns nothing, and keeps something of this name."""
    return f is not None and not f.returned and any(map(pattern.fullmatch, _kept_values(f)))


def _is_loss(c: Class) -> bool:
    return _is_criterion(c) and bool(forward_of(c) or backward_of(c))


def _probabilities_of(c: Class) -> str | None:
    """The attribute in which a loss that applies the softmax itself keeps P."""
    forward = forward_of(c)
    names = _kept_values(forward) if forward is not None and len(forward.required) >= 2 else {}
    return next((n for n in names if _PROBABILITIES.fullmatch(n)), None)


def _optimizer(inventory: Inventory, layer: Class) -> tuple[Class, Function, ast.Call | None] | None:
    """The class whose method changes a layer that it is given, that method, and the call that makes the object."""
    made = {called(call): call for call in _made_objects(inventory).values()}
    found = []
    for c in inventory.classes.values():
        for f in c.methods.values() if c is not layer else ():
            if not f.parameters or f.short.startswith("__") or other_role(f) != "update":
                continue
            if re.search(r"(?m)^ *(?!self\b)\w+\.\w+ ([-+]=|= [^\n]* [-+] )", f.text):
                found.append((c, f, made.get(c.name)))
    return max(found, key=lambda triple: triple[2] is not None, default=None)


def _made_objects(inventory: Inventory) -> dict[str, ast.Call]:
    """The variables of a script that hold objects of its own classes, each with the call that makes the object."""
    inside = {id(n) for c in inventory.classes.values() for n in ast.walk(c.node)}
    return {
        ast.unparse(n.targets[0]): n.value
        for n in ast.walk(inventory.tree)
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call) and id(n) not in inside
        if called(n.value) in inventory.classes
    }


def _first_calls(inventory: Inventory, made: dict[str, ast.Call]) -> list[tuple[str, str]]:
    """The methods of these objects that a script calls, in the order in which it first does."""
    calls = [n for n in ast.walk(inventory.tree) if isinstance(n, ast.Call)]
    calls.sort(key=lambda n: (n.lineno, n.col_offset))
    pairs = ((ast.unparse(n.func.value), n.func.attr) for n in calls if isinstance(n.func, ast.Attribute))
    return list(dict.fromkeys((name, method) for name, method in pairs if name in made))


def _is(inventory: Inventory, made: ast.Call, method: str, which: Callable[[Class], Function | None]) -> bool:
    """Whether this method of an object is the one that `which` gives of its class."""
    f = which(inventory.classes[called(made)])
    return f is not None and f.short == method


def _listed(inventory: Inventory, dense: Class, known: list[Class], softmax: bool) -> list[Link]:
    """The layers where the script calls none by its name: as it adds them to something, else two and what there is."""
    used = _elements(inventory, Layers(dense, [c for c in known if c is not dense], None, None))
    calls = [
        s.value for text in used if isinstance(s := parse(text).body[0], ast.Expr) and isinstance(s.value, ast.Call)
    ]
    chain: list[Link] = [(inventory.classes[called(n)], n, True) for n in calls]
    if not softmax and re.search("(?i)softmax", chain[-1][0].name):
        del chain[-1]
    return chain


def _attributes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The attributes of `self` that a method sets, in order, each with the text of its value."""
    for n in ast.walk(node):
        for target in n.targets if isinstance(n, ast.Assign) else []:
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self" and isinstance(n, ast.Assign):
                yield target.attr, ast.unparse(n.value)
