"""The script for Slurm, really run, with Slurm's own command stood in for."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import eventually

from difftui.runs import find_run

SCRIPT = Path(__file__).parents[2] / "docs" / "train.slurm"
OPTIONS = ["--preset", "quick", "--data", "bundled", "--batch-size", "2", "--device", "cpu"]


@pytest.fixture
def node(tmp_path: Path) -> dict[str, str]:
    """The environment of a job, difftui on its path, and an scontrol that writes down what it is asked."""
    asked = shlex.quote(str(tmp_path / "asked"))
    for name, line in {
        "difftui": f'exec {shlex.quote(sys.executable)} -m difftui "$@"',
        "torchrun": f'exec {shlex.quote(sys.executable)} -m torch.distributed.run "$@"',
        "scontrol": f'echo "$@" >> {asked}',
    }.items():
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{line}\n")
        command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "4711",
        "SLURM_GPUS_ON_NODE": "1",
    }


def test_it_is_bash() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("gpus", ["1", "2"])
def test_a_warned_job_saves_and_comes_again(node: dict[str, str], tmp_path: Path, gpus: str) -> None:
    node["SLURM_GPUS_ON_NODE"] = gpus
    steps = []
    for life in (1, 2):
        log = tmp_path / f"log-{life}"
        with log.open("w") as file:
            job = subprocess.Popen(
                ["bash", str(SCRIPT), *OPTIONS, "--steps", "1000000"],
                env=node,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            eventually(lambda: "images/s" in log.read_text() or job.poll() is not None)  # noqa: B023
            job.send_signal(signal.SIGUSR1)
            assert job.wait(60) != 0
        finally:
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
                job.wait()
        run = find_run("slurm-4711")
        assert run.status().state == "stopped"
        assert (tmp_path / "asked").read_text() == "requeue 4711\n" * life
        steps.append(run.status().step)
    assert 0 < steps[0] < steps[1]


@pytest.mark.slow
def test_a_job_that_ends_by_itself_does_not_come_again(node: dict[str, str], tmp_path: Path) -> None:
    for words, status in ((["--steps", "1"], 0), (["--steps", "2"], 2)):  # the second contradicts the run
        done = subprocess.run(
            ["bash", str(SCRIPT), *OPTIONS, *words], env=node, capture_output=True, text=True
        )
        assert done.returncode == status, done.stderr
    assert not (tmp_path / "asked").exists()
