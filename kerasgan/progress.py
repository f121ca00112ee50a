"""Progress of long work, on standard error."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(
    title: str, total: int, shown: bool, done: int = 0
) -> Iterator[Callable[..., None]]:
    """Shows a progress bar with the number of images a second.

    Args:
        title: of the bar.
        total: number of images.
        shown: False shows nothing.
        done: number of images that are finished already.

    Yields:
        A function that advances the bar by one, or by its argument.
    """
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
    # Standard output may lead to a file, and is not redirected.
    with Progress(*columns, console=console, redirect_stdout=False) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda count=1: progress.advance(task, count)


@contextlib.contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Shows a line on a terminal that is replaced by the next one.

    Yields:
        A function that shows a line.
    """
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("working") as status:
        yield lambda line: status.update(Text(line.strip()))
