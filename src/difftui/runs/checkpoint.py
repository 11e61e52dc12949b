"""Tensors in files: safetensors only, never a pickle. torch is imported when a file is read or written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from difftui import atomic
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["load_tensors", "read_metadata", "save_tensors"]


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors and a header of strings, atomically.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the file that was there is untouched.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic.replacing(path) as temporary:
        try:
            save_file(plain, temporary, metadata=dict(metadata))
        except SafetensorError as error:  # how the library reports a full disk
            raise OSError(f"cannot write {path}: {error}") from error


def read_metadata(path: Path) -> dict[str, str]:
    """The header of strings of a file that :func:`save_tensors` wrote.

    Raises:
        DifftuiError: the file is missing, cut short, or not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except FileNotFoundError:
        raise DifftuiError(f"{path} does not exist.") from None
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def load_tensors(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read tensors that must have the names and shapes of ``expected``.

    Names and shapes are compared from the file's header, before memory for any tensor is taken.

    Raises:
        DifftuiError: the file is missing, cut short, not a safetensors file, or made for another network.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            if names != set(expected):
                odd = sorted(names ^ set(expected))[0]
                raise DifftuiError(
                    f"{path} was made for another network (it differs in {odd!r}). Choose another."
                )
            for name, tensor in expected.items():
                shape = list(file.get_slice(name).get_shape())
                if shape != list(tensor.shape):
                    raise DifftuiError(
                        f"{path} was made for another network: {name!r} has shape {shape}, "
                        f"not {list(tensor.shape)}. Choose another."
                    )
            return {name: file.get_tensor(name) for name in expected}
    except FileNotFoundError:
        raise DifftuiError(f"{path} does not exist.") from None
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DifftuiError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DifftuiError(f"{path} is damaged or not a checkpoint ({reason}). Choose another, or train again.")
