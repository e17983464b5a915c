"""The child process in which a learner's code runs: what it is given, what it answers, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pasapas.doctor import wire
from pasapas.doctor.process import Child, ChildLost
from pasapas.doctor.reading import read
from pasapas.doctor.recording import Call, Wanted
from pasapas.doctor.session import FILE, Failure, Outcome, Session, Step
from pasapas.doctor.values import Opaque, Ref, named

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits are POSIX's")

F = "def f(*args): return args\n"


def call(source: str, *args: Any, seconds: float = 1.0, **options: Any) -> Outcome:
    with Child(source, **options) as child:
        return child.call(named("f"), args, seconds=seconds)


def lost(source: str, *args: Any, seconds: float = 1.0, **options: Any) -> str:
    """The reason for which a call of f, or loading, loses the child."""
    with pytest.raises(ChildLost) as caught:
        call(source, *args, seconds=seconds, **options)
    return caught.value.reason


def failed(source: str, *args: Any, **options: Any) -> Failure:
    outcome = call(source, *args, **options)
    assert outcome.failure is not None, outcome.value
    return outcome.failure


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


# what it answers ----------------------------------------------------------------------------------------------------


ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(24).reshape(2, 3, 4)[:, ::2, ::-1],
    np.array([np.nan, np.inf, -0.0, 5e-324]),
    np.array(3.5),
    np.empty((0, 4)),
    np.empty((3, 0, 2), dtype=np.int8),
    np.array([True, False]),
    np.arange(3, dtype=">i4"),
    np.arange(3, dtype=np.float16),
    np.arange(3, dtype=np.float32),
    np.array([0, 255], dtype=np.uint8),
    np.array([2**64 - 1], dtype=np.uint64),
    np.arange(3, dtype=np.longdouble) / 3,
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_come_back_bit_for_bit(array: np.ndarray) -> None:
    message = wire.pack(b"0" * 16, array)
    header, data = wire.lengths(message[: wire.PREFIX.size], b"0" * 16)
    rest = message[wire.PREFIX.size :]
    back = wire.unpack(rest[:header], rest[header:])
    assert len(rest) == header + data
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable
    assert back.flags.f_contiguous == array.flags.f_contiguous or not array.flags.contiguous


def test_what_is_sent_comes_back() -> None:
    values = [None, True, 3, -2.5, "é\ud800", [1, [2]], (1, (2,)), {"W1": ARRAYS[0], 2: (None,)}, float("nan")]
    with Child(F) as child:
        outcome = child.call(named("f"), values)
        assert isinstance(outcome.value, tuple)
        assert outcome.value[-1] != outcome.value[-1]
        assert list(outcome.value[:-2]) == values[:-2]
        np.testing.assert_array_equal(outcome.value[-2]["W1"], ARRAYS[0])
        assert outcome.value[-2][2] == (None,)
        assert outcome.after == [None] * len(values)
        again = child.call(named("f"), [Ref(outcome.handle).item(5)])
        assert again.value == ([1, [2]],)


def test_numpys_scalars_stay_what_they_are() -> None:
    outcome = call("def f(x, y): return type(x).__name__ + type(y).__name__", np.float32(1), np.int64(2))
    assert outcome.value == "float32int64"


SHARED = """
import numpy as np
class Net:
    def __init__(self):
        self.W = np.zeros((2, 3))
    def forward(self, X):
        Z = X @ self.W
        return Z
def change(x):
    x += 1
    return undefined_here
def f(net):
    return net
undefined_here = int("7")
X_later = np.ones(3) * int("2")
def broken(x):
    return x @ np.ones((4, 5))
rate = 0.5
def loop(x):
    for _ in range(5): change(x)
