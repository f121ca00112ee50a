import numpy as np
import pytest

from kerasgan.training.image_grids import GAP, save_image_grid
from tests.helpers import opened

ROWS = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8, 3)).astype("uint8")


def test_a_grid_holds_every_image(tmp_path):
    path = save_image_grid(tmp_path / "new" / "folder" / "grid.png", ROWS, scale=1)
    sheet = np.asarray(opened(path))
    assert sheet.shape == (2 * 8 + GAP, 3 * 8 + 2 * GAP, 3)
    for row in range(2):
        for column in range(3):
            top, left = row * (8 + GAP), column * (8 + GAP)
            tile = sheet[top : top + 8, left : left + 8]
            np.testing.assert_array_equal(tile, ROWS[row, column])


def test_gray_images(tmp_path):
    path = save_image_grid(tmp_path / "grid.png", ROWS[..., :1], scale=1)
    sheet = np.asarray(opened(path))
    np.testing.assert_array_equal(sheet[:8, :8, 1], ROWS[0, 0, :, :, 0])


@pytest.mark.parametrize(
    "captions",
    [["a dog", "a cat"], ["", "word " * 500], ["<b>&amp;", "木の下の犬 🐕\n\x00\t"]],
)
def test_captions_are_written_beside(tmp_path, captions):
    path = save_image_grid(tmp_path / "grid.png", ROWS, captions)
    sheet = np.asarray(opened(path))
    images = 3 * (96 + GAP) - GAP
    beside = sheet[:96, : sheet.shape[1] - images - 1]
    assert (beside < 128).any() == bool(captions[0])
