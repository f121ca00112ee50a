"""Children that are forked for `tools/faults.py`, and how they ended."""

import ctypes
import os
import pickle
import resource
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from kerasgan.errors import JobError, UserError

CAPABILITY_VERSION = 0x20080522
OVERRIDING = 1 << 1 | 1 << 2  # of permissions: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class Outcome(NamedTuple):
    """How a child ended.

    Attributes:
        kind: "value", "named" (an error for the user), "interrupted", "signal" or
            "failed".
        value: the result, or a description.
    """

    kind: str
    value: Any


def run_child(function: Callable[[], Any], before: Callable[[], None] | None = None):
    """Runs a function in a forked child.

    Args:
        function: its result is pickled.
        before: called in the child first, to arrange the fault.

    Returns:
        An `Outcome`.
    """
    return wait_for(start_child(function, before))


def start_child(function, before=None) -> tuple[int, int]:
    """Starts a child, and returns its process and the pipe of its outcome."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    process = os.fork()
    if process:
        os.close(writer)
        return process, reader
    os.close(reader)
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        outcome = _run(function, before)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        with open(writer, "wb") as file:
            pickle.dump(outcome, file)
    finally:
        os._exit(0)


def _run(function, before):
    try:
        if before:
            before()
        return Outcome("value", function())
    except (UserError, JobError) as error:
        return Outcome("named", str(error))
    except OSError as error:  # the command line prints these in one line as well
        if error.strerror:
            return Outcome("named", f"{error.strerror}: {error.filename}")
        return Outcome("failed", traceback.format_exc())
    except KeyboardInterrupt:
        return Outcome("interrupted", None)
    except BaseException:
        return Outcome("failed", traceback.format_exc())


def wait_for(child: tuple[int, int]) -> Outcome:
    """Waits until a child has ended."""
    process, reader = child
    with open(reader, "rb") as file:
        content = file.read()
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return Outcome("signal", os.WTERMSIG(status))
    return pickle.loads(content) if content else Outcome("failed", "no outcome")


def obey_permissions() -> None:
    """Makes permissions of files hold for root as well, on Linux."""
    if os.getuid() or sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION), (ctypes.c_uint32 * 6)()
    library.capget(header, sets)
    for index in range(2):  # effective and permitted
        sets[index] &= ~OVERRIDING
    if library.capset(header, sets):
        raise OSError("the capabilities of root cannot be changed")
