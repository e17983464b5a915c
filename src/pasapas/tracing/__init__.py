"""One training step with every tensor in sight: names, formulas, capsules, and how they are shown."""

from pasapas.tracing.capsule import load_capsule, verify
from pasapas.tracing.recording import trace
from pasapas.tracing.tensors import Tensor, Trace

__all__ = ["Tensor", "Trace", "load_capsule", "trace", "verify"]
