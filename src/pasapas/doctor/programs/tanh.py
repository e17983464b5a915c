"""Un perceptron à une couche cachée (tanh) entraîné sur MNIST par descente de gradient."""

import numpy as np

from pasapas import load_mnist


def prepare(images, labels):
    X = images.reshape(-1, 28 * 28).astype(np.float64)
    X /= 255.0
    Y = np.eye(10)[labels]
    return X, Y


def init_params(nx, nh, ny):
    W1 = np.random.normal(0, 0.05, (nh, nx))
    b1 = np.zeros((nh, 1))
    W2 = np.random.normal(0, 0.1, (ny, nh))
    b2 = np.zeros((ny, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def softmax(Z):
    Z = Z - np.max(Z, axis=1, keepdims=True)
    expZ = np.exp(Z)
    return expZ / np.sum(expZ, axis=1, keepdims=True)


def forward(params, X):
    """Une image par ligne de X ; un neurone par ligne de W1 et de W2."""
    Z1 = np.dot(X, params["W1"].T) + params["b1"].T
    A1 = np.tanh(Z1)
    Z2 = np.dot(A1, params["W2"].T) + params["b2"].T
    Yhat = softmax(Z2)
    return Yhat, Z1, A1


def loss_accuracy(Yhat, Y):
    log_probabilities = np.log(Yhat + 1e-10)
    loss = -np.mean(np.sum(Y * log_probabilities, axis=1))
    accuracy = 100 * np.mean(Yhat.argmax(axis=1) == Y.argmax(axis=1))
    return loss, accuracy


def backward(params, outputs, Y, X):
    Yhat, Z1, A1 = outputs
    m = X.shape[0]

    delta2 = (Yhat - Y) / m
    dW2 = np.dot(delta2.T, A1)
    db2 = np.sum(delta2, axis=0).reshape(-1, 1)

    dA1 = np.dot(delta2, params["W2"])
    delta1 = dA1 * (1 - np.tanh(Z1) ** 2)
    dW1 = np.dot(delta1.T, X)
    db1 = np.sum(delta1, axis=0).reshape(-1, 1)

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def sgd(params, grads, eta):
    for key in params:
        params[key] -= eta * grads[key]


def train(params, X, Y, epochs=10, mini_batch_size=50, eta=0.1):
    for epoch in range(epochs):
        order = np.random.permutation(X.shape[0])
        X_mixed, Y_mixed = X[order], Y[order]
        losses, accuracies = [], []
        for i in range(0, X.shape[0], mini_batch_size):
            X_batch = X_mixed[i : i + mini_batch_size]
            Y_batch = Y_mixed[i : i + mini_batch_size]
            outputs = forward(params, X_batch)
            grads = backward(params, outputs, Y_batch, X_batch)
            sgd(params, grads, eta)
            loss, accuracy = loss_accuracy(outputs[0], Y_batch)
            losses.append(loss)
            accuracies.append(accuracy)
        print(f"époque {epoch + 1} : perte {np.mean(losses):.4f}, exactitude {np.mean(accuracies):.1f} %")
    return params


if __name__ == "__main__":
    np.random.seed(1)
    mnist_train, mnist_test = load_mnist()
    X_train, Y_train = prepare(mnist_train.images[:10000], mnist_train.labels[:10000])
    X_test, Y_test = prepare(mnist_test.images, mnist_test.labels)
    params = train(init_params(784, 64, 10), X_train, Y_train)
    test_loss, test_accuracy = loss_accuracy(forward(params, X_test)[0], Y_test)
    print(f"sur les images de test : perte {test_loss:.4f}, exactitude {test_accuracy:.2f} %")
