"""Keeps TensorFlow's and TFDS's chatter off the terminal."""

import contextlib
import io
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_import():
    """For `import tensorflow`: it writes to file descriptor 2 before it can be asked
    not to. What it wrote is shown after all if the import fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            if failed:
                heard.seek(0)
                os.write(2, heard.read())


@contextlib.contextmanager
def quiet_tfds():
    """TFDS prints to standard output, and warns of every custom configuration."""
    from absl import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
