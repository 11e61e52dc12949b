"""One of our networks as a diffusers pipeline: a folder that loads there, without difftui.

None of our networks is a UNet2DModel, so the folder brings its code along, as diffusers provides for it: the
network's own source as a component (``unet/…py``) and ``pipeline.py``. diffusers asks for
``trust_remote_code=True`` to run them. The scheduler is diffusers' own: its DPMSolverMultistepScheduler is
each of our samplers, by its settings. With h = lambda_s - lambda_t, DPM-Solver++ of the first order is DDIM
(Lu et al. 2022, section 4.1), of the second our own; and its stochastic form of the first order,

    x_s = sigma_s / sigma_t e^-h x_t + alpha_s (1 - e^-2h) x0_hat + sigma_s sqrt(1 - e^-2h) z

is the posterior's mean and variance, which is DDPM.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from difftui import __version__, models
from difftui.errors import DifftuiError
from difftui.pipelines.folder import INDEX, OURS, WEIGHTS
from difftui.runs.checkpoint import save_tensors
from difftui.training.loading import LoadedModel

__all__ = ["export_pipeline", "scheduler_config"]

DIFFUSERS = "0.30.0"  # the oldest that loads it
_OURS = "difftui.models"
_PREDICTIONS = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}
_SOLVERS = {
    "ddpm": ("sde-dpmsolver++", 1),
    "ddim": ("dpmsolver++", 1),
    "dpm-solver++": ("dpmsolver++", 2),
    "heun": ("dpmsolver++", 2),  # diffusers' Heun has no grid of its own choosing; this is as good
}


def export_pipeline(loaded: LoadedModel, folder: Path) -> Path:
    """Write a network, its code and a scheduler that draws as its recipe advises.

    diffusers need not be installed. Everything appears together, or nothing.

    Args:
        loaded: the network.
        folder: a new one, or an empty one.

    Returns:
        The folder.

    Raises:
        DifftuiError: no scheduler of diffusers can drive this network, or the folder is taken or cannot be
            written.
    """
    _check(loaded)
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DifftuiError(f"{folder} is not empty. Name a new folder.")
    staging: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".difftui-", dir=folder.parent))
        _write(loaded, staging)
        staging.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        staging.replace(folder)
    except OSError as error:
        raise DifftuiError(f"{folder} cannot be written ({error.strerror}). Name another folder.") from None
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    return folder


def scheduler_config(loaded: LoadedModel) -> dict[str, Any]:
    """The settings with which diffusers' DPMSolverMultistepScheduler is the sampler that the recipe advises.

    Its thresholding with a greatest value of 1 is our bound on the estimate: [-1, 1].
    """
    algorithm, order = _SOLVERS[loaded.recipe.sampler]
    return {
        "_class_name": "DPMSolverMultistepScheduler",
        "_diffusers_version": DIFFUSERS,
        "num_train_timesteps": loaded.schedule.T,
        "trained_betas": loaded.schedule.betas.tolist(),
        "prediction_type": _PREDICTIONS[loaded.target],
        "algorithm_type": algorithm,
        "solver_order": order,
        "solver_type": "midpoint",
        "final_sigmas_type": "zero",
        "lower_order_final": True,
        "thresholding": True,
        "sample_max_value": 1.0,
        "timestep_spacing": "linspace",
    }


def _check(loaded: LoadedModel) -> None:
    if loaded.recipe.sampler not in _SOLVERS or getattr(loaded.model, "one_shot", False):
        raise DifftuiError(
            f"{loaded.name} cleans a picture in one look, and a diffusers pipeline draws step by step. "
            "Export another network."
        )
    if loaded.target not in _PREDICTIONS:
        raise DifftuiError(
            f"{loaded.name} predicts {loaded.target}, which no scheduler of diffusers knows: "
            f"they take {', '.join(_PREDICTIONS)}. Export another network."
        )


def _write(loaded: LoadedModel, folder: Path) -> None:
    custom = importlib.import_module("difftui.pipelines.custom").__path__[0]
    module = f"difftui_{loaded.kind.replace('-', '_')}"
    recipe = loaded.recipe
    channels, side, _ = loaded.model.image_shape  # type: ignore[misc]
    _, steps, temperature = recipe.drawing()
    index = {
        "_class_name": list(OURS),
        "_diffusers_version": DIFFUSERS,
        "unet": [module, "DifftuiUNet"],
        "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
        "steps": steps,
        "temperature": temperature,
        "guidance": recipe.guidance,
    }
    unet = {
        "_class_name": "DifftuiUNet",
        "_diffusers_version": DIFFUSERS,
        "network": loaded.kind,
        "options": dict(recipe.model_options),
        "sample_size": side,
        "in_channels": channels,
        "out_channels": channels,
        "num_classes": loaded.model.num_classes,
    }
    (folder / "unet").mkdir()
    (folder / "scheduler").mkdir()
    _write_json(folder / INDEX, index)
    _write_json(folder / "unet" / "config.json", unet)
    _write_json(folder / "scheduler" / "scheduler_config.json", scheduler_config(loaded))
    tensors = {f"net.{name}": tensor for name, tensor in loaded.model.state_dict().items()}
    save_tensors(folder / "unet" / WEIGHTS, tensors, {"format": "pt"})
    code = (Path(custom) / "pipeline.py").read_text(encoding="utf-8")
    (folder / "pipeline.py").write_text(_plain(code), encoding="utf-8")
    code = _with_network((Path(custom) / "unet.py").read_text(encoding="utf-8"), loaded.kind)
    (folder / "unet" / f"{module}.py").write_text(code, encoding="utf-8")
    (folder / "README.md").write_text(_readme(loaded), encoding="utf-8")


def _with_network(wrapper: str, kind: str) -> str:
    """The component's code, with the network's own source in the place of its import."""
    network = models.MODELS[kind]
    parts: list[str] = []
    for module in _needed(importlib.import_module(network.__module__)):
        parts.append(f"# {module.__name__}, difftui {__version__} (MIT licence)\n\n{_body(module)}")
    made = f"def build(name, **options):\n    return {network.__name__}(**options)\n"
    before, after = _plain(wrapper).split(f"from {_OURS} import build\n")
    return f"{before}\n{''.join(parts)}\n\n{made}{after}"


def _needed(module: ModuleType) -> list[ModuleType]:
    """The modules of ours that this one imports from, each before those that need it, and itself."""
    found: list[ModuleType] = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{_OURS}."):
            for needed in _needed(importlib.import_module(str(node.module))):
                found += [needed] if needed not in found else []
    return [*found, module]


def _body(module: ModuleType) -> str:
    """A module's source without its own docstring, __future__, __all__ and imports of ours."""
    source = inspect.getsource(module)
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        ours = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            "difftui",
            "__future__",
        )
        said = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        )
        if ours or said or names:
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return "".join(lines).strip() + "\n\n\n"


def _plain(code: str) -> str:
    """Code without the marks for our own type checker."""
    return "\n".join(line.partition("  # type: ignore")[0] for line in code.split("\n"))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _readme(loaded: LoadedModel) -> str:
    labels = "class_labels=[0, 1, 2], " if loaded.model.num_classes else ""
    instead = ""
    if loaded.recipe.sampler == "heun":
        instead = "difftui draws with it by Heun's rule; this pipeline takes DPM-Solver++(2M) instead.\n\n"
    return f"""# {loaded.name}

A {loaded.kind} of difftui {__version__} after {loaded.step} training steps, exported for diffusers.

```python
from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained("PATH/TO/THIS/FOLDER", trust_remote_code=True)
images = pipeline({labels}seeds=[0, 1, 2]).images
```

The network is none of diffusers' own, so its source and a `pipeline.py` are in this folder;
`trust_remote_code=True` lets diffusers run them. Read them first. The weights are
safetensors, and difftui need not be installed.

{instead}The same seeds and labels give the pictures that `difftui sample` draws.

## How it was trained

```json
{loaded.recipe.to_json().strip()}
```
"""
