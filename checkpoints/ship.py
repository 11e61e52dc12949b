"""Copies a finished run into this folder: ``python checkpoints/ship.py RUN [options]``.

Takes the recipe and the weights as they are, save for how the recipe advises to draw (sampler, steps,
temperature, guidance): training does not use it, and it is best chosen when the network can be judged. With
--half the weights lie in half precision, which halves the file. Takes of the metrics a line
for every 100 steps: the mean, lowest and highest loss since the line before.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from difftui.runs import Run, find_run, read_metrics
from difftui.runs.checkpoint import save_tensors
from difftui.training.loading import load_model

HERE = Path(__file__).parent
EVERY = 100
ADVICE = ("sampler", "sampler_steps", "temperature", "guidance")


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
    parser.add_argument("--sampler", help="what the shipped recipe advises")
    parser.add_argument("--steps", dest="sampler_steps", type=int, help="likewise")
    parser.add_argument("--temperature", type=float, help="likewise")
    parser.add_argument("--guidance", type=float, help="likewise")
    parser.add_argument("--half", action="store_true", help="weights in half precision")
    args = parser.parse_args()
    run, shipped = find_run(args.run), Run(HERE / Path(args.run).name)
    loaded = load_model(run.path)
    recipe = loaded.recipe
    advised = {name: value for name in ADVICE if (value := getattr(args, name)) is not None}
    recipe = replace(recipe, **advised)
    folder = shipped.path
    folder.mkdir(exist_ok=True)
    shipped.recipe_path.write_text(recipe.to_json())
    header = {"recipe": recipe.to_json(), "step": str(loaded.step)}
    weights = loaded.model.state_dict()
    if args.half:
        weights = {name: tensor.half() for name, tensor in weights.items()}
    save_tensors(shipped.weights_path, weights, header)
    rows = thinned(row for row in read_metrics(run.metrics.path) if "loss" in row)  # else a look at it
    shipped.metrics.path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(folder, *sorted(f"{path.name} {path.stat().st_size // 1000} kB" for path in folder.iterdir()))


if __name__ == "__main__":
    main()
