"""The questions, in their order."""

from __future__ import annotations

from difftui.errors import DifftuiError
from difftui.experiments.catalogue import find_page
from difftui.experiments.questions.question import Question

__all__ = ["QUESTIONS", "find_question"]

M0, M1, M2 = "M0 the idea", "M1 forward", "M2 learning"
M3, M4 = "M3 generation", "M4 the profession"

QUESTIONS: tuple[Question, ...] = (
    Question(
        number=4,
        module=M0,
        topic="what decides the picture at t = T",
        text="At t = T there is nothing but noise. What, then, decides which picture comes out in the end?",
        look="`r` draws from other noise, `R` from the noise before. What changes, and what comes back?",
        screen="generate",
        choices={"sampler": "ddim", "seed": 0},
        command="labs variety",
        weigh="Is the way back a fixed function of the start, or does chance come in on the way? What does "
        "the network add that is in neither?",
        page=find_page("variety"),
        predict=True,
    ),
    Question(
        number=7,
        module=M1,
        topic="where SNR falls below 1",
        text="From which timestep on is there more noise than signal, SNR < 1?",
        look="`←`/`→` move t; the SNR stands beside the formula. `c` changes the schedule, `t` its length.",
        screen="forward",
        choices={"kind": "linear", "T": 200, "position": 0.5},
        command="schedule --timesteps 200",
        weigh="The lab never names its betas. Does the answer belong to the digit, to t, or to the schedule?",
        page=find_page("short"),
    ),
    Question(
        number=8,
        module=M1,
        topic="why five noised pictures differ",
        text="The same digit, noised five times to the same t, gives five pictures. Why do they differ, and "
        "what do they share?",
        look="`←`/`→` move t, `r` draws five other noises, `d` takes another digit.",
        screen="labs",
        choices={"page": "noises", "left": "linear 200", "time": 0.5},
        command="labs noises --schedules 5 5 --at 0.5",
        weigh="Which part of x_t is fixed by x_0, and which is drawn? What would a mean over many show?",
        page=find_page("noises"),
    ),
)


def find_question(asked: str) -> Question:
    """A question by its number.

    Raises:
        DifftuiError: there is none.
    """
    for question in QUESTIONS:
        if asked == str(question.number):
            return question
    raise DifftuiError(f"there is no question {asked!r}: 1 to {QUESTIONS[-1].number}")
