"""The figures that the two papers report, and the errors in them.

A: Nattawuttisit 2024, PKRU SciTech Journal 8(2), 79-90.
B: Kim & Lee 2023, Journal of the Institute of Korean Electrical and Electronics
Engineers 27(4), 561-566.
"""

from collections.abc import Mapping

# A, table 2: the cells as printed, for 77 images.
A_CELLS = {"tp": 35.45, "fp": 7.77, "fn": 10.0, "tn": 26.15}
A_CLAIMED = {"precision": 0.82, "recall": 0.78, "accuracy": 0.80}
A_THRESHOLD = 0.5  # "more than or equal to 0.5": the same meaning
A_ERRATA = (
    "Counts of images cannot be fractions. The cells of table 2 sum to 79.37, not 77:"
    " divided by their sum the accuracy is .776, divided by 77 it is .80.",
    "No whole numbers of 77 images give .82, .78 and .80 after rounding.",
    "The abstract swaps precision and accuracy; table 2 agrees with the body.",
    "The first and the third score of table 3 have the same digits after the second.",
    "A TF-IDF cosine above .90 requires a text that is almost the same word for word.",
)
# A, table 3: the description that the model gives, and its similarity as printed.
A_EXAMPLES = (
    ("a man driving a green tractor while wearing a safety vest", 0.91672711730003357),
    ("two dogs interacting with each other on a paved road.", 0.92926058292388916),
    (
        "a colorful drawing of a rainbow with red, yellow, green, and blue",
        0.97672711730003357,
    ),
    ("a woman is shown holding a kitchen utensil", 0.90208024561405182),
    ("a group of ballet dancers performing in a studio", 0.9162032449245453),
    (
        "three people, two wearing casual clothes and one in a cap, jumping",
        0.9264212667942047,
    ),
)

# B, figure 6: accuracy by row of `compare_classifiers`.
B_ACCURACY = {
    "image": {"train": 0.8267, "test": 0.8251},
    "paper_without_attention": {"train": 0.8356, "test": 0.8349},
    "paper": {"train": 0.931562, "test": 0.92595},
}


def rates_from_cells(cells: Mapping[str, float] = A_CELLS) -> dict[str, float]:
    """Computes the rates of a confusion matrix.

    Args:
        cells: `"tp"`, `"fp"`, `"fn"` and `"tn"`; by default those of paper A.

    Returns:
        `"precision"`, `"recall"` and `"accuracy"`, each in [0, 1].
    """
    tp, fp, fn, tn = (cells[name] for name in ("tp", "fp", "fn", "tn"))
    return {
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "accuracy": (tp + tn) / (tp + fp + fn + tn),
    }
