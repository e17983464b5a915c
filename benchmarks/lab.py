"""What readers of the lab wait for, from one to fifty at once: those who draw, and those who train.

    python benchmarks/lab.py            # prints
    python benchmarks/lab.py --write    # and writes lab.md

Each reader has a session of its own and draws a digit anew every 0.3 s; in half of the settings each of them also trains the
view's default network over a WebSocket. A drawing's latency is from the request to the whole answer, probabilities and
hidden units, in another process on the same machine; the browser's own part, some milliseconds, comes on top. Readers
and server share the machine's cores, so the figures are those of a laptop that does all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
from websockets.asyncio.client import connect

import pasapas

READERS = (1, 10, 50)
SECONDS = 10.0
EVERY = 0.3


def drawings(n: int = 50, scale: int = 5) -> list[dict]:
    """Test images as if drawn on the page's pad: dark on white, 140 pixels wide."""
    images = pasapas.load_mnist()[1].images[:n]
    large = 255 - np.kron(images, np.ones((scale, scale), np.uint8))
    return [{"pixels": base64.b64encode(one.tobytes()).decode(), "width": 28 * scale} for one in large]


async def reader(
    number: int, address: str, sheets: list[dict], trains: bool, latencies: list[float], steps: list[int]
) -> None:
    """One reader, for SECONDS."""
    async with httpx.AsyncClient(base_url=address, timeout=60, verify=False) as client:  # it reads no certificates so
        client.headers["X-Session"] = key = (await client.post("/api/sessions")).json()["session"]
        training = asyncio.create_task(train(address, key, steps)) if trains else None
        await asyncio.sleep(EVERY * number % 1)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            began = time.perf_counter()
            answer = await client.post("/api/draw/read", json=sheets[number % len(sheets)])
            latencies.append(time.perf_counter() - began)
            assert answer.json()["found"], answer.text
            await asyncio.sleep(max(0.0, EVERY - latencies[-1]))
        if training:
            training.cancel()
            await asyncio.gather(training, return_exceptions=True)
        await client.delete("/api/sessions")


async def train(address: str, key: str, steps: list[int]) -> None:
    """Trains until it is cancelled; the last batch that was heard of goes to `steps`."""
    done = 0
    try:
        origin = address.rstrip("/")
        async with connect(f"{origin.replace('http', 'ws')}/api/train/live?session={key}", origin=origin) as socket:
            await socket.send(json.dumps({"id": 1, "ask": "setup", "a": {}}))
            await socket.send(json.dumps({"id": 2, "ask": "start"}))
            async for message in socket:
                for run in ((json.loads(message).get("news") or {}).get("runs") or {}).values():
                    rows = run["losses"]["rows"]
                    done = rows[-1][0] if rows else done
    finally:
        steps.append(done)


async def measure(address: str, readers: int, trains: bool) -> tuple[list[float], list[int]]:
    latencies: list[float] = []
    steps: list[int] = []
    sheets = drawings()
    await asyncio.gather(*(reader(i, address, sheets, trains, latencies, steps) for i in range(readers)))
    return latencies, steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write lab.md")
    write = parser.parse_args().write
    environment = {**os.environ, "PASAPAS_LANG": "en", "COLUMNS": "200"}
    command = [sys.executable, "-m", "pasapas", "lab", "--no-browser"]
    lines = [
        "| readers | they train | drawings | median | 95th percentile | slowest | batches trained by each, least to most |",
        "|-:|-|-:|-:|-:|-:|-:|",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found
        try:
            asyncio.run(measure(found[0], 1, False))  # what is loaded once
            for trains in (False, True):
                for readers in READERS:
                    latencies, steps = asyncio.run(measure(found[0], readers, trains))
                    median, most, slowest = 1000 * np.quantile(latencies, [0.5, 0.95, 1.0])
                    batches = f"{min(steps):,} to {max(steps):,}" if steps else ""
                    lines.append(
                        f"| {readers} | {'yes' if trains else 'no'} | {len(latencies):,} | {median:.0f} ms | {most:.0f} ms "
                        f"| {slowest:.0f} ms | {batches} |"
                    )
                    print(lines[-1], flush=True)
        finally:
            server.terminate()
    if write:
        about = (
            f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"
        )
        text = (__doc__ or "").partition("\n\n")[2]
        text = re.sub(r"(?m)^    (.*)$", r"    \1", text)
        page = f"# The lab under load\n\n{(__doc__ or '').partition(chr(10))[0]}\n\n{text}\nMade on {about}; {SECONDS:.0f} seconds a line.\n\n"
        Path(__file__).with_name("lab.md").write_text(page + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
