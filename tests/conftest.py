"""What every test shares."""

from hypothesis import settings

# The same examples on every run, and no complaint about the time of one: machines are shared.
settings.register_profile("difftui", derandomize=True, deadline=None)
settings.load_profile("difftui")
