"""difftui: a terminal laboratory for diffusion models."""

__version__ = "0.1.0"
