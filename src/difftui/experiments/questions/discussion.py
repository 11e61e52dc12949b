"""What the other labs leave to discussion, as questions that follow the guided lab's, in our words."""

from __future__ import annotations

from difftui.experiments.catalogue import find_page
from difftui.experiments.questions.inpainting import INPAINT
from difftui.experiments.questions.inverting import BEYOND, TWO_ANSWERS
from difftui.experiments.questions.latents import LATENTS
from difftui.experiments.questions.one_call import ONE_CALL
from difftui.experiments.questions.prompt import PROMPT_TO_IMAGE
from difftui.experiments.questions.question import Question
from difftui.experiments.questions.sharpening import SHARPEN

__all__ = ["DISCUSSION"]

MODULE = "D discussion"

DISCUSSION: tuple[Question, ...] = (
    Question(
        number=26,
        module=MODULE,
        topic="values outside the range",
        text="A network has learnt to undo the sine on [-1, 1]. What does it answer for a y that its data "
        "never reached, and for one that no sine has?",
        look="The curve beyond the data's ends; `space` trains, `(` and `)` read it. `a` takes another "
        "activation: which way does it leave?",
        screen="inverse",
        choices={"problem": "y = sin x on [-1, 1]", "view": 0},
        command="invert --hidden 16-16",
        weigh="The data end at |y| = sin 1 = 0.84, not at 1. Would a low error on the data have told you? "
        "What would a network have to answer in order to say “I cannot know”?",
        page=BEYOND,
        predict=True,
    ),
    Question(
        number=27,
        module=MODULE,
        topic="from inversion to diffusion",
        text="Invert a function in which several x have one y. What does a mean squared error make of them, "
        "and what has this to do with diffusion?",
        look="`tab` to the diffusion view: where do its draws fall, where runs the regression? `p` takes "
        "other functions.",
        screen="inverse",
        choices={"problem": "y = sin x on [0, π]", "view": 0},
        command="invert --range 0 3.14159 --diffusion --diffusion-steps 2000 --at 0.2 0.5 0.8",
        weigh="The mean of right answers need not be one. Which x_0 may lie behind an x_t: is that an "
        "inverse with one answer or with many?",
        page=TWO_ANSWERS,
    ),
    Question(
        number=28,
        module=MODULE,
        topic="another noise schedule",
        text="What changes with another noise schedule: on the way there, for training, and for drawing?",
        look="Two schedules beside each other; `←`/`→` move t, `c` and `C` change them. Where does each lose "
        "the digit?",
        screen="labs",
        choices={"page": "ab", "left": "linear 1000", "right": "cosine 1000", "time": 0.5},
        command="labs ab --schedules 1 3 --at 0.5",
        weigh="Each schedule visits the same SNRs, at other times. Where does it spend its steps, and is its "
        "end noise alone?",
        page=find_page("ab"),
    ),
    Question(
        number=29,
        module=MODULE,
        topic="why iterating helps",
        text="Why does it help to go back from noise in many steps, when the network guesses the clean "
        "picture at every one of them?",
        look="Compare x̂0 in the first frame with the last: `Home`, then `→`. `r` takes other noise.",
        screen="generate",
        choices={"run": "quick", "sampler": "ddim", "steps": 25, "seed": 0},
        command="compare --from quick --view steps",
        weigh="One look has to answer with a mean of all that may be there. What does a step fix, that the "
        "next look may build upon?",
        page=ONE_CALL,
    ),
    Question(
        number=30,
        module=MODULE,
        topic="diffusion against GANs",
        text="A GAN draws in one call of a network; diffusion in many. What does either pay for it, in "
        "time, in training, in variety?",
        look="More and more steps, with their time. What would you give up to have the first row's?",
        screen="compare",
        choices={"run": "quick", "view": "steps", "sampler": "ddim", "seed": 0},
        command="compare --from quick --view steps --sampler ddim",
        weigh="Two networks that contend, or one with a squared error: which tells you that training goes "
        "well? A GAN may drop a class unnoticed. None is here: say what you measured and what you read.",
        page=ONE_CALL,
    ),
    Question(
        number=31,
        module=MODULE,
        topic="conditions: a class, a text",
        text="How does a network that draws any digit become one that draws what is asked for, by a class or "
        "by a text?",
        look="`tab` turns to guidance: the same start, asked for more and more. `i` asks in words.",
        screen="compare",
        choices={"run": "conditional", "view": "guidance", "seed": 0},
        command="compare --from conditional --view guidance --label 7",
        weigh="The label is one more input, hidden at times in training. What does guidance then do with "
        "both answers, and what does too much of it cost?",
        page=PROMPT_TO_IMAGE,
    ),
    Question(
        number=32,
        module=MODULE,
        topic="inpainting",
        text="Half of a digit is lost. How can a network draw it that was trained to draw whole digits only?",
        look="How the digit forms: at each of these x_t half of it could be replaced by what is known. `r` "
        "takes other noise.",
        screen="labs",
        choices={"page": "birth"},
        command="labs birth",
        weigh="Each replaced half is right, and yet it was noised without a look at the other. Is there one "
        "right filling?",
        page=INPAINT,
    ),
    Question(
        number=33,
        module=MODULE,
        topic="super-resolution",
        text="From 7 x 7 pixels to 28 x 28: where does the detail come from, and is it true?",
        look="`+` and `-` change the noise: what is guessed where little is left? `n` takes another digit.",
        screen="denoise",
        choices={"run": "quick", "showing": 0, "chosen": 2},
        command="denoise --from quick",
        weigh="The known means are kept exactly; all else is what digits usually look like. For which uses "
        "is that a help, and for which a danger?",
        page=SHARPEN,
    ),
    Question(
        number=34,
        module=MODULE,
        topic="style transfer",
        text="Noise a picture half way and draw from there. What stays, what becomes new, and how is that "
        "used to change a picture's style?",
        look="The same digit from four starts; `d` takes another digit, `r` other noise. From which on is it "
        "another digit?",
        screen="labs",
        choices={"page": "start"},
        command="labs start",
        weigh="This is SDEdit (Meng et al. 2022). Coarse shapes outlive noise that hides fine ones: which t "
        "keeps the content and loses the style?",
        page=find_page("start"),
    ),
    Question(
        number=35,
        module=MODULE,
        topic="why predict the noise",
        text="Why is the network trained on the noise, when what is wanted is the picture?",
        look="`←`/`→` move t: where is the noise easy to tell, where the picture?",
        screen="labs",
        choices={"page": "targets", "time": 0.5},
        command="labs targets --at 0.5",
        weigh="Either gives the other by one formula. So what differs: what a network can know, or how its "
        "errors at each t are weighed?",
        page=find_page("targets"),
    ),
    Question(
        number=36,
        module=MODULE,
        topic="latent diffusion",
        text="Why do large models diffuse in a smaller space than that of the pixels, and what must that "
        "space be able to do?",
        look="`o`: all networks with their pixels and their time. What would 512 x 512 x 3 numbers cost?",
        screen="generate",
        choices={"run": "quick"},
        command="networks",
        weigh="Fewer numbers cost less at every step. What is lost on the way there and back, and who learns "
        "the way? A linear space is the simplest; is it a good one?",
        page=LATENTS,
    ),
)
"""The questions, in the order of the labs that raise them."""
