"""Errors whose message is meant for the user."""


class UserError(ValueError):
    """The user asked for something that cannot be done.

    The message says what was wrong, what was received and what to do. The command line
    prints it without a traceback and exits with status 2.
    """


class JobError(RuntimeError):
    """A valid job failed; the command line exits with status 1."""
