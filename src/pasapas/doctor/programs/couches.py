"""A small library of layers: each one has a forward and a backward method, and a network chains them."""

import numpy as np

from pasapas import load_mnist

rng = np.random.default_rng(7)


class Dense:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(0.0, np.sqrt(2.0 / (n_in + n_out)), size=(n_in, n_out))
        self.b = np.zeros(n_out)

    def forward(self, inputs, training=True):
        self.inputs = inputs
        return inputs @ self.W + self.b

    def backward(self, grad, learning_rate):
        """Takes ∂L/∂output, learns from it, and returns ∂L/∂input."""
        self.dW = self.inputs.T @ grad
        self.db = grad.sum(axis=0)
        grad_inputs = grad @ self.W.T
        self.W -= learning_rate * self.dW
        self.b -= learning_rate * self.db
        return grad_inputs


class ReLU:
    def forward(self, inputs, training=True):
        self.inputs = inputs
        return np.maximum(inputs, 0.0)

    def backward(self, grad, learning_rate):
        return grad * (self.inputs > 0)


class Tanh:
    def forward(self, inputs, training=True):
        self.outputs = np.tanh(inputs)
        return self.outputs

    def backward(self, grad, learning_rate):
        return grad * (1.0 - self.outputs**2)


class Dropout:
    def __init__(self, keep):
        self.keep = keep

    def forward(self, inputs, training=True):
        self.mask = (rng.random(inputs.shape) < self.keep) / self.keep if training else 1.0
        return inputs * self.mask

    def backward(self, grad, learning_rate):
        return grad * self.mask


class SoftmaxCrossEntropy:
    """The loss of scores (m, 10) against digits (m,)."""

    def forward(self, scores, digits):
        self.digits = digits
        exps = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        self.probabilities = exps / np.sum(exps, axis=1, keepdims=True)
        right = self.probabilities[np.arange(len(digits)), digits]
        return -np.mean(np.log(right + 1e-12))

    def backward(self):
        m = len(self.digits)
        grad = self.probabilities.copy()
        grad[np.arange(m), self.digits] -= 1.0
        return grad / m


class Network:
    def __init__(self, layers, loss):
        self.layers = layers
        self.loss = loss

    def forward(self, X, training=True):
        for layer in self.layers:
            X = layer.forward(X, training)
        return X

    def backward(self, learning_rate):
        grad = self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad, learning_rate)
        return grad

    def train_step(self, X, digits, learning_rate):
        scores = self.forward(X)
        value = self.loss.forward(scores, digits)
        self.backward(learning_rate)
        return value

    def fit(self, X, digits, epochs=10, batch_size=50, learning_rate=0.1):
        for epoch in range(epochs):
            order = rng.permutation(len(X))
            X, digits = X[order], digits[order]
            values = []
            for start in range(0, len(X), batch_size):
                end = start + batch_size
                values.append(self.train_step(X[start:end], digits[start:end], learning_rate))
            print(f"epoch {epoch + 1}: loss {np.mean(values):.4f}")

    def accuracy(self, X, digits):
        answers = self.forward(X, training=False).argmax(axis=1)
        return np.mean(answers == digits)


def build_network(sizes=(784, 64, 64, 10)):
    layers = [Dense(sizes[0], sizes[1]), ReLU(), Dropout(0.9), Dense(sizes[1], sizes[2]), Tanh()]
    layers.append(Dense(sizes[2], sizes[3]))
    return Network(layers, SoftmaxCrossEntropy())


def prepare(dataset, n_images):
    """Rows of 784 numbers from −1 to 1, and the digits."""
    pixels = dataset.images[:n_images].reshape(-1, 784)
    X = (pixels.astype(np.float64) - 127) / 128
    return X, dataset.labels[:n_images].astype(int)


if __name__ == "__main__":
    train_set, test_set = load_mnist()
    X_train, y_train = prepare(train_set, 10000)
    X_test, y_test = prepare(test_set, 10000)
    network = build_network()
    network.fit(X_train, y_train)
    print(f"test accuracy: {network.accuracy(X_test, y_test):.2%}")
