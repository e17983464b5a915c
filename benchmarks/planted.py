"""Trains every program of the gradient doctor, right and with each mistake planted, and keeps the test accuracies.

    python benchmarks/planted.py [CODE ...]

Written to src/pasapas/doctor/programs/measured.json, from which `pasapas sabotage` takes programs that still train. Some
200 programs, each as a learner runs it: about two seconds each. The figures of codes that are not named stay as they are.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.programs import names, planted, program

RESULTS = Path(__file__).parents[1] / "src" / "pasapas" / "doctor" / "programs" / "measured.json"
SECONDS = 120


def accuracy(text: str) -> float | None:
    """The last percentage that the program prints, as a fraction; None if it fails."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-W", "ignore", str(path)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
            )
        except subprocess.TimeoutExpired:
            return None
    found = re.findall(r"(\d+\.\d+)\s*%", done.stdout)
    return round(float(found[-1]) / 100, 4) if done.returncode == 0 and found else None


if __name__ == "__main__":
    texts = {("right", name): program(name) for name in names()}
    for code, mistake in mistakes().items():
        texts |= {(code, name): planted(name, edits) for name, edits in mistake.examples.items()}
    wanted = {key: text for key, text in texts.items() if len(sys.argv) < 2 or key[0] in sys.argv[1:]}
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = dict(zip(wanted, pool.map(accuracy, wanted.values()), strict=True))
    results: dict[str, dict[str, float | None]] = {}
    for code, name in texts:
        results.setdefault(code, {})[name] = measured.get((code, name), kept.get(code, {}).get(name))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for code, accuracies in results.items():
        print(code, *(f"{name} {'fails' if a is None else f'{a:.2%}'}" for name, a in accuracies.items()), sep="  ")
