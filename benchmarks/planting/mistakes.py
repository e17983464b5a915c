"""Plants every mistake of the doctor's catalogue, in all the ways and layers in which learners make it.

One function for each code. It is given a `Garden`, the lines of the right program, and yields variants: a name, the layer
or 0, and new texts for lines. Where a code cannot be planted, since it would be right or be another mistake, it yields
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from planting.writing import ACTIVATIONS, Lines, Role, Setting, Writer, program

Variant = tuple[str, int, Lines]


@dataclass(frozen=True)
class Planted:
    """A program with one mistake."""

    code: str
    variant: str
    layer: int
    setting: Setting
    text: str

    @property
    def name(self) -> str:
        """As a file's: code, variant, layer, dialect, depth, activation."""
        s = self.setting
        where = f"-layer{self.layer}" if self.layer else ""
        return f"{self.code}--{self.variant}{where}--dialect{s.dialect}-depth{s.depth}-{s.activation}".replace(" ", "-")


class Garden(Writer):
    """The lines of a right program, to be replaced."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.table = self.lines()
        self.first = setting.dialect == 1

    def swap(self, role: Role, old: str, new: str) -> Lines:
        """A line with one text in another's place."""
        assert old in self.table[role], (role, old, self.table[role])
        return {role: self.table[role].replace(old, new)}

    def put(self, role: Role, right: str) -> Lines:
        """A line that assigns something else."""
        return {role: self.table[role].split(" = ")[0] + " = " + right}

    def after(self, role: Role, *more: str) -> Lines:
        """A line with others after it, indented as in a function."""
        return {role: "\n".join([self.table[role], *("    " + line for line in more)])}

    def before(self, role: Role, *more: str) -> Lines:
        return {role: "\n".join([*("    " + line for line in more), self.table[role]])}

    def scaled(self, l: int, factor: str, kinds: str = "Wb") -> Lines:
        """dW and db of a layer with something after them, " * 2"."""
        tail = self.decay(l)
        lines: Lines = {}
        if "W" in kinds:
            text = self.table["dW", l]
            lines["dW", l] = (text[: len(text) - len(tail)] if tail else text) + factor + tail
        if "b" in kinds:
            lines["db", l] = self.table["db", l] + factor
        return lines

    def delta(self, difference: str) -> Lines:
        """Another δ of the last layer, with the division that belongs there."""
        divided = f"({difference}) / m" if self.division == "delta" else difference
        return self.put(("dZ", self.L), divided)

    @property
    def delta_name(self) -> str:
        return self.dZ(self.L)


PLANTERS: dict[str, Callable[[Garden], Iterator[Variant]]] = {}


def plants(planter: Callable[[Garden], Iterator[Variant]]) -> Callable[[Garden], Iterator[Variant]]:
    PLANTERS[planter.__name__.replace("_", "-")] = planter
    return planter


# data ----------------------------------------------------------------------------------------------------------------


@plants
def inputs_not_scaled(g: Garden) -> Iterator[Variant]:
    yield "left out", 0, {("scale", 0): ""}


@plants
def images_scrambled(g: Garden) -> Iterator[Variant]:
    for way, new in (("counted", "784, images.shape[0]"), ("left open", "784, -1")):
        yield way, 0, g.swap(("flatten", 0), "reshape(images.shape[0], 784)", f"reshape({new}).T")


@plants
def one_hot_wrong(g: Garden) -> Iterator[Variant]:
    if g.first:
        yield "off by one", 0, g.swap(("ones", 0), ", y]", ", y - 1]")
        yield "all rows", 0, g.swap(("ones", 0), "np.arange(y.shape[0])", ":")
        yield "a class too many", 0, g.swap(("table", 0), "n_classes)", "n_classes + 1)")
        yield "all ones", 0, g.swap(("table", 0), "np.zeros", "np.ones")
    else:
        yield "off by one", 0, g.swap(("ones", 0), "y[i]]", "y[i] - 1]")
        yield "first row left out", 0, g.swap(("loop", 0), "range(len(y))", "range(1, len(y))")
        yield "last row left out", 0, g.swap(("loop", 0), "range(len(y))", "range(len(y) - 1)")
        yield "all ones", 0, g.swap(("table", 0), "np.zeros", "np.ones")


