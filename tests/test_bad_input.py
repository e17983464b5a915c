"""One clear sentence for everything that cannot be, in both languages, with exit status 2 and nothing left behind."""

from __future__ import annotations

import os
import pickle
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pasapas import i18n, mlp
from pasapas.models import Model


def huge_png() -> bytes:
    """A header that promises 100,000 × 100,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


class Runs:
    def __reduce__(self):
        return os.system, ("touch it-ran",)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Everything that the table below names."""
    network = mlp(784, 8, 10)
    Model(network, network.initialize()).save(tmp_path / "good.safetensors")
    good = (tmp_path / "good.safetensors").read_bytes()
    broken = network.initialize()
    broken[0]["W"][3, 4] = np.nan
    Model(network, broken).save(tmp_path / "nan.safetensors")
    other = mlp(100, 10)
    Model(other, other.initialize()).save(tmp_path / "hundred.safetensors")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "cut.safetensors").write_bytes(good[:-100])
    (tmp_path / "terabyte.safetensors").write_bytes(struct.pack("<Q", 2**40) + good[8:])
    (tmp_path / "foreign.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"W1": Runs()}))
    (tmp_path / "text.pkl").write_text("no pickle")
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "huge.png").write_bytes(huge_png())
    Image.new("L", (60, 60), 255).save(tmp_path / "blank.png")
    Image.fromarray(np.eye(60, dtype=np.uint8) * 255).save(tmp_path / "line.png")
    (tmp_path / "bad.toml").write_text("epochs = -3")
    (tmp_path / "no.toml").write_text("what?")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "not-a-run").mkdir()
    (tmp_path / "broken-run").mkdir()
    (tmp_path / "broken-run" / "checkpoint.safetensors").write_bytes(good)
    return tmp_path


TABLE = [
    # numbers
    ("train --epochs 0", "--epochs"),
    ("train --epochs -1", "-1"),
    ("train --epochs 2.5", "2.5"),
    ("train --epochs nan", "nan"),
    ("train --epochs 99999999999", "99999999999"),
    ("train --batch-size 0", "--batch-size"),
    ("train --batch-size -3", "-3"),
    ("train --learning-rate 0", "--learning-rate"),
    ("train --learning-rate -0.1", "-0.1"),
    ("train --learning-rate nan", "nan"),
    ("train --learning-rate inf", "inf"),
    ("train --learning-rate much", "much"),
    ("train --dropout 1", "--dropout"),
    ("train --dropout 2", "2"),
    ("train --input-dropout -0.5", "-0.5"),
    ("train --hidden 0", "--hidden"),
    ("train --hidden 1000000000", "1000000000"),
    ("train --hidden 100000,100000", "784-100000-100000-10"),
    ("train --hidden 128,,64", "128,,64"),
    ("train --hidden many", "many"),
    ("train --seed -1", "--seed"),
    ("train --threads 0", "--threads"),
    ("train --threads two", "two"),
    ("train --threads 1000000", "1000000"),
    ("train --momentum 1", "--momentum"),
    ("train --l2 -1", "--l2"),
    ("train --train-images 70000", "--train-images"),
    ("train --validation-images 60000", "--validation-images"),
    ("train --train-images 100 --validation-images 100", "validation_images = 100"),
    ("train --train-images 100 --drop-last --batch-size 128", "128"),
    ("train --warmup-epochs 50", "warmup_epochs"),
    ("train --patience 3", "patience"),
    ("train --keep best", "keep"),
    ("predict --unsure-below 1.5 --index 0", "--unsure-below"),
    ("predict --unsure-below -0.1 --index 0", "-0.1"),
    ("predict --unsure-below nan --index 0", "nan"),
    ("predict --unsure-below much --index 0", "much"),
    # names
    ("train --activation rleu", "'relu'"),
    ("train --optimizer adm", "'adam'"),
    ("train --schedule cosinus", "'cosine'"),
    ("train --initializer xaver", "'xavier'"),
    ("train --dtype float16", "float16"),
    ("train --recipe lesson3", "'lesson-3'"),
    ("train --recipe nowhere.toml", "nowhere.toml"),
    ("train --recipe bad.toml", "epochs"),
    ("train --recipe no.toml", "no.toml"),
    ("train --recipe folder/", "folder"),
    ("recipes thorogh", "'thorough'"),
    ("trian", "'train'"),
    ("train --epoch 3", "'--epochs'"),
    ("train --epochs", "pasapas train --help"),
    ("train something", "something"),
    ("train --quiet=3", "--quiet"),
    ("recipes a b", "b"),
    # folders
    ("train --output file", "file"),
    ("train --output file/below", "file/below"),
    ("train --output /proc/nothing", "/proc/nothing"),
    ("train --resume nowhere", "nowhere"),
    ("train --resume not-a-run", "not-a-run"),
    ("train --resume broken-run", "broken-run"),
    ("train --resume not-a-run --output other", "--output"),
    # models
    ("evaluate nowhere.safetensors", "nowhere.safetensors"),
    ("evaluate god.safetensors", "'good.safetensors'"),
    ("evaluate folder", "model.safetensors"),
    ("evaluate empty.safetensors", "empty.safetensors"),
    ("evaluate cut.safetensors", "cut.safetensors"),
    ("evaluate terabyte.safetensors", "terabyte.safetensors"),
    ("evaluate foreign.safetensors", "foreign.safetensors"),
    ("evaluate nan.safetensors", "NaN"),
    ("evaluate hundred.safetensors", "100"),
    ("evaluate note.txt", "note.txt"),
    ("evaluate evil.pkl", "system"),
    ("evaluate text.pkl", "text.pkl"),
    ("evaluate good.safetensors --figures file", "file"),
    ("evaluate good.safetensors extra", "extra"),
    # pictures
    ("predict good.safetensors nowhere.png", "nowhere.png"),
    ("predict good.safetensors note.txt", "note.txt"),
    ("predict good.safetensors cut.png", "cut.png"),
    ("predict good.safetensors huge.png", "huge.png"),
    ("predict good.safetensors blank.png", ""),
    ("predict good.safetensors --index 10000", "10000"),
    ("predict good.safetensors --index -1", "-1"),
    ("predict good.safetensors --index one", "one"),
    ("predict good.safetensors line.png --index 3", "--index"),
    ("predict good.safetensors --show", "--show"),
    ("predict good.safetensors --index 1 --figure answer.gif", "answer.gif"),
    ("predict good.safetensors --index 1 --figure nowhere/answer.png", "nowhere"),
    ("predict hundred.safetensors --index 1", "100"),
    ("data --figure mnist.txt", "mnist.txt"),
]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(("command", "names"), TABLE, ids=[command for command, _ in TABLE])
def test_one_sentence(command, names, language, refuses, files):
    refuses(command, names, language)


