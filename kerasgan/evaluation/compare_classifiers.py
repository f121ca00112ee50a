"""Paper B's comparison: the same pairs, the same seeds, every row beside the others."""

import json
import time

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from kerasgan.classification.linear_member import (
    ANALYZERS,
    REGRESSION_OPTIONS,
    TolerantTfidfVectorizer,
)
from kerasgan.classification.task import load_task
from kerasgan.classification.train_classifier import to_classifier, train_model
from kerasgan.errors import UserError
from kerasgan.evaluation.classification_metrics import (
    classification_scores,
    find_label_leaks,
)
from kerasgan.files import write_json
from kerasgan.progress import status_line
from kerasgan.training.allocator import retain_freed_memory

NETWORKS = {
    "image": {"modality": "image", "fusion": "paper"},
    "text": {"modality": "text", "fusion": "paper"},
    "stand_in": {"modality": "pair", "fusion": "paper", "attention": False},
    "paper": {"modality": "pair", "fusion": "paper", "attention": True},
    "ensemble": {"modality": "pair", "fusion": "ensemble"},
}
TITLES = {
    "majority": "the commonest class",
    "tfidf": "text only, TF-IDF and logistic regression",
    "image": "image only",
    "text": "text only, LSTM and attention",
    "stand_in": "pair without attention (stand-in for the paper's [2])",
    "paper": "pair, the paper's",
    "ensemble": "pair, ours",
}
ROWS = tuple(TITLES)
BLIND = {"majority", "tfidf", "text"}  # rows that look at no image


def compare_classifiers(run, rows=ROWS, seeds=1, progress=print):
    """Trains rows on the same splits and judges them on the same test pairs.

    Seed s splits and trains with the settings' seeds plus s. What is finished is kept
    in `results/rows.jsonl` and not trained again.

    Args:
        run: a `Run` of `train-classifier`. Its model becomes, of the first seed, the
            row that its settings describe; all others are dropped.
        rows: names in `ROWS`; see `own_row`.
        seeds: how many splits.
        progress: called with a line for a person now and then.

    Returns:
        What `results/classification.json` holds: `rows`, `titles`, `leaks` of the
        first split, `label_names`, and `classes` and `confusion` matrices of the
        first split.

    Raises:
        UserError: the data have no classes, only one, or no test pairs.
    """
    settings, done = run.settings, _finished(run)
    retain_freed_memory()
    for seed in range(seeds):
        missing = [row for row in rows if (seed, row) not in done]
        if not missing:
            continue
        shifted = _shift(settings, seed)
        task = load_task(shifted, not BLIND >= set(rows), progress)
        if not len(task.test):
            raise UserError("There are no test pairs to compare anything on.")
        if seed == 0:
            run.write_data(task.info)
            leaks = find_label_leaks(task.train, task.test, task.label_names)
            write_json(run.results / "leaks.json", leaks | {"masked": task.masked})
        for row in missing:
            progress(f"split {seed + 1} of {seeds}: {TITLES[row]}")
            with status_line() as tell:
                found = _judge(row, shifted, task, None if seed else run, tell)
            done[seed, row] = found
            _keep(run, seed, row, found)
    results = _summary(run, done, rows, seeds)
    write_json(run.results / "classification.json", results)
    return results


def row_of_settings(options):
    """The row that the section `classifier` of the settings describes."""
    if options.fusion == "ensemble":
        return "ensemble"
    if options.modality != "pair":
        return options.modality
    return "paper" if options.attention else "stand_in"


def _own_title(options):
    if options.modality == "pair":
        return {}
    return {"ensemble": f"{options.modality} only, ours"}


def _shift(settings, seed):
    data = settings.data.model_copy(update={"seed": settings.data.seed + seed})
    training = settings.training.model_copy(
        update={"seed": settings.training.seed + seed}
    )
    return settings.model_copy(update={"data": data, "training": training})


