"""Runs on disk: the only memory that difftui has. Importing this loads no torch."""

from difftui.runs.metrics import Metrics, last_metrics, read_metrics
from difftui.runs.run import (
    Run,
    State,
    Status,
    create_run,
    find_own_run,
    find_run,
    list_runs,
    runs_dir,
    shipped_runs,
    unused_name,
)
from difftui.runs.series import Curve, Series

__all__ = [
    "Curve",
    "Metrics",
    "Run",
    "Series",
    "State",
    "Status",
    "create_run",
    "find_own_run",
    "find_run",
    "last_metrics",
    "list_runs",
    "read_metrics",
    "runs_dir",
    "shipped_runs",
    "unused_name",
]
