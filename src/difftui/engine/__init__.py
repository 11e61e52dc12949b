"""The worker thread between the screens and torch. Importing it imports no torch; starting it does."""

from difftui.engine.device import Device
from difftui.engine.engine import Engine, Workbench
from difftui.engine.job import Job, JobState

__all__ = ["Device", "Engine", "Job", "JobState", "Workbench"]
