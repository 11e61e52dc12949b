"""``difftui sample``: pictures from a trained network, into a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from difftui.commands import UsageError
from difftui.commands.display import Bar, tell
from difftui.commands.options import add_device, add_drawing, add_seed, drawn_how, whole_number
from difftui.commands.out import add_out, check_out, written
from difftui.commands.pipelines import add_pipeline, local_pipeline
from difftui.commands.stopping import Stopped, stop_signals
from difftui.commands.tables import table
from difftui.commands.trajectory import HEADER, Following
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.diffusion import Frame
    from difftui.training.drawing import Drawable

__all__ = ["add_arguments", "run"]

SUFFIXES = {".png": "a grid", ".gif": "the trajectory", ".npz": "arrays", ".txt": "plain characters"}
BATCH = 250  # pictures drawn together: enough to be quick, few enough for any memory
MOST_IN_GIF = 100
GIF_FRAMES = 100  # a longer trajectory is thinned to about this many
PREVIEWED = 10

Pictures = NDArray[np.float32]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui sample`` takes."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--from", dest="source", metavar="NAME", help="a shipped checkpoint, a run, or a file")
    add_pipeline(which)
    add_drawing(parser)
    parser.add_argument(
        "-n",
        "--number",
        metavar="N",
        type=whole_number(1, 100_000),
        default=10,
        help="pictures (default: 10)",
    )
    add_seed(parser, "of the first picture; the next has the next (default: 0)")
    parser.add_argument(
        "--label",
        metavar="L",
        type=whole_number(0, 10_000),
        help="the digit, or class, to draw (default: each in turn, where the network can be asked)",
    )
    add_out(parser, ".png a grid, .gif the trajectory, .npz arrays, .txt plain characters")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="print the figures of every step as a table; then FILE is optional",
    )
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Draw and write, and return the exit status."""
    with stop_signals() as request:
        try:
            _check(args)
            if args.out is not None and args.out.suffix.lower() == ".gif" and args.number > MOST_IN_GIF:
                raise UsageError(f"a .gif shows {MOST_IN_GIF} pictures at most, not {args.number}")
            written = _sample(args, local_pipeline(args.pipeline) if args.pipeline else None)
        except Stopped as stopped:
            tell(f"difftui: {stopped}; nothing was written.")
            return 128 + stopped.number
        finally:
            request.at_once = False
    if written is not None:
        tell(f"wrote {written}")
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.out is None and not args.plain:
        raise UsageError("name a file with --out, or ask for the figures with --plain")
    if args.plain and args.number > BATCH:
        raise UsageError(f"--plain tells of {BATCH} pictures at most, not {args.number}")
    if args.out is not None:
        check_out(args.out, SUFFIXES, force=args.force)


def _loaded(args: argparse.Namespace, pipeline: str | None, device: str) -> Drawable:
    if pipeline is not None:
        from difftui.pipelines import PipelineRef
        from difftui.pipelines.loading import load_pipeline

        return load_pipeline(PipelineRef(pipeline), device)
    from difftui.training.loading import load_model

    return load_model(args.source, device)


