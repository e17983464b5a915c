"""Pixels are cut into samples elsewhere than between images: a reshape in place of a transpose."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="images-scrambled",
    stage="data",
    name=Text(
        en="Each sample is made of pieces of many images",
        fr="Chaque exemple est fait de morceaux de plusieurs images",
    ),
    hints=(
        Text(
            en="Show one sample of X as a picture, `plt.imshow(sample.reshape(28, 28))`. Is it a digit?",
            fr="Afficher un exemple de X comme une image, `plt.imshow(exemple.reshape(28, 28))`. Est-ce un chiffre ?",
        ),
        Text(
            en="`reshape` turns nothing: it reads the numbers row after row, as they are stored, and only ends the rows elsewhere. On paper, two images of three pixels, [[1, 2, 3], [4, 5, 6]]: write down `.reshape(3, 2)` and `.T`. In which of the two does (1, 2, 3) stand together?",
            fr="`reshape` ne tourne rien : il lit les nombres ligne après ligne, comme ils sont rangés, et ne fait que couper les lignes ailleurs. Sur le papier, deux images de trois pixels, [[1, 2, 3], [4, 5, 6]] : écrire `.reshape(3, 2)` et `.T`. Dans lequel des deux (1, 2, 3) restent-ils ensemble ?",
        ),
        Text(
            en="Give each image a row first, `X = images.reshape(len(images), -1)`; where samples stand in columns, transpose after that, `X = images.reshape(len(images), -1).T`.",
            fr="Donner d’abord une ligne à chaque image, `X = images.reshape(len(images), -1)` ; si les exemples sont en colonnes, transposer ensuite, `X = images.reshape(len(images), -1).T`.",
        ),
    ),
    lesson="1-data-and-neurons",
    examples={
        "profond": {
            "images.reshape(images.shape[0], -1).T": "images.reshape(-1, images.shape[0])",
        },
        "lesson": {
            "images.reshape(len(images), 784)": "images.reshape(784, len(images)).T",
        },
        "tanh": {
            "images.reshape(-1, 28 * 28)": "images.reshape(28 * 28, -1).T",
        },
        "couches": {
            "dataset.images[:n_images].reshape(-1, 784)": "dataset.images[:n_images].reshape(784, -1).T",
        },
    },
)
