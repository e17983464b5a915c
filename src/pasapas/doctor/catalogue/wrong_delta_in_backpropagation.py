"""∂L/∂A in place of δ when it goes back through W."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


class _Underived(Replay):
    """To layer l goes back what layer l + 1 had before its derivative."""

    def output_delta(self) -> Floats:
        if not self._layers():
            raise ValueError("nothing above has a derivative of its own")
        return super().output_delta()

    def back(self, l: int, dZ: Floats) -> Floats:
        return super().back(l, self._before_derivative(l) if l - 1 in self._layers() else dZ)

    def _layers(self) -> list[int]:
        return [l for l in range(1, self.L) if self.here(l) and self.name(l + 1) != "identity"]

    def _before_derivative(self, l: int) -> Floats:
        """∂L/∂A of layer l (m, n)."""
        return self.dA[l] if l < self.L else self.problem.scale * self.loss_gradient()


MISTAKE = Mistake(
    code="wrong-delta-in-backpropagation",
    stage="backward",
    name=Text(en="What goes back is not δ", fr="Ce qui revient en arrière n’est pas δ"),
    hints=(
        Text(
            en="Look at the line that computes dA{layer}: which of layer {next}'s two gradients does it multiply by W{next}, the one at A{next} or the one at Z{next}?",
            fr="Regarder la ligne qui calcule dA{layer} : lequel des deux gradients de la couche {next} multiplie-t-elle par W{next}, celui en A{next} ou celui en Z{next} ?",
        ),
        Text(
            en="Going forward, A{layer} meets W{next} first and the activation of layer {next} after it, so on the way back the derivative comes first and W{next} after it. Here dW{next} has the derivative and dA{layer} does not: the error itself, ∂L/∂A{next}, was carried back. On paper, write the chain from L to A{layer} with one factor for each arrow, and count them.",
            fr="À l’aller, A{layer} rencontre d’abord W{next}, puis l’activation de la couche {next} ; au retour, c’est donc d’abord la dérivée, puis W{next}. Ici dW{next} a la dérivée et dA{layer} ne l’a pas : c’est l’erreur elle-même, ∂L/∂A{next}, qui a été ramenée. Sur le papier, écrire la chaîne de L à A{layer} avec un facteur par flèche, et les compter.",
        ),
        Text(
            en="Compute δ of layer {next} once, derivative included, and use it twice: `dW{next} = A{layer}.T @ dZ{next}` and `dA{layer} = dZ{next} @ W{next}.T` with samples in rows; `dA{layer} = W{next}.T @ dZ{next}` with samples in columns.",
            fr="Calculer une fois le δ de la couche {next}, dérivée comprise, et s’en servir deux fois : `dW{next} = A{layer}.T @ dZ{next}` et `dA{layer} = dZ{next} @ W{next}.T` avec les exemples en lignes ; `dA{layer} = W{next}.T @ dZ{next}` avec les exemples en colonnes.",
        ),
    ),
    lesson="5-derivation",
    replays=(Replays(_Underived, "dA{l}", "hidden"),),
    examples={
        "profond": {
            'dA = layers[i]["W"].T @ dZ': 'dA = layers[i]["W"].T @ (dZ if i == len(layers) - 1 else dA)',
        },
        "lesson": {
            "dA1 = dZ2 @ W2.T": "dA1 = -Y / A2 @ W2.T",
        },
        "tanh": {
            'dA1 = np.dot(delta2, params["W2"])': 'dA1 = np.dot(-Y / Yhat / m, params["W2"])',
        },
        "classe": {
            "delta1 = (delta2 @ self.W2.T)": "delta1 = (delta3 @ self.W3.T @ self.W2.T)",
        },
    },
    trains=True,
)
