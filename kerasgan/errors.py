"""The one error that a person, and not a programmer, is meant to read."""


class UserError(ValueError):
    """Something the user asked for cannot be done as asked.

    The message says what was wrong, what was received and what to do; the
    command line prints it without a traceback and exits with status 2.
    """


class JobError(RuntimeError):
    """A job that was asked for rightly could not be finished (exit status 1)."""
