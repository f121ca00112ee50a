"""The comparison of classifiers as text."""

from kerasgan.report.classification_report import comparison_text

SCORES = {
    "accuracy_mean": 0.0,
    "accuracy_sd": 0.0,
    "macro_f1_mean": 0.0,
    "ece_mean": 0.0,
    "train_accuracy_mean": 0.0,
    "seconds": 1.0,
}
LEAKS = dict.fromkeys(["names_own", "named", "texts_known", "images_known"], 0.0)


def text_of(*names, balance=False, **rows):
    rows = {name: dict(SCORES) for name in names} | rows
    titles = {name: name for name in rows}
    results = {"rows": rows, "titles": titles, "seeds": 1, "leaks": LEAKS}
    return comparison_text({**results, "balance": balance})


def test_a_gain_over_zero_has_no_relative_value():
    text = text_of("image", "ensemble")
    assert "ensemble, over image only: +0.0 points." in text
    assert "members" not in text and "without the text" not in text


def test_a_gain_has_points_and_a_relative_value():
    rows = {
        name: SCORES | {"accuracy_mean": accuracy}
        for name, accuracy in (("image", 0.5), ("paper", 0.6))
    }
    text = text_of(**rows)
    assert "paper, over image only: +10.0 points, +20.0 % relative." in text


def test_paper_b_s_gain_is_shown_if_there_is_a_gain():
    claim = "In paper B, image + text over image only: +10.1 points, +12.2 % relative;"
    assert claim in text_of("image", "paper")
    assert "In paper B" not in text_of("majority", "paper")


def test_members_of_the_ensemble_are_listed_with_their_weights():
    ensemble = SCORES | {
        "image_missing_accuracy_mean": 0.25,
        "text_missing_accuracy_mean": 0.5,
        "members_accuracy_mean": {"image": 0.5, "words": 0.25},
        "weights": {"pair": {"image": 1.0, "words": 0.5}},
    }
    text = text_of(ensemble=ensemble)
    assert "without the text: 0.500, without the image: 0.250." in text
    assert "image 0.500 (weight 1.00), words 0.250 (weight 0.50)." in text


def test_the_calibration_is_shown():
    assert "0.125" in text_of(paper=SCORES | {"ece_mean": 0.125})


def test_older_results_have_no_calibration():
    scores = {key: value for key, value in SCORES.items() if key != "ece_mean"}
    titles = {"paper": "the paper's"}
    results = {"rows": {"paper": scores}, "titles": titles, "seeds": 1, "leaks": LEAKS}
    assert "ECE" in comparison_text(results)


def test_balanced_probabilities_are_explained():
    assert "classes that are equally frequent" in text_of("paper", balance=True)
    assert "equally frequent" not in text_of("paper")
