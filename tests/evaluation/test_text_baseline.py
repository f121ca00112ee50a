"""The text classifier without neural networks."""

import numpy as np
from sklearn.pipeline import Pipeline

from kerasgan.classification.examples import PairExamples
from kerasgan.evaluation.text_baseline import fit_text_baseline


def test_the_analyzer_is_chosen_on_texts_that_were_not_seen(monkeypatch):
    """Three images of a row have the same text, which names the row."""
    groups = np.repeat(np.arange(12), 3)
    texts = [[f"row{group}"] for group in groups]
    held_out = []

    def score(model, texts, labels):
        vectorizer = model[0]
        if vectorizer.analyzer == "word":
            assert not set(texts) & set(vectorizer.vocabulary_)
        held_out.append((vectorizer.analyzer, len(texts)))
        return 1.0

    monkeypatch.setattr(Pipeline, "score", score)
    ids = [str(row) for row in range(36)]
    examples = PairExamples(ids, None, texts, groups % 2, groups=groups)
    model = fit_text_baseline(examples, validation=0.25)
    assert held_out == [("word", 9), ("char_wb", 9)]
    assert {"row0", "row11"} <= set(model[0].vocabulary_)  # fitted on all in the end
