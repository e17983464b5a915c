"""Plants every mistake of the catalogue in programs as learners write them, and asks the doctor what it finds first.

    python benchmarks/doctor.py [--every N] [--code CODE ...] [--keep FOLDER] [--child]
    python benchmarks/doctor.py --time

Some 4,700 programs, and 120 right ones in other styles. Each is checked in a forked process, without the wait for a new
interpreter: 20 to 50 minutes on two cores; `--child` goes the whole way of `pasapas check`, and `--every 10` takes each tenth.
Before, each planted program is run next to the right one, to see that it does something else, and the gradients of each
right one are held against central differences of its own loss. Written to doctor.md, unless `--code` is given.
`--time` measures one check as a user starts it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from planting.mistakes import PLANTERS, Planted, everything
from planting.running import Driver, differing, observations
from planting.styles import Right, styles
from planting.writing import Setting, program

from pasapas.doctor import stubs
from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.checkup import check_file
from pasapas.doctor.diagnosis import diagnose
from pasapas.doctor.inventory import Inventory
from pasapas.doctor.reading import read
from pasapas.doctor.recognition import recognise
from pasapas.doctor.report import Report
from pasapas.doctor.session import FILE, Session

HERE = Path(__file__).parent
RIGHT = 120
MOST_SECONDS = 60
Row = dict[str, Any]
EXIT = os._exit  # the stand-ins that a submission meets have another one


# the programs do what they should ------------------------------------------------------------------------------------


def verify(planted: list[Planted], right: list[Right]) -> None:
    """Raises AssertionError where a planted program does what the right one does, or a right one is not."""
    assert set(PLANTERS) == set(mistakes())
    seen: dict[Setting, dict[str, Any]] = {}
    for p in planted:
        if p.setting not in seen:
            seen[p.setting] = observations(p.setting, program(p.setting))
        assert differing(p.setting, p.text, seen[p.setting]), p.name
    for r in right:
        s = replace(r.setting, names="course")
        assert Driver(s, program(s)).gradients_are_right(), r.name


# what the doctor says ------------------------------------------------------------------------------------------------


def check(path: Path, child: bool) -> Row:
    """What the doctor finds in a program, and in how many seconds."""
    began = time.perf_counter()
    found: Row = {"findings": [], "tensor": ""}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = check_file(path) if child else examine(path)
        found["verdict"] = report.verdict
        if report.findings:
            found |= {"findings": [f.code for f in report.findings], "tensor": report.findings[0].tensor}
    except Exception as error:
        found["verdict"] = f"{type(error).__name__}: {error}"[:200]
    return {"name": path.stem, **found, "seconds": round(time.perf_counter() - began, 3)}


def examine(path: Path) -> Report:
    """As `check_file`, with the learner's code in this process, which is to do nothing else afterwards."""
    source = read(path).source
    stubs.install(source, FILE, str(path.parent))
    session = Session()
    with contextlib.redirect_stdout(io.StringIO()):
        session.load(source, 2.0)
        recognition = recognise(session, Inventory.of(source))
        return diagnose(recognition) if recognition.binding is not None else Report("unrunnable")


def first(row: Row) -> str:
    """The code of the first finding, or the verdict."""
    return row["findings"][0] if row["findings"] else row["verdict"]


def wanted(row: Row) -> str:
    return str(row["name"]).split("--")[0]


def run(programs: list[Planted | Right], folder: Path, child: bool) -> list[Row]:
    """Checks all programs, two at a time, each in a fork of this process."""
    rows: list[Row] = []
    running: dict[int, Path] = {}
    for i, p in enumerate(programs):
        path = folder / f"{p.name}.py"
        path.write_text(p.text, encoding="utf-8")
        running[_started(path, child)] = path
        while len(running) > 1 or (running and i + 1 == len(programs)):
            pid, _status = os.wait()
            row = _result(running.pop(pid))
            rows.append(row)
            if first(row) != wanted(row):
                print(f"{len(rows)}/{len(programs)} {row['name']}: {row['verdict']} {row['findings']}", flush=True)
    return rows


