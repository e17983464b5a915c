from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pasapas import Dataset, PasapasError, Recipe, fit, load, mlp, runs, train, training
from pasapas.backends.distributed import Meeting, World
from pasapas.cli.train import Checkpoints
from pasapas.data import mapped_idx, read_idx
from pasapas.recipes.definition import as_text

pytest.importorskip("jax", reason="JAX is not installed")

PLAIN = {
    "train_images": 2000, "test_images": 500, "hidden": (16,), "batch_size": 96, "dropout": 0.2, "epochs": 3, "engine": "jax",
    "schedule": "constant", "learning_rate": 0.05,
}  # fmt: skip
ALL = {
    **PLAIN, "validation_images": 300, "rotation": 10.0, "elastic": 20.0, "averaging": 0.5, "keep": "best", "optimizer": "adam",
    "learning_rate": 0.003, "training_accuracy": "after",
}  # fmt: skip
ENDLESS = ["--engine=jax", "--train-images=1000", "--hidden=8", "--batch-size=100", "--epochs=100000"]
GONE = "Error: Another process of this training is gone, or cannot be reached any more: go on from the last checkpoint with --resume.\n"


def as_options(fields) -> list[str]:
    return [f"--{name.replace('_', '-')}={as_text(value)}" for name, value in fields.items()]


@cache
def alone(everything: bool):
    return train("default", **(ALL if everything else PLAIN), quiet=True)


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def started(
    n: int, folder: Path, *options: str, each=lambda i: (), address: str | None = None
) -> list[subprocess.Popen]:
    """`pasapas train --distributed` in n processes, each in an empty folder of its own."""
    address = address or f"127.0.0.1:{free_port()}"
    processes = []
    for i in range(n):
        place = folder / f"host-{i}"
        place.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pasapas", "train", "--distributed", "--no-figures", *options, *each(i)]
        command += ["--coordinator", address, "--processes", str(n), "--process", str(i)]
        processes.append(
            subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    return processes


def ended(processes: list[subprocess.Popen], timeout: int = 120) -> list[tuple[int, str, str]]:
    try:
        said = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *words) for process, words in zip(processes, said, strict=True)]


def farthest(a, b) -> float:
    pairs = zip(filter(None, a), filter(None, b), strict=True)  # the layers with parameters
    return max(float(np.abs(p[name] - q[name]).max()) for p, q in pairs for name in p)


def history(folder: Path) -> list[list[float]]:
    epochs = json.loads((folder / "history.json").read_text())["epochs"]
    return [[value for name, value in epoch.items() if value is not None and name != "seconds"] for epoch in epochs]


def expected(result) -> list[list[float]]:
    fields = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")
    rows = ([getattr(epoch, name) for name in fields] for epoch in result.history)
    return [[value for value in row if value is not None] for row in rows]


@pytest.mark.parametrize(("n", "everything"), [(2, True), (4, False)])
def test_processes_give_the_result_of_one(n, everything, tmp_path):
    options = as_options(ALL if everything else PLAIN)
    (status, out, err), *others = ended(started(n, tmp_path, *options, "--output=run"))
    assert (status, err) == (0, "")
    assert f"Each batch is shared by {n} devices in {n} processes." in out
    assert others == [(0, "", "")] * (n - 1)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("host-*/*")] == ["host-0/run"]
    assert farthest(alone(everything).model.params, load(tmp_path / "host-0" / "run").params) < 2e-6
    np.testing.assert_allclose(history(tmp_path / "host-0" / "run"), expected(alone(everything)), rtol=1e-5)


def test_a_run_goes_on_in_more_processes_from_the_disk_of_one(tmp_path):
    first = ended(started(2, tmp_path, *as_options({**PLAIN, "epochs": 2}), "--output=run", "--json"))
    assert [status for status, _out, _err in first] == [0, 0]
    assert len(json.loads(first[0][1])["epochs"]) == 2
    resumed = ended(started(3, tmp_path, "--epochs=3", "--resume=run", "--quiet"))
    assert resumed == [(0, "", "")] * 3
    assert not (tmp_path / "host-1" / "run").exists()
    assert farthest(alone(False).model.params, load(tmp_path / "host-0" / "run").params) < 2e-6


