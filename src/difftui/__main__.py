"""``python -m difftui``."""

import sys

from difftui.cli import main

sys.exit(main())