loop(np.zeros(2))
"""


def test_it_answers_as_a_session_does() -> None:
    session = Session()
    session.load(SHARED, 1.0)
    X = np.arange(4.0).reshape(2, 2)

    def ask(it: Session | Child) -> list[Any]:
        net = it.call(named("Net"))
        method = Ref(net.handle).attr("forward")
        watched = it.call(method, [X], watch=True)
        return [
            net.value,
            it.put(Ref(net.handle).attr("W"), np.ones((2, 3))),
            it.look(Ref(net.handle).attr("W")),
            watched,
            it.call(named("change"), [X]),
            it.call(named("broken"), [X]),
            it.look(named("nothing")),
            it.hold([X]),
            it.supply("X_later", 1.0),
            it.look(named("X_later")),
            it.put(named("nothing").attr("x"), 1),
            it.call(named("loop"), [X], record=Wanted(("change",), shared=("rate",))),
            it.run(Wanted(("loop", "change"), until="change", most=2), 2.0),
            it.restart(),
            it.look(named("rate")),
        ]

    with Child(SHARED) as child:
        assert child.load_failures == []
        for here, there in zip(ask(session), ask(child), strict=True):
            np.testing.assert_equal(_plain(there), _plain(here))


def _plain(value: Any) -> Any:
    if isinstance(value, (Outcome, Failure, Step, Opaque, Ref, Call)):
        return {"class": type(value).__name__, **{k: _plain(v) for k, v in vars(value).items()}}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_plain, value)]
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_results_that_are_too_large_are_named_and_not_sent() -> None:
    outcome = call("import numpy as np\ndef f(): return np.ones(3), np.zeros(9_000_000), np.ones(2)")
    assert isinstance(outcome.value[1], Opaque)
    np.testing.assert_array_equal(outcome.value[2], np.ones(2))


def test_a_value_that_explodes_when_it_is_looked_at_is_a_failed_call() -> None:
    with Child("def f():\n a = ['x' * 999] * 500\n return [a] * 500\ndef g(): return 1") as child:
        assert child.call(named("f")).failure is not None
        assert child.call(named("g")).value == 1


@pytest.mark.parametrize("bad", ["1", "[]", '["nothing"]', '["array","<f8","C",-1]', '["array","<f8","C",99999999]',
    '["array","|O8","C",1]', '["array","<f8","C",1.5]', '["array","<f8","Q",1]', '["Outcome",1]', "{}", "[1]",
    '["Outcome",null,"x",null,["list"],["list"],null,["list"]]', '["Outcome",null,0,null,["list"],["list",1],null,["list"]]',
    '["Outcome",null,0,null,["list"],["list"],null,["list",2]]',
    '["dict",["list"],1]', '["dict",1]', "[" * 5000, '["list"' + ',["list"' * 100 + "]" * 101, "99999999999999999999",
    '["Ref",0,["tuple",1]]', '["Failure","x","y",1,"f",["dict","W",["tuple","a"]]]', "\x00", '["scalar","<U5","C"]'])  # fmt: skip
def test_nonsense_is_refused(bad: str) -> None:
    if bad == "1":
        assert wire.unpack(b"1", b"") == 1
        bad = ""
    with pytest.raises(wire.Malformed):
        wire.unpack(bad.encode(), b"")


def test_a_message_must_be_the_answer_to_the_question() -> None:
    message = wire.pack(b"a" * 16, 1)
    with pytest.raises(wire.Malformed):
        wire.lengths(message[: wire.PREFIX.size], b"b" * 16)
    with pytest.raises(wire.Malformed):
        wire.lengths(wire.PREFIX.pack(b"a" * 16, 5, 1 << 31), b"a" * 16)


# how it ends --------------------------------------------------------------------------------------------------------


def test_a_function_that_hangs_is_interrupted_and_the_next_one_runs() -> None:
    with Child("def f():\n while True: pass\ndef g(): return 1") as child:
        failure = child.call(named("f"), seconds=0.3).failure
        assert failure is not None
        assert (failure.kind, failure.line) == ("OutOfTime", 2)
        assert child.call(named("g")).value == 1


STUBBORN = """
def f():
    while True:
        try:
            f()
        except:
            pass
        finally:
            continue