def _judge(row, settings, task, run, tell):
    """One row's figures, or None where the data have no texts to read."""
    start, train, test = time.perf_counter(), task.train, task.test
    extra = {}
    if row == "majority":
        most = np.bincount(train.labels).argmax()
        found = [np.full(len(side), most) for side in (train, test)]
    elif row in ("tfidf", "text") and not train.has_text.any():
        return None
    elif row == "tfidf":
        model = _tfidf(train, settings)
        found = [model.predict(side.first_texts) for side in (train, test)]
    else:
        options, own = settings.classifier, row_of_settings(settings.classifier)
        if row != own:
            options = options.model_copy(update=NETWORKS[row])
        settings = settings.model_copy(update={"classifier": options})
        fitted = train_model(settings, task, tell)
        if row == "ensemble":
            found, extra = _ensemble_scores(fitted, train, test)
        else:
            found = [fitted.probabilities(side).argmax(1) for side in (train, test)]
        if run and row == own:
            to_classifier(fitted, task).save(run)
    scores = classification_scores(test.labels, found[1], task.label_names)
    scores["train_accuracy"] = float(np.mean(found[0] == train.labels))
    return scores | extra | {"seconds": time.perf_counter() - start}


def _tfidf(examples, settings):
    """Of words and of characters, what a validation part prefers."""
    rows = np.random.default_rng(settings.training.seed).permutation(len(examples))
    kept = max(1, round(settings.classifier.validation * len(rows)))
    fitted, held = examples[rows[kept:]], examples[rows[:kept]]

    def worth(analyzer):
        if len(np.unique(fitted.labels)) < 2:  # nothing to fit: the first will do
            return 0.0
        model = _text_model(analyzer).fit(fitted.first_texts, fitted.labels)
        return model.score(held.first_texts, held.labels)

    best = max(ANALYZERS.values(), key=worth)
    return _text_model(best).fit(examples.first_texts, examples.labels)


def _text_model(analyzer):
    return make_pipeline(
        TolerantTfidfVectorizer(**analyzer), LogisticRegression(**REGRESSION_OPTIONS)
    )


def _ensemble_scores(fitted, train, test):
    """The classes found on both sides; what ours is worth with one side missing, where
    it has both; and what each part is alone."""

    def accuracy(found):
        return float(np.mean(found.argmax(1) == test.labels))

    alone = fitted.by_part(test)
    found = [fitted.probabilities(train), fitted.weigh(alone, test)]
    extra = {
        "parts": {
            name: accuracy(alone[:, n]) for n, name in enumerate(fitted.pool.parts)
        },
        "weights": fitted.weights,
    }
    for name in fitted.modalities if len(fitted.modalities) == 2 else ():
        extra[f"{name}_missing"] = accuracy(fitted.weigh(alone, test, (name,)))
    return [side.argmax(1) for side in found], extra


def _finished(run):
    path, done = run.results / "rows.jsonl", {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            found = json.loads(line)
            done[found["seed"], found["row"]] = found["scores"]
    return done


def _keep(run, seed, row, scores):
    line = json.dumps({"seed": seed, "row": row, "scores": scores})
    with open(run.results / "rows.jsonl", "a", encoding="utf-8") as file:
        file.write(line + "\n")


def _summary(run, done, names, seeds):
    rows = {}
    for row in names:
        found = [done[seed, row] for seed in range(seeds) if done[seed, row]]
        if found:
            rows[row] = _mean(found)
    first = {row: done[0, row] for row in rows}
    return {
        "rows": rows,
        "titles": TITLES | _own_title(run.settings.classifier),
        "seeds": seeds,
        "label_names": run.data["label_names"],
        "classes": {row: scores["classes"] for row, scores in first.items()},
        "confusion": {row: scores["confusion"] for row, scores in first.items()},
        "leaks": run.read("results/leaks.json"),
    }


def _mean(found):
    """Means, and for the accuracy the deviation of a sample, over the splits."""

    def values(name):
        return [scores[name] for scores in found]

    accuracy = values("accuracy")
    row = {
        "accuracy_mean": float(np.mean(accuracy)),
        "accuracy_sd": float(np.std(accuracy, ddof=1)) if len(found) > 1 else 0.0,
        "accuracies": accuracy,
        "macro_f1_mean": float(np.mean(values("macro_f1"))),
        "train_accuracy_mean": float(np.mean(values("train_accuracy"))),
        "seeds": len(found),
        "seconds": float(np.mean(values("seconds"))),
    }
    for name in ("image_missing", "text_missing"):
        if name in found[0]:
            row[f"{name}_accuracy_mean"] = float(np.mean(values(name)))
    if "parts" in found[0]:
        row["parts_accuracy_mean"] = {
            part: float(np.mean([scores["parts"][part] for scores in found]))
            for part in found[0]["parts"]
        }
        row["weights"] = found[0]["weights"]
    return row
