"""Which function of a submission plays which part, and what each parameter stands for: by name, in French and English."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pasapas.doctor.inventory import Class, Function, Inventory, words

_NOT_BACKWARD = (
    "check", "verif", "numer", "plot", "affich", "clip", "descen", "update", "maj", "train", "entrain", "fit",
    "test", "show", "print", "trac", "visual", "zero", "norm", "epoch", "epoque", "sgd", "step", "apply", "appliq",
    "mettre", "compar", "approx", "diff", "init",
)  # fmt: skip
_DERIVATIVE = (
    "deriv",
    "prime",
    "relu",
    "tanh",
    "sigm",
    "softmax",
    "leaky",
    "activ",
    "linear",
    "lineaire",
    "couche",
    "layer",
    "dense",
    "affine",
)


def backward_score(f: Function) -> float:
    """How much a function's name says that it is the backward pass; 0 where nothing does."""
    w = f.words
    joined = "".join(w)
    score = 0.0
    if any(
        t in joined for t in ("backprop", "retroprop", "backward", "backpass", "arriere", "retro", "bprop", "retour")
    ):
        score = 10
    elif w and (w[0] in ("back", "bwd", "backwards") or w[-1] == "back"):
        score = 9
    elif any(t.startswith(("gradient", "grads", "nabla", "derivees")) or t == "grad" for t in w):
        score = 7
    if not score:
        return 0
    if f.has(*_NOT_BACKWARD):
        score -= 6
    if f.has(*_DERIVATIVE):
        score -= 3
    if f.has("loss", "perte", "cout", "cost", "nll", "entrop", "mse", "bce", "logit") and score < 9:
        score -= 3  # the gradient of the loss alone, perhaps
    if len(f.parameters) < 2 and f.owner is None:
        if f.has(*_DERIVATIVE):
            return 0  # `sigmoid_gradient(z)`
        score -= 3
    if f.owner is None and f.short.startswith("_"):
        score -= 0.5
    return max(score, 0.0)


def forward_score(f: Function) -> float:
    """How much a function's name says that it is the forward pass."""
    w = f.words
    joined = "".join(w)
    if any(t in joined for t in ("backprop", "retroprop", "backward", "arriere", "retro")):
        return 0
    score = 0.0
    if any(t in joined for t in ("forward", "feedforward", "propagationavant", "passeavant", "versavant", "propavant")):
        score = 10
    elif "avant" in w or joined.startswith(("propag", "fwd", "passe", "fprop", "aller")):
        score = 8
    elif any(
        t.startswith(("predict", "predi", "infer", "sortie", "calculersortie", "model", "reseau", "net")) for t in w
    ) and not f.has("label", "class", "creer", "init", "train", "entrain"):
        score = 4
    if not score:
        return 0
    if f.has("train", "entrain", "init", "plot", "affich", "loss", "perte", "cout", "cost", "accur", "exact", "test"):
        score -= 6
    if f.has(*_DERIVATIVE):
        score -= 3
    if any(set(parameter_roles(p.name)) & {"lr", "epochs"} for p in f.parameters):
        score -= 5
    return max(score, 0.0)


def loss_and_gradient_score(f: Function) -> float:
    """How much a function's name says that it gives the loss and the gradients at once."""
    has_loss = f.has("loss", "perte", "cout", "cost", "erreur", "objecti", "entrop")
    has_gradient = f.has("grad", "deriv", "back", "retro")
    if has_loss and has_gradient and not f.has(*_NOT_BACKWARD):
        return 9
    if (
        f.owner
        and f.short in ("loss", "cost", "perte", "cout")
        and any(p.name.lower().startswith("x") for p in f.parameters)
    ):
        return 6
    return 0


def roots(candidates: dict[str, float], functions: Iterable[Function]) -> list[str]:
    """Candidates, best first; one that is called by another candidate only helps it, and comes later."""
    by_name = {f.name: f for f in functions}

    def helps(name: str) -> bool:
        short = by_name[name].short
        return any(
            other != name
            and by_name[other].short != short
            and short in by_name[other].calls
            and candidates[other] > candidates[name] - 3
            for other in candidates
        )

    return sorted(candidates, key=lambda name: (helps(name), -candidates[name], -by_name[name].node.lineno))


_ROLES: list[tuple[str, str]] = [
    ("loss", r"loss|cost|perte|cout|entropie|entropy|erreur|error|crossentropy|nll|mse|bce|objecti|fonctioncout"),
    ("one_hot", r"onehot|encod|categorical|unparmi|unchaud|indicatri|tohot|hotone|vectoris"),
    ("initialize", r"init|creer|create|build|construi|nouveaux?param|makeparam|newparam|getparam|genererp|makenet"),
    ("update", r"update|maj|miseajour|mettreajour|sgd|optimi|appl(y|iqu)|ajust|descente|gradientstep|step|corrig"),
    ("train", r"train|entrain|fit|apprend|apprenti|learn|epoch|epoque|boucle"),
    ("accuracy", r"accura|exactitude|precision|score|^acc$|taux|evalu|performance|justesse|reussite"),
    ("predict", r"predi|classif"),
    (
        "prepare",
        r"load|charg|prepa|preproc|normali|scal|pretrait|getdata|donnees|dataset|mnist|nettoy|lire|echelle|aplat|flatten",
    ),
]


