"""What may be imported when: no torch before it is needed, no textual below the screens."""

import subprocess
import sys

import pytest

WITHOUT_TORCH = [
    "difftui",
    "difftui.data",
    "difftui.diffusion",
    "difftui.runs",
    "difftui.training.recipe",
    "difftui.inversion",
    "difftui.experiments",
    "difftui.engine",
    "difftui.cli",
    "difftui.ui.app",
    "difftui.ui.screens.labs",
    "difftui.ui.screens.questions",
]
WITHOUT_TEXTUAL = [
    "difftui.data",
    "difftui.diffusion",
    "difftui.runs",
    "difftui.models",
    "difftui.training",
    "difftui.evaluation",
    "difftui.inversion",
    "difftui.experiments",
    "difftui.engine",
    "difftui.cli",
]


def heavy_modules_after(code: str, *arguments: str) -> set[str]:
    """Which of the heavy packages a fresh Python holds after `code`."""
    report = (
        "\nimport sys; print('heavy:', *({name.partition('.')[0] for name in sys.modules}"
        " & {'torch', 'torchvision', 'textual', 'diffusers', 'plotext'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + report, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return set(done.stdout.rpartition("heavy:")[2].split())


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_torch_is_not_imported_by(module: str) -> None:
    assert not heavy_modules_after(f"import {module}") & {"torch", "torchvision", "diffusers"}


@pytest.mark.parametrize("module", WITHOUT_TEXTUAL)
def test_textual_is_not_imported_by(module: str) -> None:
    assert not heavy_modules_after(f"import {module}") & {"textual", "plotext"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["sample", "--help"]])
def test_help_imports_neither_torch_nor_textual(arguments: list[str]) -> None:
    code = (
        "import contextlib, runpy, sys\n"
        "with contextlib.suppress(SystemExit):\n"
        "    runpy.run_module('difftui', run_name='__main__')\n"
    )
    assert heavy_modules_after(code, *arguments) == set()


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_the_mathematics_works_without_torch(kind: str) -> None:
    code = (
        "from difftui.data import bundled\n"
        "from difftui.diffusion import make_schedule\n"
        f"schedule = make_schedule({kind!r}, 1000)\n"
        "bundled().images[0] * schedule.alpha_bar(259)\n"
    )
    assert heavy_modules_after(code) == set()
