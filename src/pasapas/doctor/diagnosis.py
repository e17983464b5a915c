"""From what was recognised of a submission to a report: runs it in small worlds, and has all parts judged."""

from __future__ import annotations

import math
import re

import numpy as np

from pasapas.doctor import training
from pasapas.doctor.bias_shapes import CODE as BIAS_SHAPE
from pasapas.doctor.bias_shapes import judge_bias_shapes, stretched_in_place
from pasapas.doctor.binding import Binding, Observation
from pasapas.doctor.detectors import DETECTORS
from pasapas.doctor.evidence import Evidence, look
from pasapas.doctor.explain import candidates
from pasapas.doctor.identify import HIDDEN, OUTPUTS, Architecture, Pool, close, guess, guess_by_pairs, identify
from pasapas.doctor.judging import judge_backward, judge_loss, judge_repetition, judge_update
from pasapas.doctor.observing import all_arrays, masks_seen
from pasapas.doctor.outcome import report
from pasapas.doctor.recognition import Recognition
from pasapas.doctor.replay import Replay
from pasapas.doctor.report import Context, Report
from pasapas.doctor.shapes import find_misfit
from pasapas.doctor.world import World


def diagnose(recognition: Recognition) -> Report:
    """The report on a submission whose functions were found."""
    binding = recognition.binding
    assert binding is not None
    _shrink(binding)
    sizes = list(binding.provider.sizes)
    e = examine(recognition, sizes)
    yes_or_no = e.architecture is None or e.architecture.activations[-1] != "softmax"
    if sizes[-1] > 1 and not binding.provider.fixed and yes_or_no and _trouble(e):
        alone = examine(recognition, [*sizes[:-1], 1])
        if not _trouble(alone) or any(f.code == "labels-broadcast" for f in alone.findings):
            e = alone
        else:
            binding.provider.sizes = sizes
    if e.failed is not None and not e.findings:
        _misfit(e)
    if e.failed is None or e.failed.failed_in != "forward":
        for detect in (*DETECTORS, training.detect):
            e.findings += [f for f in detect(e) if f.code not in {known.code for known in e.findings}]
    _drop_consequences(e)
    return report(e)


def _misfit(e: Evidence) -> None:
    """What operands that do not fit tell by themselves, where the passes run for no sizes."""
    failed = e.failed
    assert failed is not None
    assert failed.failure is not None
    layer = stretched_in_place(failed)
    if layer:
        e.add(BIAS_SHAPE, f"db{layer}", layer, line=failed.failure.line, function=failed.failure.function, name="")
        return
    misfit = find_misfit(failed.failure, Context(source=e.recognition.inventory.source))
    if misfit is None:
        return
    (a, b), w = misfit.shapes, failed.world
    forward = failed.failed_in == "forward"
    layer = next((l for l in range(1, w.L + 1) if w.sizes[l] in (*a, *b) and w.sizes[l - 1] in (*a, *b)), 1)
    facts = {"line": failed.failure.line, "function": failed.failure.function}
    if misfit.operator == "*" and len(a) == len(b) == 2 and {a[0], a[1]} & {b[0], b[1]}:
        e.add("elementwise-for-matmul", f"Z{layer}" if forward else f"dA{max(layer - 1, 1)}", layer, **facts)
    elif misfit.operator == "+" and forward:
        e.add("bias-missing-in-forward", f"Z{layer}", layer, **facts)
    elif misfit.operator == "-" and sorted((math.prod(a), math.prod(b))) == [w.m, w.m * w.sizes[-1]]:
        e.add("labels-broadcast", f"dZ{w.L}", w.L, **facts)


CONSEQUENCES = {
    "uint8-arithmetic": ("loss-wrong-formula", "log-of-zero"),
    "softmax-overflow": ("log-of-zero",),
    "softmax-applied-twice": ("loss-wrong-formula",),
    "activation-wrong": ("cache-mutated",),
    "bias-gradient-wrong-shape": ("update-lost",),
    "update-lost": ("update-sign",),
    "labels-broadcast": ("loss-wrong-formula", "batch-mean-missing"),
}
"""What a mistake brings with it, and what is therefore no finding of its own."""


def _drop_consequences(e: Evidence) -> None:
    found = {f.code for f in e.findings}
    dropped = {code for cause, codes in CONSEQUENCES.items() if cause in found for code in codes}
    if e.architecture is None or e.base is not Replay:  # accuracy was held against a network that this is not
        dropped.add("accuracy-wrong")
    e.findings = [f for f in e.findings if f.code not in dropped]


def _shrink(binding: Binding) -> None:
    """Takes a smaller network than the sizes that the code makes, where its passes go by the shapes they are given."""
    provider, sizes = binding.provider, binding.provider.sizes
    if not provider.fixed or max(sizes) < 40:
        return
    small = [7, 5, 4, 6, 8, 9][: len(sizes) - 1] + sizes[-1:]
    w = binding.world(12, 1, small)
    seen = binding.observe(w)
    fits = not seen.failed_in or bool(binding.observe(binding.world(12, 1, sizes)).failed_in)  # else it wants its own
    if (
        seen.failed_in != "forward"
        and fits
        and seen.P is not None
        and identify(w, seen.P, all_arrays(seen)) is not None
    ):
        provider.sizes = small


def _trouble(e: Evidence) -> bool:
    return bool(e.findings or e.failed or e.unequal or e.unexplained)


