"""Runs on disk: the only memory that difftui has. Importing this loads no torch."""

from difftui.runs.attendance import Attendance
from difftui.runs.control import Verb, ask, take_requests
from difftui.runs.follow import Follower, Strip, look_back
from difftui.runs.history import Curve, History, HistoryBuilder, Series
from difftui.runs.metrics import Metrics, last_loss, last_metrics, read_metrics, row_interval
from difftui.runs.presence import Activity, Holder, LifeSign, Liveness
from difftui.runs.run import (
    Run,
    State,
    Status,
    check_name,
    create_run,
    find_own_run,
    find_run,
    list_runs,
    runs_dir,
    shipped_runs,
    unused_name,
)
from difftui.runs.strips import read_strip, write_strip

__all__ = [
    "Activity",
    "Attendance",
    "Curve",
    "Follower",
    "History",
    "HistoryBuilder",
    "Holder",
    "LifeSign",
    "Liveness",
    "Metrics",
    "Run",
    "Series",
    "State",
    "Status",
    "Strip",
    "Verb",
    "ask",
    "check_name",
    "create_run",
    "find_own_run",
    "find_run",
    "last_loss",
    "last_metrics",
    "list_runs",
    "look_back",
    "read_metrics",
    "read_strip",
    "row_interval",
    "runs_dir",
    "shipped_runs",
    "take_requests",
    "unused_name",
    "write_strip",
]
