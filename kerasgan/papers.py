"""What the two papers claim, as data, with what is wrong with it.

A: Nattawuttisit 2024, PKRU SciTech Journal 8(2), 79-90.
B: Kim & Lee 2023, Journal of the Institute of Korean Electrical and Electronics
Engineers 27(4), 561-566.
"""

# A, table 2: cells as printed, on 77 images.
A_CELLS = {"tp": 35.45, "fp": 7.77, "fn": 10.0, "tn": 26.15}
A_CLAIMED = {"precision": 0.82, "recall": 0.78, "accuracy": 0.80}
A_THRESHOLD = 0.5  # "more than or equal to 0.5": the same meaning
A_ERRATA = (
    "Counts of images are no fractions, and table 2's cells sum to 79.37, not 77:"
    " over them accuracy is .776; .80 is over 77.",
    "No whole numbers on 77 images round to .82, .78 and .80.",
    "The abstract swaps precision and accuracy; table 2 supports the body.",
    "Table 3's first and third score share every digit after the second.",
    "A TF-IDF cosine above .90 needs a text that is nearly the same word for word.",
)

# B, figure 6: accuracy.
B_ACCURACY = {
    "image": {"train": 0.8267, "test": 0.8251},
    "stand_in": {"train": 0.8356, "test": 0.8349},
    "paper": {"train": 0.931562, "test": 0.92595},
}


def recomputed(cells=A_CELLS):
    """Precision, recall and accuracy that A's own cells add up to."""
    tp, fp, fn, tn = (cells[name] for name in ("tp", "fp", "fn", "tn"))
    return {
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "accuracy": (tp + tn) / (tp + fp + fn + tn),
    }