"""


def test_a_function_that_heeds_nothing_is_ended() -> None:
    start = time.monotonic()
    assert lost(STUBBORN, seconds=0.3) == "time"
    assert time.monotonic() - start < 3


def test_a_file_that_hangs_at_import_leaves_its_functions() -> None:
    source = "class A:\n while True: pass\n" + F
    with Child(source, load_seconds=0.4) as child:
        assert [f.kind for f in child.load_failures] == ["OutOfTime"]
        assert child.call(named("f"), [1]).value == (1,)


def test_time_is_bounded_as_a_whole() -> None:
    def ask_for_ever() -> None:
        with Child(F, seconds=1.0) as child:
            while True:
                child.call(named("f"), [1])

    with pytest.raises(ChildLost, match="time"):
        ask_for_ever()


def test_a_computation_outside_python_is_ended() -> None:
    assert lost("def f(): return sum(range(10**12))", seconds=0.2) == "time"


def test_memory_is_bounded() -> None:
    eater = "import numpy as np\ndef f():\n kept = []\n while True: kept.append(np.ones(10_000_000))"
    assert failed(eater, memory=1 << 30, seconds=5).kind in ("MemoryError", "_ArrayMemoryError")
    assert failed("def f(): return [0] * 10**10").kind == "MemoryError"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import ctypes; ctypes.string_at(0)", "ended"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "ended"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory"),  # as the system does
        ("import posix; posix._exit(0)", "ended"),
        ("import os; os.closerange(0, 256)", "ended"),
    ],
)
def test_a_child_that_ends_says_why(body: str, reason: str) -> None:
    assert lost(f"def f():\n {body}") == reason


def test_recursion_without_end_harms_nobody_else() -> None:
    assert failed("def f(): return f()").kind == "RecursionError"
    body = "import sys; sys.setrecursionlimit(10**9); g = lambda: [g() for _ in '1']; g()"
    assert lost(f"def f():\n {body}", memory=1 << 30) in ("ended", "memory", "time")


@pytest.mark.parametrize(
    "body", ["import sys; sys.exit(3)", "exit()", "import os; os._exit(0)", "import os; os.abort()"]
)
def test_leaving_is_a_failed_call(body: str) -> None:
    assert failed(f"def f():\n {body}").kind == "SystemExit"


def test_a_file_that_leaves_at_import_leaves_its_functions() -> None:
    source = f"import sys, os\nsys.exit(1)\nos._exit(0)\nif True:\n exit()\nx = exit()\n{F}"
    assert call(source, 1).value == (1,)


def test_after_it_is_lost_it_stays_lost() -> None:
    with Child("def f():\n import posix; posix._exit(1)") as child:
        for _ in range(2):
            with pytest.raises(ChildLost, match="ended"):
                child.call(named("f"))
        with pytest.raises(ChildLost):
            child.look(named("f"))
    with pytest.raises(ChildLost):
        child.hold(1)


# what it may not do -------------------------------------------------------------------------------------------------


def test_processes_cannot_be_started() -> None:
    bomb = """
import os, subprocess, multiprocessing
def f(way):
    if way == 0: return os.fork()
    if way == 1: return os.system("true")
    if way == 2: return subprocess.run(["true"])
    if way == 3: return os.posix_spawn("/bin/true", ["true"], {})
    if way == 4: return os.execv("/bin/true", ["true"])
    p = multiprocessing.Process(target=print)
    p.start()
"""
    with Child(bomb) as child:
        for way in range(6):
            failure = child.call(named("f"), [way]).failure
            assert failure is not None
            assert failure.kind == "PermissionError", way


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="by its number in the C library")
def test_processes_that_are_started_all_the_same_end_with_it(tmp_path: Path) -> None:
    source = """
import ctypes, os
libc = ctypes.CDLL(None)
def f():
    pids = []
    for _ in range(3):
        pid = libc.fork()
        if pid == 0:
            while True: pass
        pids.append(pid)
    return pids
"""
    with Child(source) as child:
        pids = child.call(named("f")).value
        assert len(pids) == 3
        assert all(map(alive, pids))
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, pids))


def test_other_processes_cannot_be_signalled() -> None:
    for what in ("os.kill(os.getppid(), 9)", "os.killpg(os.getpgid(os.getppid()), 9)", "os.kill(-1, 0)"):
        assert failed(f"import os\ndef f(): {what}").kind == "PermissionError"
    outcome = call("import os, signal\ndef f():\n signal.signal(15, signal.SIG_IGN); os.killpg(0, 15)\n return 1")
    assert outcome.failure is not None  # a group number that is not its own


def test_there_is_no_network_and_this_is_known_at_once() -> None:
    source = """