@plants
def uint8_arithmetic(g: Garden) -> Iterator[Variant]:
    bytes_kept = g.swap(("flatten", 0), ".astype(np.float64)", "")
    yield "centred", 0, {**bytes_kept, ("scale", 0): "    X = (X - 127) / 128"}
    yield "doubled", 0, {**bytes_kept, ("scale", 0): "    X = X * 2 / 255 - 1"}
    yield "a line of its own", 0, {**bytes_kept, ("scale", 0): "    X = X - np.uint8(128)\n    X = X / 128"}


# initialisation --------------------------------------------------------------------------------------------------------


def _initial(g: Garden, value: str) -> Lines:
    """Weights that start as `value`, with {shape}."""
    if g.first:
        n, before = "layer_dims[l]", "layer_dims[l - 1]"
        return g.put(("W0", 1), value.format(shape=f"{before}, {n}", n_in=before))
    w = g.widths()
    lines: Lines = {}
    for l in range(1, g.L + 1):
        lines |= g.put(("W0", l), value.format(shape=f"{w[l]}, {w[l - 1]}", n_in=w[l - 1]))
    return lines


@plants
def symmetric_initialisation(g: Garden) -> Iterator[Variant]:
    yield "zeros", 0, _initial(g, "np.zeros(({shape}))")
    yield "ones", 0, _initial(g, "np.ones(({shape})) * 0.1")
    yield "full", 0, _initial(g, "np.full(({shape}), 0.01)")


@plants
def initialisation_too_large(g: Garden) -> Iterator[Variant]:
    yield "times ten", 0, _initial(g, "np.random.randn({shape}) * 10")
    yield "square root upside down", 0, _initial(g, "np.random.randn({shape}) * np.sqrt({n_in})")
    yield "uniform", 0, _initial(g, "np.random.uniform(-10, 10, ({shape}))")


# forward and loss ------------------------------------------------------------------------------------------------------


@plants
def activation_wrong(g: Garden) -> Iterator[Variant]:
    for name, value in {
        "relu": {"minimum": "np.minimum(0, Z)", "absolute": "np.abs(Z)", "one": "np.maximum(1, Z)"},
        "tanh": {"sigmoid": "1 / (1 + np.exp(-Z))", "half": "np.tanh(Z / 2)", "sinh": "(np.exp(Z) - np.exp(-Z)) / 2"},
        "sigmoid": {"sign": "1 / (1 + np.exp(Z))", "minus": "1 / (1 - np.exp(-Z))", "tanh": "np.tanh(Z)"},
        "leaky-relu": {
            "exchanged": "np.where(Z > 0, 0.01 * Z, Z)",
            "constant": "np.where(Z > 0, Z, 0.01)",
            "relu": "np.maximum(0, Z)",
        },
    }[g.s.activation].items():
        yield name, 0, {("activation", 0): f"    return {value}"}


@plants
def bias_missing_in_forward(g: Garden) -> Iterator[Variant]:
    def without(l: int) -> Lines:
        return {("Z", l): g.table["Z", l].rpartition(" + ")[0]}

    for l in g.layers:
        yield "left out", l, without(l)
        turned = g.param(f"b{l}") + ("" if g.bias == "column" else ".T")
        yield "wrong axis", l, {("Z", l): g.table["Z", l].rpartition(" + ")[0] + f" + {turned}"}
    yield "left out everywhere", 0, {role: text for l in g.layers for role, text in without(l).items()}


@plants
def softmax_overflow(g: Garden) -> Iterator[Variant]:
    if g.first:
        yield "left out", 0, g.put(("exponentials", 0), "np.exp(Z)")
    else:
        yield "left out", 0, {("maximum", 0): ""}