def other_role(f: Function) -> str | None:
    """What part a function plays beside the two passes: "loss", "update", ... or None."""
    joined = "".join(f.words)
    found = [role for role, pattern in _ROLES if re.search(pattern, joined)]
    if not found:
        return None
    if "one_hot" in found:
        return "one_hot"
    if f.has("plot", "affich", "trac", "visual", "show", "print", "grad_check", "verif", "check"):
        return None
    if "loss" in found and "accuracy" in found:
        return "loss"
    if "update" in found and "train" in found:
        return "train" if f.has("epoch", "epoque") or re.search("train|entrain", joined) else "update"
    if "prepare" in found and "initialize" not in found and "train" not in found:
        return "prepare"
    return found[0]


ACTIVATIONS = {
    "softmax": r"softmax",
    "leaky-relu": r"leaky|lrelu|fuite|prelu",
    "relu": r"relu|rectif",
    "sigmoid": r"sigm|logisti|^sig$|^sigma$",
    "tanh": r"tanh|tangente|tangh",
}


def activation_of(f: Function) -> tuple[str, bool] | None:
    """The activation that a function's name names, and whether it names its derivative; None where it names none."""
    joined = "".join(f.words)
    for name, pattern in ACTIVATIONS.items():
        if re.search(pattern, joined):
            derivative = bool(
                re.search(r"deriv|prime|grad|back|arriere|retro|pente|slope", joined)
            ) or joined.startswith("d")
            if re.search("forward|avant|entropy|entropie|loss|perte|cost|cout|layer|couche|init", joined):
                return None
            return name, derivative
    return None


_PARAMETERS: list[tuple[str, str]] = [
    ("lr", r"lr|learningrate|alpha|eta|taux(d?apprentissage)?|pas|stepsize|rate|η|α|learnrate|lambdalr"),
    (
        "keep",
        r"keep(prob)?|pkeep|keepp|dropout|drop(prob|rate)?|tauxdropout|pdrop|garder|prob(a)?garde|dropoutrate|pdropout|probaconservation",
    ),
    (
        "l2",
        r"lambd(a)?|lam|l2(reg|lambda)?|reg(ularisation|ularization|strength|lambda|ul)?|weightdecay|wd|decay|λ|lmbda|lmbd",
    ),
    ("m", r"m|nsamples|batchsize|nbexemples|nexemples|taillelot|taillebatch|n|bs|tailledulot|nb"),
    (
        "epochs",
        r"epochs?|nepochs|nbepochs|epoques?|nbepoques|nepoques|iterations|niter|numiterations|niterations|nbiter|nit",
    ),
    ("flag", r"verbose|debug|display|affichage|verbeux|print.*"),
    ("training", r"(is)?train(ing)?|entrainement|mode|apprentissage|test"),
    (
        "activation",
        r"activations?(fn|name|cachee|hidden)?|act|f|g|fonction|hiddenactivation|nomactivation|fonctionactivation",
    ),
    ("seed", r"seed|graine|randomstate|rng"),
    ("classes", r"nclasses|numclasses|nbclasses|k|classes|ncls|nbclass"),
    (
        "cache",
        r"c|caches?|memoires?|outputs?|sorties?|mem|ctx|context|valeurs|intermediaires?|intermediates?|stock(age)?|forwardoutputs?|fwd|etats?|state|memo|tape|activations|sauvegarde|passe|saved|avant|resultats?|tampon|history|historique",
    ),
    (
        "P",
        r"yhat|ypred\w*|predites?|logits?|scores?|preds?|predictions?|probs?|probas?|probabilites?|yh|ychapeau|p|out|output|sortie|o|al|yp|probabilities|ŷ|yest|pred",
    ),
    (
        "Y",
        r"y|t|targets?|labels?|cibles?|ytrue|etiquettes?|yonehot|ybatch|yb|ytrain|verite|truth|yvrai|yvraie|yoh|onehot|classesvraies|d|attendus?|ymini|desired|groundtruth|yreel|yenc|ylot|yi|target|lab|digits?|chiffres?",
    ),
    (
        "X",
        r"x|inputs?|entrees?|data|donnees|images?|xbatch|xb|xtrain|features|a0|batch|xmini|xlot|lot|pixels|exemples?|xi|sample|a|vecteur|img",
    ),
    (
        "params",
        r"params?|parameters|parametres?|poids|weights|theta|reseau|network|net|model|modele|couches|layers|wb|p|w|θ|thetas|prm|par",
    ),
]

UPSTREAM = re.compile(
    r"^(grads?|gradients?|d|delta|dout|dy|dz|da|dl|dlogits|dscores|upstream|g|dloss|derr|erreur|error|grad_?\w*|d_?\w*"
    r"|delta_?\w*|gradient_?\w*|output_?grad\w*|amont|dsortie)$",
    re.IGNORECASE,
)
"""Names of what a layer's backward pass is handed: ∂L/∂(its output)."""

