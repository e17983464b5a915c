"""Every word of the view Train."""

from __future__ import annotations

from pasapas.i18n import _, integer
from pasapas.views.train_run import HARD, HELD_OUT, PROBE


def words() -> dict[str, str]:
    """By a name; the page fills `{…}`."""
    return {
        "start": _("Start training"),
        "pause": _("Pause"),
        "batch": _("One batch"),
        "epoch": _("One epoch"),
        "rewind": _("Rewind"),
        "rewindHelp": _("Back to the same first weights and the same order of images"),
        "keys": _("The space bar starts and pauses, unless a field or button has the focus."),
        "toolbar": _("Training"),
        "settings": _("Settings"),
        "settingsHelp": _(
            "Another setting makes a new network. The learning rate changes without one, also while it runs."
        ),
        "groupNetwork": _("Network"),
        "groupLearning": _("Learning"),
        "groupData": _("Data and chance"),
        "compare": _("Compare with a run B"),
        "compareHelp": _(
            "B starts from the same seed, sees the images in the same order, and does as many batches as A."
        ),
        "differs": _("other than A"),
        "ofRun": _("{label}, run {run}"),
        "run": _("Run {run}"),
        "fresh": _("New network, not trained yet."),
        "training": _("Training …"),
        "paused": _("Paused."),
        "epochNumber": _("Epoch"),
        "batchNumber": _("Batch"),
        "imagesSeen": _("Images seen"),
        "loss": _("Loss L"),
        "accuracy": _("Accuracy"),
        "xBatch": _("batch"),
        "trainingLine": _("training"),
        "testLine": _("test"),
        "runLine": _("{run} {line}"),
        "gradientsOf": _("Size of the gradient, ‖∂L/∂W‖, run {run}"),
        "noteCurves": _(
            "Training: means over the batches of the loss that is descended, penalty included. Test: on {heldOut} test images."
        ).format(heldOut=integer(HELD_OUT)),
        "noteGradients": _("On the first {probe} training images, always the same.").format(probe=integer(PROBE)),
        "layers": _("Layer by layer"),
        "layer": _("Layer"),
        "sizeW": _("‖W‖"),
        "sizeG": _("‖∂L/∂W‖"),
        "dead": _("Dead units"),
        "saturated": _("Saturated"),
        "deadHelp": _(
            "Dead: the unit is 0 for each of {heldOut} test images, and no gradient passes through it."
        ).format(heldOut=integer(HELD_OUT)),
        "saturatedHelp": _("Saturated: values where the activation’s slope is below a tenth of its steepest."),
        "leakyHelp": _("Leaky ReLU has a slope everywhere: none of its units is ever dead."),
        "none": _("–"),
        "tested": _("{accuracy} of all 10,000 test images right after epoch {epoch}"),
        "nowTest": _("test accuracy"),
        "nowTraining": _("training accuracy"),
        "nowLoss": _("loss"),
        "units": _("What the first layer looks for"),
        "unitsShown": _(
            "{shown} of {units} units. Each picture is a column of W1: the 784 weights w of a unit whose sum is z = x · w + b. Blue ink speaks for it, orange against it; the strongest colour is ±{largest}."
        ),
        "unitsName": _("Weights of {shown} units of the first layer, run {run}"),
        "hardest": _("Hardest images"),
        "hardestHelp": _(
            "The highest loss among the first {hard} test images; what the network reads beside what it is."
        ).format(hard=integer(HARD)),
        "hardestOne": _("A {label}, read as {answer} ({probability})"),
        "hardestEmpty": _("They come once it has learned a little."),
        "saveModel": _("Save the model of run {run}"),
        "saveFigures": _("Save the curves (CSV)"),
        "others": _(
            "Draw, Evaluate and Microscope know these networks too, as run A and run B, whenever training pauses."
        ),
        "terminal": _("The same in a terminal"),
        "rateChanged": _(
            "The learning rate was changed on the way: the page’s address and the command in a terminal train with {rate} from the first batch on. Rewind to do the same here."
        ),
        "said": _("Run {run}: batch {batch}, loss {loss}, test accuracy {accuracy}"),
        "badHidden": _(
            "Hidden layers are whole numbers from {low} to {high} with commas between them, such as 128, 64: {most} at most."
        ),
        "badNumber": _("{label} must be a number from {low} to {high}."),
    }
