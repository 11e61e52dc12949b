"""The pages, in their order: ten claims of the labs, each put to the test, and three to try things out."""

from __future__ import annotations

from difftui.errors import DifftuiError
from difftui.experiments.beginnings import NETWORKS as WITH_TIME
from difftui.experiments.beginnings import beginnings
from difftui.experiments.birth import NETWORKS as BORN
from difftui.experiments.birth import birth
from difftui.experiments.losses import NETWORKS as MEASURED
from difftui.experiments.losses import losses
from difftui.experiments.page import Page
from difftui.experiments.reverse import NETWORKS as DRAWING
from difftui.experiments.reverse import looped, strided, variety
from difftui.experiments.schedules import clipped, noises, short, two
from difftui.experiments.slips import slips
from difftui.experiments.straight_line import line
from difftui.experiments.targets import targets

__all__ = ["CLAIMS", "PAGES", "find_page"]

PAGES: tuple[Page, ...] = (
    Page(
        name="line",
        title="A ruler matches the sine inversion's success",
        source="Brief, Solution",
        says="after 500 epochs a 1-3-3-1 net has learned arcsin.",
        look="Watch where the MSE settles beside that of the best straight line.",
        how="The lab's net (ReLU, Adam 1e-3, batches of 32) on 200 points of y = sin x, from ten seeds; "
        "least squares for the line. The lab's last training loss is Keras's, a mean over the batches of "
        "the last epoch; beside it stands our error on all points after it. The time is the first start's, "
        "without what it waited for others.",
        run=line,
        offers=frozenset({"seed"}),
    ),
    Page(
        name="clipped",
        title="The clipped cosine schedule leaves signal",
        source="Lecture",
        says="betas held within 1e-5 and 0.02; at T = 1000, pure noise.",
        look="Noise averages out as looks add up. What stays was never gone.",
        how="x_T = √ᾱ_T x_0 + √(1-ᾱ_T) ε under 1000 ε for each schedule, summed and divided by √1000: the "
        "noise keeps its size and signal grows. Told: Bayes' rule over the 10 000 bundled digits, asked "
        "three times for 500 others.",
        run=clipped,
        offers=frozenset({"digit", "seed"}),
    ),
    Page(
        name="short",
        title="T = 200 with the usual betas ends far from noise",
        source="Modules",
        says="T = 200, no word of the betas; and: where does SNR fall below 1?",
        look="Which of the five is still a digit at its last timestep?",
        how="One digit, one ε, x_T under five schedules; SNR = ᾱ/(1-ᾱ) from their tables. Told: the share of "
        "500 digits, noised three times, that Bayes' rule over the 10 000 bundled ones tells.",
        run=short,
        offers=frozenset({"digit", "seed"}),
    ),
    Page(
        name="loop",
        title="A step that answers with x̂0 is no reverse step",
        source="Lecture",
        says="the reverse step returns x̂0, clamped, and calls it x_{t-1}.",
        look="Both start from the same noise. Watch what the loop makes of the second picture.",
        how="Six drawings each from the same six x_T on a respaced grid: the looped estimate, and DDPM. "
        "Distances are √Σ(a-b)² over 784 pixels in [-1, 1].",
        run=looped,
        offers=frozenset({"seed", "network"}),
        networks=DRAWING,
        needs_torch=True,
    ),
    Page(
        name="start",
        title="The reverse demo starts from a digit and knows no t",
        source="Lecture",
        says="a noised digit comes back: generation. The U-Net is not told t.",
        look="What comes back from each start? From which on is it another digit?",
        how="Twenty held-out digits, noised to four times; DDIM back along 24 steps; the recogniser "
        "says what they are. Then the error of ε, told the true t and told T/2 always.",
        run=beginnings,
        offers=frozenset({"digit", "seed", "network"}),
        networks=WITH_TIME,
        needs_torch=True,
    ),
    Page(
        name="targets",
        title="Noise, picture, step before: three targets of an x_t",
        source="Lecture, Readme",
        says="words train on x_{t-1}, code on ε, the autoencoder on x_0.",
        look="Move t: the picture is hard where the noise is easy, and the other way round.",
        how="A network's answer at x_t gives x̂0 and ε̂ with x_t = √ᾱ x̂0 + √(1-ᾱ) ε̂; x_{t-1} is the mean of "
        "q(x_{t-1} | x_t, x̂0), v = √ᾱ ε̂ - √(1-ᾱ) x̂0. Curves: twelve held-out digits.",
        run=targets,
        offers=frozenset({"digit", "seed", "time", "network"}),
        networks=DRAWING,
        needs_torch=True,
    ),
    Page(
        name="losses",
        title="Losses under different schedules do not compare",
        source="Solution, Lecture, Modules",
        says="last losses of 0.03, 0.18 and 0.05.",
        look="Read the curves at one SNR: there, and only there, do the networks compare.",
        how="The error of ε at thirteen SNR on 48 held-out digits, each at the network's nearest timestep; a "
        "loss is its mean over all t of a schedule, between the levels along a straight line of its log. "
        "Losses by epoch are those our runs logged. The deck does not tell its scale of pictures (ours: "
        "-1 to 1), so of its curve and ours the shapes compare, not the heights. Of 53 batches the range is "
        "narrower than of all the batches in that stretch.",
        run=losses,
        offers=frozenset({"seed"}),
        networks=MEASURED,
        needs_torch=True,
    ),
    Page(
        name="slips",
        title="Three slips of the pen: ᾱ, √dt and a parameter count",
        source="Lecture, Modules",
        says="α_t for ᾱ_t; dW of variance √dt; 100 000 parameters.",
        look="Move t, and compare what is written with what is meant.",
        how="x_t with each of both; 2000 Brownian paths with increments of both kinds at two step sizes; the "
        "toy network built and counted.",
        run=slips,
        offers=frozenset({"digit", "seed", "time"}),
        needs_torch=True,
    ),
    Page(
        name="stride",
        title="The plain formula on a stride leaves noise",
        source="Modules",
        says="50 and 100 steps with a network of 200 or 1000 timesteps.",
        look="Three times the same start and as many steps. Only one knows nothing of its stride.",
        how="x_{t-1} of Ho et al. with the schedule's own β_t on every 20th t; DDPM with β from both ᾱ of a "
        "jump; DDIM. All hold x̂0 within [-1, 1]. Nearest: among 2000 real digits. Grain: mean difference of "
        "neighbouring pixels; noise alone has 1.1.",
        run=strided,
        offers=frozenset({"seed", "network"}),
        networks=DRAWING,
        needs_torch=True,
    ),
    Page(
        name="variety",
        title="Variety needs no noise added back",
        source="Modules",
        says="noise added back at each step prevents a collapse to one image.",
        look="The first four see no noise added at all. Do its pictures collapse?",
        how="DDIM with η = 0 from four x_T, from one x_T four times, and DDPM from that one x_T with four "
        "streams of noise. Apart: the mean distance √Σ(a-b)² of two.",
        run=variety,
        offers=frozenset({"seed", "network"}),
        networks=("quick", "lab", "conditional", "lecture"),
        needs_torch=True,
    ),
    Page(
        name="ab",
        title="Try: two schedules, one digit, one noise",
        source="Brief",
        says="what does a different noise schedule change?",
        look="Move t. Both sides are as far on their way.",
        how="x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε with the same x_0 and ε and each schedule's own ᾱ.",
        run=two,
        offers=frozenset({"digit", "seed", "time", "schedules"}),
    ),
    Page(
        name="noises",
        title="Try: five noises at one t",
        source="Modules",
        says="five realisations at t = 100: why do they differ?",
        look="Move t. What do the five have in common, and what does their mean bring out?",
        how="x_t under five ε. The signal measured is the best factor f in x_t ≈ f x_0; the noise, the "
        "standard deviation among the five, corrected for so few.",
        run=noises,
        offers=frozenset({"digit", "seed", "time", "schedules"}),
    ),
    Page(
        name="birth",
        title="Try: ten pictures on the way from noise",
        source="Modules, Lecture",
        says="a trajectory of ten snapshots; untrained, then trained.",
        look="When is it a digit? And what do the same steps make of weights that learnt nothing?",
        how="DDPM from one x_T, twice: with the network's weights, and with those that its training would "
        "start from. Distances are √Σ(a-b)² to the nearest of 2000 real digits. Grain: mean difference of "
        "neighbouring pixels. x̂0 is the estimate made at the trained x_t; the recogniser that reads it knows "
        "clean digits only, and is sure of noise, too.",
        run=birth,
        offers=frozenset({"seed", "network"}),
        networks=BORN,
        needs_torch=True,
    ),
)
"""All pages; the first :data:`CLAIMS` are numbered as in the list of what the labs get wrong."""

CLAIMS = 10


def find_page(asked: str) -> Page:
    """A page by its number, from 1, or its name.

    Raises:
        DifftuiError: there is none.
    """
    if asked.isdecimal() and 1 <= int(asked) <= len(PAGES):
        return PAGES[int(asked) - 1]
    for page in PAGES:
        if page.name == asked:
            return page
    raise DifftuiError(f"there is no page {asked!r}: 1 to {len(PAGES)}, or a name that 'difftui labs' lists")
