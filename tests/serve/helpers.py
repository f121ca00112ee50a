"""What the tests of the page share."""

import io
import re

from tests.data.makers import encoded, pixels
from tests.report.makers import SCRIPT, PageReader

CAPTIONS = ["a red dog runs", "the blue boat", f"a dog on the beach {SCRIPT}"]
JPEG = encoded(pixels(7))
BAD_UPLOADS = [
    (JPEG[:200], "truncated or damaged"),
    (b"P6 10000 10000 255\n", "too many pixels"),
    (b"<svg onload='alert(1)'>", "unsupported format"),
    (b"/etc/passwd", "not an image"),
    (b"", "Choose a photograph, or type a text."),
]


def ignore(message):
    raise AssertionError(message)


def read(response, status=200):
    assert response.status_code == status
    page = PageReader(response.text)
    assert not page.open_tags and not page.all("script")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", response.text)
    return page


def upload(data, **fields):
    return {"image": (io.BytesIO(data), "../../etc/passwd"), **fields}
