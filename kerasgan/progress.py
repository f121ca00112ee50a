"""What is seen of long work on standard error."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(
    title: str, total: int, shown: bool, done: int = 0
) -> Iterator[Callable[..., None]]:
    """Yields a function that moves the bar on, by one or by the count that it is
    given, from the `done` that were there before; it also shows the speed."""
    if not shown:
        yield lambda count=1: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    class Speed(ProgressColumn):
        def render(self, task):
            return f"{task.finished_speed or task.speed or 0:,.0f} images/s"

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    # Standard output stays what it is: it may lead into a file.
    with Progress(*columns, console=console, redirect_stdout=False) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda count=1: progress.advance(task, count)


@contextlib.contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Yields a function whose line stands on a terminal until the next one or the end
    of the block."""
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("at work") as shown:
        yield lambda line: shown.update(Text(line.strip()))
