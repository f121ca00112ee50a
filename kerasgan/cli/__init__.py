"""The command `kerasgan`: one file a command, imported only when it is asked for."""

import importlib
import os
import sys

import click

from kerasgan.errors import JobError, UserError

COMMANDS = {
    "load-data": "Read, check, sample, split and prepare captioned images.",
    "train-gan": "Train generators of images and of captions, each against a judge.",
    "save-imgs": "Draw images with a trained generator.",
    "train-classifier": "Train a classifier of images with words, and compare it.",
    "caption": "Put images into words.",
    "classify": "Tell the classes of images with words.",
    "evaluate": "Judge a run: captions by paper A's protocol, classes on new data.",
    "export": "Write a run as models that need no kerasgan.",
}


class Commands(click.Group):
    """A group that knows its commands by name and one-line help alone."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"kerasgan.cli.{name.replace('-', '_')}")
        return module.command

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except UserError as error:
            _fail(error, 2)
        except JobError as error:
            _fail(error, 1)
        except BrokenPipeError:  # whoever reads has seen enough; click knows
            raise
        except OSError as error:  # nearly always a file that cannot be written
            place = f": {error.filename}" if error.filename else ""
            _fail(f"{error.strerror or error}{place}", 1)


def _fail(error, status):
    click.echo(f"Error: {error}", err=True)
    sys.exit(status)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kerasgan")
def main():
    """Images that come with words: train, draw, caption and judge."""
    # TensorFlow's own start-up notes are for its developers.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
