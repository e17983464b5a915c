"""Two layers, digits as plain integers: one function gives the loss and all gradients."""

import numpy as np

from pasapas import load_mnist

SLOPE = 0.01  # of leaky ReLU below zero
REG = 1e-4  # strength of the L2 penalty
KEEP = 0.9  # probability with which dropout keeps a hidden unit


def prepare(images, labels):
    X = np.asarray(images, dtype=np.float64).reshape(-1, 784) / 255.0
    y = np.asarray(labels, dtype=np.int64)
    return X, y


def init(n_in, n_hidden, n_out, seed=0):
    rng = np.random.default_rng(seed)
    W1 = rng.standard_normal((n_in, n_hidden)) * np.sqrt(2.0 / n_in)
    b1 = np.zeros(n_hidden)
    W2 = rng.standard_normal((n_hidden, n_out)) * np.sqrt(2.0 / n_hidden)
    b2 = np.zeros(n_out)
    return W1, b1, W2, b2


def leaky_relu(s):
    return np.where(s > 0, s, SLOPE * s)


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_and_gradients(X, y, W1, b1, W2, b2):
    """The loss on a batch and its gradients, in the order of the parameters."""
    m = len(X)
    rows = np.arange(m)

    # forward
    s1 = X @ W1 + b1  # (m, n_hidden)
    kept = (np.random.rand(*s1.shape) < KEEP) / KEEP
    h = leaky_relu(s1) * kept
    scores = h @ W2 + b2  # (m, 10)
    p = softmax(scores)
    data_loss = -np.log(p[rows, y] + 1e-12).mean()
    loss = data_loss + 0.5 * REG * (np.sum(W1 * W1) + np.sum(W2 * W2))

    # backward
    dscores = p.copy()
    dscores[rows, y] -= 1
    dscores /= m
    dW2 = h.T @ dscores
    db2 = dscores.sum(axis=0)
    dh = dscores @ W2.T * kept
    ds1 = np.where(s1 > 0, dh, SLOPE * dh)
    dW1 = X.T @ ds1
    db1 = ds1.sum(axis=0)
    dW1 += REG * W1
    dW2 += REG * W2
    return loss, dW1, db1, dW2, db2


def predict(X, W1, b1, W2, b2):
    h = leaky_relu(X @ W1 + b1)
    return np.argmax(h @ W2 + b2, axis=1)


def fit(X, y, W1, b1, W2, b2, epochs=10, batch_size=50, lr=0.1):
    for epoch in range(epochs):
        shuffled = np.random.permutation(len(X))
        total = 0.0
        for i in range(0, len(X), batch_size):
            batch = shuffled[i : i + batch_size]
            loss, dW1, db1, dW2, db2 = loss_and_gradients(X[batch], y[batch], W1, b1, W2, b2)
            W1 = W1 - lr * dW1
            b1 = b1 - lr * db1
            W2 = W2 - lr * dW2
            b2 = b2 - lr * db2
            total += loss * len(batch)
        print(f"epoch {epoch + 1}: loss {total / len(X):.4f}")
    return W1, b1, W2, b2


def main():
    train, test = load_mnist()
    X, y = prepare(train.images[:10000], train.labels[:10000])
    X_test, y_test = prepare(test.images, test.labels)
    np.random.seed(5)
    parameters = fit(X, y, *init(784, 64, 10))
    right = predict(X_test, *parameters) == y_test
    print(f"test accuracy: {100 * right.mean():.2f}%")


if __name__ == "__main__":
    main()
