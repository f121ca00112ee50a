"""The comparison as text."""

from kerasgan.report.classification_report import classification_text

ROW = {
    "accuracy_mean": 0.0,
    "accuracy_sd": 0.0,
    "macro_f1_mean": 0.0,
    "train_accuracy_mean": 0.0,
    "seconds": 1.0,
}
LEAKS = dict.fromkeys(["names_own", "named", "texts_known", "images_known"], 0.0)


def text(*names):
    rows = {name: dict(ROW) for name in names}
    titles = {name: name for name in names}
    found = {"rows": rows, "titles": titles, "seeds": 1, "leaks": LEAKS}
    return classification_text(found)


def test_a_gain_over_nothing_has_no_share():
    assert "ours, over image only: +0.0 points." in text("image", "ensemble")


def test_paper_b_s_gain_stands_beside_one():
    assert "In paper B pair over image" in text("image", "paper")
    assert "In paper B pair over image" not in text("majority", "paper")
