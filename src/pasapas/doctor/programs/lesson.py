"""A network with one hidden layer that learns to read MNIST's digits."""

import numpy as np

from pasapas import load_mnist


def relu(Z):
    return np.maximum(0, Z)


def softmax(Z):
    exponentials = np.exp(Z - Z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def one_hot_encode(y, n_classes=10):
    encoded = np.zeros((len(y), n_classes))
    encoded[np.arange(len(y)), y] = 1
    return encoded


def prepare(images, labels):
    """Pictures of 28 × 28 bytes to rows of 784 numbers, digits to one-hot rows."""
    X = images.reshape(len(images), 784) / 255
    Y = one_hot_encode(labels)
    return X, Y


def initialize_parameters(layer_dims):
    rng = np.random.default_rng(42)
    parameters = {}
    for k in range(1, len(layer_dims)):
        n_in, n_out = layer_dims[k - 1], layer_dims[k]
        parameters[f"W{k}"] = rng.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)
        parameters[f"b{k}"] = np.zeros((1, n_out))
    return parameters


def forward_propagation(X, parameters):
    Z1 = X @ parameters["W1"] + parameters["b1"]  # (m, n_hidden)
    A1 = relu(Z1)
    Z2 = A1 @ parameters["W2"] + parameters["b2"]  # (m, 10)
    A2 = softmax(Z2)
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def cross_entropy_loss(y_true, y_pred):
    y_pred = np.clip(y_pred, 1e-12, 1)
    return -np.sum(y_true * np.log(y_pred)) / len(y_true)


def backward_propagation(X, Y, parameters, cache):
    m = X.shape[0]
    Z1, A1, A2 = cache["Z1"], cache["A1"], cache["A2"]
    W2 = parameters["W2"]

    # output layer: softmax and cross-entropy together
    dZ2 = A2 - Y  # (m, 10)
    dW2 = A1.T @ dZ2 / m  # (n_hidden, 10)
    db2 = np.sum(dZ2, axis=0, keepdims=True) / m  # (1, 10)

    # hidden layer
    dA1 = dZ2 @ W2.T  # (m, n_hidden)
    dZ1 = dA1 * (Z1 > 0)
    dW1 = X.T @ dZ1 / m  # (784, n_hidden)
    db1 = np.sum(dZ1, axis=0, keepdims=True) / m  # (1, n_hidden)

    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def update_parameters(parameters, gradients, learning_rate):
    updated = {}
    for name in parameters:
        updated[name] = parameters[name] - learning_rate * gradients["d" + name]
    return updated


def train_one_epoch(X, Y, parameters, learning_rate, batch_size):
    order = np.random.permutation(len(X))
    X, Y = X[order], Y[order]
    losses = []
    for start in range(0, len(X) - batch_size + 1, batch_size):
        X_batch = X[start : start + batch_size]
        Y_batch = Y[start : start + batch_size]
        predictions, cache = forward_propagation(X_batch, parameters)
        losses.append(cross_entropy_loss(Y_batch, predictions))
        gradients = backward_propagation(X_batch, Y_batch, parameters, cache)
        parameters = update_parameters(parameters, gradients, learning_rate)
    return parameters, np.mean(losses)


def compute_accuracy(X, y, parameters):
    probabilities, _ = forward_propagation(X, parameters)
    return np.mean(np.argmax(probabilities, axis=1) == y)


def main():
    train, test = load_mnist()
    X_train, Y_train = prepare(train.images[:10000], train.labels[:10000])
    X_test, _ = prepare(test.images, test.labels)
    np.random.seed(0)
    parameters = initialize_parameters([784, 64, 10])
    for epoch in range(10):
        parameters, loss = train_one_epoch(X_train, Y_train, parameters, learning_rate=0.1, batch_size=64)
        print(f"Epoch {epoch + 1}: loss {loss:.4f}")
    print(f"Test accuracy: {compute_accuracy(X_test, test.labels, parameters):.2%}")


if __name__ == "__main__":
    main()
