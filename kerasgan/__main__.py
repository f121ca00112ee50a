"""Runs the command: `python -m kerasgan`."""

from kerasgan.cli import main

if __name__ == "__main__":
    main(prog_name="kerasgan")
