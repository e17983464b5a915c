"""What happens around the two passes: the mini-batches, the updates, and the data that the script hands over.

Nothing is asked of the submission but to run its own loop, on a small world or as its script does, while the calls of
its own passes are recorded. Where the least is uncertain, nothing is found.
"""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.evidence import Evidence
from pasapas.doctor.report import Finding
from pasapas.doctor.rounds import local_updates
from pasapas.doctor.script import Flow, script_findings, script_flow
from pasapas.doctor.trainers import training_functions

__all__ = ["Flow", "detect", "script_flow"]


def detect(evidence: Evidence, flow: Flow | None = None) -> list[Finding]:
    """What is wrong around the passes of a submission; `flow` is what `script_flow` has found, if it was asked before."""
    found: list[Finding] = []
    probes: tuple[Callable[[Evidence], list[Finding]], ...] = (
        training_functions,
        lambda e: script_findings(e, flow),
        local_updates,
    )
    for probe in probes:
        try:
            new = probe(evidence)
        except Exception:  # whatever a submission does, it is not ours to fail
            continue
        known = {f.code for f in found}
        found += [f for f in new if f.code not in known]
    return found