def examine(recognition: Recognition, sizes: list[int]) -> Evidence:
    """Everything that can be learnt with layers of these widths."""
    binding = recognition.binding
    assert binding is not None
    e = Evidence(recognition, binding)
    binding.provider.sizes = sizes
    look(e, sizes, binding.batch_sizes(sizes))
    if _broadcast(e):
        return e
    if e.failed is None or e.failed.failed_in != "forward":
        _forward(e)
    if e.failed is not None:
        _equal_sizes(e)
    if e.failed is None:
        judge_loss(e)
        judge_update(e)
        judge_bias_shapes(e)
        judge_backward(e)
        judge_repetition(e)
    return e


def _broadcast(e: Evidence) -> bool:
    """Whether a backward pass with one output subtracts labels (m,) from P (m, 1): an (m, m) array of differences."""
    s = e.seen[0]
    if e.worlds[0].sizes[-1] != 1 or s.P is None or s.world.m == 1:
        return False
    m, differences = s.world.m, s.P.reshape(-1, 1) - s.world.labels[None, :]
    for step in s.backward_steps:
        if step.value.shape == (m, m):
            for a in (step.value, step.value.T):
                ratio = np.abs(a / differences)
                if np.ptp(ratio) < 1e-6 * ratio.max():
                    e.add("labels-broadcast", f"dZ{s.world.L}", s.world.L, name=step.name, line=step.line, m=m)
                    return True
    return False


def _forward(e: Evidence) -> None:
    """Recognises the activations, or the mistake in the forward pass with which the numbers come out."""
    rough = 1e-4 if e.tolerance > 1e-5 else None
    pairs = [(w, s) for w, s in zip(e.worlds, e.seen, strict=True) if s.failed_in != "forward"]
    found = [identify(w, s.P, all_arrays(s), rough) for w, s in pairs]
    if found and all(f is not None for f in found):
        e.architecture = found[0]
        return
    w, s = pairs[0]
    if s.P is None:
        return
    hidden = guess(w, all_arrays(s))
    hiddens = [hidden] if hidden and "identity" not in hidden else []
    paired = guess_by_pairs(w, all_arrays(s))
    hiddens += [paired] if paired else []
    hiddens += [(name,) * (w.L - 1) for name in HIDDEN[:4]]
    masks = [masks_seen(w, s) for w, s in pairs]
    for names in dict.fromkeys(hiddens):
        for output in OUTPUTS:
            architecture = Architecture((*names, output), masks[0])
            shown = [(Architecture((*names, output), m), w, s) for (w, s), m in zip(pairs, masks, strict=True)]
            if all(_forward_gives(Replay, *each) for each in shown):  # with masks that the values alone did not tell
                e.architecture = architecture
                return
            for c in candidates(architecture.problem(w), ("forward",)):
                if all(_forward_gives(c.kind, *each) for each in shown):
                    e.architecture, e.base = architecture, c.kind
                    tensor = c.tensor(_first_wrong_layer(architecture, w, s, c.code == "activation-wrong"), w.L)
                    e.add(c.code, tensor, int(tensor[-1]))
                    return


def _first_wrong_layer(architecture: Architecture, w: World, s: Observation, activated: bool) -> str:
    """Z and the number of the first layer whose right values were not seen; with `activated`, whose A was not."""
    right, seen = Replay(architecture.problem(w)), Pool(all_arrays(s))
    right.forward()
    wrong = (l for l in range(1, w.L) if right.A[l] not in seen and (activated or right.Z[l] not in seen))
    return next((f"Z{l}" for l in wrong), f"Z{w.L}")


def _forward_gives(kind: type[Replay], architecture: Architecture, w: World, s: Observation) -> bool:
    if s.P is None:
        return False
    try:
        with np.errstate(all="ignore"):
            P = kind(architecture.problem(w)).forward()
    except (ValueError, IndexError, KeyError):  # the mistake cannot be made here
        return False
    return close(s.P, P)


def _equal_sizes(e: Evidence) -> None:
    """After an exception: the same with layers of one width, then also a batch of that size, in which more shapes fit."""
    if e.failed is None or e.failed.failed_in != "backward":
        return
    original = e.worlds, e.seen
    L = len(e.binding.provider.sizes) - 1
    one_output = e.binding.provider.sizes[-1] == 1
    widths = [[n] * (L + 1) for n in ((5, 4) if not e.binding.provider.fixed else e.binding.provider.sizes[-1:] * 2)]
    alone = [[*w[:-1], 1] for w in widths]
    for chosen in [alone, widths] if one_output else [widths]:
        for batches in ((11, 9), tuple(w[0] for w in chosen)):
            if _runs(e, chosen, batches):
                e.unequal = next(s for s in original[1] if s.failure)
                if _sample_by_sample(e) and not _runs(e, chosen, (1, 1)):
                    _runs(e, chosen, batches)
                return
    e.worlds, e.seen = original


def _runs(e: Evidence, widths: list[list[int]], batches: tuple[int, ...]) -> bool:
    """Whether the passes run in worlds of these widths and batch sizes, as a network that is known."""
    pairs = enumerate(zip(widths, batches, strict=False), 1)
    e.worlds = [e.binding.world(m, seed, sizes) for seed, (sizes, m) in pairs]
    e.seen = [e.binding.observe(w) for w in e.worlds]
    if e.failed is not None or not all(s.gradients for s in e.seen):
        return False
    e.architecture = identify(e.worlds[0], e.seen[0].P, all_arrays(e.seen[0])) or e.architecture
    return e.architecture is not None


def _sample_by_sample(e: Evidence) -> bool:
    """Whether nothing is summed over the samples, so that the passes are meant for one of them at a time."""
    biases = [g for t, g in e.seen[0].gradients.items() if t.startswith("db")]
    return (
        bool(biases)
        and all(g.ndim == 2 and len(g) == e.worlds[0].m for g in biases)
        and not re.search("sum|mean|ones", e.binding.backward.text)
    )
