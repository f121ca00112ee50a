"""Paper B's comparison: all classifiers on the same pairs and with the same seeds."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasgan.classification.examples import PairExamples
from kerasgan.classification.task import ClassificationTask, load_task
from kerasgan.classification.train_classifier import to_classifier, train_model
from kerasgan.classification.trained_models import TrainedEnsemble
from kerasgan.config.settings import ClassifierConfig, Settings
from kerasgan.errors import UserError
from kerasgan.evaluation.calibration import calibration_scores
from kerasgan.evaluation.classification_metrics import (
    classification_scores,
    find_label_leaks,
)
from kerasgan.evaluation.compare_multi_label import evaluate_multi_label_row
from kerasgan.evaluation.split_summary import Scores, summarize_splits
from kerasgan.evaluation.text_baseline import (
    fit_text_baseline,
    predict_text_baseline,
)
from kerasgan.files import append_json_line, read_json_lines, write_json
from kerasgan.progress import status_line
from kerasgan.runs import Run
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.determinism import use_determinism

NETWORKS: dict[str, dict[str, Any]] = {  # settings of the rows that are networks
    "image": {"modality": "image", "fusion": "paper"},
    "text": {"modality": "text", "fusion": "paper"},
    "paper_without_attention": {
        "modality": "pair",
        "fusion": "paper",
        "attention": False,
    },
    "paper": {"modality": "pair", "fusion": "paper", "attention": True},
    "ensemble": {"modality": "pair", "fusion": "ensemble"},
}
TITLES = {
    "majority": "the most frequent class",
    "tfidf": "text only, TF-IDF and logistic regression",
    "image": "image only",
    "text": "text only, LSTM and attention",
    "paper_without_attention": "pair without attention (stand-in for the paper's [2])",
    "paper": "pair, the paper's",
    "ensemble": "pair, ensemble",
}
ROWS = tuple(TITLES)
ROWS_WITHOUT_IMAGES = {"majority", "tfidf", "text"}
ROWS_FILE = "rows.jsonl"  # in the directory `results/` of a run


def compare_classifiers(
    run: Run,
    rows: Sequence[str] = ROWS,
    seeds: int = 1,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Trains classifiers on the same splits and evaluates them on the same test pairs.

    Split s uses the seeds of the settings plus s. Finished rows are stored in
    `results/rows.jsonl` and are not trained again.

    Args:
        run: a `Run` of `train-classifier`. It saves the model of the row that its
            settings describe, trained on the first split; other models are discarded.
        rows: names in `ROWS`; see `row_of_settings`.
        seeds: number of splits.
        progress: called with a message for each row.

    Returns:
        The content of `results/classification.json`: `rows`, `titles`, `seeds`,
        `label_names`, `multi_label`, `balance`, and of the first split `leaks`,
        `classes`, and, empty if a pair has any number of labels, `confusion` and
        `reliability`.

    Raises:
        UserError: the data have no classes, only one class, or no test pairs; they are
            not those of finished rows; or another process trains the run.
    """
    with run.lock():
        return _compare(run, rows, seeds, progress)


def _compare(run, rows, seeds, progress):
    settings, finished = run.settings, _read_finished_rows(run)
    use_determinism(settings, "classifier")
    retain_freed_memory()
    is_finished = all((s, row) in finished for s in range(seeds) for row in rows)
    for seed in range(0 if is_finished else seeds):
        remaining = [row for row in rows if (seed, row) not in finished]
        if seed and not remaining:
            continue  # the first split shows whether the data are still the same
        seed_settings = _shift_seeds(settings, seed)
        task = load_task(seed_settings, not set(rows) <= ROWS_WITHOUT_IMAGES, progress)
        if not len(task.test):
            raise UserError("The data have no test pairs to compare classifiers on.")
        if seed == 0:
            _write_data(run, task)
        for row in remaining:
            progress(f"split {seed + 1} of {seeds}: {TITLES[row]}")
            with status_line() as update_status:
                scores = _evaluate_row(
                    row, seed_settings, task, None if seed else run, update_status
                )
            finished[seed, row] = scores
            _append_row(run, seed, row, scores)
    results = _summarize(run, finished, rows, seeds)
    write_json(run.results / "classification.json", results)
    return results


def row_of_settings(config: ClassifierConfig) -> str:
    """Returns the row of the comparison that the settings describe.

    Args:
        config: the section `classifier` of the settings.

    Returns:
        A name in `ROWS`.
    """
    if config.fusion == "ensemble":
        return "ensemble"
    if config.modality != "pair":
        return config.modality
    return "paper" if config.attention else "paper_without_attention"


def _shift_seeds(settings, shift):
    data = settings.data.model_copy(update={"seed": settings.data.seed + shift})
    training = settings.training.model_copy(
        update={"seed": settings.training.seed + shift}
    )
    return settings.model_copy(update={"data": data, "training": training})


