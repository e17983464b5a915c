"""How much longer `import pasapas` takes than `import numpy`: whole processes, in turn; medians and ratio.

python benchmarks/importing.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 31
STATEMENTS = {"numpy": "import numpy", "pasapas": "import numpy, pasapas", "pasapas.mlp": "import pasapas; pasapas.mlp"}

if __name__ == "__main__":
    seconds: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):
        for name, statement in STATEMENTS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            seconds[name].append(time.perf_counter() - began)
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(times, seconds["numpy"], strict=True))
        print(f"{STATEMENTS[name]:<28} {1000 * statistics.median(times):6.1f} ms, {ratio:.2f} times numpy's")
