"""What `compare.py` measured, as tables and as a picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers import CONTENDERS, accuracy

BASE, OURS = "products", "pasapas-numpy"
Results = dict[str, Any]


def ratio(of: Results | None, to: Results | None) -> float | None:
    """The median over the rounds of the ratios within a round."""
    if not of or not to:
        return None
    return statistics.median(a / b for a, b in zip(of["seconds"], to["seconds"], strict=True))


def agrees(result: Results, network: Results) -> bool:
    """Whether the loss is within tolerance of the median of all."""
    losses = [r["loss"] for r in network["measured"].values() if r["loss"] is not None]
    loss = result["loss"]
    return loss is None or math.isclose(loss, statistics.median(losses), rel_tol=network["tolerance"])


def written(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)


def network_table(network: Results) -> list[str]:
    measured = network["measured"]
    lines = [
        "| | seconds an epoch: median (lowest–highest) | to the products | to pasapas-numpy | loss after it | threads "
        "| peak MB | cold start to first epoch, s |",
        "|-|-|-|-|-|-|-|-|",
    ]
    for name, r in measured.items():
        s = r["seconds"]
        loss = written(r["loss"], ".5f") + ("" if agrees(r, network) else " **differs**")
        lines.append(
            f"| {name} | {statistics.median(s):.3f} ({min(s):.3f}–{max(s):.3f}) | {written(ratio(r, measured.get(BASE)))} "
            f"| {written(ratio(r, measured.get(OURS)))} | {loss} | {r['threads']} | {r['peak']:.0f} "
            f"| {statistics.median(r['cold']):.1f} |"
        )
    return lines


def inference_table(measured: dict[str, Results]) -> list[str]:
    rows = {name: r["inference"] for name, r in measured.items() if r["inference"]}
    if not rows:
        return []
    lines = ["", "| inference | one image, µs | 10,000 images, ms | of them right |", "|-|-|-|-|"]
    for name, rounds in rows.items():
        one, many, right = (statistics.median(column) for column in zip(*rounds, strict=True))
        lines.append(f"| {name} | {1e6 * one:.0f} | {1e3 * many:.1f} | {right:.2%} |")
    return lines


def network_section(key: str, network: Results) -> list[str]:
    """One network's tables, and what could not be measured."""
    notes = [f"- {name} is missing: {reason}" for name, reason in network["missing"].items()]
    differing = [name for name, r in network["measured"].items() if not agrees(r, network)]
    agreement = f"**differ** by more: {', '.join(differing)}" if differing else "all agree"
    notes.append(f"- losses, within {network['tolerance']:g} of their median: {agreement}")
    tables = [*network_table(network), *inference_table(network["measured"])]
    return [f"## {key}, {network['images']:,} images", "", *tables, "", *notes, ""]


def reached_section(results: Results) -> list[str]:
    """The time to an accuracy on the test images."""
    lines = [f"## Time to {accuracy.AIM:.0%} of the test images", ""]
    lines += ["| | set-up | seconds: median (each seed) | epochs | accuracy then |", "|-|-|-|-|-|"]
    for name, runs in results["measured"].items():
        seconds, epochs, fractions = zip(*runs, strict=True)
        short = "" if min(fractions) >= accuracy.AIM else f" **not reached in {max(epochs)} epochs by all**"
        lines.append(
            f"| {name} | {accuracy.CONTENDERS[name][1]} | {statistics.median(seconds):.1f} "
            f"({', '.join(f'{s:.1f}' for s in seconds)}) | {', '.join(map(str, epochs))} "
            f"| {', '.join(f'{f:.2%}' for f in fractions)}{short} |"
        )
    return [*lines, "", *(f"- {name} is missing: {reason}" for name, reason in results["missing"].items()), ""]


def markdown(session: Results) -> str:
    about = session["about"]
    lines = [
        "# Side by side",
        "",
        f"Made by `{about['command']}`; the raw figures are in `compare.json`.",
        "",
        "One epoch of MNIST, each contender in a process of its own, all of a network's in turn in "
        f"each of {about['rounds']} rounds, another first each time; {about['threads']} threads asked of each. Everyone starts "
        "each round from the same weights and takes the same batches in the same order, plain SGD. The loss is the mean "
        "cross-entropy over these images after that epoch, computed by one function from everyone's weights; it must agree "
        "but for the rounding of float32, which ReLU networks amplify the more, the deeper they are (in float64 a test holds pasapas' engines "
        "together to 1e-12). Ratios are medians of the ratios within a round. Peak memory is that of the whole process, Python, "
        "libraries and images included. A cold start begins before Python and ends after the first epoch, imports, reading "
        "MNIST and compiling included; nothing compiled is kept from an earlier start.",
        "",
        f"{about['machine']}; {', '.join(f'{name} {version}' for name, version in about['versions'].items())}.",
        "",
        *(f"- **{name}**: {entry.about}" for name, entry in CONTENDERS.items() if name in about["contenders"]),
        "",
    ]
    for key, network in session["networks"].items():
        lines += network_section(key, network)
    if session.get("reached"):
        lines += reached_section(session["reached"])
    return "\n".join(lines).rstrip() + "\n"


def picture(session: Results, path: str | Path) -> None:
    """Bars of the ratios to the products alone, a panel for each network; readable in grey."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    panels: dict[str, Sequence[tuple[str, float]]] = {}
    for key, network in session["networks"].items():
        measured = network["measured"]
        ratios = [(name, ratio(r, measured.get(BASE))) for name, r in measured.items()]
        bars = sorted(((name, value) for name, value in ratios if value is not None), key=lambda bar: -bar[1])
        if bars:
            panels[key] = bars
    if not panels:
        return
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.2 * columns, 3.9 * rows + 0.6), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    kinds = {
        "pasapas": {"facecolor": "0.15"},
        "reference documents": {"facecolor": "0.85", "hatch": "///", "edgecolor": "0.3"},
        "others": {"facecolor": "0.65"},
        "products alone": {"facecolor": "white", "edgecolor": "0.1"},
    }
    for axis, (key, bars) in zip(axes.flat, panels.items(), strict=False):
        end = 3 * statistics.median(value for _name, value in bars)  # longer bars are cut, and marked
        for name, value in bars:
            bar = axis.barh(name, min(value, end), **kinds[_kind(name)])
            axis.bar_label(bar, [f"{value:.2f}" if value <= end else f"→ {value:.1f}"], padding=3)
        axis.axvline(1, color="0.1", linewidth=0.8, linestyle=":")
        axis.set_xlim(0, 1.15 * min(end, bars[0][1]))
        axis.set_title(key)
        axis.set_xlabel("time of an epoch ÷ that of its matrix products alone")
        axis.spines[["top", "right"]].set_visible(False)
    patches = [Patch(**style) for style in kinds.values()]
    figure.legend(patches, list(kinds), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _kind(name: str) -> str:
    if name == BASE:
        return "products alone"
    if name in ("lesson-3", "tanh-document"):
        return "reference documents"
    return "pasapas" if name.startswith("pasapas") else "others"
