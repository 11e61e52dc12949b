"""Pictures from a network of difftui's, by a scheduler of diffusers.

    pipeline = DiffusionPipeline.from_pretrained(FOLDER, trust_remote_code=True)
    pipeline(class_labels=[7, 7, 7]).images

``seeds`` draws the very noise that difftui draws, and so its very pictures.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput
from torch import Tensor


class DifftuiPipeline(DiffusionPipeline):  # type: ignore[misc]
    """One network, one scheduler, and how they are best used together.

    Args:
        unet: the network.
        scheduler: the rule that takes steps.
        steps, temperature, guidance: used where a call says nothing else.
    """

    model_cpu_offload_seq = "unet"

    def __init__(
        self, unet: Any, scheduler: Any, steps: int = 50, temperature: float = 1.0, guidance: float = 0.0
    ) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        self.register_to_config(steps=steps, temperature=temperature, guidance=guidance)

    @torch.no_grad()
    def __call__(
        self,
        batch_size: int = 1,
        class_labels: Sequence[int] | None = None,
        num_inference_steps: int | None = None,
        temperature: float | None = None,
        guidance: float | None = None,
        seeds: Sequence[int] | None = None,
        generator: torch.Generator | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> Any:
        """Draw.

        Args:
            batch_size: how many pictures, where neither labels nor seeds tell.
            class_labels: a class for each, for a network that can be asked.
            num_inference_steps: spread evenly over the timesteps, both ends included.
            temperature: standard deviation of all noise.
            guidance: w of c + w (c - u), c the answer with the label and u without; diffusers' guidance_scale
                is 1 + w.
            seeds: one a picture, as difftui has them.
            generator: of the noise, where there are no seeds.
            output_type: "pil", "np" for (B, H, W, C) in [0, 1], or "pt" for (B, C, H, W) in [-1, 1].
        """
        given = class_labels if class_labels is not None else seeds
        count = batch_size if given is None else len(given)
        steps = num_inference_steps or self.config.steps
        temperature = self.config.temperature if temperature is None else temperature
        guidance = self.config.guidance if guidance is None else guidance
        side, colours = self.unet.config.sample_size, self.unet.config.in_channels
        noise = _Noise((count, colours, side, side), seeds, generator, temperature)
        labels = None if class_labels is None else torch.tensor(class_labels, device=self.device)
        self._set_timesteps(steps)
        fresh = "variance_noise" in inspect.signature(self.scheduler.step).parameters
        x = noise.start().to(self.device)
        for t in self.progress_bar(self.scheduler.timesteps):
            answer = self._answer(x, t, labels, guidance)
            options = {"variance_noise": noise.step().to(self.device)} if fresh else {}
            x = self.scheduler.step(answer, t, x, **options).prev_sample
        pictures = _pictures(x, output_type, self)
        return ImagePipelineOutput(images=pictures) if return_dict else (pictures,)

    def _set_timesteps(self, steps: int) -> None:
        """The grid of difftui where the scheduler takes one, else the scheduler's own."""
        if "timesteps" in inspect.signature(self.scheduler.set_timesteps).parameters:
            last = self.scheduler.config.num_train_timesteps - 1
            rising = np.linspace(0, last, steps).round() if steps > 1 else np.array([last])
            times = [int(t) for t in rising[::-1]]
            self.scheduler.set_timesteps(timesteps=times, device=self.device)
        else:
            self.scheduler.set_timesteps(steps, device=self.device)

    def _answer(self, x: Tensor, t: Tensor, labels: Tensor | None, guidance: float) -> Tensor:
        if labels is None or guidance == 0.0:
            answer: Tensor = self.unet(x, t, labels).sample
            return answer
        both = torch.cat([labels, torch.full_like(labels, self.unet.config.num_classes)])
        with_label, without = self.unet(torch.cat([x, x]), t, both).sample.chunk(2)
        guided: Tensor = with_label + (with_label - without) * guidance
        return guided


class _Noise:
    """The start and the noise of each step: from a generator, or from difftui's two streams a seed."""

    def __init__(
        self,
        shape: tuple[int, ...],
        seeds: Sequence[int] | None,
        generator: torch.Generator | None,
        temperature: float,
    ) -> None:
        self.shape, self.temperature, self.generator = shape, temperature, generator
        self.starts = None if seeds is None else [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        self.streams = None if seeds is None else [_second(int(seed)) for seed in seeds]

    def start(self) -> Tensor:
        return self._draw(self.starts)

    def step(self) -> Tensor:
        return self._draw(self.streams)

    def _draw(self, streams: list[torch.Generator] | None) -> Tensor:
        if streams is None:
            where = "cpu" if self.generator is None else self.generator.device
            return self.temperature * torch.randn(self.shape, generator=self.generator, device=where)
        return self.temperature * torch.stack([torch.randn(self.shape[1:], generator=s) for s in streams])


def _second(seed: int) -> torch.Generator:
    state = np.random.SeedSequence((seed, 1)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))


def _pictures(x: Tensor, output_type: str, pipeline: DiffusionPipeline) -> Any:
    if output_type == "pt":
        return x.cpu()
    values = (x / 2 + 0.5).clamp(0, 1).cpu().permute(0, 2, 3, 1).float().numpy()
    return pipeline.numpy_to_pil(values) if output_type == "pil" else values