def test_a_language_that_is_not_spoken(run):
    ran = run("train", "--lang", "de")
    assert ran.status == 2
    assert "'de'" in ran.err


def test_resume_from_another_recipe(run):
    small = ("--train-images", 500, "--test-images", 100, "--hidden", 8, "--epochs", 1, "--no-figures", "--quiet")
    assert run("train", *small, "--output", "a").status == 0
    before = Path("a/model.safetensors").read_bytes()
    for other in (("--recipe", "lesson-3"), ("--seed", 1), ("--hidden", "9"), ("--learning-rate", 0.3)):
        ran = run("train", "--resume", "a", *other, "--no-figures")
        assert ran.status == 2
        assert "goes on only with the recipe that it began with" in ran.err
    assert Path("a/model.safetensors").read_bytes() == before
    assert run("train", "--output", "a", *small).status == 2


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # of JAX, if other tests have loaded it
def test_a_disk_that_fills_up_while_saving(tmp_path):
    """A limit on file sizes stands in for the full disk: the system refuses the write half-way."""
    command = [sys.executable, "-m", "pasapas", "train", "--train-images", "500", "--epochs", "1", "--no-figures"]
    done = subprocess.run(
        [*command, "--hidden", "256", "--output", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        env={**os.environ, "PASAPAS_LANG": "en"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Cannot write")
    assert "the file would be larger than is allowed here" in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"recipe.toml", "run.json"}


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_divergence(run, language):
    ran = run("train", "--l2", 10, "--learning-rate", 100, "--no-figures", "--output", "a", "--lang", language)
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert ("époque" if language == "fr" else "epoch") in ran.err
    assert not Path("a/model.safetensors").exists()


def test_an_evil_pickle_is_not_run(run, files):
    assert run("predict", "evil.pkl", "--index", 1).status == 2
    assert not (files / "it-ran").exists()
