"""The idx format of the MNIST files, read strictly: every byte accounted for, or the file is refused by name.

Layout: two zero bytes, the type (8 = unsigned byte), the number of axes, one big-endian 32-bit length for
each axis, then the values. Source: the MNIST page of LeCun, Cortes and Burges.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from difftui.errors import DifftuiError

__all__ = ["read_idx", "read_shape"]

_UNSIGNED_BYTE = 8
_LARGEST = 1 << 30  # bytes; MNIST has 47 million, so a header that says more is not one
_REMEDY = "Put the original file there, or delete it and let --data mnist download it."


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes with `axes` axes; a name that ends in .gz is decompressed.

    Raises:
        DifftuiError: the file cannot be read, is not of this kind, or is shorter or longer than it says.
    """
    shape = read_shape(path, axes)
    count = math.prod(shape)
    with _readable(path) as stream:
        stream.read(4 + 4 * axes)
        # One byte more than wanted tells a file that is too long, without reading all of what it holds.
        data = stream.read(count + 1)
    if len(data) != count:
        found = "fewer" if len(data) < count else "more"
        raise DifftuiError(f"{path} holds {found} than the {count} values it announces. {_REMEDY}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def read_shape(path: Path, axes: int) -> tuple[int, ...]:
    """The shape in the header of an idx file; the size of a plain file is checked, no values are read.

    Raises:
        DifftuiError: as `read_idx`, but damage inside a compressed file is not noticed.
    """
    with _readable(path) as stream:
        shape = _header(stream, path, axes)
        size = path.stat().st_size
    expected = 4 + 4 * axes + math.prod(shape)
    if expected > _LARGEST:
        raise DifftuiError(f"{path} announces {expected} bytes, far too many for MNIST. {_REMEDY}")
    if path.suffix != ".gz" and size != expected:
        raise DifftuiError(f"{path} has {size} bytes and should have {expected}. {_REMEDY}")
    return shape


@contextmanager
def _readable(path: Path) -> Iterator[IO[bytes]]:
    """The opened file; what goes wrong while it is read is told with its name."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            yield cast(IO[bytes], stream)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "damaged"
        raise DifftuiError(f"{path} cannot be read ({reason}). {_REMEDY}") from error


def _header(stream: IO[bytes], path: Path, axes: int) -> tuple[int, ...]:
    head = stream.read(4 + 4 * axes)
    magic = bytes((0, 0, _UNSIGNED_BYTE, axes))
    if head[:4] != magic:
        raise DifftuiError(
            f"{path} is not the MNIST file of that name: it begins with {head[:4].hex(' ') or 'nothing'}, "
            f"not {magic.hex(' ')}. {_REMEDY}"
        )
    if len(head) < 4 + 4 * axes:
        raise DifftuiError(f"{path} ends within its header. {_REMEDY}")
    return struct.unpack(f">{axes}I", head[4:])
