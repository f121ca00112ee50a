import itertools

import numpy as np

from kerasgan.data.images import BadImage
from kerasgan.data.threads import THREAD_CHUNK as READ_AT_ONCE
from kerasgan.data.threads import available_cores
from kerasgan.inference.batch import CHUNK_SIZE, predict_batches
from kerasgan.inference.inputs import InferenceInput

AHEAD = (
    4 * available_cores() + 1
) * READ_AT_ONCE  # images that are read and not answered


def test_no_more_is_read_than_is_soon_answered():
    listed = itertools.count()
    asked = (
        InferenceInput(str(next(listed))) for _ in range(10 * (CHUNK_SIZE + AHEAD))
    )

    def see(one):
        if one.name.endswith("7"):
            raise BadImage("seven")
        return np.zeros((2, 2, 3), np.uint8)

    def answer(images, who, start):
        assert 0 < len(images) == len(who) <= CHUNK_SIZE
        return [{"start": start} for _ in who]

    lines = []
    for chunk in predict_batches(asked, see, answer, texts=False):
        lines += chunk
        assert next(listed) - len(lines) <= AHEAD
        break
    assert [line["image"] for line in lines] == [str(n) for n in range(CHUNK_SIZE)]
    assert lines[7] == {"image": "7", "error": "seven"}
    assert lines[8]["start"] == 0


def test_what_is_done_is_not_read_again():
    def see(one):
        assert int(one.name) >= CHUNK_SIZE
        return one.name

    def answer(images, who, start):
        assert start == CHUNK_SIZE and images == [one.name for one in who]
        return [{"said": name} for name in images]

    asked = [InferenceInput(str(n), "a text") for n in range(CHUNK_SIZE + 2)]
    (chunk,) = predict_batches(asked, see, answer, texts=True, done=CHUNK_SIZE)
    name = str(CHUNK_SIZE)
    assert chunk[0] == {"image": name, "text": "a text", "said": name}
