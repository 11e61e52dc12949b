"""Digits, torchvision's other small sets, and any folder of images. No torch until such a set is read."""

from difftui.data.collections import COLLECTIONS, held_out_pictures, load_pictures, ready_pictures
from difftui.data.datasets import find_mnist, found_digits, load, prepare, settled
from difftui.data.digits import Digits, bundled, held_out
from difftui.data.download import Download, download_mnist
from difftui.data.pictures import Pictures

__all__ = [
    "COLLECTIONS",
    "Digits",
    "Download",
    "Pictures",
    "bundled",
    "download_mnist",
    "find_mnist",
    "found_digits",
    "held_out",
    "held_out_pictures",
    "load",
    "load_pictures",
    "prepare",
    "ready_pictures",
    "settled",
]
