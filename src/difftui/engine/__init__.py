"""The worker thread between the screens and torch. Importing it imports no torch; its thread does."""

from difftui.engine.device import Device
from difftui.engine.engine import Engine, Workbench
from difftui.engine.job import Job, JobState

__all__ = ["Device", "Engine", "Job", "JobState", "Workbench"]
