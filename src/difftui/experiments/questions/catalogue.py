"""All questions: the twenty-five of the guided lab, in their order, and the discussions that follow."""

from __future__ import annotations

from difftui.errors import DifftuiError
from difftui.experiments.catalogue import find_page
from difftui.experiments.questions.classifier import AGAINST_CLASSIFIER
from difftui.experiments.questions.copies import LEARNED_REVERSE
from difftui.experiments.questions.discussion import DISCUSSION
from difftui.experiments.questions.emerging import EMERGING, GRADUAL
from difftui.experiments.questions.fault import IMPERFECT
from difftui.experiments.questions.gap import QUALITY_GAP
from difftui.experiments.questions.one_jump import ONE_JUMP
from difftui.experiments.questions.prompt import PROMPT_TO_IMAGE
from difftui.experiments.questions.question import Question
from difftui.experiments.questions.recognition import EARLY_LATE, UNRECOGNISABLE
from difftui.experiments.questions.sets import SIXTEEN, TWELVE
from difftui.experiments.questions.step_counts import STEPS_50_200, STEPS_FEWER
from difftui.experiments.questions.there_and_back import THERE_AND_BACK
from difftui.experiments.questions.toy_denoising import TOY_DENOISING
from difftui.experiments.questions.toy_training import TOY_LOSS, TRAINING_TIME
from difftui.experiments.questions.training_both import TRAIN_BOTH
from difftui.training.recipe import preset

__all__ = ["QUESTIONS", "find_question"]

M0, M1, M2 = "M0 the idea", "M1 forward", "M2 learning"
M3, M4 = "M3 generation", "M4 the profession"

TOY = {"recipe": preset("toy").to_json()}
"""What Train plans for the questions about the toy denoiser."""

