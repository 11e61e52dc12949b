"""Page: what the toy network makes of noised digits in one look, at four timesteps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.data import Pictures as DataPictures
from difftui.data import bundled, held_out
from difftui.diffusion import add_noise
from difftui.diffusion.one_shot import look_again, noised
from difftui.experiments.figures import decibels, signif, times
from difftui.experiments.materials import clean, drawn, load_network
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.training.loading import LoadedModel

__all__ = ["TOY_DENOISING", "denoising_errors", "toy_denoising"]

Grey = NDArray[np.float32]

TIMES = (25, 50, 100, 150)
SEEN = 200  # digits whose error is measured
CURVE_TIMES = (5, 15, 25, 35, 50, 65, 80, 100, 120, 150, 175, 199)


def toy_denoising(setup: Setup, device: str, *, seen: int = SEEN) -> Iterator[Findings]:
    """One digit at four timesteps; then the errors of many digits at these and others."""
    import torch

    loaded = load_network(("toy",), "", device)
    digits = _small_held_out()
    chosen = int(held_out().of_class(setup.label)[0])
    x0 = torch.from_numpy(digits)[:, None]
    # The same digits and the same ε at all t: only the noise's size changes.
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(setup.seed))
    state = _Looks(loaded)
    state.original = digits[chosen]
    for t in TIMES:
        x_t = add_noise(x0[chosen], eps[chosen], loaded.schedule.alpha_bar(t))
        state.noised.append(drawn(x_t[None])[0])
        state.cleaned.append(drawn(_cleaned(loaded, x0[chosen, None], eps[chosen, None], t, device))[0])
    yield state.findings(0.0)
    order = [*TIMES, *(t for t in CURVE_TIMES if t not in TIMES)]
    for done, t in enumerate(order, 1):
        state.errors[t] = denoising_errors(loaded, x0[:seen], eps[:seen], t, device)
        yield state.findings(done / len(order))


def denoising_errors(
    loaded: LoadedModel, x0: Tensor, eps: Tensor, t: int, device: str
) -> tuple[float, float]:
    """Mean squared errors against the original: of x_t/√ᾱ, where the digit has its own size, and of x̂0.

    Args:
        loaded: the network.
        x0, eps: (N, 1, H, W) digits in [-1, 1] and their noise.
        t: the timestep.
        device: where the network is.
    """
    shown = noised(loaded.schedule, x0, eps, t)
    cleaned = _cleaned(loaded, x0, eps, t, device)
    first, second = (float((found - x0).square().mean()) for found in (shown, cleaned))
    return first, second


def _cleaned(loaded: LoadedModel, x0: Tensor, eps: Tensor, t: int, device: str) -> Tensor:
    """x̂0 of one look, held within [-1, 1], on the CPU."""
    shown = noised(loaded.schedule, x0, eps, t).to(device)
    (look,) = look_again(loaded.model, loaded.schedule, shown, t=t, target=loaded.recipe.target)
    return look.cleaned.cpu()


@lru_cache(maxsize=1)
def _small_held_out() -> Grey:
    """The held-out digits as the toy network knows digits: (500, 16, 16) in [-1, 1]."""
    return clean(DataPictures.of(held_out()).prepared(16).images[:, 0]).astype(np.float32)


@lru_cache(maxsize=1)
def _error_of_the_mean() -> float:
    """The mean squared error of answering always with the mean of the bundled digits."""
    known = clean(DataPictures.of(bundled()).prepared(16).images[:, 0])
    return float(np.square(_small_held_out()[:SEEN] - known.mean(axis=0)).mean())


@dataclass(slots=True)
class _Looks:
    """What the network has made of digits so far.

    Attributes:
        loaded: the network.
        original, noised, cleaned: the digit that is shown, at each of the :data:`TIMES`.
        errors: of many digits by t, as :func:`denoising_errors` has them.
    """

    loaded: LoadedModel
    original: Grey = field(default_factory=lambda: np.empty(0, np.float32))
    noised: list[Grey] = field(default_factory=list)
    cleaned: list[Grey] = field(default_factory=list)
    errors: dict[int, tuple[float, float]] = field(default_factory=dict)

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        captions = ("x_0", *map(str, TIMES))
        above, below = (np.array([self.original, *row]) for row in (self.noised, self.cleaned))
        rows = [self._row(t) for t in TIMES]
        rows.append(("always the mean digit", "", "", signif(_error_of_the_mean()), ""))
        header = ("toy, one look", "SNR", "MSE of x_t/√ᾱ", "MSE of x̂0", "less by")
        return Findings(
            done,
            (
                Pictures("x_0 and noised x_t, by t", above, captions, len(captions)),
                Pictures("x_0 and one look, x̂0, by t", below, captions, len(captions)),
                self._curves(),
            ),
            Table(header, tuple(rows)),
            self._seen() if done == 1.0 else "",
            needed=2,
        )

    def _row(self, t: int) -> tuple[str, ...]:
        snr = decibels(float(self.loaded.schedule.snr[t]))
        if t not in self.errors:
            return f"t = {t}", snr, PENDING, PENDING, PENDING
        before, after = self.errors[t]
        return f"t = {t}", snr, signif(before), signif(after), times(before / after)

    def _curves(self) -> Curves:
        asked = sorted(self.errors)
        before, after = np.array([self.errors[t] for t in asked] or [(np.nan, np.nan)]).T
        return Curves(
            "MSE against the original, by t",
            (Curve("noised", asked or [0], before, "muted"), Curve("cleaned", asked or [0], after, "accent")),
            (0.0, float(self.loaded.schedule.T - 1)),
            (1e-3, 10.0),
            True,
            lines=((_error_of_the_mean(), "the mean digit"),),
            x_name="t",
        )

    def _seen(self) -> str:
        early, middle, late = (self.errors[t][1] for t in (25, 100, 150))
        return (
            f"Its error is {signif(early)} at t = 25, {signif(middle)} at 100, {signif(late)} at 150. Always "
            f"answering the mean digit has {signif(_error_of_the_mean())}: a look that errs as much guesses."
        )


TOY_DENOISING = Page(
    name="denoising",
    title="The toy cleans a digit at four timesteps",
    source="Modules",
    says="denoise at t = 100; then t = 25 against t = 150.",
    look="Compare the lower row with the original: until which t is it the same digit?",
    how="The toy that ships (16×16, T = 200) asked once for x̂0, held within [-1, 1]. MSE over 200 held-out "
    "digits, the same digits and the same ε at all t, against the original.",
    run=toy_denoising,
    offers=frozenset({"digit", "seed"}),
    needs_torch=True,
)
