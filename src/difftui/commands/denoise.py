"""``difftui denoise``: real digits, noised, and what a network makes of them in one look or several."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from difftui.commands import UsageError
from difftui.commands.display import tell
from difftui.commands.options import add_device, add_source, number, whole_number
from difftui.commands.sample import check_out
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    import torch

    from difftui.training.loading import LoadedModel

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui denoise`` takes."""
    add_source(parser)
    parser.add_argument(
        "--at",
        metavar="T",
        type=whole_number(0, 9_999),
        action="append",
        help="noise the digits to this timestep; may be given several times (default: a quarter, half and "
        "three quarters of the schedule)",
    )
    parser.add_argument(
        "--noise",
        metavar="S",
        type=number(0.0, 1000.0),
        help="show this noise instead of the timestep's own: its standard deviation beside pixels in [0, 1]",
    )
    parser.add_argument(
        "--pure", action="store_true", help="show pure noise of the timestep's strength, and no digit"
    )
    parser.add_argument(
        "--times",
        metavar="N",
        type=whole_number(1, 1000),
        default=1,
        help="apply it again to its own answer, N looks in all, a row each (default: 1)",
    )
    parser.add_argument(
        "-n", "--number", metavar="N", type=whole_number(1, 100), default=10, help="digits (default: 10)"
    )
    parser.add_argument(
        "--seed", metavar="N", type=whole_number(0, 2**62), default=0, help="of the noise (default: 0)"
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help=".png: rows original, noisy, cleaned ..."
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Noise, clean, write, and return the exit status."""
    if args.out.suffix.lower() != ".png":
        raise UsageError(f"--out {args.out}: name a .png file")
    check_out(args.out, force=args.force)
    import torch

    from difftui import media
    from difftui.engine.device import configure_threads, pick_device
    from difftui.training.loading import load_model

    device = pick_device(args.device)
    configure_threads()
    loaded = load_model(args.source, device.torch_device_name)
    times = _timesteps(loaded, args.at)
    clean = _digits(loaded, args.number).to(device.torch_device_name)
    rows = [clean]
    for t in times:
        rows += _rows(loaded, args, clean, t)
    if args.force:
        args.out.unlink(missing_ok=True)
    written = media.save_png(args.out, torch.cat(rows).cpu().numpy(), columns=args.number, scale=3)
    tell(f"wrote {written}: the first row is clean; for each t, what was shown and each look's answer")
    return 0


def _rows(loaded: LoadedModel, args: argparse.Namespace, clean: torch.Tensor, t: int) -> list[torch.Tensor]:
    """What is shown at ``t``, and the answers; tells the error of each."""
    import torch

    from difftui.diffusion.one_shot import look_again, noise_level

    # Pixels of [0, 1] are half as far apart as those of [-1, 1].
    level = noise_level(loaded.schedule, t) if args.noise is None else 2 * args.noise
    draws = torch.Generator().manual_seed(args.seed)
    noise = torch.randn(clean.shape, generator=draws).to(clean.device)
    shown = level * noise if args.pure else clean + level * noise
    rows = [shown]
    looks = look_again(
        loaded.model, loaded.schedule, shown, t=t, target=loaded.recipe.target, times=args.times
    )
    for look in looks:
        rows.append(look.cleaned)
        error = "" if args.pure else f", MSE {_mse(look.cleaned, clean):.4f}"
        tell(f"t = {t}, noise {level / 2:.3g} in pixels of [0, 1], look {look.count}{error}")
    return rows


def _mse(one: torch.Tensor, other: torch.Tensor) -> float:
    """Mean squared error in pixels of [0, 1]."""
    return float(((one - other) / 2).square().mean())


def _timesteps(loaded: LoadedModel, asked: list[int] | None) -> list[int]:
    T = loaded.schedule.T
    chosen = asked if asked is not None else sorted({T // 4, T // 2, 3 * T // 4})
    for t in chosen:
        if t >= T:
            raise DifftuiError(f"{loaded.name} has {T} timesteps: --at is 0 to {T - 1}, not {t}.")
    return chosen


def _digits(loaded: LoadedModel, count: int) -> torch.Tensor:
    """Pictures that the network has not been trained on, where there are any; else of its training set."""
    import torch

    from difftui.data import held_out_pictures, load_pictures

    recipe = loaded.recipe
    channels, size, _ = loaded.model.image_shape  # type: ignore[misc]
    pictures = held_out_pictures(recipe.data) or load_pictures(recipe.data, size=recipe.image_size)
    pictures = pictures.prepared(recipe.image_size, recipe.classes)
    if pictures.shape != (channels, size, size):
        raise DifftuiError(
            f"{loaded.name} takes pictures of shape {(channels, size, size)}, and {pictures.source} has "
            f"{pictures.shape}."
        )
    return torch.from_numpy(pictures.images[:count].copy()).float() / 127.5 - 1
