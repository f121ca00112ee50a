"""A process that runs one contender of a section when it is told to.

    python -m benchmarks.worker MODULE:FUNCTION '{"options": …, "arguments": …}'

The function gets the options and the arguments, and returns a function without
arguments that does a fixed amount of work and returns the amount, such as a number of
images. Its first call, which traces graphs and fills caches, is not timed. Each line of
standard input asks for a call, each line of standard output is a reply in JSON. Between
calls the process waits for a line, and uses no processor.
"""

import importlib
import json
import os
import sys
import time
from types import SimpleNamespace

from benchmarks import Unavailable

PACKAGES = ("numpy", "PIL", "keras", "tensorflow", "torch")


def versions() -> dict[str, str]:
    """Returns the versions of the packages that this process has imported."""
    found = ((name, sys.modules.get(name)) for name in PACKAGES)
    return {name: module.__version__ for name, module in found if module}


def main() -> None:
    """Serves the calls."""
    # What libraries print goes to standard error; only replies go to standard output.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(**content):
        print(json.dumps(content), file=replies, flush=True)

    target, settings = sys.argv[1], json.loads(sys.argv[2])
    module, _, function = target.partition(":")
    options = SimpleNamespace(**settings["options"])
    try:
        build = getattr(importlib.import_module(module), function)
        run = build(options, **settings["arguments"])
        run()
    except Unavailable as error:
        return reply(skipped=str(error))
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return reply(skipped="PyTorch is not installed (pip install torch)")
    reply(versions=versions())
    for _ in sys.stdin:
        start = time.perf_counter()
        amount = run()
        reply(amount=amount, seconds=time.perf_counter() - start)


if __name__ == "__main__":
    main()