GUIDED: tuple[Question, ...] = (
    Question(
        number=1,
        module=M0,
        topic="forward and reverse",
        text="What does the forward process do to a picture, and what does the reverse process do? Say it "
        "to somebody who knows no formulas.",
        look="`space` lets time run, `←`/`→` move it. Then `5`, Generate: the same way, walked back.",
        screen="forward",
        choices={"kind": "linear", "T": 1000, "position": 0.0},
        command="labs noises --at 0.3",
        weigh="Which of the two must know what digits look like? Which could be done with dice alone?",
        page=THERE_AND_BACK,
    ),
    Question(
        number=2,
        module=M0,
        topic="why learn to reverse",
        text="Why learn to take noise away, step by step, when what is wanted is a new picture?",
        look="`space` plays. Look at x̂0, what the network takes the picture for, early and late.",
        screen="generate",
        choices={"run": "quick", "sampler": "ddpm", "steps": 50, "label": None},
        command="labs start",
        weigh="Where would new pictures come from if the network only knew its training pictures by heart? "
        "Why are many small steps easier to learn than one large one?",
        page=LEARNED_REVERSE,
    ),
    Question(
        number=3,
        module=M0,
        topic="against a classifier",
        text="A CNN that tells digits apart and a network that removes noise are both convolutions. What "
        "differs: what goes in, what comes out, how often is it asked?",
        look="`tab` turns to “inside”: what the network is made of and what its first layer looks for.",
        screen="denoise",
        choices={"run": "quick", "showing": 3},
        command="denoise --from toy --filters",
        weigh="Many pictures to one label, or one noise to one of many pictures: which of the two answers is "
        "the only right one?",
        page=AGAINST_CLASSIFIER,
    ),
    Question(
        number=4,
        module=M0,
        topic="what decides at t = T",
        text="At t = T there is nothing but noise. What, then, decides which picture comes out in the end?",
        look="`r` draws from other noise, `R` from the noise before. What changes, and what comes back?",
        screen="generate",
        choices={"run": "quick", "sampler": "ddim", "steps": 50, "seed": 0, "label": None},
        command="labs variety",
        weigh="Is the way back a fixed function of its start, or does chance come in on the way? What does "
        "the network bring that is in neither?",
        page=find_page("variety"),
        predict=True,
    ),
    Question(
        number=5,
        module=M1,
        topic="when it is lost",
        text="At which timestep can you no longer tell the digit?",
        look="Begin at the noisy end and go back with `←`: write down where you are sure. `d` takes another "
        "digit, `r` other noise.",
        screen="forward",
        choices={"kind": "linear", "T": 200, "position": 1.0},
        command="noise --schedule linear --timesteps 200 --at 40 80 120 160 199",
        weigh="You, a trained eye and the best guess there is do not lose the digit at the same t. Does the "
        "noise hide it, or does it take it away? And which schedule is it?",
        page=UNRECOGNISABLE,
    ),
    Question(
        number=6,
        module=M1,
        topic="t = 50 against 150",
        text="Compare the same digit at t = 50 and at t = 150 of 200. What is left at each?",
        look="The strip below has both at once; `⇧` with `→` moves t by ten. `c` takes another schedule.",
        screen="forward",
        choices={"kind": "linear", "T": 200, "position": 0.2513},
        command="schedule --schedule linear --timesteps 200 --at 50 150",
        weigh="Signal and noise at both, in figures: √ᾱ and √(1-ᾱ). Under which schedule do you mean it?",
        page=EARLY_LATE,
    ),
    Question(
        number=7,
        module=M1,
        topic="where SNR < 1",
        text="From which timestep on is there more noise than signal, SNR < 1?",
        look="`←`/`→` move t; the SNR stands beside the formula. `c` changes the schedule, `t` its length.",
        screen="forward",
        choices={"kind": "linear", "T": 200, "position": 0.5},
        command="schedule --schedule linear --timesteps 200",
        weigh="The lab never names its betas. Does the answer belong to the digit, to t, or to the schedule?",
        page=find_page("short"),
    ),
    Question(
        number=8,
        module=M1,
        topic="why five differ",
        text="The same digit, noised five times to the same t, gives five pictures. Why do they differ, and "
        "what do they share?",
        look="`←`/`→` move t, `r` draws five other noises, `d` takes another digit.",
        screen="labs",
        choices={"page": "noises", "left": "linear 200", "time": 0.5},
        command="labs noises --schedules 5 5 --at 0.5",
        weigh="Which part of x_t is fixed by x_0, and which is drawn? What would the mean of many show?",
        page=find_page("noises"),
    ),
    Question(
        number=9,
        module=M1,
        topic="easy there, hard back",
        text="Any x_t can be made in one step and without any network. Why can the way back not be?",
        look="`space` plays forward. At each t, ask: how many digits could this have been?",
        screen="forward",
        choices={"kind": "linear", "T": 1000, "position": 0.5},
        command="noise --at 0 250 500 750 999",
        weigh="q(x_t | x_0) is a Gaussian with two known numbers. What would q(x_{t-1} | x_t) have to know?",
        page=ONE_JUMP,
    ),
    Question(
        number=10,
        module=M2,
        topic="how long it trains",
        text="How long will the toy denoiser need for its 8 epochs on this machine?",
        look="Write your guess before you look. `space` starts the training.",
        screen="train",
        choices=TOY,
        command="train --preset toy --run toy",
        weigh="What the time depends on: pictures, epochs, parameters, size of a picture, the machine, and "
        "who else uses it.",
        page=TRAINING_TIME,
        predict=True,
    ),
    Question(
        number=11,
        module=M2,
        topic="loss against target",
        text="What is the loss at the end, and does it reach the lab's target of about 0.05?",
        look="`space` starts the toy training, if you have none yet. `(` and `)` read the curve.",
        screen="train",
        choices=TOY,
        command="metrics toy",
        weigh="A single batch, a mean of many, and digits held out: which of the three is “the loss”? Can it "
        "become 0?",
        page=TOY_LOSS,
    ),
    Question(
        number=12,
        module=M2,
        topic="time against guess",
        text="How long did it take in the end, and how far off was your prediction of question 10?",
        look="`o` lists the runs; the line below the curve of a run has its time.",
        screen="train",
        choices=TOY,
        command="runs",
        weigh="Give the factor, not the difference. What had you not thought of?",
        page=TRAINING_TIME,
    ),
    Question(
        number=13,
        module=M2,
        topic="denoising at t = 100",
        text="Noise a digit to t = 100 of 200 and let the toy network clean it in one look. What comes back, "
        "and what does not?",
        look="The row of t = 100. `n` takes another digit, `r` other noise: what is guessed, what is seen?",
        screen="denoise",
        choices={"run": "toy", "showing": 0, "chosen": 2},
        command="denoise --from toy --at 100",
        weigh="Is the answer sharp or blurred, and is it this digit or the mean of several that it could be?",
        page=TOY_DENOISING,
    ),
    Question(
        number=14,
        module=M2,
        topic="t = 25 against 150",
        text="And at t = 25, and at t = 150? Which is harder, and how does the answer look where it is hard?",
        look="The first and the last row. `↑`/`↓` choose a look, `+` and `-` its noise.",
        screen="denoise",
        choices={"run": "toy", "showing": 0, "chosen": 3},
        command="denoise --from toy --at 150",
        weigh="Hard for the picture and hard for the noise are opposite ends. What does the network do where "
        "it cannot know?",
        page=TOY_DENOISING,
    ),
    Question(
        number=15,
        module=M2,
        topic="training a classifier",
        text="You have trained a denoiser. How is that different from training a classifier: the data, the "
        "target, the loss, and how you know that it is good?",
        look="`i` shows the whole recipe as a form. Which line would a classifier have that is not there?",
        screen="train",
        choices=TOY,
        command="train --preset toy --run toy",
        weigh="Where do the targets come from? Can this loss reach 0? Is a lower loss a better picture?",
        page=TRAIN_BOTH,
    ),
    Question(
        number=16,
        module=M3,
        topic="when it is a digit",
        text="The network draws from t = T down to 0. At which timestep will you know which digit it is?",
        look="`Home`, then `→` step by step: stop where you are sure. Which of the panes tells it first?",
        screen="generate",
        choices={"run": "quick", "sampler": "ddpm", "steps": 50, "seed": 0, "label": None},
        command="sample --from quick -n 1 --seed 0 --plain",
        weigh="In x_t or in x̂0? For one digit or for most? A timestep means little without its schedule: "
        "what is the SNR there?",
        page=EMERGING,
        predict=True,
    ),
    Question(
        number=17,
        module=M3,
        topic="gradual or sudden",
        text="Does the digit come gradually or suddenly?",
        look="`f` and `F` change the speed, `⇧` with `→` moves ten frames. Try three seeds with `r`.",
        screen="generate",
        choices={"run": "quick", "sampler": "ddpm", "steps": 50, "seed": 1, "label": None},
        command="labs loop",
        weigh="Which digit, its shape, its edges: are these decided at the same time?",
        page=GRADUAL,
    ),
    Question(
        number=18,
        module=M3,
        topic="twelve samples",
        text="Draw twelve. How many different digits are there, and how many would you have taken for real?",
        look="Twelve seeds together; `r` draws other ones. Count before you measure.",
        screen="generate",
        choices={"run": "quick", "seed": 0, "grid": True, "label": None},
        command="sample --from quick -n 12 --seed 0 --plain",
        weigh="Twelve blind draws of ten kinds show about seven. Variety and quality are two things: which "
        "figure tells which?",
        page=TWELVE,
    ),
    Question(
        number=19,
        module=M3,
        topic="50 against 200 steps",
        text="Draw with 50 steps and with 200, from the same noise. What is gained, and what does it cost?",
        look="Rows of more and more steps. `s` draws many and measures them; `a` takes another sampler.",
        screen="compare",
        choices={"run": "quick", "view": "steps", "sampler": "ddpm", "seed": 0, "label": None},
        command="compare --from quick --view steps --sampler ddpm",
        weigh="Is the picture the same? Fifty of a thousand timesteps need a respaced schedule, or DDIM: the "
        "plain formula on a stride is wrong (Labs, page 9).",
        page=STEPS_50_200,
    ),
    Question(
        number=20,
        module=M3,
        topic="why imperfect",
        text="Some of them are no digits. Whose fault is it: the noise, the sampler, or the network?",
        look="`m` takes another network: toy, quick, lab, lecture. `r` takes other noise.",
        screen="generate",
        choices={"run": "lab", "sampler": "ddpm", "steps": 50, "grid": True},
        command="evaluate lab --steps 50 -n 64",
        weigh="What comes out if the network's answer were exactly right? Where, in t, does it err most?",
        page=IMPERFECT,
    ),
    Question(
        number=21,
        module=M4,
        topic="sixteen categories",
        text="Let a professional model draw sixteen pictures. Which categories can you name among them?",
        look="`o` lists networks, and takes the folder or the name of a pipeline, such as "
        "google/ddpm-cifar10-32.",
        screen="generate",
        choices={"grid": True, "label": None},
        command="sample --pipeline google/ddpm-cifar10-32 -n 16 --out sixteen.png",
        weigh="Nobody asked it for a category. Who decides what a picture shows, and who says that it does?",
        page=SIXTEEN,
    ),
    Question(
        number=22,
        module=M4,
        topic="25, 50, 100 steps",
        text="The same start in 25, 50 and 100 steps: what changes?",
        look="Rows of more and more steps; `s` measures. `m` takes another network, a pipeline too.",
        screen="compare",
        choices={"run": "quick", "view": "steps", "sampler": "ddim", "seed": 0, "label": None},
        command="compare --from quick --view steps --sampler ddim",
        weigh="Does the picture change, or only its details? Double the steps: what doubles?",
        page=STEPS_FEWER,
    ),
    Question(
        number=23,
        module=M4,
        topic="why 20 to 50 steps",
        text="Models are trained with a thousand timesteps and used with 20 to 50. Why is that enough, and "
        "why not fewer?",
        look="Every sampler with as many steps. `+` and `-` change how many: where does each break down?",
        screen="compare",
        choices={"run": "quick", "view": "samplers", "steps": 25, "seed": 0, "label": None},
        command="compare --from quick --view samplers --steps 25",
        weigh="Time grows with each step, quality does not. Which sampler needs the fewest, and why?",
        page=STEPS_FEWER,
    ),
    Question(
        number=24,
        module=M4,
        topic="what makes the gap",
        text="What makes the gap between the toy and a professional model?",
        look="`o`: all networks side by side, with their true figures.",
        screen="generate",
        choices={"run": "quick"},
        command="networks",
        weigh="Parameters are one thing. Data, pixels, time, labels, attention: which of them can you tell "
        "apart in these figures, and which not?",
        page=QUALITY_GAP,
    ),
    Question(
        number=25,
        module=M4,
        topic="from prompt to image",
        text="Describe the whole way from a prompt to a picture, in order, with what goes in and comes out "
        "at each stage.",
        look="`i` asks in words: “a seven”. One x_T under every label: what does the label change?",
        screen="compare",
        choices={"run": "conditional", "view": "labels", "seed": 0},
        command='compare --from conditional --view labels --caption "a seven"',
        weigh="Where does the text act: at the start, at the end, or at every step? What do a text encoder, "
        "latents and a decoder add to what you see here?",
        page=PROMPT_TO_IMAGE,
    ),
)
"""The questions of the guided lab, in our words."""

QUESTIONS: tuple[Question, ...] = (*GUIDED, *DISCUSSION)
"""All of them."""


def find_question(asked: str) -> Question:
    """A question by its number.

    Raises:
        DifftuiError: there is none.
    """
    for question in QUESTIONS:
        if asked == str(question.number):
            return question
    raise DifftuiError(f"there is no question {asked!r}: 1 to {QUESTIONS[-1].number}")
