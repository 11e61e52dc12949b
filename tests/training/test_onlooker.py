"""A look at a training from inside that is cut short: what was drawn is kept, and nothing else is shown."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from helpers import tiny

from difftui.data import Digits
from difftui.runs import Run, create_run
from difftui.runs.strips import read_strip
from difftui.training import session as session_module
from difftui.training.progress import Hold, Progress, SampleStrip
from difftui.training.session import Session


@pytest.fixture
def run() -> Run:
    return create_run("looked-at", tiny(8, steps=50).to_json())


def drawn_not_measured(
    run: Run, few: Digits
) -> tuple[Session, Generator[Progress | Hold | None], SampleStrip]:
    """A training that has drawn its samples and has begun to measure the held-out digits."""
    session = Session(tiny(8, steps=50), run, digits=few)
    events = session.events()
    next(events)
    session.ask_for_samples()
    assert session.onlooker is not None
    while (strip := session.onlooker.strip) is None:
        next(events)
    assert session.onlooker.validation is None
    assert run.sample_strips() == []
    return session, events, strip


def test_samples_of_a_look_that_was_cut_short_are_kept(run: Run, few: Digits) -> None:
    session, events, strip = drawn_not_measured(run, few)
    events.close()
    ((step, path),) = run.sample_strips()
    assert step == strip.step == session.trainer.step
    assert (read_strip(path) == strip.images).all()
    assert session.farewell is not None
    assert session.farewell.strip is strip


def test_samples_that_the_disk_refuses_are_not_shown_as_kept(
    run: Run, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    session, events, _ = drawn_not_measured(run, few)
    monkeypatch.setattr(session_module, "write_strip", refused)
    events.close()
    assert run.sample_strips() == []
    assert session.farewell is not None
    assert session.farewell.strip is None
    status = run.status()
    assert (status.state, status.step) == ("stopped", session.trainer.step), "the weights are kept"
