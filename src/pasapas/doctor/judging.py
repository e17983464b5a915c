"""Judges a submission's loss, update and gradients, and says which mistake explains them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pasapas.doctor.evidence import Evidence, problems, restart
from pasapas.doctor.explain import Explanation, Gradients, agree, candidates, explanations, order, wrong_tensors
from pasapas.doctor.identify import Architecture
from pasapas.doctor.objective import (
    Caller,
    LossCaller,
    LossOfBackward,
    Objective,
    objective_worlds,
    recognise_objective,
    slopes,
)
from pasapas.doctor.observing import call_again
from pasapas.doctor.updates import Update, read_update, try_update
from pasapas.i18n import N_


def judge_loss(e: Evidence) -> None:
    """Finds out what the submission's loss is: its own function's, or what its backward pass gives beside the gradients."""
    f = e.recognition.others.get("loss")
    worlds = objective_worlds(e.binding)
    callers: list[Caller] = [LossCaller(e.binding, f)] if f is not None else []
    if e.binding.backward.has("loss", "cost", "cout", "perte") or e.seen[0].backward_value.__class__ is tuple:
        callers.append(LossOfBackward(e.binding))
    for caller in callers:
        if e.architecture is None:  # a network of another kind: its loss may still be differentiated by its values
            if caller(e.worlds[0]) is not None:
                e.objective, e.caller = Objective(""), caller
                return
            continue
        objective = recognise_objective(caller, e.binding, e.architecture, worlds, e.base)
        if objective is not None and (e.objective is None or objective.kind):
            e.objective, e.caller = objective, caller
        if objective is not None and objective.kind:
            return


def _loss_with_mistake(e: Evidence) -> str | None:
    """The mistake of the forward pass that is made in the loss alone, if one explains its value."""
    value = e.caller(e.worlds[0]) if e.caller is not None else None
    if value is None or e.architecture is None:
        return None
    problem = e.architecture.problem(e.worlds[0], scale=1 / e.worlds[0].m)
    for c in candidates(problem, ("forward",)):
        if c.layer is None and "output" in vars(c.kind):
            try:
                with np.errstate(all="ignore"):
                    L = -float(np.sum(problem.Y * np.log(c.kind(problem).forward()))) * problem.scale
            except (ValueError, IndexError, KeyError):  # the mistake cannot be made here
                continue
            if abs(L - value) < 1e-5 * abs(value):
                return c.code
    return None


def judge_update(e: Evidence) -> None:
    """Finds out what an update makes of the gradients: by trying it, else by reading."""
    f = e.recognition.others.get("update")
    if f is not None:
        e.update = try_update(e.binding, f, e.worlds[0], e.worlds[-1], e.refused)
    if e.update is None:
        e.update = read_update(e.recognition.inventory, e.binding.provider.names)


def natural(architecture: Architecture) -> list[str]:
    """The losses that usually go with an output activation."""
    return {
        "softmax": ["cross-entropy"], "sigmoid": ["binary cross-entropy", "squared error"],
        "identity": ["cross-entropy", "squared error"], "tanh": ["squared error"],
    }[architecture.activations[-1]]  # fmt: skip


def _usual(architecture: Architecture) -> list[Objective]:
    """The objectives that gradients may belong to where no loss function says."""
    found = [Objective(kind) for kind in natural(architecture)]
    if "squared error" in natural(architecture):
        found += [Objective("squared error", scale, factor) for scale in ("1/m", "1/(mn)") for factor in (0.5, 1.0)]
    if "binary cross-entropy" in natural(architecture):
        found.append(Objective("binary cross-entropy", "1/(mn)"))
    return list(dict.fromkeys(found))


def _right(e: Evidence, gradients: list[Gradients], objective: Objective) -> bool:
    """Whether all gradients are those of an objective, in every world."""
    with np.errstate(all="ignore"):
        return all(
            not wrong_tensors(g, e.base(p).run().gradients(), p.L, e.tolerance)
            for g, p in zip(gradients, problems(e, objective), strict=True)
        )


def _follows_slopes(e: Evidence, gradients: Gradients) -> bool:
    """Whether the gradients are the slopes of the submission's own loss, whatever that is."""
    if e.caller is None:
        return False
    for tensor, (chosen, values) in slopes(e.caller, e.worlds[0]).items():
        g = gradients.get(tensor)
        if g is None:
            if tensor.startswith("db"):
                continue
            return False
        if g.size <= chosen.max() or not np.isfinite(values).all():
            return False
        if np.abs(g.ravel()[chosen] - values).max() > 1e-4 * max(np.abs(values).max(), 1e-4):
            return False
    return True


