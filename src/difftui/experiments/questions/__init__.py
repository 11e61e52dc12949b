"""The questions of the guided lab: predict, look, answer, measure. Importing it imports no torch."""

from difftui.experiments.questions.catalogue import QUESTIONS, find_question
from difftui.experiments.questions.question import Question

__all__ = ["QUESTIONS", "Question", "find_question"]