def test_open_mpi_is_recognized(tmp_path):
    code = """if True:
        import pasapas.backends.distributed as d
        world = d.meet(d.Meeting())
        print(world.processes, world.gather(f"I am {world.process}"), d.anywhere(world.process == 1), d.anywhere(False))
        world.leave()
    """
    launched = {"OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://127.0.0.1:34911", "JAX_COORDINATOR_PORT": str(free_port())}
    launched |= {"OMPI_COMM_WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **launched, "OMPI_COMM_WORLD_RANK": str(i), "OMPI_COMM_WORLD_LOCAL_RANK": str(i)},
        )
        for i in range(2)
    ]
    for status, out, err in ended(processes):
        assert status == 0, err
        assert "2 ['I am 0', 'I am 1'] True False" in out


@pytest.mark.parametrize(("victim", "number", "its_own"), [(0, signal.SIGKILL, -9), (1, signal.SIGTERM, 143)])
def test_a_killed_process_ends_the_others_with_a_sentence(victim, number, its_own, tmp_path):
    processes = started(2, tmp_path, *ENDLESS, "--output=run")
    checkpoint = tmp_path / "host-0" / "run" / runs.CHECKPOINT
    deadline = time.monotonic() + 90
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    processes[victim].send_signal(number)
    after = ended(processes, timeout=60)
    assert (after[victim][0], after[victim][2]) == (its_own, "")
    status, _out, err = after[1 - victim]
    assert (status, err) == (1, GONE)
    recipe, progress = runs.load_checkpoint(checkpoint.parent)
    assert progress.epochs >= 1
    assert recipe.epochs == 100_000


