"""The process that fetches a pipeline: ``python -m difftui.pipelines.fetch NAME``. It talks in lines of JSON.

First ``{"total": bytes, "blobs": folder}``, at the end ``{"folder": where it lies}``; where something is in
the way ``{"problem": in a few words}``.
"""

from __future__ import annotations

import json
import sys

PATTERNS = ("model_index.json", "config.json", "scheduler_config.json", "unet/*.json", "scheduler/*.json")
WEIGHTS = ("diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.safetensors")
ANSWER_SECONDS = 8.0


def main(name: str) -> int:
    """Fetch, and return the exit status."""
    try:
        _fetch(name)
    except Exception as error:
        _tell(problem=_plain(error))
        return 1
    return 0


def _fetch(name: str) -> None:
    from fnmatch import fnmatch

    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE

    info = HfApi().model_info(name, files_metadata=True, timeout=ANSWER_SECONDS)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    wanted = [file for file in sizes if any(fnmatch(file, pattern) for pattern in (*PATTERNS, *WEIGHTS))]
    if "model_index.json" not in wanted:
        raise ValueError("it is no diffusers pipeline")
    if not any(file in wanted for file in WEIGHTS):
        raise ValueError("its weights are not there as safetensors, and a pickle is not opened")
    blobs = f"{HF_HUB_CACHE}/models--{name.replace('/', '--')}/blobs"
    _tell(total=sum(sizes[file] for file in wanted), blobs=blobs)
    folder = snapshot_download(name, allow_patterns=wanted, etag_timeout=ANSWER_SECONDS, max_workers=2)
    _tell(folder=folder)


def _plain(error: Exception) -> str:
    """Why it failed, in a few words: the hub's own errors run over many lines."""
    kind = type(error).__name__
    if isinstance(error, ValueError) and kind == "ValueError":
        return str(error)
    if kind in ("RepositoryNotFoundError", "GatedRepoError", "RevisionNotFoundError"):
        return "the hub has no such pipeline that anybody may read"
    if "Connect" in kind or "Timeout" in kind or isinstance(error, ConnectionError):
        return "the hub cannot be reached"
    return f"{kind}: {' '.join(str(error).split())[:120]}"


def _tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