@plants
def softmax_wrong_axis(g: Garden) -> Iterator[Variant]:
    top = ("exponentials", 0) if g.first else ("maximum", 0)
    bottom = ("normalised", 0)
    yield "both", 0, g.swap(top, "axis=1", "axis=0") | g.swap(bottom, "axis=1", "axis=0")
    yield "sum", 0, g.swap(bottom, "axis=1", "axis=0")
    yield "sum of all", 0, g.swap(bottom, "axis=1, keepdims=True", "")
    yield "maximum", 0, g.swap(top, "axis=1", "axis=0")


@plants
def softmax_applied_twice(g: Garden) -> Iterator[Variant]:
    yield "forward", 0, g.put(("A", g.L), f"softmax(softmax(Z{g.L}))")
    yield "backward", 0, g.delta(f"softmax({g.P}) - Y")
    yield "in Z", 0, {("Z", g.L): g.table["Z", g.L] + f"\n    Z{g.L} = softmax(Z{g.L})"}


@plants
def log_of_zero(g: Garden) -> Iterator[Variant]:
    if g.first:
        yield "left out", 0, {("clip", 0): ""}
    else:
        yield "left out", 0, g.swap(("loss", 0), " + 1e-10", "")


@plants
def loss_not_averaged(g: Garden) -> Iterator[Variant]:
    if g.first:
        yield "sum", 0, g.swap(("loss", 0), " / m", "")
    else:
        yield "sum", 0, g.put(("loss", 0), "-np.sum(Y * np.log(Yhat + 1e-10))")


@plants
def loss_wrong_formula(g: Garden) -> Iterator[Variant]:
    Y, P = ("y_true", "y_pred") if g.first else ("Y", "Yhat")
    yield "squared error", 0, g.put(("loss", 0), f"np.sum(({P} - {Y}) ** 2) / m")
    yield "entropy of P", 0, g.put(("loss", 0), f"-np.sum({P} * np.log({P} + 1e-12)) / m")
    yield "exchanged", 0, g.put(("loss", 0), f"-np.sum({P} * np.log({Y} + 1e-12)) / m")
    yield "other logarithm", 0, g.swap(("loss", 0), "np.log(", "np.log10(")
    both = f"-np.sum({Y} * np.log({P} + 1e-12) + (1 - {Y}) * np.log(1 - {P} + 1e-12)) / m"
    yield "binary", 0, g.put(("loss", 0), both)
    yield "absolute error", 0, g.put(("loss", 0), f"np.sum(np.abs({P} - {Y})) / m")


# backward: δ of the last layer -----------------------------------------------------------------------------------------


@plants
def batch_mean_missing(g: Garden) -> Iterator[Variant]:
    if g.division == "delta":
        yield "everywhere", 0, g.put(("dZ", g.L), f"{g.P} - Y")
        return
    without = {l: {**g.swap(("dW", l), " / m", ""), **g.swap(("db", l), " / m", "")} for l in g.layers}
    yield "everywhere", 0, {role: text for lines in without.values() for role, text in lines.items()}
    for l in g.layers:
        yield "one layer", l, without[l]


@plants
def batch_mean_twice(g: Garden) -> Iterator[Variant]:
    if g.division == "gradient":
        yield "delta too", 0, g.put(("dZ", g.L), f"({g.P} - Y) / m")
    else:
        yield "gradients too", 0, {k: v for l in g.layers for k, v in g.scaled(l, " / m").items()}
    for l in g.layers:
        yield "one layer", l, g.scaled(l, " / m")
    for l in g.hidden:
        yield "hidden delta", l, {("dZ", l): g.table["dZ", l] + " / m"}


@plants
def batch_mean_wrong_size(g: Garden) -> Iterator[Variant]:
    yield "features", 0, g.put(("m", 0), "X.shape[1]")
    yield "classes", 0, g.put(("m", 0), "Y.shape[1]")
    yield "all labels", 0, g.put(("m", 0), "Y.size")
    units = f"{g.param('W1')}.shape[{0 if g.out_in else 1}]"
    yield "hidden units", 0, g.put(("m", 0), units)
    if g.first:
        yield "length of parameters", 0, g.put(("m", 0), "len(parameters)")


