import itertools

import numpy as np

from kerasgan.data.listing import Asked
from kerasgan.data.pictures import BadPicture
from kerasgan.data.preparing import CHUNK as READ_AT_ONCE
from kerasgan.data.preparing import cores
from kerasgan.training.answering import CHUNK, answers

AHEAD = (4 * cores() + 1) * READ_AT_ONCE  # pictures that are read and not answered


def test_no_more_is_read_than_is_soon_answered():
    listed = itertools.count()
    asked = (Asked(str(next(listed))) for _ in range(10 * (CHUNK + AHEAD)))

    def see(one):
        if one.name.endswith("7"):
            raise BadPicture("seven")
        return np.zeros((2, 2, 3), np.uint8)

    def answer(pictures, who, start):
        assert 0 < len(pictures) == len(who) <= CHUNK
        return [{"start": start} for _ in who]

    lines = []
    for chunk in answers(asked, see, answer, texts=False):
        lines += chunk
        assert next(listed) - len(lines) <= AHEAD
        break
    assert [line["picture"] for line in lines] == [str(n) for n in range(CHUNK)]
    assert lines[7] == {"picture": "7", "error": "seven"}
    assert lines[8]["start"] == 0


def test_what_is_done_is_not_read_again():
    def see(one):
        assert int(one.name) >= CHUNK
        return one.name

    def answer(pictures, who, start):
        assert start == CHUNK and pictures == [one.name for one in who]
        return [{"said": name} for name in pictures]

    asked = [Asked(str(n), "a text") for n in range(CHUNK + 2)]
    (chunk,) = answers(asked, see, answer, texts=True, done=CHUNK)
    name = str(CHUNK)
    assert chunk[0] == {"picture": name, "text": "a text", "said": name}