def _write_data(run, task):
    run.write_data(task.info)
    leaks = find_label_leaks(task.train, task.test, task.label_names)
    write_json(run.results / "leaks.json", leaks | {"masked": task.masked_words})


def _evaluate_row(
    row: str,
    settings: Settings,
    task: ClassificationTask,
    run: Run | None,
    progress: Callable[[str], None],
) -> Scores | None:
    """Trains and evaluates a row; returns None if it needs texts and there are none."""
    start, train, test = time.perf_counter(), task.train, task.test
    details: Scores = {}
    if row in ("tfidf", "text") and not train.has_text.any():
        return None
    if settings.classifier.multi_label:
        scores = evaluate_multi_label_row(
            row, settings, task, lambda: _train_row(row, settings, task, run, progress)
        )
        return scores | {"seconds": time.perf_counter() - start}
    if row in ("majority", "tfidf"):
        predict = _fit_baseline(row, settings, task)
        probabilities = [predict(examples) for examples in (train, test)]
    else:
        probabilities, details = _train_and_predict(row, settings, task, run, progress)
    train_predictions, predictions = (array.argmax(axis=1) for array in probabilities)
    scores = classification_scores(test.labels, predictions, task.label_names)
    scores |= calibration_scores(test.labels, probabilities[1])
    scores["train_accuracy"] = float(np.mean(train_predictions == train.labels))
    return scores | details | {"seconds": time.perf_counter() - start}


def _fit_baseline(
    row: str, settings: Settings, task: ClassificationTask
) -> Callable[[PairExamples], np.ndarray]:
    """Returns a function from examples to probabilities `(n, classes)`."""
    train, config, num_classes = task.train, settings.classifier, len(task.label_names)
    if row == "majority":
        shares = np.bincount(train.labels, minlength=num_classes) / len(train)
        return lambda examples: np.tile(shares, (len(examples), 1))
    seed = settings.training.seed
    model = fit_text_baseline(train, config.validation, seed, config.balance)
    return lambda examples: predict_text_baseline(
        model, examples.first_texts, num_classes
    )


def _train_and_predict(row, settings, task, run, progress):
    """Returns the probabilities of the two splits, and further scores."""
    model = _train_row(row, settings, task, run, progress)
    splits = task.train, task.test
    if row == "ensemble":
        return _predict_ensemble(model, *splits)
    probabilities = [model.predict_proba(examples) for examples in splits]
    return probabilities, {"temperature": model.trainer.temperature}


def _train_row(row, settings, task, run, progress):
    """Trains a network or the ensemble, and saves it if it is the run's own."""
    config, own_row = settings.classifier, row_of_settings(settings.classifier)
    if row != own_row:
        config = config.model_copy(update=NETWORKS[row])
    settings = settings.model_copy(update={"classifier": config})
    model = train_model(settings, task, progress)
    if run and row == own_row:
        to_classifier(model, task).save(run)
    return model


def _predict_ensemble(
    model: TrainedEnsemble, train: PairExamples, test: PairExamples
) -> tuple[list[np.ndarray], Scores]:
    """Predicts with the ensemble.

    Returns:
        The probabilities of the training and of the test examples; and test accuracies:
        of each member, and, if the ensemble uses images and texts, with either of them
        missing.
    """

    def accuracy(probabilities):
        return float(np.mean(probabilities.argmax(1) == test.labels))

    log_probabilities = model.predict_log_proba_by_member(test)
    probabilities = [model.predict_proba(train), model.combine(log_probabilities, test)]
    scores: Scores = {
        "members": {
            name: accuracy(log_probabilities[:, index])
            for index, name in enumerate(model.ensemble.members)
        },
        "weights": model.member_weights,
    }
    if len(model.modalities) == 2:
        for modality in model.modalities:
            combined = model.combine(log_probabilities, test, (modality,))
            scores[f"{modality}_missing"] = accuracy(combined)
    return probabilities, scores


def _read_finished_rows(run: Run) -> dict[tuple[int, str], Scores | None]:
    path, finished = run.results / ROWS_FILE, {}
    if path.is_file():
        for entry in read_json_lines(path):
            if not {"seed", "row", "scores"} <= set(entry):
                raise UserError(f"{path} is damaged: a line lacks seed, row or scores.")
            finished[entry["seed"], entry["row"]] = entry["scores"]
    return finished


def _append_row(run, seed, row, scores):
    entry = {"seed": seed, "row": row, "scores": scores}
    append_json_line(run.results / ROWS_FILE, entry)


def _summarize(run, finished, rows, seeds):
    titles, config = TITLES, run.settings.classifier
    if config.modality != "pair":
        titles = TITLES | {"ensemble": f"{config.modality} only, ensemble"}
    return {
        **summarize_splits(finished, rows, seeds),
        "titles": titles,
        "seeds": seeds,
        "label_names": run.data["label_names"],
        "multi_label": config.multi_label,
        "balance": config.balance,
        "leaks": run.read("results/leaks.json"),
    }
