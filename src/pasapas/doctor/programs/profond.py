"""Un réseau de profondeur quelconque, une image par colonne, avec pénalité L2 et dropout."""

import numpy as np

from pasapas import load_mnist


def prepare(images, labels):
    """Renvoie X (784, m) et Y (10, m)."""
    pixels = images.reshape(images.shape[0], -1).T.astype(np.float64)
    X = (pixels - 33) / 78  # environ la moyenne et l'écart type des pixels
    Y = np.zeros((10, labels.size))
    Y[labels, np.arange(labels.size)] = 1
    return X, Y


def initialize(sizes):
    layers = []
    for i in range(1, len(sizes)):
        n_in, n_out = sizes[i - 1], sizes[i]
        W = np.random.randn(n_out, n_in) * np.sqrt(1 / n_in)
        b = np.zeros((n_out, 1))
        layers.append({"W": W, "b": b})
    return layers


def activate(Z, activation):
    if activation == "relu":
        return np.maximum(Z, 0)
    return np.tanh(Z)


def activation_backward(dA, Z, activation):
    if activation == "relu":
        return dA * (Z > 0)
    return dA * (1 - np.tanh(Z) ** 2)


def softmax(Z):
    T = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return T / np.sum(T, axis=0, keepdims=True)


def forward(X, layers, activation="tanh", keep_prob=0.9):
    caches = []
    A_prev = X
    for layer in layers[:-1]:
        Z = layer["W"] @ A_prev + layer["b"]
        D = (np.random.rand(*Z.shape) < keep_prob) / keep_prob
        A = activate(Z, activation) * D
        caches.append({"A_prev": A_prev, "Z": Z, "D": D})
        A_prev = A
    Z = layers[-1]["W"] @ A_prev + layers[-1]["b"]
    AL = softmax(Z)
    caches.append({"A_prev": A_prev, "Z": Z})
    return AL, caches


def compute_cost(AL, Y, layers, lambd=0.1):
    m = Y.shape[1]
    cross_entropy = -1 / m * np.sum(Y * np.log(AL + 1e-12))
    squares = sum(np.sum(np.square(layer["W"])) for layer in layers)
    return cross_entropy + lambd / (2 * m) * squares


def backward(AL, Y, layers, caches, activation="tanh", lambd=0.1):
    m = Y.shape[1]
    grads = [None] * len(layers)
    dZ = AL - Y
    for i in reversed(range(len(layers))):
        cache = caches[i]
        dW = 1 / m * dZ @ cache["A_prev"].T + lambd / m * layers[i]["W"]
        db = 1 / m * np.sum(dZ, axis=1, keepdims=True)
        grads[i] = {"W": dW, "b": db}
        if i > 0:
            below = caches[i - 1]
            dA = layers[i]["W"].T @ dZ
            dA = dA * below["D"]
            dZ = activation_backward(dA, below["Z"], activation)
    return grads


def update(layers, grads, learning_rate):
    for layer, grad in zip(layers, grads, strict=True):
        layer["W"] = layer["W"] - learning_rate * grad["W"]
        layer["b"] = layer["b"] - learning_rate * grad["b"]
    return layers


def train(X, Y, sizes, epochs=10, batch_size=50, learning_rate=0.1):
    layers = initialize(sizes)
    m = X.shape[1]
    for epoch in range(epochs):
        permutation = np.random.permutation(m)
        X_shuffled = X[:, permutation]
        Y_shuffled = Y[:, permutation]
        costs = []
        for k in range(0, m, batch_size):
            X_batch = X_shuffled[:, k : k + batch_size]
            Y_batch = Y_shuffled[:, k : k + batch_size]
            AL, caches = forward(X_batch, layers)
            costs.append(compute_cost(AL, Y_batch, layers))
            grads = backward(AL, Y_batch, layers, caches)
            layers = update(layers, grads, learning_rate)
        print(f"Epoch {epoch + 1}: cost {np.mean(costs):.4f}")
    return layers


def accuracy(X, Y, layers):
    AL, _ = forward(X, layers, keep_prob=1.0)
    return np.mean(np.argmax(AL, axis=0) == np.argmax(Y, axis=0))


if __name__ == "__main__":
    np.random.seed(3)
    train_set, test_set = load_mnist()
    X_train, Y_train = prepare(train_set.images[:10000], train_set.labels[:10000])
    X_test, Y_test = prepare(test_set.images, test_set.labels)
    trained = train(X_train, Y_train, [784, 64, 64, 10])
    print(f"Test accuracy: {accuracy(X_test, Y_test, trained):.2%}")