import socket
from urllib.request import urlopen as other
def f():
    socket.create_connection(("192.0.2.1", 80))
def g():
    import http.client
    http.client.HTTPConnection("example.org").request("GET", "/")
"""
    start = time.monotonic()
    with Child(source) as child:
        for name in "fg":
            failure = child.call(named(name)).failure
            assert failure is not None
            assert failure.kind == "ConnectionRefusedError"
    assert time.monotonic() - start < 2


def test_nothing_is_written_outside_its_folder(tmp_path: Path) -> None:
    target, folder = tmp_path / "kept", tmp_path / "folder"
    target.write_text("kept")
    folder.mkdir()
    source = f"""
import os, shutil, pathlib
def f(way):
    p, d = {str(target)!r}, {str(folder)!r}
    [lambda: open(p, "w"), lambda: os.remove(p), lambda: os.rename(p, "here"), lambda: shutil.rmtree(d),
     lambda: pathlib.Path(d, "new").write_text("x"), lambda: os.open(p, os.O_RDWR), lambda: os.chmod(p, 0),
     lambda: os.rmdir(d), lambda: os.symlink("x", d + "/l"), lambda: shutil.move(p, "here"), lambda: os.mkdir(d + "/n")][way]()
def g():
    with open("mine", "w") as file: file.write("x")
    os.makedirs("a/b"); shutil.rmtree("a"); os.rename("mine", "other"); os.symlink("/", "root")
    open("root{target}", "w")
"""
    with Child(source) as child:
        for way in range(11):
            failure = child.call(named("f"), [way]).failure
            assert failure is not None
            assert failure.kind == "PermissionError", way
        failure = child.call(named("g")).failure
        assert failure is not None
        assert (failure.kind, failure.line) == ("PermissionError", 11)
    assert target.read_text() == "kept"
    assert sorted(tmp_path.rglob("*")) == [folder, target]


def test_files_are_small() -> None:
    assert failed("def f():\n with open('x', 'wb') as file:\n  while True: file.write(bytes(10**6))").kind == "OSError"


def test_it_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASAPAS_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    value = call("import os, sys\ndef f(): return dict(os.environ), sys.argv, os.getcwd(), sys.path").value
    environment, argv, folder, path = value
    assert "PASAPAS_SECRET" not in environment
    assert set(environment) <= {"PATH", "HOME", "TMPDIR", "LANG", "MPLBACKEND", "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS", "MKL_NUM_THREADS", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}  # fmt: skip
    assert environment["HOME"] == folder
    assert argv == ["submission.py"]
    assert "/nowhere" not in path


def test_standard_input_is_empty_and_what_is_printed_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    source = """
import sys, os
def f():
    print("x" * 10_000_000); os.write(1, b"to the terminal"); os.write(2, b"to the terminal")
    sys.stderr.write("x"); sys.__stdout__.write("y"); sys.__stdout__.flush()
    return input("? "), os.read(0, 10) == b"", sys.stdin.read()
"""
    assert call(source).value == ("", True, "")
    assert capfd.readouterr() == ("", "")


def test_a_flood_of_output_does_no_harm() -> None:
    assert failed("import os\ndef f():\n while True: os.write(1, b'x' * 65536)", seconds=0.3).kind == "OutOfTime"
    assert failed("def f():\n while True: print('x' * 65536)", seconds=0.3).kind == "OutOfTime"


def test_verdicts_cannot_be_printed() -> None:
    forged = """
import os, json
def f():
    verdict = json.dumps({"verdict": "correct", "findings": []}).encode()
    for fd in range(0, 51):
        try: os.write(fd, verdict)
        except OSError: pass
    print(verdict)
    return 41
"""
    assert call(forged).value == 41
    everywhere = forged.replace("51", "256")
    assert lost(everywhere) == "protocol"


def test_an_answer_that_comes_before_the_question_is_refused() -> None:
    source = """
