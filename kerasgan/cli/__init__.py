"""The command `kerasgan`, with a module for each subcommand."""

import importlib
import os
import sys
from typing import NoReturn

import click

from kerasgan.errors import JobError, UserError

COMMANDS = {
    "load-data": "Read, check, sample, split and prepare a data set.",
    "train-gan": "Train generators of images and of captions.",
    "save-imgs": "Generate images with a trained generator.",
    "train-classifier": "Train a classifier of images and texts.",
    "caption": "Generate captions of images.",
    "index": "Caption and embed images for searches.",
    "search": "Find images by a sentence or an image.",
    "categorize": "Assign images to categories given as words.",
    "classify": "Predict the classes of images and texts.",
    "evaluate": "Evaluate a run on its test split or on new data.",
    "review": "Write a page on which people review captions.",
    "report": "Write one HTML page about runs.",
    "serve": "Serve a web page that draws, describes and searches.",
    "export": "Export a run as SavedModel, Keras, LiteRT or ONNX models.",
}
ALIASES = {"categorise": "categorize"}


class LazyGroup(click.Group):
    """Imports the module of a subcommand only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of the subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a subcommand."""
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"kerasgan.cli.{cmd_name.replace('-', '_')}")
        return module.command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Writes the list of subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; errors become a message and an exit status."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            _fail(error, 2)
        except JobError as error:
            _fail(error, 1)
        except BrokenPipeError:  # click handles it
            raise
        except OSError as error:  # nearly always a file that cannot be written
            file = f": {error.filename}" if error.filename else ""
            _fail(f"{error.strerror or error}{file}", 1)


def _fail(error: object, status: int) -> NoReturn:
    from kerasgan.inference.prediction_writer import escape_unprintable

    # Messages quote files, whose texts must not control the terminal.
    lines = map(escape_unprintable, f"Error: {error}".split("\n"))
    click.echo("\n".join(lines), err=True)
    sys.exit(status)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kerasgan")
def main() -> None:
    """GANs, captions and classifiers for images with text."""
    # Hides TensorFlow's messages for its developers.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
