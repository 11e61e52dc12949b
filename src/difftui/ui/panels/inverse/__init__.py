"""The three views of the Inverse screen: one regression, a hundred seeds of it, and diffusion."""