import os
from pasapas.doctor import wire
from pasapas.doctor.session import Outcome
def f():
    for fd in range(100, 256):
        try: os.write(fd, wire.pack(b"0" * 16, Outcome(value=1)))
        except OSError: pass
    return 2
"""
    assert lost(source) == "protocol"


def test_what_it_patches_stays_with_it() -> None:
    source = """
import json, builtins, os, sys, numpy as np, threading, time, random, signal
def f():
    json.dumps = json.loads = json.JSONEncoder.encode = None
    for name in ("len", "isinstance", "type", "getattr", "min", "map", "list", "tuple", "dict", "sum", "zip"):
        setattr(builtins, name, None)
    os.write = os.read = None
    sys.stdout = sys.stderr = None
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    return 1
def g(): return len([1, 2])
def h():
    np.array = np.asarray = np.array_equal = None
"""
    with Child(source) as child:
        child.call(named("f"))
        assert child.call(named("g")).value == 2
        child.call(named("h"))
        assert child.call(named("g")).value == 2


def test_its_folder_is_removed_whatever_it_did_to_it() -> None:
    source = """
import os, shutil, pathlib
def f(way):
    here = os.getcwd()
    pathlib.Path("x").write_text("x")
    os.makedirs("a/b/c")
    if way == 0: os.chmod("a/b", 0); os.chmod("a", 0); os.chmod(".", 0)
    if way == 1: shutil.rmtree(here)
    if way == 2: os.chdir("/")
    if way == 3: shutil.rmtree(here); os.symlink("/", here)
    return here
"""
    for way in range(4):
        with Child(source) as child:
            folder = child._scratch
            assert os.path.isdir(folder)
            real = os.path.realpath(folder)
            assert child.call(named("f"), [way]).value == real
        assert not os.path.lexists(folder)


def test_threads_that_linger_do_no_harm() -> None:
    source = """
import threading, time
def work():
    while True: time.sleep(0.01)
def f():
    for _ in range(5): threading.Thread(target=work).start()
    return 1
"""
    with Child(source) as child:
        assert child.call(named("f")).value == 1
        assert child.call(named("f")).value == 1


def test_nothing_is_left_running() -> None:
    with Child(F) as child:
        assert child._process is not None
        pid = child._process.pid
        assert os.getpgid(pid) == pid != os.getpgid(0)
    assert not alive(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, time\n"
        "from pasapas.doctor.process import Child\n"
        "with Child('import time\\ndef f():\\n while True: pass') as child:\n"
        "    print(child._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # its scratch folder stays behind
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    pid = int(ran.stdout)
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_several_at_once() -> None:
    found: dict[int, Any] = {}

    def one(n: int) -> None:
        with Child(f"def f(): return {n}") as child:
            found[n] = [child.call(named("f")).value for _ in range(20)]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [n] * 20 for n in range(6)}


def test_descriptors_and_folders_do_not_pile_up() -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("no /proc")
    call(F, 1)
    before = len(list(descriptors.iterdir()))
    for source in (F, "def f():\n import posix; posix._exit(0)"):
        try:
            call(source)
        except ChildLost:
            continue
    assert len(list(descriptors.iterdir())) == before


def test_a_submission_is_run_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "mon devoir.py"
    path.write_text("def f(x):\n    return __file__, x + 1\n")
    with Child(read(path)) as child:
        name, value = child.call(named("f"), [1]).value
    assert value == 2
    assert os.path.basename(name) == "mon devoir.py"
    assert os.path.dirname(name) != str(tmp_path)


def test_an_annotation_that_means_nothing_stops_nothing() -> None:
    assert call("def f(x: Tensor[float] = 1, *, y: List = 2) -> Undefined: return x", 5).value == 5


def test_lines_are_those_of_the_source() -> None:
    failure = failed("\n\ndef f():\n    x = 1\n    return x / 0\n")
    assert (failure.kind, failure.line, failure.function) == ("ZeroDivisionError", 5, "f")
    assert FILE == "<submission>"
