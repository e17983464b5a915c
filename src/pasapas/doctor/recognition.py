"""Finds out how a submission is to be called, by trying: which functions, which containers, which layout, which labels."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pasapas.doctor.adapters import Adapter, adapters, with_loss_gradient
from pasapas.doctor.binding import Binding, Observation, Provider
from pasapas.doctor.callsites import one_by_one
from pasapas.doctor.identify import Architecture
from pasapas.doctor.inventory import Class, Function, Inventory, plain
from pasapas.doctor.labels import label_forms
from pasapas.doctor.pairs import Pair, pairs
from pasapas.doctor.products import stated_layout
from pasapas.doctor.providers import providers
from pasapas.doctor.report import Context
from pasapas.doctor.roles import other_role
from pasapas.doctor.scoring import score_of
from pasapas.doctor.session import Session
from pasapas.doctor.shapes import find_misfit
from pasapas.doctor.slots import Layout

GOOD = 95.0
"""The score from which on nothing better is looked for."""

PARTLY_RIGHT = 76.0
"""The score above which forward is known, and some gradients are right: where all are there, what is wrong is a mistake."""

MOST_SECONDS = 2.0
"""After so long the best way found so far is taken."""


@dataclass
class Recognition:
    """What was recognised. `binding` is None where there is nothing to call, or nothing that runs."""

    inventory: Inventory
    forward: Function | None = None
    backward: Function | None = None
    owner: Class | None = None
    others: dict[str, Function] = field(default_factory=dict)
    binding: Binding | None = None
    first: Observation | None = None
    architecture: Architecture | None = None
    score: float = 0.0

    def summary(self) -> dict[str, str]:
        """What was recognised, in plain words, for a reader and for JSON."""
        found: dict[str, str] = {}
        if self.forward is not None:
            found["forward"] = self.forward.title
        if self.backward is not None:
            found["backward"] = self.backward.title
        for role in ("loss", "update", "initialize", "one_hot", "accuracy"):
            if role in self.others:
                found[role.replace("_", "-")] = self.others[role].title
        b = self.binding
        if b is None:
            return found
        found["samples"] = "one at a time" if b.single else "columns" if b.layout.columns else "rows"
        found["layout"] = "columns" if b.layout.columns else "rows"
        found["weights"] = "(out, in)" if b.layout.out_in else "(in, out)"
        found["labels"] = b.labels
        found["layers"] = str(len(b.provider.sizes) - 1)
        if self.architecture is not None:
            hidden = list(dict.fromkeys(self.architecture.activations[:-1]))
            if hidden:
                found["activation"] = ", ".join(hidden)
            found["output"] = self.architecture.activations[-1]
        return found


class _Search:
    """The ways to call a submission, tried one after the other; `best` is the best one so far."""

    def __init__(self, session: Session, inventory: Inventory) -> None:
        self.session, self.inventory = session, inventory
        self.end = time.monotonic() + MOST_SECONDS
        self.best = Recognition(inventory)
        self.misfit = False
        """Whether forward fails where it adds or multiplies number by number, with parameters as the file makes them."""

    @property
    def over(self) -> bool:
        return self.best.score >= GOOD or time.monotonic() > self.end

    @property
    def _made_here(self) -> bool:
        """Whether the best way so far has parameters that a function of the submission has made."""
        return self.best.binding is not None and self.best.binding.provider.maker is not None

    def try_pair(self, pair: Pair, adapter: Adapter | None, until: float) -> None:
        """All ways to call two functions, until one is good or the time is over."""
        result = Recognition(self.inventory, pair.forward, pair.backward, pair.owner)
        result.others = _others(self.inventory, pair)
        if self.best.backward is None:
            self.best = result
        if adapter is not None:
            self.session.define(adapter.source)
        single = one_by_one(self.inventory, pair.backward)
        if adapter is not None and pair.forward is not None:  # layers, whose passes the script calls with its own loops
            single = single or one_by_one(self.inventory, pair.forward)
        rowwise = not single and pair.forward is not None and one_by_one(self.inventory, pair.forward)
        source = adapter.source if adapter else ""
        for provider in providers(self.session, self.inventory, pair.forward, pair.backward, pair.owner):
            if (
                self.best.score >= 50
                and self.best.binding
                and len(provider.sizes) < len(self.best.binding.provider.sizes)
            ):
                continue  # forward is right with more layers: where backward then fails, that is the mistake
            if self.best.score >= 50 and self._made_here and provider.maker is None:
                return  # forward is right with what the submission itself makes: guesses cannot be better
            if provider.maker is None and self._runs_with_more(provider):
                continue  # parameters that the file makes, and its forward pass leaves out
            if self.misfit and (provider.maker is None or provider.sizes[-1] == 1):
                return  # other shapes might run, but are not the file's
            for layout in self._layouts(provider, pair, single):
                if self.best.score >= GOOD or time.monotonic() > until:
                    return
                self._try_layout(result, provider, layout, single, rowwise, source, until)
                if result.score >= 45 and result.first is not None and result.first.complete:
                    everything = len(result.first.gradients) >= len(provider.slots)
                    more = 0.0 if result.score > PARTLY_RIGHT and everything else 0.4
                    until = min(until, time.monotonic() + more)  # it runs: what comes is less likely

    def _layouts(self, provider: Provider, pair: Pair, single: bool) -> list[Layout]:
        """Rows or columns; the weights' layout is known from the container."""
        stated = stated_layout(pair.forward or pair.backward, pair.owner, self.inventory.classes)
        columns = stated[0] if stated is not None else provider.out_in
        if single:
            column, flat = Layout(True, provider.out_in), Layout(False, provider.out_in, True)
            row = Layout(False, provider.out_in)
            outer = "outer" in pair.backward.text
            return [flat, column, row] if outer else [column, flat] if columns else [row, flat]
        return [Layout(c, provider.out_in) for c in (columns, not columns)]

    def _runs_with_more(self, provider: Provider) -> bool:
        best, first = self.best.binding, self.best.first
        if best is None or first is None or best.provider.maker is None or first.failed_in == "forward":
            return False
        return first.P is not None and len(provider.slots) < len(best.provider.slots)

    def _misfits(self, seen: Observation) -> bool:
        if seen.failed_in != "forward" or seen.failure is None:
            return False
        misfit = find_misfit(seen.failure, Context(source=self.inventory.source))
        return misfit is not None and misfit.operator in "+*"

    def _try_layout(
        self,
        result: Recognition,
        provider: Provider,
        layout: Layout,
        single: bool,
        rowwise: bool,
        source: str,
        until: float,
    ) -> None:
        assert result.backward is not None
        labels = label_forms(self.inventory, result.backward, result.owner, provider.sizes)
        for forward_choice in range(4):
            forward_ran = False
            for i, form in enumerate(labels.forms):
                failed = True
                for backward_choice in range(6):
                    binding = Binding(
                        self.session, result.forward, result.backward, provider, layout, form,
                        owner=result.owner, loss=result.others.get("loss"), inventory=self.inventory,
                        forward_choice=forward_choice, backward_choice=backward_choice,
                        single=single, rowwise=rowwise, adapter=source,
                    )  # fmt: skip
                    seen = binding.observe(binding.world(binding.batch_sizes(provider.sizes)[0], 1))
                    if seen.exhausted:
                        if seen.exhausted == "forward":
                            return
                        break
                    score, architecture = score_of(seen)
                    if provider.maker is not None and self._misfits(seen):
                        self.misfit, score = True, max(score, 1.0)
                    if result.binding is None or score > result.score:
                        result.binding, result.first, result.score = binding, seen, score
                        result.architecture = architecture
                        if result.score > self.best.score or self.best.binding is None:
                            self.best = result
                    if score >= GOOD or time.monotonic() > until:
                        return
                    if seen.failed_in == "forward":
                        break
                    forward_ran = True
                    failed = failed and seen.failure is not None
                if not forward_ran or labels.sure or (i == 0 and not failed and provider.sizes[-1] > 1):
                    break
            if forward_ran:
                return


