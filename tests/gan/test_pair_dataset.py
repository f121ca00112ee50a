import numpy as np

from kerasgan.gan.pair_dataset import PairDataset, to_grayscale

IMAGES = np.arange(10, dtype="uint8")[:, None, None, None].repeat(4, 1)
TOKENS = [np.full((1 + n % 3, 2), n, "int32") + [[0, 100]] for n in range(10)]


def dealt(feed, *order):
    batches = list(feed.batches(*order).as_numpy_iterator())
    return {key: np.concatenate([b[key] for b in batches]) for key in batches[0]}


def test_each_image_comes_once_with_one_of_its_captions():
    epoch = dealt(PairDataset(IMAGES, TOKENS), 5, 0, 1)
    images = epoch["image"][:, 0, 0, 0]
    assert sorted(images) == list(range(10))
    np.testing.assert_array_equal(epoch["token_ids"][:, 0], images)


def test_order_depends_on_seed_and_epoch_alone():
    first = dealt(PairDataset(IMAGES, TOKENS), 5, 0, 1)
    again = dealt(PairDataset(IMAGES, TOKENS), 5, 0, 1)
    np.testing.assert_array_equal(first["image"], again["image"])
    for order in ((5, 0, 2), (5, 1, 1)):
        other = dealt(PairDataset(IMAGES, TOKENS), *order)
        assert (other["image"] != first["image"]).any()


def test_batches_are_full():
    sizes = [len(batch["image"]) for batch in PairDataset(IMAGES).batches(4, 0, 1)]
    assert sizes == [4, 4]


def test_every_caption_has_its_turn():
    feed = PairDataset(IMAGES[:2], [np.array([[0], [1], [2]]), np.array([[7]])])
    seen = {int(i) for e in range(40) for i in dealt(feed, 2, 0, e)["token_ids"][:, 0]}
    assert seen == {0, 1, 2, 7}


def test_grey_is_luminance():
    colours = np.array(
        [[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], "uint8"
    )
    assert to_grayscale(colours[None, None]).ravel().tolist() == [255, 76, 150, 29]