def test_ctrl_c_on_one_process_ends_all_and_saves(tmp_path):
    processes = started(2, tmp_path, *ENDLESS, "--output=run")
    deadline = time.monotonic() + 90
    while not (tmp_path / "host-0" / "run" / runs.CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    processes[1].send_signal(signal.SIGINT)
    after = ended(processes, timeout=60)
    assert [(status, err) for status, _out, err in after] == [(130, "")] * 2
    _recipe, progress = runs.load_checkpoint(tmp_path / "host-0" / "run")
    assert f"Interrupted after {progress.epochs}" in after[0][1]


DEAF = """
import signal, sys, time
from pasapas.backends.distributed import Ended, divide
mine = divide()
if isinstance(mine, Ended):
    sys.exit(mine.status)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def test_ctrl_c_three_times_ends_a_process_that_hears_nothing():
    process = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    for _time in range(3):
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    assert process.wait(timeout=20) == 130
    process.stdout.close()


def test_processes_that_disagree_are_told_where(tmp_path):
    after = ended(started(2, tmp_path, *ENDLESS, "--output=run", each=lambda i: [f"--seed={i}"]))
    sentence = "Error: Processes disagree: seed is 0 in process 0 and 1 in process 1: start all of them with the same command and the same versions.\n"
    assert after == [(2, "", sentence)] * 2
    assert not list(tmp_path.glob("host-*/*"))


def test_a_process_that_cannot_begin_ends_all(tmp_path):
    (tmp_path / "host-0" / "run").mkdir(parents=True)
    (tmp_path / "host-0" / "run" / runs.CHECKPOINT).touch()
    first, second = ended(started(2, tmp_path, *ENDLESS, "--output=run"))
    sentence = "'run' already holds a run: choose another folder, or go on with it by --resume run.\n"
    assert first == (2, "", f"Error: {sentence}")
    assert second == (2, "", f"Error: Process 0 says: {sentence}")


def test_one_that_resumes_and_one_that_begins_do_not_wait_for_each_other(tmp_path):
    after = ended(started(2, tmp_path, *ENDLESS, each=lambda i: [["--resume=run"], ["--output=run"]][i]), timeout=60)
    sentence = "Error: Processes disagree: --resume is true in process 0 and false in process 1: start all of them with the same command and the same versions.\n"
    assert after == [(2, "", sentence)] * 2


def alone_of_two(address: str, process: int, folder: Path) -> tuple[int, str]:
    options = ["--distributed", "--processes=2", f"--process={process}", f"--coordinator={address}"]
    command = [sys.executable, "-m", "pasapas", "train", *ENDLESS, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=50)
    return done.returncode, done.stderr


def test_a_port_that_is_taken_and_a_host_that_is_unknown(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = alone_of_two(f"127.0.0.1:{port}", 0, tmp_path)
    assert (status, said.count("\n")) == (2, 1)
    assert f"cannot listen on port {port}" in said
    status, said = alone_of_two("nowhere.invalid:1234", 1, tmp_path)
    assert (status, said.count("\n")) == (2, 1)
    assert "'nowhere.invalid'" in said


DIFFERENT = """
import os, sys
from pasapas import PasapasError, train
from pasapas.backends.distributed import Meeting, meet
i = int(sys.argv[2])
meet(Meeting(sys.argv[1], 2, i))
try:
    train("default", engine="jax", distributed=True, quiet=True, hidden=(8,), train_images=1000 - 100 * i, epochs=1)
except PasapasError as error:
    print(error, flush=True)
os._exit(0)
"""


def test_processes_that_disagree_are_told_so_in_python(tmp_path):
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-c", DIFFERENT, address]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    after = ended([subprocess.Popen([*command, str(i)], cwd=tmp_path, **pipes) for i in range(2)], timeout=60)
    for _status, said, _err in after:
        assert "Processes disagree: train_images is 1000 in process 0 and 900 in process 1" in said


def test_processes_that_do_not_meet(tmp_path):
    code = "import sys, pasapas.backends.distributed as d; d._MEETING = 2; from pasapas.cli import main; sys.exit(main(sys.argv[1:]))"
    options = [
        "train",
        *ENDLESS,
        "--distributed",
        "--processes=2",
        "--process=1",
        f"--coordinator=127.0.0.1:{free_port()}",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *options], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "Error: The processes did not all meet within 2 s: start as many as --processes says, each with a number of its own and with the address of process 0.\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("--distributed", "--engine jax"),
        ("--distributed --engine jax --coordinator 10.0.0.1", "'10.0.0.1'"),
        ("--distributed --engine jax --coordinator host:70000", "'host:70000'"),
        ("--distributed --engine jax --coordinator host:1234", "--process"),
        ("--distributed --engine jax --coordinator host:1234 --processes 2", "--process"),
        ("--distributed --engine jax --coordinator host:1234 --processes 2 --process 2", "from 0 to 1"),
        ("--distributed --engine jax --processes 2 --process 1", "--coordinator"),
        ("--distributed --engine jax --coordinator host:1234 --processes two --process 1", "'two'"),
        ("--engine jax --coordinator host:1234 --processes 2 --process 1", "--distributed"),
    ],
)
def test_what_cannot_be_is_refused(options, names, language, refuses):
    refuses(f"train {options}", "0" if names == "from 0 to 1" else names, language)


def test_a_launcher_says_how_many_and_which():
    for size, rank in [("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK")]:
        assert Meeting.of("[::1]:1234", None, None, {size: "8", rank: "3"}) == Meeting("[::1]:1234", 8, 3)
    assert Meeting.of("a:1", 2, 1, {"PMI_SIZE": "8", "PMI_RANK": "3"}) == Meeting("a:1", 2, 1)
    assert Meeting.of(None, None, None, {"PMI_SIZE": "8", "PMI_RANK": "3"}) == Meeting()
    with pytest.raises(PasapasError, match="--processes"):
        Meeting.of("a:1", None, None, {"PMI_SIZE": "8"})


def test_one_process_is_a_world():
    world = World()
    assert world.leads
    assert world.together(lambda: 3) == 3
    assert world.from_first(b"content") == b"content"
    world.agree({"seed": 1})
    with pytest.raises(PasapasError, match="this"):
        world.together(lambda: (_ for _ in ()).throw(PasapasError("this")))


MAPPED = """if True:
    import sys
    import numpy as np
    import jax
    from pasapas import PasapasError, Recipe, fit, load_mnist, mlp, train
    from pasapas.backends import jax as backend
    assert jax.device_count() == 4
    images = np.load(sys.argv[1], mmap_mode="r")
    labels = load_mnist()[0].labels[:700]
    options = dict(engine="jax", epochs=2, batch_size=64, seed=3, quiet=True, test=(images[:333], labels[:333]))
    backend._FED = 3 * 64 * 784
    results = []
    for data in (images, np.array(images)):
        for distributed in (True, False):
            results.append(fit(mlp(784, 9, 10, dropout=0.1), data, labels, distributed=distributed, **options))
    for other in results[1:]:
        for p, q in zip(results[0].model.params, other.model.params):
            for name in p:
                np.testing.assert_allclose(p[name], q[name], atol=1e-6)
        np.testing.assert_allclose(results[0].test, other.test, rtol=1e-5)
    fit(mlp(784, 9, 10), images, labels, distributed=True, engine="jax", epochs=1, batch_size=6, quiet=True)
    try:
        train("default", engine="jax", batch_size=3, distributed=True)
    except PasapasError as error:
        print(error)
"""


def test_four_devices_here_and_mapped_images_give_the_result_of_one(tmp_path, mnist):
    np.save(tmp_path / "images.npy", mnist[0].images[:700])
    flags = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", MAPPED, tmp_path / "images.npy"],
        capture_output=True,
        text=True,
        env=flags,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "A batch_size of 3 leaves some of the 4 devices without an image: choose larger batches or fewer devices.\n"
    )


LARGE = """if True:
    import resource, sys
    import numpy as np
    from pasapas import fit, mlp
    resource.setrlimit(resource.RLIMIT_DATA, (800 << 20, 800 << 20))
    images = np.load(sys.argv[1], mmap_mode="r")
    labels = np.arange(len(images)) % 10
    try:
        np.array(images)
    except MemoryError:
        print("too large")
    fit(mlp(784, 4, 10), images, labels, engine=sys.argv[2], epochs=1, batch_size=1000, quiet=True)
    print("trained")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory without its mapped files")
@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_images_larger_than_the_memory_allowed(engine, tmp_path):
    with (tmp_path / "images.npy").open("wb") as file:  # a gigabyte of zeros that takes no room on disk
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (160_000, 784)})
        file.truncate(file.tell() + 160_000 * 784 * 8)
    code = [sys.executable, "-c", LARGE, tmp_path / "images.npy", engine]
    done = subprocess.run(code, capture_output=True, text=True)
    assert done.stdout == "too large\ntrained\n", done.stderr


