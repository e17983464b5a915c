"""The gradient check, for everyone."""

from pasapas.checking.check import ALL_BELOW, SAMPLE, gradient_check
from pasapas.checking.report import GradientCheck, GradientRow

__all__ = ["ALL_BELOW", "SAMPLE", "GradientCheck", "GradientRow", "gradient_check"]