def _sample(args: argparse.Namespace, pipeline: str | None) -> Path | None:
    from difftui.engine.device import configure_threads, pick_device

    device = pick_device(args.device)
    configure_threads()
    loaded = _loaded(args, pipeline, device.torch_device_name)
    labels = _labels(loaded, args.number, args.label)
    args.sampler, steps, args.temperature = _settings(loaded, args)
    args.guidance = loaded.guidance(labels is not None, args.guidance)
    gif = args.out is not None and args.out.suffix.lower() == ".gif"
    stride = max(1, steps // GIF_FRAMES) if gif else 0
    drawn = _draw(loaded, args, steps, labels, stride)
    how = drawn_how(args.sampler, steps, args.temperature, args.guidance)
    at = "" if loaded.step is None else f" at step {loaded.step}"
    tell(f"{loaded.name}{at}: {how}, {device.label}")
    _preview(drawn.pictures[:PREVIEWED])
    if args.plain:
        print(table(HEADER, drawn.figures))
    if args.out is None:
        return None
    return written(args.out, lambda path: _save(path, drawn, labels), force=args.force)


def _preview(pictures: Pictures) -> None:
    """The first pictures on the terminal, where there is one."""
    from rich.console import Console

    from difftui.ui.widgets.still import still

    console = Console(stderr=True)
    if console.is_terminal:
        console.print(still(pictures, width=console.width))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The finished pictures (N, C, H, W), those on the way there (empty unless asked for), and a row of
    figures for each step."""

    pictures: Pictures
    frames: tuple[Pictures, ...]
    figures: tuple[tuple[str, ...], ...]


def _draw(
    loaded: Drawable, args: argparse.Namespace, steps: int, labels: list[int] | None, stride: int
) -> _Drawn:
    """Sample in batches; keep the start, every ``stride``-th frame (0: none) and the end."""
    batches: list[list[Pictures]] = []
    following = Following(loaded.schedule)
    bar = Bar(loaded.name)
    try:
        for start in range(0, args.number, BATCH):
            chosen = range(start, min(start + BATCH, args.number))
            kept: list[Pictures] = []
            for index, (frame, pictures) in enumerate(_pictures(loaded, args, steps, labels, chosen)):
                if args.plain and frame is not None:
                    following.add(frame)
                bar.show((start + len(chosen) * index / steps) / args.number, f"{chosen.stop} pictures")
                if index == steps or (stride and index % stride == 0):
                    kept.append(pictures)
            batches.append(kept)
        bar.show(1.0, f"{args.number} pictures", now=True)
    finally:
        bar.close()
    together = tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))
    return _Drawn(together[-1], together if stride else (), tuple(following.rows))


def _pictures(
    loaded: Drawable, args: argparse.Namespace, steps: int, labels: list[int] | None, chosen: range
) -> Iterator[tuple[Frame[Tensor] | None, Pictures]]:
    """x_T, and then every step and its x_s, for the pictures with these numbers."""
    from difftui.diffusion import starting_noise
    from difftui.training.drawing import draw

    seeds = [args.seed + index for index in chosen]
    noise = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    yield None, args.temperature * noise.numpy()
    asked = None if labels is None else [labels[index] for index in chosen]
    frames = draw(
        loaded,
        seeds,
        asked,
        sampler=args.sampler,
        steps=steps,
        temperature=args.temperature,
        guidance=args.guidance,
    )
    for frame in frames:
        yield frame, frame.x.cpu().numpy()


def _labels(loaded: Drawable, count: int, wanted: int | None) -> list[int] | None:
    """One label a picture, or None for a network that takes none."""
    classes: int | None = loaded.model.num_classes  # type: ignore[assignment]
    if classes is None:
        if wanted is not None:
            raise DifftuiError(
                f"{loaded.name} was trained without labels: it draws what it likes. Leave out --label."
            )
        return None
    if wanted is None:
        return [index % classes for index in range(count)]
    if wanted >= classes:
        raise DifftuiError(f"{loaded.name} knows the labels 0 to {classes - 1}, not {wanted}.")
    return [wanted] * count


def _settings(loaded: Drawable, args: argparse.Namespace) -> tuple[str, int, float]:
    """Sampler, steps and temperature: what was asked for, else what the network's recipe advises."""
    T = loaded.schedule.T
    if args.steps is not None and args.steps > T == 1:
        raise DifftuiError(
            f"{loaded.name} cleans in one look: leave out --steps, or look again and again with "
            "difftui denoise --times."
        )
    if args.steps is not None and args.steps > T:
        raise DifftuiError(
            f"{loaded.name} was trained with {T} timesteps: --steps is 1 to {T}, not {args.steps}."
        )
    return loaded.drawing(args.sampler, args.steps, args.temperature)


def _save(path: Path, drawn: _Drawn, labels: list[int] | None) -> Path:
    from difftui import media

    suffix = path.suffix.lower()
    count = len(drawn.pictures)
    columns = 10 if count % 10 == 0 else None  # each digit has its column where each is drawn in turn
    if suffix == ".txt":
        return _save_text(path, drawn.pictures, labels)
    if suffix == ".png":
        return media.save_png(path, drawn.pictures, columns=columns, scale=4 if count <= MOST_IN_GIF else 1)
    if suffix == ".gif":
        return media.save_gif(path, drawn.frames, columns=columns, scale=4)
    classes: Any = None if labels is None else np.array(labels, np.int64)
    return media.save_npz(path, drawn.pictures, classes)


def _save_text(path: Path, pictures: Pictures, labels: list[int] | None) -> Path:
    """The pictures in characters, those of digits asked for with their digit above them."""
    from difftui import atomic
    from difftui.commands.greys import grey_text

    captions = () if labels is None else [f"digit {label}" for label in labels]
    try:
        atomic.write_text(path, grey_text(pictures, captions) + "\n")
    except OSError as error:
        raise DifftuiError(f"{path} cannot be written ({error.strerror}). Name another file.") from None
    return path
