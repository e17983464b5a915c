"""Pair ou impair ? Une seule sortie, sigmoïde, et l'entropie croisée binaire."""

import numpy as np

from pasapas import load_mnist


def preparer(images, chiffres):
    """Renvoie X (m, 784) et y (m, 1), qui vaut 1 où le chiffre est impair."""
    X = images.reshape(-1, 784) / 255.0
    y = (chiffres % 2).astype(float).reshape(-1, 1)
    return X, y


def initialiser(n_entrees, n_caches, graine=0):
    rng = np.random.default_rng(graine)
    W1 = rng.normal(0, np.sqrt(1 / n_entrees), (n_entrees, n_caches))
    b1 = np.zeros(n_caches)
    W2 = rng.normal(0, np.sqrt(1 / n_caches), (n_caches, 1))
    b2 = np.zeros(1)
    return [W1, b1, W2, b2]


def sigmoide(Z):
    return 1.0 / (1.0 + np.exp(-Z))


def propager(X, parametres):
    W1, b1, W2, b2 = parametres
    A1 = np.tanh(X @ W1 + b1)  # (m, n_caches)
    A2 = sigmoide(A1 @ W2 + b2)  # (m, 1)
    return A1, A2


def perte(y, A2):
    proba = np.clip(A2, 1e-12, 1 - 1e-12)
    return -np.mean(y * np.log(proba) + (1 - y) * np.log(1 - proba))


def gradients(X, y, parametres, A1, A2):
    """Les gradients de la perte, dans l'ordre des paramètres."""
    m = y.shape[0]
    W2 = parametres[2]
    dZ2 = (A2 - y) / m
    dW2 = A1.T @ dZ2
    db2 = np.sum(dZ2, axis=0)
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * (1 - A1 * A1)
    dW1 = X.T @ dZ1
    db1 = np.sum(dZ1, axis=0)
    return [dW1, db1, dW2, db2]


def mettre_a_jour(parametres, derivees, taux):
    return [p - taux * d for p, d in zip(parametres, derivees, strict=True)]


def entrainer(X, y, parametres, epoques=10, taille_lot=50, taux=0.2):
    for epoque in range(epoques):
        ordre = np.random.permutation(X.shape[0])
        pertes = []
        for debut in range(0, X.shape[0], taille_lot):
            lot = ordre[debut : debut + taille_lot]
            A1, A2 = propager(X[lot], parametres)
            pertes.append(perte(y[lot], A2))
            derivees = gradients(X[lot], y[lot], parametres, A1, A2)
            parametres = mettre_a_jour(parametres, derivees, taux)
        print(f"Époque {epoque + 1} : perte {np.mean(pertes):.4f}")
    return parametres


def exactitude(X, y, parametres):
    _, A2 = propager(X, parametres)
    return np.mean((A2 > 0.5) == (y == 1))


if __name__ == "__main__":
    np.random.seed(2)
    base, test = load_mnist()
    X_train, y_train = preparer(base.images[:10000], base.labels[:10000])
    X_test, y_test = preparer(test.images, test.labels)
    appris = entrainer(X_train, y_train, initialiser(784, 64))
    print(f"Exactitude sur les images de test : {100 * exactitude(X_test, y_test, appris):.2f} %")