@plants
def sign_flipped(g: Garden) -> Iterator[Variant]:
    yield "exchanged", 0, g.delta(f"Y - {g.P}")
    yield "minus", 0, g.delta(f"-({g.P} - Y)")
    for l in g.layers:
        yield "weights", l, g.put(("dW", l), "-" + g.table["dW", l].split(" = ")[1])
    for l in g.hidden:
        yield "hidden delta", l, g.put(("dZ", l), "-" + g.table["dZ", l].split(" = ")[1])


@plants
def constant_factor(g: Garden) -> Iterator[Variant]:
    yield "two", 0, g.delta(f"2 * ({g.P} - Y)")
    yield "half", 0, g.delta(f"0.5 * ({g.P} - Y)")
    for l in g.layers:
        yield "half of a layer", l, g.scaled(l, " / 2")
    for l in g.hidden:
        yield "hidden delta", l, {("dZ", l): g.table["dZ", l] + " * 2"}


@plants
def output_delta_extra_derivative(g: Garden) -> Iterator[Variant]:
    P, L = g.P, g.L
    yield "sigmoid", 0, g.delta(f"({P} - Y) * {P} * (1 - {P})")
    if g.helper:
        lines = g.delta(f"({P} - Y) * {g.function}_derivative(Z{L})")
        yield "hidden activation's", 0, lines | {("m", 0): g.table["m", 0] + f'\n    Z{L} = cache["Z{L}"]'}
    elif g.s.activation == "tanh":
        yield "hidden activation's", 0, g.delta(f"({P} - Y) * {g.formula(P, P)}")
    whole = g.delta(f"{P} * (dP - np.sum({P} * dP, axis=1, keepdims=True))")
    yield "softmax", 0, {("dZ", L): f"    dP = {P} - Y\n" + whole["dZ", L]}


@plants
def output_delta_without_jacobian(g: Garden) -> Iterator[Variant]:
    yield "plain", 0, g.delta(f"-Y / {g.P}")
    yield "safe", 0, g.delta(f"-(Y / ({g.P} + 1e-10))")
    yield "with the other labels", 0, g.delta(f"-(Y / {g.P}) + (1 - Y) / (1 - {g.P})")


@plants
def softmax_cross_terms_missing(g: Garden) -> Iterator[Variant]:
    P = g.P
    yield "own term", 0, g.delta(f"{P} * Y - Y")
    step = g.delta(f"dP * {P} * (1 - {P})")
    yield "diagonal", 0, {("dZ", g.L): f"    dP = -Y / {P}\n" + step["dZ", g.L]}
    yield "right class only", 0, g.delta(f"({P} - Y) * Y")


@plants
def labels_misaligned(g: Garden) -> Iterator[Variant]:
    yield "X shuffled alone", 0, g.swap(("shuffle", 1), "[order]", "") if g.first else {("shuffle", 1): ""}
    yield "shuffled apart", 0, g.swap(("shuffle", 1), "[order]", f"[np.random.permutation({'m' if g.first else 'N'})]")
    yield "first rows", 0, g.put(("batch", 1), f"{'Y_shuffled' if g.first else 'Y'}[:len(X_batch)]")
    yield "reversed", 0, {("m", 0): g.table["m", 0] + "\n    Y = Y[::-1]"}
    yield "next class", 0, {("m", 0): g.table["m", 0] + "\n    Y = np.roll(Y, 1, axis=1)"}


@plants
def labels_broadcast(g: Garden) -> Iterator[Variant]:
    if g.s.output == "sigmoid":
        yield "flat", 0, g.delta(f"{g.P} - Y.ravel()")
        yield "reshaped", 0, {("m", 0): g.table["m", 0] + "\n    Y = Y.reshape(-1)"}
        return
    yield "numbers", 0, {("m", 0): g.table["m", 0] + "\n    Y = np.argmax(Y, axis=1).reshape(-1, 1)"}
    yield "numbers in delta", 0, g.delta(f"{g.P} - np.argmax(Y, axis=1)[:, None]")


# backward: gradients of weights and biases -----------------------------------------------------------------------------


