"""Copies a finished run into this folder: ``python checkpoints/ship.py RUN``.

Takes the recipe and the weights as they are, and of the metrics a line for every 100 steps: the mean, lowest
and highest loss since the line before.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from difftui.runs import find_run, read_metrics

HERE = Path(__file__).parent
EVERY = 100


def thinned(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for every 100 steps; the steps behind each row weigh alike."""
    block: list[dict[str, Any]] = []
    weights: list[int] = []
    last = 0
    for row in rows:
        block.append(row)
        weights.append(row["step"] - last)
        last = row["step"]
        if sum(weights) >= EVERY:
            yield joined(block, weights)
            block, weights = [], []
    if block:
        yield joined(block, weights)


def joined(block: list[dict[str, Any]], weights: list[int]) -> dict[str, Any]:
    mean = sum(row["loss"] * weight for row, weight in zip(block, weights, strict=True)) / sum(weights)
    return {
        "step": block[-1]["step"],
        "seconds": block[-1]["seconds"],
        "loss": round(mean, 6),
        "low": min(row["low"] for row in block),
        "high": max(row["high"] for row in block),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run by its name or directory")
    run = find_run(parser.parse_args().run)
    folder = HERE / run.name
    folder.mkdir(exist_ok=True)
    for source in (run.recipe_path, run.weights_path):
        shutil.copyfile(source, folder / source.name)
    rows = thinned(read_metrics(run.metrics.path))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(folder, *sorted(f"{path.name} {path.stat().st_size // 1000} kB" for path in folder.iterdir()))


if __name__ == "__main__":
    main()