@pytest.mark.parametrize(("kind", "dtype"), [(0x08, "u1"), (0x0D, ">f4")])
def test_idx_files_are_mapped(tmp_path, kind, dtype, random):
    values = random.integers(0, 256, (20, 3, 2)).astype(dtype)
    path = tmp_path / "some.idx"
    path.write_bytes(bytes([0, 0, kind, 3]) + np.array(values.shape, ">u4").tobytes() + values.tobytes())
    mapped = mapped_idx(path)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, read_idx(path))
    data = Dataset(mapped, np.arange(20) % 2)
    results = [
        fit(mlp(6, 4, 2), images, data.labels, engine="jax", epochs=1, batch_size=8, quiet=True)
        for images in (data.images, read_idx(path))
    ]
    assert farthest(results[0].model.params, results[1].model.params) < 1e-6


def test_idx_files_that_cannot_be_mapped(tmp_path):
    path = tmp_path / "some.idx"
    whole = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + b"abcdef"
    for content, names in [
        (whole[:-1], "promises 6 bytes of data and the file has 5"), (whole + b"g", "the file has more"), (whole[:9], "truncated"),
        (b"\x1f\x8b" + whole, "gzipped"), (b"PK" + whole, "no IDX file"),
    ]:  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(PasapasError, match=names):
            mapped_idx(path)
    with pytest.raises(PasapasError, match="There is no file"):
        mapped_idx(tmp_path / "none.idx")


def test_checkpoints_take_a_twentieth_of_the_time(tmp_path, monkeypatch):
    clock, written = [0.0], []
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def save(folder, recipe, progress):
        written.append(progress.epochs)
        clock[0] += 1.0

    monkeypatch.setattr(runs, "save_checkpoint", save)
    checkpoints = Checkpoints(tmp_path, Recipe(), writes=True)
    progress = training.start(Recipe().network(), Recipe())
    entry = training.Epoch(1, 1.0, 0.5, None, None, None, None, 0.1, 8.0)
    for n in range(1, 7):
        clock[0] += 8.0
        checkpoints.after(training.Progress(progress.params, progress.state, (entry,) * n))
    checkpoints.finish()
    checkpoints.finish()
    assert written == [1, 4, 6]
