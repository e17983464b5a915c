"""Pixels from 0 to 255 go in as they are."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="inputs-not-scaled",
    stage="data",
    name=Text(en="The inputs are not scaled", fr="Les entrées ne sont pas mises à l’échelle"),
    hints=(
        Text(
            en="Look at X before it enters the network: its smallest value, its largest, its mean.",
            fr="Regarder X avant son entrée dans le réseau : sa plus petite valeur, la plus grande, la moyenne.",
        ),
        Text(
            en="Pixels from 0 to 255 make scores of several hundred, so units saturate, softmax is certain before it has learnt anything, and the gradient of W1 is 255 times as large as with pixels from 0 to 1. On paper, 784 pixels of about 100 with weights of about ±0.05 make a sum of about 0.05 · 100 · √784 = 140, and tanh is flat from 3 on.",
            fr="Des pixels de 0 à 255 font des scores de plusieurs centaines, donc les neurones saturent, softmax est sûr de lui avant d’avoir rien appris, et le gradient de W1 est 255 fois plus grand qu’avec des pixels de 0 à 1. Sur le papier, 784 pixels d’environ 100 avec des poids d’environ ±0,05 font une somme d’environ 0,05 · 100 · √784 = 140, et tanh est plate dès 3.",
        ),
        Text(
            en="Bring the pixels to 0…1 as floating-point numbers, `X = X / 255.0`, for training and for testing alike.",
            fr="Ramener les pixels entre 0 et 1, en nombres à virgule, `X = X / 255.0`, pour l’entraînement comme pour le test.",
        ),
    ),
    lesson="1-data-and-neurons",
    examples={
        "lesson": {
            "X = images.reshape(len(images), 784) / 255": "X = images.reshape(len(images), 784)",
        },
        "tanh": {
            "    X /= 255.0\n": "",
        },
        "classe": {
            "return (pixels - 128) / 128": "return pixels",
        },
        "entiers": {
            ".reshape(-1, 784) / 255.0": ".reshape(-1, 784)",
        },
        "binaire": {
            "X = images.reshape(-1, 784) / 255.0": "X = images.reshape(-1, 784)",
        },
    },
)
