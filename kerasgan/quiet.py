"""Keeps the log messages of TensorFlow and TFDS off the terminal."""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Hides what TensorFlow writes while it is imported.

    TensorFlow writes to file descriptor 2 before it can be configured. The output is
    shown if the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(original, 2)
            os.close(original)
            if failed:
                output.seek(0)
                os.write(2, output.read())


@contextlib.contextmanager
def quiet_tfds() -> Iterator[None]:
    """Hides what TFDS prints, and its warnings about custom configurations."""
    from absl import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