_WEIGHT = re.compile(r"^(?:w|weights?|poids|theta|wt|coefs?|matrice|mat|wts)_?(?:l|layer|couche)?_?(\d)$")
_BIAS = re.compile(r"^(?:b|bias|biais|beta|bi)_?(?:es)?_?(?:l|layer|couche)?_?(\d)$")
_VALUE = re.compile(r"^(z|a|h|net|s|pre|act|out|u|v|y|o|d|m|mask|masque)_?(\d)$")
_HIDDEN = r"(?:hidden|h|cachee?|ih|xh|in|entree|i|input_hidden|entree_cachee|input|xc|ec)"
_OUT = r"(?:out|o|sortie|ho|hy|output|hidden_output|cachee_sortie|s|cs|y)"
_NAMED_WEIGHT = re.compile(rf"^(?:w_?|weights?_|poids_){_HIDDEN}$")
_NAMED_OUT = re.compile(rf"^(?:w_?|weights?_|poids_){_OUT}$")
_NAMED_BIAS = re.compile(rf"^(?:b_?|bias_|biais_|biases_){_HIDDEN}$")
_NAMED_BIAS_OUT = re.compile(rf"^(?:b_?|bias_|biais_|biases_){_OUT}$")


def tensor_of(name: str) -> tuple[str, int] | None:
    """What an identifier stands for by itself: ("W", 1), ("b", 2), ("Z", 1), ("A", 1); layer −1 is the last."""
    n = "_".join(words(name)).replace("__", "_")
    if n in ("ws", "bs"):
        return None  # all of them
    for pattern, kind in ((_WEIGHT, "W"), (_BIAS, "b")):
        if match := pattern.match(n):
            return kind, int(match[1])
    for pattern, kind, layer in (
        (_NAMED_WEIGHT, "W", 1), (_NAMED_OUT, "W", -1), (_NAMED_BIAS, "b", 1), (_NAMED_BIAS_OUT, "b", -1),
    ):  # fmt: skip
        if pattern.match(n):
            return kind, layer
    if match := _VALUE.match(n):
        return (
            "Z"
            if match[1] in ("z", "net", "s", "pre", "u")
            else "A"
            if match[1] in ("a", "h", "act", "out", "o", "v")
            else match[1].upper()
        ), int(match[2])
    return None


def parameter_roles(name: str) -> list[str]:
    """What a parameter may stand for by its name, likeliest first: "X", "Y", "params", "cache", "P", "lr", ..."""
    joined = "".join(words(name))
    found = [role for role, pattern in _PARAMETERS if re.fullmatch(pattern, joined)]
    if joined in ("classes", "classe"):
        return ["Y", "classes"]
    if name in ("A", "AL", "a_out", "A_out"):
        return ["P", "X"]
    if name == "a":
        return ["X", "P"]
    if re.match(r"y.*(prob|pred|hat|chapeau|estim|sortie|out)", joined):
        return ["P"]
    if name == "X" and "X" in found:
        found.remove("X")
        found.insert(0, "X")
    if found:
        return found
    starts = [("X", ("x", "image", "donnee", "entree", "input")), ("Y", ("y", "label", "target", "cible", "etiq")),
              ("params", ("param", "poids", "weight")), ("cache", ("cache", "memo"))]  # fmt: skip
    return [role for role, prefixes in starts if joined.startswith(prefixes)]


def network_class(inventory: Inventory) -> Class | None:
    """The class that is a network: with a forward and a backward pass, and, of several, the one that uses the others."""
    found = []
    for c in inventory.classes.values():
        forward = max((forward_score(f) for f in c.methods.values()), default=0)
        backward = max((max(backward_score(f), loss_and_gradient_score(f)) for f in c.methods.values()), default=0)
        if not backward or _abstract(c):
            continue
        many = len(inventory.classes) > 1
        whole = 0.0
        if any(f.has("train", "entrain", "fit", "predict", "predi", "accura") for f in c.methods.values()):
            whole += 2
        if any(
            k in c.text for k in (".layers", ".couches", "for layer in", "for couche in", "self.W2", "self.weights")
        ):
            whole += 2
        if set(words(c.name)) & {"network", "net", "reseau", "mlp", "nn", "model", "modele", "perceptron", "neural"}:
            whole += 3
        if set(words(c.name)) & {
            "layer",
            "couche",
            "dense",
            "linear",
            "lineaire",
            "relu",
            "tanh",
            "sigmoid",
            "softmax",
            "loss",
            "perte",
            "activation",
            "entropy",
            "entropie",
            "affine",
            "dropout",
        }:
            whole -= 5
        if whole > 0 or not many:
            found.append((whole + forward / 10 + backward / 10, c))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _abstract(c: Class) -> bool:
    return any(
        "NotImplementedError" in f.text or "abstractmethod" in f.text
        for f in c.methods.values()
        if backward_score(f) > 5
    )