def _started(path: Path, child: bool) -> int:
    """The process that checks a program and writes what it finds beside it."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.alarm(MOST_SECONDS)
        path.with_suffix(".json").write_text(json.dumps(check(path, child)), encoding="utf-8")
    finally:
        EXIT(0)


def _result(path: Path) -> Row:
    result = path.with_suffix(".json")
    if not result.exists():
        return {"name": path.stem, "verdict": "lost", "findings": [], "tensor": "", "seconds": float(MOST_SECONDS)}
    row: Row = json.loads(result.read_text(encoding="utf-8"))
    result.unlink()
    return row


# what is told of it --------------------------------------------------------------------------------------------------


def table(rows: list[Row], command: str) -> str:
    right = [r for r in rows if wanted(r) == "correct"]
    wrong = [r for r in rows if wanted(r) != "correct"]
    hits = sum(first(r) == wanted(r) for r in wrong)
    alarms = [r for r in right if first(r) != "correct"]
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    seconds = [r["seconds"] for r in rows]
    lines = [
        "# What the doctor finds first",
        "",
        f"Made by `{command}`, which writes the programs too (`--keep FOLDER`). Two dialects, two to four dense layers, and "
        "hidden layers of ReLU, tanh, sigmoid and leaky ReLU; each mistake in all layers where it can be made, and in the "
        "ways in which learners make it. The doctor was developed on such programs: what strangers write in styles that are not "
        "among them is named less often.",
        "",
        "| | |",
        "|-|-|",
        f"| programs with one planted mistake | {len(wrong):,} |",
        f"| first finding is that mistake | {hits:,}, {hits / max(1, len(wrong)):.2%} |",
        f"| right programs in other styles | {len(right)} |",
        f"| false alarms | {len(alarms)} |",
        f"| seconds for one, two at a time | median {statistics.median(seconds):.2f}, highest {max(seconds):.2f} |",
        f"| machine | {machine} |",
        "",
        "| planted | programs | found first | something else first |",
        "|-|-|-|-|",
    ]
    for code in mistakes():
        of_code = [r for r in wrong if wanted(r) == code]
        if of_code:
            others = Counter(first(r) for r in of_code if first(r) != code)
            told = ", ".join(f"`{other}` {n}" for other, n in others.most_common()) or "–"
            lines.append(f"| `{code}` | {len(of_code)} | {sum(first(r) == code for r in of_code)} | {told} |")
    missed = [r for r in wrong if first(r) != wanted(r)]
    if missed:
        lines += ["", "Something else first: " + ", ".join(f"`{r['name']}` ({first(r)})" for r in missed) + "."]
    if alarms:
        lines += ["", "False alarms: " + ", ".join(f"`{r['name']}` ({first(r)})" for r in alarms) + "."]
    for heading, key in (("by dialect", 0), ("by depth", 1), ("by activation", 2)):
        groups: dict[str, list[bool]] = {}
        for r in wrong:
            groups.setdefault(str(r["name"]).split("--")[2].split("-", 2)[key], []).append(first(r) == wanted(r))
        lines += ["", f"| {heading} | programs | found first |", "|-|-|-|"]
        lines += [f"| {group} | {len(hit):,} | {sum(hit) / len(hit):.2%} |" for group, hit in sorted(groups.items())]
    return "\n".join(lines) + "\n"


def timed(command: list[str], times: int = 7) -> float:
    """The median wall time of a command, in seconds."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure() -> str:
    """How long one check takes as a user starts it."""
    bare = timed([sys.executable, "-c", "import numpy"])
    lines = [f"`python -c 'import numpy'`: {bare:.2f} s", ""]
    lines += ["| program | `pasapas check`, s | times `import numpy` |", "|-|-|-|"]
    cases = [Setting(1, 2, "relu"), Setting(2, 2, "tanh"), Setting(1, 3, "relu"), Setting(2, 4, "sigmoid")]
    with tempfile.TemporaryDirectory() as folder:
        for s in cases:
            path = Path(folder) / f"dialect{s.dialect}-depth{s.depth}-{s.activation}.py"
            path.write_text(program(s), encoding="utf-8")
            code = f"from pasapas.cli import main; import sys; sys.argv = ['pasapas', 'check', {str(path)!r}]; main()"
            seconds = timed([sys.executable, "-c", code])
            lines.append(f"| {path.stem}, right | {seconds:.2f} | {seconds / bare:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take each N-th planted program")
    parser.add_argument("--code", nargs="+", help="plant these mistakes alone, or 'correct' for none")
    parser.add_argument("--keep", help="write the programs here")
    parser.add_argument("--child", action="store_true", help="start each check as a user does")
    parser.add_argument("--time", action="store_true")
    arguments = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments.time:
        print(measure())
        sys.exit()
    planted, right = everything(), styles(RIGHT)
    if arguments.code:
        planted = [p for p in planted if p.code in arguments.code]
        right = right if "correct" in arguments.code else []
    random.Random(0).shuffle(planted)
    planted = planted[:: arguments.every]
    verify(planted, right)
    print(f"{len(planted)} planted, {len(right)} right programs", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = run([*right, *planted], folder, arguments.child)
    rows.sort(key=lambda r: str(r["name"]))
    command = "python benchmarks/doctor.py" + (f" --every {arguments.every}" if arguments.every > 1 else "")
    command += " --child" if arguments.child else ""
    text = table(rows, command)
    if not arguments.code:
        (HERE / "doctor.md").write_text(text, encoding="utf-8")
    print(text)
