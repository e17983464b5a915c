"""Arithmetic on bytes wraps around."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="uint8-arithmetic",
    stage="data",
    name=Text(en="Arithmetic on bytes", fr="Des calculs sur des octets"),
    hints=(
        Text(
            en="Look at the dtype of the images and labels on the first line that computes with them.",
            fr="Regarder le dtype des images et des étiquettes sur la première ligne qui calcule avec elles.",
        ),
        Text(
            en="A uint8 only knows the numbers from 0 to 255 and starts again at the other end: 200 + 100 gives 44, and 3 − 5 gives 254. On paper, take the pixels 10 and 200 and follow them through the line, first as numbers, then modulo 256.",
            fr="Un uint8 ne connaît que les nombres de 0 à 255 et recommence à l’autre bout : 200 + 100 donne 44, et 3 − 5 donne 254. Sur le papier, prendre les pixels 10 et 200 et les suivre dans la ligne, d’abord comme des nombres, puis modulo 256.",
        ),
        Text(
            en="Convert before computing: `X = X.astype(np.float32) / 255` for images, `labels = labels.astype(int)` for labels that are subtracted or multiplied.",
            fr="Convertir avant de calculer : `X = X.astype(np.float32) / 255` pour les images, `labels = labels.astype(int)` pour les étiquettes qui sont soustraites ou multipliées.",
        ),
    ),
    lesson="1-data-and-neurons",
    examples={
        "classe": {
            ".reshape(images.shape[0], -1).astype(float)": ".reshape(images.shape[0], -1)",
        },
        "profond": {
            ".reshape(images.shape[0], -1).T.astype(np.float64)": ".reshape(images.shape[0], -1).T",
        },
        "couches": {
            "X = (pixels.astype(np.float64) - 127) / 128": "X = (pixels - 127) / 128",
        },
    },
)