def judge_backward(e: Evidence) -> None:
    """Whether the gradients are those of the submission's loss, and what explains them where they are not."""
    raw = [s.gradients for s in e.seen]
    update = e.update or Update()
    effective = [update.effective(g, s.world.m) for g, s in zip(raw, e.seen, strict=True)]
    L = e.worlds[0].L
    if update.lost:
        e.add("update-lost", update.lost[0], int(update.lost[0][1:]), lost=update.lost)
        effective = raw
        update = Update()
    if not any(raw):
        e.unexplained = True
        return
    stated = e.objective if e.objective and e.objective.kind else None
    if e.architecture is None:
        if not _follows_slopes(e, effective[0]):
            e.unexplained = True
        return
    usual = _usual(e.architecture)
    if stated is not None and stated.penalty:
        usual = [replace(o, penalty=stated.penalty, penalty_per_m=stated.penalty_per_m) for o in usual]
    e.target = stated or usual[0]
    if stated is not None and _right(e, effective, stated):
        _conventions(e, update, stated)
        return
    summed = stated is not None and stated.scale == "1"
    if update.per_m and update.factor > 0 and (summed or update.read):  # what the text seems to divide accuses nobody
        for objective in [stated] if stated else usual:
            if _right(e, raw, objective):
                e.target, e.update = objective, replace(update, factor=1.0, per_m=False)
                _conventions(e, update, objective)
                return
    if stated is None and _follows_slopes(e, effective[0]):
        e.target = Objective("")
        _conventions(e, update, Objective(""))
        return
    first = [o for o in usual if e.objective is None or o.kind == usual[0].kind]
    if any(_usual_one(e, effective, stated, o) for o in first):
        return
    if stated is None and _penalised(e, effective, usual):
        if e.objective is not None:
            e.add("loss-wrong-formula", "L", L)
        return
    bases = ([stated] if stated else []) + [o for o in usual if o != stated]
    if update.factor < 0 and any(_right(e, raw, o) for o in bases):
        e.add("update-sign", "W1", 1)
        return
    if update.factor < 0 and update.read:
        effective = raw
    if any(_own_rate(e, raw, o) for o in bases) or any(_scaled(e, effective, o) for o in bases[:2]):
        return
    # where no loss says which objective is meant, one mistake against another one is likelier than two
    singles = [(o, False) for o in bases[:4]] if stated is None else []
    for objective, pairs in singles + [(o, True) for o in bases[:4]]:
        found = explanations(effective, problems(e, objective), e.tolerance, e.base, pairs)
        if found:
            e.target = objective
            _take(e, found)
            return
    if any(_usual_one(e, effective, stated, o) for o in usual):
        return
    e.unexplained = True


def _usual_one(e: Evidence, gradients: list[Gradients], stated: Objective | None, objective: Objective) -> bool:
    """Whether the gradients are those of a usual objective: right where no loss says otherwise, else the loss is wrong."""
    if not _right(e, gradients, objective):
        return False
    L = e.worlds[0].L
    e.target = objective
    plain = None if stated is None else replace(stated, penalty=0.0)
    if e.objective is None:
        _conventions(e, e.update or Update(), objective)
    elif stated is not None and stated.penalty and not objective.penalty:
        e.add("regularisation-gradient-wrong", f"dW{L}", L)
    elif plain is not None and plain.kind == objective.kind and plain.scale == "1":
        e.add("loss-not-averaged", "L", L)
    elif plain is not None and plain.kind == objective.kind and plain.kind != "cross-entropy":
        e.add("constant-factor", f"dZ{L}", L, factor=objective.factor / plain.factor)
    else:
        e.add(_loss_with_mistake(e) or "loss-wrong-formula", "L", L)
    return True


