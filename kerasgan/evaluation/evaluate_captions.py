"""Paper A's protocol on a run's captions: rows side by side, on the same pairs.

Thresholds are chosen on the validation part of the training split alone; the test
split is only judged.
"""

import csv
import io

import numpy as np

from kerasgan.captioning.pipeline import load_captioner
from kerasgan.captioning.train_captions import data_for_captions, validation_rows
from kerasgan.data import load_data
from kerasgan.encoders.feature_cache import cached_features
from kerasgan.errors import UserError
from kerasgan.evaluation.caption_baselines import CaptionBaselines
from kerasgan.evaluation.caption_metrics import score_captions
from kerasgan.evaluation.caption_words import normalize_references
from kerasgan.evaluation.evaluate_images import evaluate_images
from kerasgan.evaluation.pair_protocol import (
    auc,
    fit_threshold,
    judge_at_threshold,
    matched_and_mismatched,
)
from kerasgan.evaluation.retrieval import retrieval_scores, scores_from_similarity
from kerasgan.evaluation.tfidf_similarity import fit_tfidf, similarity_matrix
from kerasgan.files import write_json, write_text

NEIGHBOURS = (10, 50)
LIKELIHOOD = "captioner-likelihood"
ROWS = {
    "likelihood": "ours, likelihood only, beam",
    "adversarial": "ours, adversarial, beam",
    "reranked": "ours, reranked",
    "nearest": "nearest training image's caption",
    "consensus10": "consensus of the 10 nearest",
    "consensus50": "consensus of the 50 nearest",
    "frequent": "the commonest caption",
    "random": "a random training caption",
    "human": "a human one against the rest",
}


def evaluate_captions(run, progress=print):
    """Judges a run's captions and its dual_encoder, and writes the results.

    Args:
        run: a `Run` whose captions stage has finished.
        progress: called with a line for a person as each step begins.

    Returns:
        `{"similarity", "captions", "retrieval"}`, and `images` where the run generates
        images, as written to `results/`, where `predictions.csv` holds the scores of
        matched pairs and of the first dealing of mismatched ones.
    """
    pipeline, likelihood = load_captioner(run), load_captioner(run, LIKELIHOOD)
    settings = run.settings
    data = load_data(data_for_captions(settings))
    fit, validation = validation_rows(
        data.train, settings.captions.validation, settings
    )
    learnt = _captions_of(data.train, fit)
    parts = {"validation": _Part(data.train, validation, pipeline, settings)}
    test = [row for row, texts in enumerate(data.test.captions) if any(texts)]
    if len(test) < 2:
        raise UserError("The test split has fewer than two images with captions.")
    parts["test"] = _Part(data.test, test, pipeline, settings)

    known = [text for texts in learnt for text in texts]
    vectorizer = fit_tfidf(known)
    baselines = CaptionBaselines(learnt, pipeline.store.vectors, vectorizer)
    said = {}
    for name, part in parts.items():
        progress(f"captions of {len(part.captions)} {name} images")
        said[name] = _captions(
            part,
            pipeline,
            likelihood,
            baselines,
            bool(settings.captions.adversarial_epochs),
            settings.training.seed,
        )

    rows, judged, predictions = {}, {}, _Predictions()
    for name in said["test"]:
        asked = {part: _asked(name, said[part], parts[part]) for part in parts}
        if not all(_can_be_judged(*pair) for pair in asked.values()):
            continue
        matrices = {
            part: similarity_matrix(vectorizer, *pair) for part, pair in asked.items()
        }
        threshold = fit_threshold(matrices["validation"])
        rows[name] = judge_at_threshold(matrices["test"], threshold)
        rows[name]["auc_by_reference"] = {
            reduction: auc(similarity_matrix(vectorizer, *asked["test"], reduction))[0]
            for reduction in ("mean", "first")
        }
        embedded = similarity_matrix(_Embedding(pipeline), *asked["test"])
        rows[name]["auc_by_embedding"] = auc(embedded)[0]
        judged[name] = score_captions(*asked["test"], known)
        ids, captions = parts["test"].ids, asked["test"][0]
        predictions.add(name, ids, captions, matrices["test"], threshold)
    results = {
        "similarity": {
            "rows": rows,
            "titles": ROWS,
            "left_out": [name for name in ROWS if name not in rows],
            "test_images": len(test),
            "validation_images": len(validation),
            "reference": "the most similar of an image's captions",
            "embedding": "the dual_encoder's vectors of captions, trained on this data set",
        },
        "captions": {"rows": judged},
        "retrieval": _retrieval(parts["test"], pipeline),
    }
    if (run.models / "generator.keras").is_file():
        progress("generated images")
        found = evaluate_images(run, pipeline, settings.training.seed)
        results |= {"images": found} if found else {}
    for name, content in results.items():
        write_json(run.results / f"{name}.json", content)
    write_text(run.results / "predictions.csv", predictions.text)
    return results


