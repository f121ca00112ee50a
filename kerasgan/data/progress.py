"""A progress bar on standard error."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar(title: str, total: int, shown: bool) -> Iterator[Callable[[], None]]:
    """Yields a function that moves the bar on by one; it also shows the speed."""
    if not shown:
        yield lambda: None
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
            return f"{task.finished_speed or task.speed or 0:,.0f} pictures/s"

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)
