"""The rows of paper A's comparison: captions of a run, of baselines, and of humans."""

from collections.abc import Sequence

import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.config.settings import Settings
from kerasgan.data.pipeline import Split
from kerasgan.encoders.feature_cache import encode_images
from kerasgan.encoders.stored_features import SelectedRows
from kerasgan.evaluation.caption_baselines import CaptionBaselines

NUM_NEIGHBORS = (10, 50)  # of the rows `consensus10` and `consensus50`
TITLES = {
    "likelihood": "captioner, likelihood only, beam search",
    "adversarial": "captioner, adversarial, beam search",
    "reranked": "captioner, reranked",
    "nearest": "caption of the nearest training image",
    "consensus10": "consensus of the 10 nearest images",
    "consensus50": "consensus of the 50 nearest images",
    "frequent": "the most frequent training caption",
    "random": "a random training caption",
    "human": "a human caption, compared with the others",
}


class CaptionedImages:
    """Images of a split with their captions, features and vectors.

    Args:
        split: a split of the data.
        rows: rows of the split whose images have captions, int `(n,)`.
        pipeline: the captioning pipeline that computes features and vectors.

    Attributes:
        ids: n strings.
        captions: n lists of captions, each with at least one that is not empty.
        features: see `CaptioningPipeline.encode_images`.
        vectors: see `CaptioningPipeline.embed_images`.
    """

    def __init__(
        self,
        split: Split,
        rows: Sequence[int] | np.ndarray,
        pipeline: CaptioningPipeline,
    ):
        self.ids = [split.ids[row] for row in rows]
        self.captions = nonempty_captions(split, rows)
        images = SelectedRows(split.images, np.asarray(rows))
        self.features = encode_images(pipeline.image_encoder, images, dtype=np.float16)
        pixels = images[:] if pipeline.encodes_pixels else None
        self.vectors = pipeline.embed_images(pixels, self.features)

    def __len__(self) -> int:
        return len(self.ids)


def nonempty_captions(
    split: Split, rows: Sequence[int] | np.ndarray
) -> list[list[str]]:
    """Returns the captions of some images, without empty ones.

    Args:
        split: a split of the data.
        rows: rows of the split, int `(n,)`.

    Returns:
        n lists of captions.
    """
    return [[text for text in split.captions[row] if text] for row in rows]


def caption_rows(
    images: CaptionedImages,
    pipeline: CaptioningPipeline,
    likelihood_pipeline: CaptioningPipeline,
    baselines: CaptionBaselines,
    settings: Settings,
) -> dict[str, list[str]]:
    """Captions images in all ways that are compared.

    Args:
        images: n images.
        pipeline: the captioning pipeline of the run.
        likelihood_pipeline: the same before adversarial training.
        baselines: captions of the training images.
        settings: the settings of the run. Without adversarial training, the row
            `"adversarial"` is left out because it equals `"likelihood"`.

    Returns:
        A dict that maps names in `TITLES` to n captions.
    """
    features, vectors = images.features, images.vectors
    seed = settings.training.seed
    rows = {
        "likelihood": _first(likelihood_pipeline.caption(features, decoding="beam"))
    }
    if settings.captions.adversarial_epochs:
        rows["adversarial"] = _first(pipeline.caption(features, decoding="beam"))
    return {
        **rows,
        "reranked": _first(pipeline.caption(features, vectors, "rerank", seed)),
        "nearest": baselines.nearest(vectors),
        **{
            f"consensus{count}": baselines.consensus(vectors, count)
            for count in NUM_NEIGHBORS
        },
        "frequent": baselines.frequent(len(images)),
        "random": baselines.random(len(images), seed),
        "human": [captions[0] for captions in images.captions],
    }


def references_of_row(name: str, images: CaptionedImages) -> list[list[str]]:
    """Returns the references that the captions of a row are compared with.

    Args:
        name: a name in `TITLES`.
        images: n images.

    Returns:
        n lists of captions. For `"human"` they lack the first caption, which is the
        row's caption.
    """
    first = 1 if name == "human" else 0
    return [captions[first:] for captions in images.captions]


def _first(ranked_captions):
    return [captions[0][0] for captions in ranked_captions]
