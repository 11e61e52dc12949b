"""Which number format the network's layers compute in."""

from __future__ import annotations

from typing import Literal

import torch

__all__ = ["native_bf16", "resolve_precision"]


def native_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware (emulated bfloat16 is slower than float32)."""
    if device.type == "cuda":
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    if device.type == "cpu":
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def resolve_precision(
    wanted: Literal["auto", "fp32", "bf16"], device: torch.device
) -> Literal["fp32", "bf16"]:
    """ "auto" becomes "bf16" where :func:`native_bf16` holds, else "fp32"; a plain wish is kept."""
    if wanted == "auto":
        return "bf16" if native_bf16(device) else "fp32"
    return wanted