@plants
def bias_gradient_not_summed(g: Garden) -> Iterator[Variant]:
    for l in g.layers:
        d, per = g.dZ(l), g.per_m
        yield "kept", l, g.put(("db", l), d + per)
        yield "first row", l, g.put(("db", l), f"{d}[0:1]{per}" if g.first else f"{d}[0].reshape(-1, 1){per}")
        wrong = f"np.sum({d}, axis=1, keepdims=True)" if g.first else f"np.sum({d}, axis=1).reshape(-1, 1)"
        yield "wrong axis", l, g.put(("db", l), wrong + per)
        yield "one number", l, g.put(("db", l), f"np.sum({d}){per}")
    kept = {("db", l): g.put(("db", l), g.dZ(l) + g.per_m)["db", l] for l in g.layers}
    yield "kept everywhere", 0, kept


@plants
def bias_gradient_averaged_twice(g: Garden) -> Iterator[Variant]:
    def mean(l: int) -> Lines:
        return g.swap(("db", l), "np.sum", "np.mean")

    for l in g.layers:
        yield "mean", l, mean(l)
        yield "divided", l, g.scaled(l, " / m", "b")
    yield "mean everywhere", 0, {role: text for l in g.layers for role, text in mean(l).items()}


@plants
def weight_gradient_transposed(g: Garden) -> Iterator[Variant]:
    for l in g.layers:
        A, d = g.A(l - 1), g.dZ(l)
        other = g.product(f"{d}.T", A) if g.first else g.product(f"{A}.T", d)
        yield "product", l, g.put(("dW", l), other + g.per_m)
        yield "T", l, g.put(("dW", l), f"({g.weight_product(A, d)}).T{g.per_m}")


@plants
def preactivation_in_weight_gradient(g: Garden) -> Iterator[Variant]:
    for l in g.layers[:-1]:
        yield "Z", l, g.put(("dW", l), g.weight_product(f"Z{l - 1}", g.dZ(l)) + g.per_m)
    if g.L > 2:
        yield (
            "Z everywhere",
            0,
            {
                ("dW", l): g.put(("dW", l), g.weight_product(f"Z{l - 1}", g.dZ(l)) + g.per_m)["dW", l]
                for l in g.layers[:-1]
            },
        )


@plants
def wrong_input_in_weight_gradient(g: Garden) -> Iterator[Variant]:
    for l in g.layers:
        for k in sorted({l - 2, l, 0} - {l - 1, -1}):
            yield f"A{k}", l, g.put(("dW", l), g.weight_product(g.A(k), g.dZ(l)) + g.per_m)


@plants
def elementwise_for_matmul(g: Garden) -> Iterator[Variant]:
    for l in g.layers:
        for role, name in ((("dW", l), "weights"), (("Z", l), "forward"), (("dA", l), "back")):
            if role in g.table:
                new = (" @ ", " * ") if g.first else ("np.dot(", "np.multiply(")
                yield name, l, g.swap(role, *new)


# backward: δ of hidden layers ------------------------------------------------------------------------------------------


@plants
def bias_gradient_wrong_shape(g: Garden) -> Iterator[Variant]:
    for l in g.layers:
        dZ = g.dZ(l)
        if g.bias == "column":
            yield "flat", l, g.put(("db", l), f"np.sum({dZ}, axis={g.over_samples}){g.per_m}")
            yield "row", l, g.put(("db", l), f"np.sum({dZ}, axis={g.over_samples}).reshape(1, -1){g.per_m}")
        else:
            yield "column", l, g.put(("db", l), f"np.sum({dZ}, axis={g.over_samples}).reshape(-1, 1){g.per_m}")


@plants
def weights_not_transposed(g: Garden) -> Iterator[Variant]:
    for l in g.hidden:
        W = g.W(l + 1)
        new = g.product(g.dZ(l + 1), f"{W}.T" if g.out_in else W)
        yield "W", l, g.put(("dA", l), new)


