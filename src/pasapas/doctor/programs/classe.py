"""Un réseau de neurones à trois couches, sous forme de classe."""

import numpy as np

from pasapas import load_mnist


def sigmoide(Z):
    return 1 / (1 + np.exp(-Z))


def derivee_sigmoide(A):
    """La dérivée de la sigmoïde, à partir de sa valeur A."""
    return A * (1 - A)


def un_parmi_n(chiffres, n_classes=10):
    Y = np.zeros((chiffres.shape[0], n_classes))
    for ligne, chiffre in enumerate(chiffres):
        Y[ligne, chiffre] = 1
    return Y


def charger_donnees(n_images=10000):
    entrainement, test = load_mnist()
    X = normaliser(entrainement.images[:n_images])
    Y = un_parmi_n(entrainement.labels[:n_images])
    return X, Y, normaliser(test.images), test.labels


def normaliser(images):
    """Des pixels de 0 à 255 à des nombres de −1 à 1."""
    pixels = images.reshape(images.shape[0], -1).astype(float)
    return (pixels - 128) / 128


class ReseauDeNeurones:
    def __init__(self, n_entrees=784, n_cachees=64, n_sorties=10, taux=0.5, lambda_l2=0.0001, graine=0):
        rng = np.random.default_rng(graine)
        self.W1 = rng.normal(0, 1 / np.sqrt(n_entrees), (n_entrees, n_cachees))
        self.b1 = np.zeros((1, n_cachees))
        self.W2 = rng.normal(0, 1 / np.sqrt(n_cachees), (n_cachees, n_cachees))
        self.b2 = np.zeros((1, n_cachees))
        self.W3 = rng.normal(0, 1 / np.sqrt(n_cachees), (n_cachees, n_sorties))
        self.b3 = np.zeros((1, n_sorties))
        self.taux = taux
        self.lambda_l2 = lambda_l2

    def propagation_avant(self, X):
        self.Z1 = X @ self.W1 + self.b1
        self.A1 = sigmoide(self.Z1)
        self.Z2 = self.A1 @ self.W2 + self.b2
        self.A2 = sigmoide(self.Z2)
        self.Z3 = self.A2 @ self.W3 + self.b3
        exp = np.exp(self.Z3 - self.Z3.max(axis=1, keepdims=True))
        self.A3 = exp / exp.sum(axis=1, keepdims=True)
        return self.A3

    def cout(self, Y):
        """L'entropie croisée moyenne, plus la pénalité L2 sur les poids."""
        entropie = -np.sum(Y * np.log(self.A3 + 1e-12)) / Y.shape[0]
        carres = np.sum(self.W1**2) + np.sum(self.W2**2) + np.sum(self.W3**2)
        return entropie + self.lambda_l2 / 2 * carres

    def retropropagation(self, X, Y):
        m = X.shape[0]
        delta3 = self.A3 - Y
        self.dW3 = self.A2.T @ delta3 / m + self.lambda_l2 * self.W3
        self.db3 = delta3.sum(axis=0, keepdims=True) / m

        delta2 = (delta3 @ self.W3.T) * derivee_sigmoide(self.A2)
        self.dW2 = self.A1.T @ delta2 / m + self.lambda_l2 * self.W2
        self.db2 = delta2.sum(axis=0, keepdims=True) / m

        delta1 = (delta2 @ self.W2.T) * derivee_sigmoide(self.A1)
        self.dW1 = X.T @ delta1 / m + self.lambda_l2 * self.W1
        self.db1 = delta1.sum(axis=0, keepdims=True) / m

    def mettre_a_jour(self):
        self.W1 -= self.taux * self.dW1
        self.b1 -= self.taux * self.db1
        self.W2 -= self.taux * self.dW2
        self.b2 -= self.taux * self.db2
        self.W3 -= self.taux * self.dW3
        self.b3 -= self.taux * self.db3

    def entrainer(self, X, Y, epoques=12, taille_lot=32):
        melange = np.random.default_rng(1)
        for epoque in range(epoques):
            ordre = melange.permutation(len(X))
            cout_total = 0
            for debut in range(0, len(X), taille_lot):
                lot = ordre[debut : debut + taille_lot]
                X_lot, Y_lot = X[lot], Y[lot]
                self.propagation_avant(X_lot)
                cout_total += self.cout(Y_lot) * len(lot)
                self.retropropagation(X_lot, Y_lot)
                self.mettre_a_jour()
            print(f"Époque {epoque + 1} : coût {cout_total / len(X):.4f}")

    def predire(self, X):
        return np.argmax(self.propagation_avant(X), axis=1)

    def exactitude(self, X, chiffres):
        return np.mean(self.predire(X) == chiffres)


if __name__ == "__main__":
    X_train, Y_train, X_test, chiffres_test = charger_donnees()
    reseau = ReseauDeNeurones()
    reseau.entrainer(X_train, Y_train)
    print(f"Exactitude sur les images de test : {100 * reseau.exactitude(X_test, chiffres_test):.2f} %")
