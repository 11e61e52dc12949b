"""Digits: the bundled ones, full MNIST where it is found or downloaded. NumPy only; no torch."""

from difftui.data.datasets import find_mnist, found_digits, load, prepare, settled
from difftui.data.digits import Digits, bundled, held_out
from difftui.data.download import Download, download_mnist

__all__ = [
    "Digits",
    "Download",
    "bundled",
    "download_mnist",
    "find_mnist",
    "found_digits",
    "held_out",
    "load",
    "prepare",
    "settled",
]