def _own_rate(e: Evidence, gradients: list[Gradients], objective: Objective) -> bool:
    """Whether gradients told from how far the weights moved are right but for one number: the learning rate, which is its own."""
    if not all(s.moved for s in e.seen):
        return False
    rates = []
    for g, p in zip(gradients, problems(e, objective), strict=True):
        right = e.base(p).run().gradients()
        W = right[f"dW{p.L}"]
        if g.get(f"dW{p.L}") is None or g[f"dW{p.L}"].shape != W.shape:
            return False
        rate = float((g[f"dW{p.L}"] * W).sum() / (W * W).sum())
        if rate <= 0 or any(t in g and not agree(g[t], rate * right[t], 1e-5) for t in right):
            return False
        rates.append(rate)
    return bool(np.ptp(rates) <= 1e-5 * max(rates))


def _scaled(e: Evidence, gradients: list[Gradients], objective: Objective) -> bool:
    """Whether all gradients are the right ones times a number that no entry of the catalogue has."""
    ratios = []
    for g, p in zip(gradients, problems(e, objective), strict=True):
        right = e.base(p).run().gradients()
        if any(t not in g or g[t].shape != right[t].shape for t in right if t[1] == "W"):
            return False
        every = [
            (g[t] * right[t]).sum() / (right[t] ** 2).sum() for t in right if t in g and g[t].shape == right[t].shape
        ]
        r = float(np.mean(every))
        if np.ptp(every) > 1e-6 * abs(r) or any(not agree(g[t], r * right[t], 1e-6) for t in g if t in right):
            return False
        ratios.append((p.m, r))
    L = e.worlds[0].L
    (m, r), (n, q) = ratios[0], ratios[-1]
    if abs(r - 1) < 1e-9 or r < 0 or m == n:
        return False
    usual = [m, 1 / m, *e.worlds[0].sizes, *(1 / s for s in e.worlds[0].sizes), 2, 0.5]
    if any(abs(r - u) < 1e-6 for u in usual):
        return False
    if abs(r - q) < 1e-6 * r:
        e.add("constant-factor", f"dW{L}", L, factor=r)
        return True
    if abs(r / m - q / n) < 1e-6 * r / m:
        e.add("batch-mean-wrong-size", f"dW{L}", L, size=m / r)
        return True
    return False


def _take(e: Evidence, found: list[Explanation]) -> None:
    """The findings of the likeliest explanation; other mistakes that explain as much follow as ties."""
    found = sorted(found, key=lambda x: (len(x.candidates), max(map(_vague, x.codes))))
    chosen = found[:1]
    if len(chosen[0].codes) == 1:
        others = {x.codes: x for x in reversed(found) if len(x.codes) == 1 and x.codes != chosen[0].codes}
        chosen += list(others.values())[::-1]
    first = _first_wrong(e)
    for x in chosen:
        for c in x.candidates:
            if c.code in {f.code for f in e.findings}:
                continue
            tensor = c.tensor(first, e.worlds[0].L)
            e.add(c.code, tensor, int(tensor[-1]))
            if len(chosen) > 1:
                e.findings[-1].certainty = "likely"
    e.ties = [x.codes for x in chosen[1:]]


def _first_wrong(e: Evidence) -> str:
    """The first gradient that is not the target's, in the order of the computation."""
    assert e.target is not None
    w, update = e.worlds[0], e.update or Update()
    right = e.base(problems(e, e.target)[0]).run().gradients()
    wrong = wrong_tensors(update.effective(e.seen[0].gradients, w.m), right, w.L, e.tolerance)
    return wrong[0] if wrong else f"dW{w.L}"