def recognise(
    session: Session, inventory: Inventory, forward: str | None = None, backward: str | None = None
) -> Recognition:
    """The best way found to call a submission; `forward` and `backward` name its functions where the user says so."""
    search = _Search(session, inventory)
    for pair, adapter in _candidates(inventory, forward, backward):
        if search.over:
            break
        if adapter is None and search.best.score >= 75 and search.best.first and search.best.first.complete:
            break
        left = search.end - time.monotonic()
        search.try_pair(pair, adapter, time.monotonic() + max(0.6 * left, 0.2))
    return search.best


def _candidates(
    inventory: Inventory, forward: str | None, backward: str | None
) -> Iterator[tuple[Pair, Adapter | None]]:
    """What may be the two passes, likeliest first."""
    whole = [] if forward or backward else _adapted(inventory)
    for adapter in whole:
        yield Pair(adapter.forward, adapter.backward, adapter.owner), adapter
    for pair in pairs(inventory, forward, backward):
        adapted = with_loss_gradient(inventory, pair.backward)
        if adapted is not None:
            yield Pair(pair.forward, adapted.backward), adapted
        else:
            yield pair, None


def _adapted(inventory: Inventory) -> list[Adapter]:
    """What `adapters` puts together; nothing where that is no Python."""
    try:
        return list(adapters(inventory))
    except SyntaxError:
        return []


def _others(inventory: Inventory, pair: Pair) -> dict[str, Function]:
    """The functions that play the other parts: loss, update, one_hot, ..."""
    found: dict[str, Function] = {}
    pool = list(pair.owner.methods.values()) if pair.owner else []
    pool += list(inventory.functions.values())
    for f in pool:
        if f in (pair.forward, pair.backward) or f.short.startswith("__"):
            continue
        role = other_role(f)
        if role and role not in found:
            found[role] = f
        if "loss" not in found and f.returned and re.match(r"(loss|perte|cost|cout|coût)(_|$)", f.returned[0]):
            found["loss"] = f
    if "loss" not in found:  # a class of costs with a static method, which the network is given
        costs = [c for c in inventory.classes.values() if re.search(r"(?i)cost|loss|cout|perte|entrop", plain(c.name))]
        static = [m for c in costs for m in c.methods.values() if m.is_static and len(m.parameters) == 2]
        values = [m for m in static if not m.has("delta", "deriv", "prime", "grad", "back")]
        if values:
            found["loss"] = values[-1]
    return found
