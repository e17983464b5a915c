"""Every picture that the product draws. Each function returns a matplotlib Figure, in the language spoken now."""

from pasapas.figures.data import dataset
from pasapas.figures.deformations import deformed_digits
from pasapas.figures.files import check_place, save
from pasapas.figures.flow import gradient_flow
from pasapas.figures.history import training_history
from pasapas.figures.landscape import loss_surface
from pasapas.figures.lesson import descent, loss_curve, valley
from pasapas.figures.mistakes import calibration, confusion_matrix, worst_mistakes
from pasapas.figures.predictions import digit, digits, preparation
from pasapas.figures.robustness import abstention, robustness
from pasapas.figures.search import search_overview
from pasapas.figures.units import unit
from pasapas.figures.weights import first_layer_units
from pasapas.metrics import final_statistics

__all__ = [
    "abstention",
    "calibration",
    "check_place",
    "confusion_matrix",
    "dataset",
    "deformed_digits",
    "descent",
    "digit",
    "digits",
    "final_statistics",
    "first_layer_units",
    "gradient_flow",
    "loss_curve",
    "loss_surface",
    "preparation",
    "robustness",
    "save",
    "search_overview",
    "training_history",
    "unit",
    "valley",
    "worst_mistakes",
]
