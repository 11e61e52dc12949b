"""The screens, what they are made of, and how they reach the terminal."""

import os

# Textual gathers changes for a sixtieth of a second; our clock gathers them already, and no key shall wait.
os.environ.setdefault("TEXTUAL_FPS", "240")
