"""Every picture that the product draws. Each function returns a matplotlib Figure, in the language spoken now."""

from pasapas.figures.data import dataset
from pasapas.figures.files import save
from pasapas.figures.history import training_history
from pasapas.figures.mistakes import calibration, confusion_matrix, worst_mistakes
from pasapas.figures.predictions import digit, digits, preparation
from pasapas.figures.weights import first_layer_units
from pasapas.metrics import final_statistics

__all__ = [
    "calibration",
    "confusion_matrix",
    "dataset",
    "digit",
    "digits",
    "final_statistics",
    "first_layer_units",
    "preparation",
    "save",
    "training_history",
    "worst_mistakes",
]
