"""A trained run's answers to any number of images, with few of them in memory."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from kerasgan.data.images import BadImage, strict_pillow
from kerasgan.data.threads import map_in_threads
from kerasgan.inference.inputs import InferenceInput

CHUNK_SIZE = 128  # that are answered at once
MAX_SHOWN = 24  # good answers that a sheet shows at most


def predict_batches(
    asked: Iterable[InferenceInput],
    see: Callable,
    answer: Callable,
    texts: bool,
    done: int = 0,
) -> Iterator[list[dict]]:
    """A line for each that is asked about, in their order, chunk by chunk.

    Threads read images ahead while the network answers.

    Args:
        see: an `Asked` to what the network takes (uint8 `(size, size, 3)`, or None),
            in threads; it raises BadImage.
        answer: called with n of these, their n `Asked` and the place of the chunk's
            first; returns n dicts.
        texts: whether a line tells its text.
        done: how many have their answers already, whole chunks of them.

    Yields:
        Up to CHUNK dicts: what `answer` says, or `error`, the reason why it was not
        asked.
    """
    with strict_pillow():
        seen = map_in_threads(see, itertools.islice(asked, done, None))
        for start in itertools.count(done, CHUNK_SIZE):
            chunk = list(itertools.islice(seen, CHUNK_SIZE))
            if not chunk:
                return
            good = [pair for pair in chunk if not isinstance(pair[1], BadImage)]
            said = iter(())
            if good:
                who, images = zip(*good)
                said = iter(answer(list(images), list(who), start))
            yield [_line(*pair, said, texts) for pair in chunk]


def _line(one: InferenceInput, image, said: Iterator[dict], texts: bool) -> dict:
    line = {"image": one.name} | ({"text": one.text or None} if texts else {})
    bad = isinstance(image, BadImage)
    return line | ({"error": str(image)} if bad else next(said))


class BatchSummary:
    """What came of a batch.

    Attributes:
        good: how many have an answer.
        bad: reasons to counts of those that have none.
        first: places to lines of the first SHOWN good ones.
    """

    def __init__(self):
        self.good, self.bad, self.first = 0, Counter(), {}

    def add(self, lines: Iterable[dict]) -> None:
        for line in lines:
            if "error" in line:
                self.bad[line["error"]] += 1
                continue
            if len(self.first) < MAX_SHOWN:
                self.first[self.good + self.bad.total()] = line
            self.good += 1

    def __str__(self) -> str:
        reasons = ", ".join(f"{n:,} × {why}" for why, n in self.bad.most_common())
        return f"{self.good:,} done, {self.bad.total():,} bad" + (
            f": {reasons}" if reasons else ""
        )


def reload_images(
    asked: Iterable[InferenceInput], see: Callable, lines: dict[int, dict]
) -> Iterator:
    """`(image, line)` of the lines of some places; the images are read again.

    Args:
        asked, see: see `answers`.
        lines: by place, at least one.
    """
    with strict_pillow():
        for place, one in enumerate(itertools.islice(asked, max(lines) + 1)):
            if place in lines:
                with contextlib.suppress(BadImage):  # it may be gone by now
                    yield see(one), lines[place]
