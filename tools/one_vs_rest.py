"""scikit-learn's one-vs-rest on the pairs of a run, beside the run's classifier.

    python tools/one_vs_rest.py RUN [--balance]

RUN is a run of `train-classifier` with a frozen backbone, or with texts only. A
logistic regression for each class learns from the TF-IDF of words and pairs of words,
and the standardized features of the image, of the same training pairs. `C` is chosen on
a tenth of them. Prints one JSON object with macro F1 and accuracy on the test pairs;
--balance gives classes equal weights. `run` has the same measures from the run's
results.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from kerasgan.classification.examples import PairExamples
from kerasgan.classification.task import load_task
from kerasgan.files import read_json
from kerasgan.runs import open_run

REGULARIZATIONS = (0.1, 1.0, 10.0, 100.0)  # values of C


def main() -> None:
    """Fits, and prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--balance", action="store_true")
    options = parser.parse_args()
    run = open_run(options.run)
    settings = run.settings
    uses_images = settings.classifier.modality != "text"
    task = load_task(settings, uses_images, lambda line: None)
    weight = "balanced" if options.balance else None
    train, test = task.train, task.test
    rows, validation = train_test_split(
        np.arange(len(train)), test_size=0.1, random_state=0, stratify=train.labels
    )
    scores = {
        c: f1(fit(train[rows], c, weight), train[validation]) for c in REGULARIZATIONS
    }
    best = max(scores, key=scores.__getitem__)
    model = fit(train, best, weight)
    results = {
        "C": best,
        "macro_f1": f1(model, test),
        "accuracy": accuracy_score(test.labels, model(test)),
    }
    print(json.dumps(results | {"run": run_scores(run)}))


def fit(examples: PairExamples, c: float, class_weight: str | None):
    """Returns a function from examples to predicted labels.

    Args:
        examples: the training pairs.
        c: inverse regularization of the regressions.
        class_weight: of scikit-learn's `LogisticRegression`.
    """
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    vectorizer.fit(joined(examples))
    scaler = StandardScaler()
    if examples.images is not None:
        scaler.fit(np.asarray(examples.images))

    def features(pairs):
        words = vectorizer.transform(joined(pairs))
        if pairs.images is None:
            return words
        images = scaler.transform(np.asarray(pairs.images))
        # So that an image's features have the norm of its words.
        images = sparse.csr_matrix(images / np.sqrt(images.shape[1]))
        return sparse.hstack([words, images]).tocsr()

    regression = LogisticRegression(C=c, class_weight=class_weight, max_iter=1000)
    model = OneVsRestClassifier(regression).fit(features(examples), examples.labels)
    return lambda pairs: model.predict(features(pairs))


def joined(examples: PairExamples) -> list[str]:
    """Returns one text for each pair."""
    return [" ".join(texts) for texts in examples.texts]


def f1(predict, examples: PairExamples) -> float:
    """Returns macro F1, over the classes that occur or are predicted."""
    return f1_score(examples.labels, predict(examples), average="macro")


def run_scores(run) -> dict[str, float]:
    """Returns the scores of the run's own classifier, if it was evaluated."""
    path = run.results / "classification.json"
    content = read_json(path) if path.is_file() else {}
    row = content.get("rows", {}).get("ensemble", content)
    return {name: value for name, value in row.items() if isinstance(value, float)}


if __name__ == "__main__":
    main()
