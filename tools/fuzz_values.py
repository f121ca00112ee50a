"""Values that readers may not expect."""

from typing import Any

import hypothesis
from hypothesis import strategies

NASTY_TEXTS = [
    *("", " ", "0", "-1", "1e999", "NaN", "null", "[]", "{}", "=1+1", '"', "'", "|"),
    *("../outside.jpg", "/etc/passwd", "..", ".", "a/../../outside.jpg", "a" * 5000),
    *("file:///etc/passwd", "https://example.com/a.jpg", "~/.bashrc", "C:\\a.jpg"),
    *("\x00", "a\x00b.jpg", "\x1b]0;x\x07", "\ufeff", "\u2028", "\u202e", "é", "犬"),
    *("%s%n", "{0.__class__}", "<script>", "!!python/object:os.system", "&a [*a]"),
    *("9" * 400, "-" + "9" * 5000, "0x10", "1_000", "²", "٣", "[" * 3000, "{" * 3000),
    *('{"a":' * 3000, "\r", "\n", "\t", "#", "#0\t", ",", ";", "link.jpg", "1.jpg"),
]
NASTY_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 1.5, -0.0, 1e308),
    *(float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, [1, "a"], "a"),
    *([0] * 1000, {"id": {"id": {}}}, "\ud800", [{"raw": None}], [["a"]]),
]
NASTY_BYTES = [
    *(b"", b"\0", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b"\r\n"),
    *(
        b"\0" * 512,
        b"\xff" * 8,
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\x7f",
        b"PK\x03\x04",
    ),
]


def draw_values(seed: int, count: int = 300) -> list[Any]:
    """Draws JSON values of all kinds, which `NASTY_VALUES` may lack.

    Args:
        seed: of the choice.
        count: how many.
    """
    leaves = strategies.none() | strategies.booleans() | strategies.integers()
    leaves |= strategies.floats() | strategies.text(max_size=20)
    nested = strategies.recursive(
        leaves,
        lambda inner: (
            strategies.lists(inner, max_size=4)
            | strategies.dictionaries(strategies.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )
    values: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(nested)
    def collect(value):
        values.append(value)

    collect()
    return values
