"""Page: a classifier and a denoiser trained side by side, for as many steps on as many digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from difftui.data import Pictures as DataPictures
from difftui.data import bundled, held_out, held_out_pictures
from difftui.experiments.figures import signif
from difftui.experiments.materials import load_network
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Setup, Table
from difftui.experiments.questions.toy_runs import TOY, held_out_loss
from difftui.words import grouped

if TYPE_CHECKING:
    from torch import Tensor, nn

    from difftui.diffusion import NoiseSchedule
    from difftui.evaluation.recogniser import Recogniser

__all__ = ["TRAIN_BOTH", "error_at", "train_both"]

STEPS = 90
BATCH = 32
SMOOTHED = 10  # steps of which a mean is drawn, and told
SEEN = 100  # held-out digits the denoiser is asked about at each timestep
CURVE_TIMES = (0, 2, 5, 10, 20, 35, 50, 75, 100, 150, 199)
LN_10 = float(np.log(10.0))


def train_both(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """Train both for real, a step each in turn; then ask both about digits that they have not seen."""
    import torch

    from difftui.evaluation.recogniser import Recogniser, RecogniserRecipe, train_recogniser
    from difftui.training.trainer import Trainer

    state = _Both(steps)
    yield state.findings(0.0)
    digits = bundled()
    count = steps * BATCH  # every digit once
    recipe = RecogniserRecipe(epochs=1, batch_size=BATCH, seed=setup.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(setup.seed)
        classifier = Recogniser()
    images, labels = digits.images[:count], digits.labels[:count]
    telling = train_recogniser(images, labels, recipe, classifier)
    toy = replace(TOY, batch_size=BATCH, seed=setup.seed, epochs=None, steps=steps)
    pictures = DataPictures.of(digits).prepared(TOY.image_size)
    taken = replace(pictures, images=pictures.images[:count], labels=None, classes=())
    trainer = Trainer(toy, taken, torch.device(device))
    for step in range(1, steps + 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(setup.seed + step)  # of the recogniser's dropout
            told = next(telling).loss
        state.add(float(told), float(trainer.train_step()))
        yield state.findings(0.8 * step / steps)
    next(telling, None)  # leaves the classifier in evaluation mode
    yield from _judged(state, classifier, trainer.sampling_model(), device)


def _judged(state: _Both, classifier: Recogniser, denoiser: nn.Module, device: str) -> Iterator[Findings]:
    from difftui.evaluation.recogniser import accuracy, load_recogniser

    digits = held_out()
    for teller in (classifier, load_recogniser()):
        state.told.append(accuracy(teller, digits.images, digits.labels))
    yield state.findings(0.85)
    shipped = load_network((TOY.name,), "", device)
    for place, t in enumerate(CURVE_TIMES, 1):
        for which, model in enumerate((denoiser, shipped.model)):
            state.errors[which].append(error_at(model, shipped.schedule, t, device))
        yield state.findings(0.85 + 0.1 * place / len(CURVE_TIMES))
    for loaded in (replace(shipped, model=denoiser), shipped):
        for share, loss in held_out_loss(loaded, device):
            if share == 1.0:
                state.held.append(loss)
            yield state.findings(0.96)
    yield state.findings(1.0)


def error_at(model: nn.Module, schedule: NoiseSchedule, t: int, device: str, seen: int = SEEN) -> float:
    """The mean squared error of ε at one timestep, on held-out digits.

    Args:
        model: predicts ε of 16×16 digits under this schedule.
        schedule, t: of the noise.
        device: where the network is.
        seen: digits.
    """
    import torch

    from difftui.diffusion import add_noise
    from difftui.training.seen import as_seen

    held = held_out_pictures(TOY.data)
    assert held is not None  # of digits there are
    images = held.prepared(TOY.image_size).images[:seen]
    x0 = as_seen(images, device)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(t)).to(device)
    with torch.inference_mode():
        times = torch.full((len(x0),), t, device=device)
        said: Tensor = model(add_noise(x0, eps, schedule.alpha_bar(t)), times)
    return float((said - eps).square().mean())


@dataclass(slots=True)
class _Both:
    """Both trainings, as far as they have come.

    Attributes:
        steps: of each.
        losses: of every step, the classifier's and the denoiser's.
        told: shares of held-out digits that the classifier tells, and the one that ships.
        errors: the denoiser's and the shipped one's, at the first of the :data:`CURVE_TIMES`.
        held: their means over all timesteps.
    """

    steps: int
    losses: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    told: list[float] = field(default_factory=list)
    errors: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    held: list[float] = field(default_factory=list)

    def add(self, classifier: float, denoiser: float) -> None:
        """The losses of one more step."""
        self.losses[0].append(classifier)
        self.losses[1].append(denoiser)

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        ends = [self._ends(losses) for losses in self.losses]
        told = [*(f"{share:.1%} told" for share in self.told), PENDING, PENDING]
        held = [*(f"MSE {signif(loss)}" for loss in self.held), PENDING, PENDING]
        first = f"MSE {signif(self.errors[1][0])}" if self.errors[1] else PENDING
        rows = (
            ("the target", "one of ten classes", "ε, 256 numbers"),
            ("who knows it", f"a person: {grouped(self.steps * BATCH)} labels", "the computer drew it"),
            (f"loss, first and last {SMOOTHED} steps", *ends),
            ("on held-out digits", told[0], held[0]),
            ("the ones that ship, likewise", told[1], held[1]),
            ("  with hardly any noise, t = 0", "", first),
            ("loss of knowing nothing", f"ln 10 = {LN_10:.2f}", "1, the noise's own"),
        )
        return Findings(
            done,
            (self._losses(), self._by_time()),
            Table((f"{self.steps} steps, batch {BATCH}", "classifier", "denoiser"), rows),
            self._seen() if done == 1.0 else "",
            needed=2,
        )

    def _ends(self, losses: list[float]) -> str:
        if len(losses) < self.steps:
            return PENDING
        return f"{signif(_mean(losses[:SMOOTHED]))}, {signif(_mean(losses[-SMOOTHED:]))}"

    def _losses(self) -> Curves:
        curves = tuple(
            Curve(name, np.arange(1, len(smooth) + 1), smooth, colour)
            for name, losses, colour in zip(
                ("classifier", "denoiser"), self.losses, ("noise", "accent"), strict=True
            )
            if (smooth := _smooth(losses))
        )
        return Curves(
            f"losses, means of {SMOOTHED} steps",
            curves or (Curve("", [0], [np.nan]),),
            (1.0, float(self.steps)),
            (0.05, 5.0),
            True,
            x_name="step",
        )

    def _by_time(self) -> Curves:
        curves = tuple(
            Curve(name, CURVE_TIMES[: len(errors)], tuple(errors), colour)
            for name, errors, colour in zip(
                ("trained now", "shipped"), self.errors, ("accent", "foreground"), strict=True
            )
            if errors
        )
        return Curves(
            "denoiser: MSE of ε by t, held out",
            curves or (Curve("", [0], [np.nan]),),
            (0.0, 199.0),
            (0.001, 2.0),
            True,
            lines=((1.0, "always 0"),),
            x_name="t",
        )

    def _seen(self) -> str:
        return (
            f"Labels against none. After {self.steps} steps {self.told[0]:.0%} are told; the denoiser cannot "
            f"reach 0: at t = 0 even the one that ships errs by {signif(self.errors[1][0], 2)} of 1."
        )


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _smooth(losses: list[float]) -> list[float]:
    """The mean of the newest ten at each step, or of as many as there are."""
    return [_mean(losses[max(0, end - SMOOTHED) : end]) for end in range(1, len(losses) + 1)]


TRAIN_BOTH = Page(
    name="both",
    title="A classifier and a denoiser learn side by side",
    source="Modules",
    says="how does this training differ from a classifier's?",
    look="Both losses fall. What are they losses of, who knew the answers, and where can they end?",
    how="90 real steps each on the same 2880 bundled digits, every one once: the recogniser's network and "
    "recipe (cross-entropy, 28×28), and the preset toy (MSE of ε, 16×16), with batches of 32. Held-out: 500 "
    "digits.",
    run=train_both,
    offers=frozenset({"seed"}),
    needs_torch=True,
)