@plants
def reshape_for_transpose(g: Garden) -> Iterator[Variant]:
    for l in g.hidden:
        if not g.out_in:
            W = g.W(l + 1)
            yield "W", l, g.put(("dA", l), g.product(g.dZ(l + 1), f"{W}.reshape({W}.shape[::-1])"))
    for l in g.layers:
        turned, other = (g.dZ(l), g.A(l - 1)) if g.out_in else (g.A(l - 1), g.dZ(l))
        yield "factor", l, g.put(("dW", l), g.product(f"{turned}.reshape(-1, m)", other) + g.per_m)
        product = g.product(f"{other}.T", turned)
        yield "result", l, g.put(("dW", l), f"({product}).reshape({g.param(f'W{l}')}.shape){g.per_m}")


@plants
def gradient_in_place_of_weights(g: Garden) -> Iterator[Variant]:
    for l in g.hidden:
        yield "dW", l, g.put(("dA", l), g.back_product(g.dZ(l + 1), f"dW{l + 1}"))


@plants
def wrong_weights_in_backpropagation(g: Garden) -> Iterator[Variant]:
    for l in g.hidden:
        for k in (l, l + 2):
            if k <= g.L:
                yield f"W{k}", l, g.put(("dA", l), g.back_product(g.dZ(l + 1), g.param(f"W{k}")))


@plants
def wrong_delta_in_backpropagation(g: Garden) -> Iterator[Variant]:
    divided = " / m" if g.division == "delta" else ""
    for l in g.hidden:
        name, error = ("dA", f"dA{l + 1}") if l + 1 < g.L else ("dP", f"(-Y / {g.P}{divided})")
        yield name, l, g.put(("dA", l), g.back_product(error, g.W(l + 1)))


@plants
def updated_before_backpropagation(g: Garden) -> Iterator[Variant]:
    rate = g.rate
    called = (
        g.swap(("backward", 0), "):", f", {rate}=0.1):") | g.swap(("call", 0), ")", f", {rate})") | {("call", 1): ""}
    )
    ways = {"in place": "    {p} -= {rate} * d{n}", "new arrays": "    {p} = {p} - {rate} * d{n}"}
    for way, step in ways.items():
        if way == "in place" or not g.first:  # dialect 1 has taken hold of the old arrays
            lines = {
                ("db", l): "\n".join(
                    [g.table["db", l], *(step.format(p=g.param(n), rate=rate, n=n) for n in (f"W{l}", f"b{l}"))]
                )
                for l in g.layers
            }
            yield way, 0, called | lines


@plants
def activation_derivative_missing(g: Garden) -> Iterator[Variant]:
    for l in g.hidden:
        yield "left out", l, g.put(("dZ", l), f"dA{l}")
    if len(g.hidden) > 1:
        yield "left out everywhere", 0, {("dZ", l): g.put(("dZ", l), f"dA{l}")["dZ", l] for l in g.hidden}


@plants
def activation_derivative_of_another(g: Garden) -> Iterator[Variant]:
    others = {
        "relu": ("tanh", "sigmoid"),
        "tanh": ("relu", "sigmoid"),
        "sigmoid": ("tanh", "relu"),
        "leaky-relu": ("relu", "tanh"),
    }[g.s.activation]
    in_Z = {
        "relu": "(Z > 0).astype(float)",
        "tanh": "1 - np.tanh(Z) ** 2",
        "sigmoid": "np.exp(-Z) / (1 + np.exp(-Z)) ** 2",
    }
    for other in others:
        for l in g.hidden:
            yield other, l, g.put(("dZ", l), f"dA{l} * {g.formula(f'Z{l}', f'A{l}', other)}")
        if g.helper:
            yield f"helper of {other}", 0, {("derivative", 0): f"    return {in_Z[other]}"}


