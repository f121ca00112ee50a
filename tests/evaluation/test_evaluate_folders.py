"""Two folders of images, compared by their features."""

import pytest

from kerasgan.data.scenes import draw_scene
from kerasgan.errors import UserError
from kerasgan.evaluation.evaluate_folders import evaluate_folders
from tests.data.makers import encoded, write_images


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Scenes, other scenes and a damaged file, and images that are no scenes."""
    root = tmp_path_factory.mktemp("folders")
    for name, first in (("references", 0), ("scenes", 16)):
        (root / name / "inner").mkdir(parents=True)
        for index in range(first, first + 16):
            image = draw_scene(index, size=48, seed=0).image
            (root / name / "inner" / f"{index}.png").write_bytes(encoded(image, "PNG"))
    (root / "scenes" / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    write_images(root / "smooth", [f"{index}.jpg" for index in range(16)])
    return root


def test_similar_images_are_nearer_than_others(folders):
    messages = []
    scenes, smooth = (
        evaluate_folders(
            folders / name, folders / "references", progress=messages.append
        )
        for name in ("scenes", "smooth")
    )
    assert scenes["images"] == scenes["references"] == 16
    assert scenes["left_out"] == {"truncated or damaged": 1}
    assert scenes["examples"][0]["value"].endswith("damaged.jpg")
    assert smooth["sets"]["generated"]["kid"] > scenes["sets"]["generated"]["kid"] + 1
    assert scenes["sets"]["generated"]["coverage"] > 0.3
    assert smooth["sets"]["generated"]["coverage"] == 0
    assert scenes["sets"]["real"] == smooth["sets"]["real"]
    assert len(messages) == 4


def test_folders_that_cannot_be_compared(folders, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        evaluate_folders(folders / "absent", folders / "references")
    write_images(tmp_path, ["a.jpg", "b.jpg"])
    with pytest.raises(UserError, match="has 2 images that can be read"):
        evaluate_folders(tmp_path, folders / "references")
