"""What `tools/bench.py` measures, and how."""


class Unavailable(Exception):
    """A contender cannot run on this machine; the message is the reason."""