@plants
def activation_derivative_wrong_argument(g: Garden) -> Iterator[Variant]:
    name = g.s.activation
    if name in ("tanh", "sigmoid"):
        for l in g.hidden:
            yield "Z in the formula of A", l, g.put(("dZ", l), f"dA{l} * {g.formula(f'A{l}', f'Z{l}')}")
            if g.helper:
                yield "A in the helper", l, g.put(("dZ", l), f"dA{l} * {g.function}_derivative(A{l})")
            else:
                of = f"(1 - np.tanh(A{l}) ** 2)" if name == "tanh" else f"sigmoid(A{l}) * (1 - sigmoid(A{l}))"
                yield "function of A", l, g.put(("dZ", l), f"dA{l} * {of}")
    if name != "relu":
        for l in g.hidden:
            yield "twice", l, {("dZ", l): g.table["dZ", l] + f" * {g.slope(l)}"}
    for l in g.hidden:
        for k in (l - 1, l + 1):
            if 0 < k < g.L:
                yield f"layer {k}", l, g.put(("dZ", l), f"dA{l} * {g.slope(k)}")


@plants
def relu_mask_on_gradient(g: Garden) -> Iterator[Variant]:
    if g.s.activation not in ("relu", "leaky-relu"):
        return
    for l in g.hidden:
        yield "mask", l, g.put(("dZ", l), f"dA{l} * {g.formula(f'dA{l}', '')}")
        if g.helper:
            yield "helper", l, g.put(("dZ", l), f"dA{l} * {g.function}_derivative(dA{l})")
        elif g.s.activation == "relu":
            yield "set to zero", l, g.put(("dZ", l), f"np.where(dA{l} > 0, dA{l}, 0)")


@plants
def regularisation_gradient_wrong(g: Garden) -> Iterator[Variant]:
    def tail(l: int, new: str) -> Lines:
        return g.swap(("dW", l), g.decay(l), new)

    def everywhere(new: Callable[[int], str]) -> Lines:
        return {role: text for l in g.layers for role, text in tail(l, new(l)).items()}

    yield "left out", 0, everywhere(lambda l: "")
    for l in g.layers:
        yield "left out of a layer", l, tail(l, "")
    yield "doubled", 0, everywhere(lambda l: f" + 2 * lambd / m * {g.W(l)}")
    yield "half", 0, everywhere(lambda l: f" + lambd / (2 * m) * {g.W(l)}")
    yield "without m", 0, everywhere(lambda l: f" + lambd * {g.W(l)}")
    yield "minus", 0, everywhere(lambda l: f" - lambd / m * {g.W(l)}")
    biases = {("db", l): g.table["db", l] + f" + lambd / m * {g.param(f'b{l}')}" for l in g.layers}
    yield "on biases", 0, biases
    if g.first:
        yield "divided twice", 0, everywhere(lambda l: f" + lambd / m * {g.W(l)} / m")


@plants
def dropout_mask_missing(g: Garden) -> Iterator[Variant]:
    for l in g.hidden:
        yield "no mask", l, {("mask", l): ""}
        yield "no 1 over keep", l, g.put(("mask", l), f"dA{l} * D{l}")
        yield "no D", l, g.put(("mask", l), f"dA{l} / keep_prob")
    if len(g.hidden) > 1:
        yield "no mask anywhere", 0, {("mask", l): "" for l in g.hidden}


@plants
def gradient_accumulated(g: Garden) -> Iterator[Variant]:
    end = g.table["gradients", 0].rstrip()
    new = end.replace("    return ", "    new = ")
    keep = "    for key in new:\n        total[key] = total.get(key, 0) + new[key]\n    return total\n\n"
    yield "default argument", 0, g.swap(("backward", 0), "):", ", total={}):") | {("gradients", 0): f"{new}\n{keep}"}
    top = {("backward", 0): "total = {}\n\n\n" + g.table["backward", 0]}
    yield "global", 0, top | {("gradients", 0): f"{new}\n{keep}"}


