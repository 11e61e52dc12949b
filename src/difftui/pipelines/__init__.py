"""Networks of other people: diffusers pipelines that draw without being asked for anything, and ours as such.

``folder`` reads what a pipeline says of itself, ``loading`` makes it a network that our samplers ask, ``hub``
finds one by its name or fetches it, ``export`` writes one of our networks for diffusers. Only ``loading`` and
``export`` import torch, and diffusers is imported by :func:`load_pipeline` alone.
"""

from difftui.pipelines.folder import DEFAULT, PipelineFacts, PipelineRef, read_pipeline
from difftui.pipelines.hub import cached_pipelines, find_pipeline, is_hub_name

__all__ = [
    "DEFAULT",
    "PipelineFacts",
    "PipelineRef",
    "cached_pipelines",
    "find_pipeline",
    "is_hub_name",
    "read_pipeline",
]