def _captions_of(split, rows):
    return [[text for text in split.captions[row] if text] for row in rows]


class _Embedding:
    """The dual_encoder's vectors of captions in the place of TF-IDF's: words that mean the
    same may be alike."""

    def __init__(self, pipeline):
        self.pipeline = pipeline

    def transform(self, captions):
        return self.pipeline.embed_captions(list(captions))


class _Part:
    """Some images of a split, and what the pipeline sees in them."""

    def __init__(self, split, rows, pipeline, settings):
        self.ids = [split.ids[row] for row in rows]
        self.captions = _captions_of(split, rows)
        if pipeline.encodes_pixels:
            images = split.images[rows]
            self.grids = pipeline.encode_images(images)
            self.vectors = pipeline.embed_images(images)
        else:
            name = settings.captions.backbone
            self.grids = cached_features(pipeline.image_encoder, name, split)[rows]
            self.vectors = pipeline.embed_images(grids=self.grids)


def _captions(part, pipeline, likelihood, baselines, plays, seed):
    count, vectors = len(part.captions), part.vectors

    def best(found):
        return [choices[0][0] for choices in found]

    rows = {
        "likelihood": best(likelihood.caption(part.grids, decoding="beam")),
        "adversarial": best(pipeline.caption(part.grids, decoding="beam")),
        "reranked": best(pipeline.caption(part.grids, vectors, "rerank", seed)),
        "nearest": baselines.nearest(vectors),
        **{f"consensus{n}": baselines.consensus(vectors, n) for n in NEIGHBOURS},
        "frequent": baselines.frequent(count),
        "random": baselines.random(count, seed),
        "human": [texts[0] for texts in part.captions],
    }
    if not plays:  # there was no adversarial: the captioner is the one of likelihood
        del rows["adversarial"]
    return rows


def _asked(name, said, part):
    """A row's captions and what they are held against."""
    if name == "human":  # its own words are no reference
        return said[name], [texts[1:] for texts in part.captions]
    return said[name], part.captions


def _can_be_judged(captions, references):
    """Mismatched pairs need two images; a human row needs two captions of each."""
    return sum(map(bool, normalize_references(references))) >= 2


def _retrieval(part, pipeline):
    texts = [text for group in part.captions for text in group]
    owners = np.repeat(np.arange(len(part.captions)), [len(g) for g in part.captions])
    captions = pipeline.embed_captions(texts)
    found = scores_from_similarity(pipeline.relevance(part.vectors, captions), owners)
    by_cosine = retrieval_scores(part.vectors, captions, owners)
    ways = ("image_to_text", "text_to_image")
    return found | {"by_cosine": {way: by_cosine[way] for way in ways}}


class _Predictions:
    """Captions with their matched score and that of the first dealing, as CSV."""

    def __init__(self):
        self.file = io.StringIO()
        self.writer = csv.writer(self.file, lineterminator="\n")
        head = ("row", "image_id", "caption", "matched", "mismatched", "threshold")
        self.writer.writerow(head)

    def add(self, name, ids, captions, matrix, threshold):
        known = ~np.isnan(np.diag(matrix))
        matched, mismatched = matched_and_mismatched(matrix, derangement_count=1)
        scores = zip(matched, mismatched)
        for image_id, caption, there in zip(ids, captions, known):
            one, other = next(scores) if there else ("", "")
            self.writer.writerow([name, image_id, caption, one, other, threshold])

    @property
    def text(self):
        return self.file.getvalue()