@plants
def cache_mutated(g: Garden) -> Iterator[Variant]:
    P, d, L = g.P, g.delta_name, g.L
    over = "\n    " + f"{d} /= m" if g.division == "delta" else ""
    yield "P", 0, {("dZ", L): f"    {d} = {P}\n    {d} -= Y{over}"}
    if g.s.activation == "relu":
        yield "in the activation", 0, {("activation", 0): "    Z[Z < 0] = 0\n    return Z"}
        for l in g.hidden:
            yield "Z", l, {("dZ", l): f"    Z{l}[Z{l} > 0] = 1\n    Z{l}[Z{l} <= 0] = 0\n    {g.dZ(l)} = dA{l} * Z{l}"}
    if g.s.activation == "tanh":
        for l in g.hidden:
            yield "A", l, {("dZ", l): f"    A{l} **= 2\n    {g.dZ(l)} = dA{l} * (1 - A{l})"}
    if g.s.activation == "leaky-relu":
        yield "in the activation", 0, {("activation", 0): "    Z[Z < 0] *= 0.01\n    return Z"}


# update and measure ------------------------------------------------------------------------------------------------------


@plants
def update_sign(g: Garden) -> Iterator[Variant]:
    yield "plus", 0, g.swap(("step", 0), "-= " if g.in_place else " - ", "+= " if g.in_place else " + ")


@plants
def update_lost(g: Garden) -> Iterator[Variant]:
    if g.first:
        call = g.table["call", 1].strip()
        yield "result thrown away", 0, {("call", 1): "        " + call.removeprefix("parameters = ")}
        yield "another name", 0, {("call", 1): "        new_" + call}
        yield "old ones returned", 0, {("updated", 0): "    return parameters\n\n"}
    else:
        yield "local", 0, {("step", 0): "        p = params[key]\n        p = p - eta * grads[key]"}
        new = "    params = {key: params[key] - eta * grads[key] for key in params}"
        yield "new dictionary", 0, {("keys", 0): new, ("step", 0): ""}
    kept = {("updated", 0): "    return {**parameters, **updated}\n\n"} if g.first else {}
    which = {"weights only": 'k[0] == "W"', "last layer left out": f'k[1] != "{g.L}"', "first alone": 'k[1] == "1"'}
    for name, condition in which.items():
        yield name, 0, {("keys", 0): f"    for key in [k for k in {g.params} if {condition}]:"} | kept


@plants
def accuracy_wrong(g: Garden) -> Iterator[Variant]:
    yield "wrong axis", 0, g.swap(("accuracy", 0), "axis=1", "axis=0")
    if g.first:
        yield "one-hot labels", 0, {("accuracy", 1): "    return np.mean(answers == one_hot_encode(y))\n\n"}
        yield "largest probability", 0, g.swap(("accuracy", 0), "np.argmax", "np.max")
        yield "kept dimension", 0, g.swap(("accuracy", 0), "axis=1", "axis=1, keepdims=True")
    else:
        yield "all numbers", 0, {("accuracy", 0): "    accuracy = np.mean(np.round(Yhat) == Y)"}
        yield "no axis", 0, {("accuracy", 0): "    accuracy = np.mean(np.argmax(Yhat) == np.argmax(Y))"}


# all of them ---------------------------------------------------------------------------------------------------------------


def settings(code: str, setting: Setting) -> list[Setting]:
    """What the right program must have for a mistake to be made in it."""
    if code == "regularisation-gradient-wrong":
        return [replace(setting, penalty=True)]
    if code == "dropout-mask-missing":
        return [replace(setting, dropout=True)]
    if code == "labels-broadcast":
        return [setting, replace(setting, output="sigmoid")]
    if code == "uint8-arithmetic":
        return [replace(setting, centred=True)]
    return [setting]


def planted(code: str, setting: Setting) -> list[Planted]:
    """The programs with this mistake in this setting: none where it cannot be made."""
    found: list[Planted] = []
    for s in settings(code, setting):
        for variant, layer, edits in PLANTERS[code](Garden(s)):
            name = variant if s.output == "softmax" else f"{variant} for one output"
            found.append(Planted(code, name, layer, s, program(s, edits)))
    return found


def everything() -> list[Planted]:
    """All programs, over dialects, depths and activations."""
    return [
        p
        for code in PLANTERS
        for dialect in (1, 2)
        for depth in (2, 3, 4)
        for activation in ACTIVATIONS
        for p in planted(code, Setting(dialect, depth, activation))
    ]
