"""Measures categories given as words, on the test images of a run.

    python tools/measure_categories.py RUN CATEGORIES.csv

RUN is a run of train-gan. CATEGORIES.csv has the columns `category` and `pattern`, such
as flickr_categories.csv. A test image belongs to a category if the regular expression
occurs in at least two of its captions. Prints one JSON object: `top1`, the share of the
images that belong to a category whose best-scored category is one of theirs; `chance`;
`tfidf`, the same by TF-IDF of the first human caption; `with_none`, the share of all
images that get one of their categories, or "none of these" if they have none; and
`none`, the share that has none.
"""

import csv
import json
import os
import re
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kerasgan  # isort: skip  (sets TensorFlow's environment)
import numpy as np

from kerasgan.captioning.caption_data import data_for_captions
from kerasgan.data import load_data
from kerasgan.evaluation.caption_rows import CaptionedImages
from kerasgan.evaluation.tfidf_similarity import fit_tfidf
from kerasgan.runs import open_run
from kerasgan.search.categories import category_scores
from kerasgan.search.models import training_captions
from kerasgan.search.validation import validate


def main(run_dir: str, categories_file: str) -> None:
    """Measures, and prints the results.

    Args:
        run_dir: the directory of the run.
        categories_file: the table of categories.
    """
    with open(categories_file, encoding="utf-8", newline="") as file:
        patterns = {row["category"]: row["pattern"] for row in csv.DictReader(file)}
    run, names = open_run(run_dir), list(patterns)
    pipeline = kerasgan.load_captioner(run)
    split = load_data(data_for_captions(run.settings), progress=False).test
    rows = [row for row, texts in enumerate(split.captions) if any(texts)]
    images = CaptionedImages(split, rows, pipeline)
    belongs = np.array(
        [
            [
                sum(bool(re.search(p, t.lower())) for t in texts) >= 2
                for p in patterns.values()
            ]
            for texts in images.captions
        ]
    )
    vectors = pipeline.embed_captions(names)
    scores = category_scores(images.vectors, vectors, pipeline.store.vectors)
    threshold = validate(run, pipeline, None, print)["categories"]["threshold"]
    vectorizer = fit_tfidf(training_captions(pipeline))
    first = vectorizer.transform([texts[0] for texts in images.captions])
    by_words = (first @ vectorizer.transform(names).T).toarray()
    # Ties, such as captions without a word of any category, are drawn.
    by_words += 1e-9 * np.random.default_rng(0).random(by_words.shape)
    has_category = belongs.any(axis=1)
    is_right = correct(scores, belongs)
    is_none = scores.max(axis=1) < threshold
    results = {
        "images": len(belongs),
        "top1": is_right[has_category].mean(),
        "chance": belongs[has_category].mean(),
        "tfidf": correct(by_words, belongs)[has_category].mean(),
        "with_none": np.where(is_none, ~has_category, is_right).mean(),
        "none": (~has_category).mean(),
    }
    print(json.dumps({name: round(float(x), 3) for name, x in results.items()}))


def correct(scores: np.ndarray, belongs: np.ndarray) -> np.ndarray:
    """Returns whether the category with the highest score is right, bool `(n,)`.

    Args:
        scores: `(n, k)`.
        belongs: bool `(n, k)`.
    """
    return belongs[np.arange(len(scores)), scores.argmax(axis=1)]


if __name__ == "__main__":
    main(*sys.argv[1:])