def _vague(code: str) -> int:
    """How little a code says of the cause: of mistakes that give the same numbers, the more telling one comes first."""
    vague = ("batch-mean-twice", "bias-gradient-averaged-twice", "batch-mean-wrong-size", "constant-factor")
    return vague.index(code) + 1 if code in vague else 0


def _penalised(e: Evidence, gradients: list[Gradients], usual: list[Objective]) -> bool:
    """Whether the gradients are right but for κ W in every layer, with one κ: an L2 penalty in a loss that is not there."""
    for objective in usual[:1]:
        found = []
        for g, p in zip(gradients, problems(e, objective), strict=True):
            right = e.base(p).run().gradients()
            for t in order(p.L):
                if t not in g or g[t].shape != right[t].shape:
                    if t in g:
                        return False
                    continue
                rest = g[t] - right[t]
                if t.startswith("db"):
                    if np.abs(rest).max() > e.tolerance * np.abs(right[t]).max():
                        return False
                    continue
                W = p.W[int(t[2:]) - 1]
                k = float((rest * W).sum() / (W * W).sum())
                if k < 1e-8 or np.abs(rest - k * W).max() > 1e-6 * np.abs(g[t]).max():
                    return False
                found.append((p.m, k))
        same = np.ptp([k for _m, k in found]) < 1e-6 or np.ptp([m * k for m, k in found]) < 1e-5
        if found and same:
            e.notes.append((N_("The gradients contain an L2 penalty that no loss function here has."), {}))
            return True
    return False


def _conventions(e: Evidence, update: Update, objective: Objective) -> None:
    if update.per_m:
        e.notes.append((N_("The division by m is in the update, not in the gradient: the same step."), {}))
    if update.factor < 0:
        e.notes.append((N_("The gradients have the opposite sign and the update adds them: the same step."), {}))
    if objective.scale == "1":
        e.notes.append((N_("The loss is the sum over the batch, and so is the gradient: they go together."), {}))
    if objective.penalty:
        e.notes.append(
            (N_("The L2 penalty of the loss is in the gradients of the weights, and not of the biases."), {})
        )


def _name_of(e: Evidence, array: np.ndarray | None) -> str | None:
    """What the lesson calls an array of the forward pass."""
    if array is None or e.architecture is None:
        return None
    right = e.base(e.architecture.problem(e.worlds[0]))
    right.forward()
    named = {**{f"Z{l}": Z for l, Z in right.Z.items()}, **{f"A{l}": A for l, A in right.A.items()}}
    named |= {"X": e.worlds[0].X, "Y": e.worlds[0].Y, "P": right.A[e.worlds[0].L]}
    turned = array.T if e.binding.layout.columns else array
    return next(
        (name for name, value in reversed(named.items()) if turned.shape == value.shape and agree(turned, value, 1e-6)),
        None,
    )


def judge_repetition(e: Evidence) -> None:
    """What a second call of backward on the same things gives."""
    if e.failed is not None or any(f.code == "updated-before-backpropagation" for f in e.findings):
        return
    restart(e)
    e.again = a = call_again(e.binding, e.worlds[0])
    first_wrong = e.findings or e.unexplained
    if a.changed and not e.findings:
        e.unexplained = False
        tensor = _name_of(e, a.changed_array) or a.changed[0]
        e.add("cache-mutated", tensor, int(tensor[-1]) if tensor[-1].isdigit() else 0, changed=a.changed)
        return
    if first_wrong or not a.ran or not a.first:
        return
    tensors = [t for t in order(e.worlds[0].L) if t in a.first and t in a.second and t in a.third]
    grown = [t for t in tensors if a.first[t].shape == a.second[t].shape and not agree(a.second[t], a.first[t], 1e-6)]
    if not grown:
        return
    t = grown[0]
    layer = int(t[2:])
    if agree(a.second[t] - a.first[t], a.first[t], 1e-6) and agree(a.third[t] - a.second[t], a.first[t], 1e-6):
        e.add("gradient-accumulated", t, layer)
    elif not np.isnan(a.first[t]).any():
        e.add("cache-mutated", t, layer)
