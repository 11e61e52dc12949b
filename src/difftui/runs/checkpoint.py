"""Tensors in files: safetensors only, never a pickle. torch is imported when a file is read or written.

The format finds a file that was cut short, but not one whose bytes have changed; so the header also holds a
checksum of all there is in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from difftui import atomic
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_tensors", "load_tensors", "read_metadata", "save_tensors", "tensor_names"]

CHECKSUM = "checksum"  # its key in the header; files without it are taken as they are


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors and a header of strings, atomically.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the file that was there is untouched.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {**metadata, CHECKSUM: _checksum(plain, metadata)}
    # The library's own writer makes files that the group cannot read, and hides why a disk refuses.
    atomic.write_bytes(path, save(plain, metadata=header))


def read_metadata(path: Path) -> dict[str, str]:
    """The header of strings of a file that :func:`save_tensors` wrote, the checksum left out.

    Raises:
        DifftuiError: the file is missing, cut short, or not a safetensors file.
    """
    with _opened(path) as file:
        header = dict(file.metadata() or {})
    header.pop(CHECKSUM, None)
    return header


def tensor_names(path: Path) -> frozenset[str]:
    """The names of the tensors in a file.

    Raises:
        DifftuiError: the file is missing, cut short, or not a safetensors file.
    """
    with _opened(path) as file:
        return frozenset(file.keys())


def check_tensors(path: Path, expected: Mapping[str, Tensor]) -> None:
    """Compare a file's header with the names and shapes of ``expected``; no tensor is read.

    Raises:
        DifftuiError: the file is missing, cut short, not a safetensors file, or made for another network.
    """
    with _opened(path) as file:
        _check(path, file, expected)


def load_tensors(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read tensors that must have the names and shapes of ``expected``.

    Names and shapes are compared from the file's header, before memory for any tensor is taken.

    Raises:
        DifftuiError: the file is missing, cut short, changed since it was written, not a safetensors file, or
            made for another network.
    """
    with _opened(path) as file:
        _check(path, file, expected)
        tensors = {name: file.get_tensor(name) for name in expected}
        metadata = dict(file.metadata() or {})
    wanted = metadata.pop(CHECKSUM, None)
    if wanted is not None and wanted != _checksum(tensors, metadata):
        raise _unreadable(path, "its checksum is wrong")
    return tensors


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, open for reading; what is wrong with it becomes one line."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise DifftuiError(f"{path} does not exist.") from None
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, str(error)) from None


def _check(path: Path, file: Any, expected: Mapping[str, Tensor]) -> None:
    names = set(file.keys())
    if names != set(expected):
        odd = sorted(names ^ set(expected))[0]
        raise DifftuiError(f"{path} was made for another network (it differs in {odd!r}). Choose another.")
    for name, tensor in expected.items():
        shape = list(file.get_slice(name).get_shape())
        if shape != list(tensor.shape):
            raise DifftuiError(
                f"{path} was made for another network: {name!r} has shape {shape}, "
                f"not {list(tensor.shape)}. Choose another."
            )


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Digest of the strings and of every tensor's name, type, shape and bytes, in alphabetical order."""
    import torch

    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(sorted(metadata.items())).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _unreadable(path: Path, why: str) -> DifftuiError:
    reason = why.splitlines()[0] if why else "no reason given"
    return DifftuiError(f"{path} is damaged or not a checkpoint ({reason}). Choose another, or train again.")
