"""The one exception whose text is meant for the person at the terminal."""


class DifftuiError(Exception):
    """Something went wrong that the user can understand and usually mend.

    The message is one line: what is wrong, then what to do. The command line prints it and exits with
    status 1; a screen shows it where the work was asked for. Wrong arguments to the library are
    ``ValueError`` instead.
    """
