"""What the validation images of a run decide: the ranking, and a threshold."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasgan.captioning.caption_data import data_for_captions, validation_rows
from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.data import load_data
from kerasgan.evaluation.caption_rows import CaptionedImages
from kerasgan.evaluation.caption_words import normalize_caption
from kerasgan.evaluation.retrieval import scores_from_similarity
from kerasgan.evaluation.tfidf_similarity import fit_tfidf
from kerasgan.files import write_json
from kerasgan.runs import Run, require_same_data
from kerasgan.runs.model_files import models_digest
from kerasgan.search.categories import category_scores
from kerasgan.search.models import training_captions

RESULTS_FILE = "search.json"  # in a run's `results/`
MAX_IMAGES = 500  # of which captions are generated
BLEND_WEIGHTS = np.linspace(0.05, 0.95, 19)  # of the words
MAX_WORDS = 200  # that stand for categories
MIN_IMAGES, MAX_SHARE = 3, 0.2  # of the images that such a word describes


def validate(
    run: Run,
    pipeline: CaptioningPipeline,
    decoding: str | None,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Chooses ranking and threshold, or reads what was chosen before.

    Args:
        run: the run; `results/search.json` keeps the choices.
        pipeline: its models.
        decoding: of the captions, see `CaptioningPipeline.caption`; None if no ranking
            is needed.
        progress: called with a message if something is computed.

    Returns:
        `categories`, see `choose_threshold`; `rankings`, see `choose_ranking`, by
        decoding; and `models`, on which they depend.

    Raises:
        UserError: the data of the run cannot be read, or are others.
    """
    found = _read_choices(run)
    if found and (decoding is None or decoding in found["rankings"]):
        return found
    progress("Reading the validation images of the run.")
    data = load_data(data_for_captions(run.settings))
    require_same_data(run, data.info)
    split = data.train
    _, rows = validation_rows(split, run.settings.captions.validation, run.settings)
    images = CaptionedImages(split, rows[:MAX_IMAGES], pipeline)
    found = found or {
        "models": models_digest(run.models),
        "categories": choose_threshold(images, pipeline),
        "rankings": {},
    }
    if decoding is not None:
        progress(f"Captioning {len(images):,} validation images to choose the ranking.")
        found["rankings"][decoding] = choose_ranking(images, pipeline, decoding)
    try:
        write_json(run.results / RESULTS_FILE, found)
    except OSError as error:
        progress(f"Cannot keep {RESULTS_FILE} in {run.results}: {error.strerror}")
    return found


def _read_choices(run):
    """Returns what was chosen with the present models before, or None."""
    try:
        text = (run.results / RESULTS_FILE).read_text(encoding="utf-8")
        found = dict(json.loads(text))
        is_current = found["models"] == models_digest(run.models)
        complete = {
            "rankings": dict(found["rankings"]),
            "categories": found["categories"],
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found | complete if is_current else None


def choose_ranking(
    images: CaptionedImages, pipeline: CaptioningPipeline, decoding: str
) -> dict[str, Any]:
    """Compares the rankings by the recall of images, with their captions as queries.

    Args:
        images: validation images.
        pipeline: the models.
        decoding: of the generated captions.

    Returns:
        `default`, the ranking with the highest mean of recall at 1, 5 and 10, the first
        of equal ones; `weight`, the best weight of words in the blend; `recall` in
        percent of each ranking; and the numbers of `images` and `queries`.
    """
    queries = [text for texts in images.captions for text in texts]
    owners = np.repeat(np.arange(len(images)), [len(t) for t in images.captions])
    choices = pipeline.caption(images.features, images.vectors, decoding)
    vectorizer = fit_tfidf(training_captions(pipeline))
    captions = vectorizer.transform([ranked[0][0] for ranked in choices])
    words = (captions @ vectorizer.transform(queries).T).toarray()
    vectors = pipeline.relevance(images.vectors, pipeline.embed_captions(queries))

    def recall(similarity):
        return scores_from_similarity(similarity, owners)["text_to_image"]

    blends = {
        float(weight): recall(weight * words + (1 - weight) * vectors)
        for weight in BLEND_WEIGHTS
    }
    weight = max(blends, key=lambda weight: _mean_recall(blends[weight]))
    recalls = {
        "embedding": recall(vectors),
        "words": recall(words),
        "blend": blends[weight],
    }
    return {
        "default": max(recalls, key=lambda name: _mean_recall(recalls[name])),
        "weight": weight,
        "recall": recalls,
        "images": len(images),
        "queries": len(queries),
    }


def _mean_recall(recall):
    return recall["r1"] + recall["r5"] + recall["r10"]


def choose_threshold(
    images: CaptionedImages, pipeline: CaptioningPipeline
) -> dict[str, Any]:
    """Chooses the least score of a category, with words as categories.

    The categories are words that describe some but not most validation images. An
    image belongs to those in its captions.

    Args:
        images: validation images.
        pipeline: the models.

    Returns:
        `threshold`, that with the highest `f1` over all pairs of image and word, and
        the number of `words`. Without such words the threshold is 0.
    """
    described = [
        set(normalize_caption(" ".join(texts)).split()) for texts in images.captions
    ]
    counts = Counter(word for words in described for word in sorted(words))
    most = max(MAX_SHARE * len(images), MIN_IMAGES)
    words = [word for word, n in counts.most_common() if MIN_IMAGES <= n <= most][
        :MAX_WORDS
    ]
    if not words:
        return {"threshold": 0.0, "f1": 0.0, "words": 0}
    scores = category_scores(
        images.vectors, pipeline.embed_captions(words), pipeline.store.vectors
    ).ravel()
    matched = np.array([[word in texts for word in words] for texts in described])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(matched.ravel()[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + matched.sum())
    best = int(f1.argmax())
    return {
        "threshold": float(scores[order[best]]),
        "f1": float(f1[best]),
        "words": len(words),
    }
