"""The page about runs: complete, escaped, and nothing in it is loaded."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.evaluation.pair_protocol import confusion_counts
from kerasgan.report import pages
from kerasgan.report.charts import sweep_thresholds, training_charts
from kerasgan.report.pages import image_uri, render_page
from kerasgan.report.run_report import missing_results, save_report
from kerasgan.runs import new_run
from tests.report.makers import SCRIPT, PageReader, make_run, write_json


def read_page(path):
    html = path.read_text(encoding="utf-8")
    page = PageReader(html)
    assert not page.open_tags
    assert not set("\x1b\u202e") & set(html)
    return page


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    return make_run(root / "<i>run", root / "data")


def test_a_page_about_a_run(run):
    page = read_page(save_report([run]))
    assert not page.all("script") and not page.all("link")
    (policy,) = [m for m in page.all("meta") if "http-equiv" in m]
    assert policy["content"].startswith("default-src 'none'")
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    texts = page.texts
    assert "Report: <i>run" in texts and "loss of the generator" in texts
    row = json.loads((run.results / "similarity.json").read_text())["rows"]["reranked"]
    for number in (
        f"{row['at_half']['precision']:.3f}",
        f"{row['at_validated']['accuracy']:.3f}",
        *("35.45", "0.776", "51.2", "0.750", "1.5 (1.5)", "1,016"),
    ):
        assert number in texts
    captions = [text for text in texts if text.startswith("(") or "alert(1)" in text]
    assert any("<script>alert(1)</script> & [31m <b>dog</b>" in t for t in captions)
    assert any("does not exist. Name its place with --data-dir" in t for t in texts)
    missing = texts[texts.index("What was not run") :]
    resume = "kerasgan train-gan --resume --run-dir RUN"
    left_out = "Rows of the evaluation that the settings or the data do not have"
    assert f"{left_out}: a random training caption." in missing
    assert f"The images stage: {resume} --stage images." in missing
    commands = [text for text in missing[1:] if text and left_out not in text]
    assert len(commands) == 4 and all("kerasgan " in text for text in commands)


def test_grids_are_spread_over_the_epochs(run):
    titles = [image["alt"] for image in read_page(save_report([run])).all("img")]
    shown = [int(t.split()[1]) for t in titles if t.startswith("epoch ")]
    assert len(shown) == 6 and shown[0] == 1 and shown[-1] == 9


def test_runs_are_compared(run, tmp_path):
    other = make_run(tmp_path / "other", tmp_path, latent_dim=7)
    path = save_report([run, other], tmp_path / "pages" / "both.html")
    texts = read_page(path).texts
    start = texts.index("gan.latent_dim")
    assert texts[start + 2 : start + 5 : 2] == ["100", "7"]
    assert texts.index("Results") < texts.index("captions: AUC")
    assert texts.count("epoch 9") == 4  # side by side, and of each run
    twice = read_page(save_report([run, run], tmp_path / "twice.html")).texts
    assert "Equal settings." in twice


def test_a_page_about_classifiers(tmp_path):
    run = new_run("train-classifier", Settings(), tmp_path / "classifier")
    resume = "kerasgan train-classifier --resume --run-dir RUN"
    assert missing_results(run) == [  # nothing was trained
        f"Any result, because the training did not finish: {resume}."
    ]
    save_report([run])
    row = {"accuracy_mean": 0.75, "accuracy_sd": 0.0, "macro_f1_mean": 0.5}
    row |= {"ece_mean": 0.0625}
    row |= {"train_accuracy_mean": 0.875, "seconds": 1.0, "seeds": 1}
    scores = {"precision": 0.5, "recall": 0.25, "f1": 0.125, "pairs": 4}
    shares = ["names_own", "named", "texts_known", "images_known"]
    bins = [{"confidence": 0.7, "accuracy": 0.5, "pairs": 4}]
    content = {
        "rows": {"image": row, "paper": row},
        "titles": {"image": "image only", "paper": "pair, the paper's"},
        "seeds": 1,
        "label_names": ["$x$", SCRIPT],
        "classes": {"paper": {"$x$": scores, SCRIPT: scores}},
        "confusion": {"image": [[2, 0], [1, 1]], "paper": [[2, 0], [1, 1]]},
        "reliability": {"image": bins, "paper": bins},
        "balance": False,
        "leaks": dict.fromkeys(shares, 0.5),
    }
    write_json(run.results / "classification.json", content)
    page = read_page(save_report([run]))
    assert {"0.926", "0.827", "0.875", "one split", "0.125", "0.062"} <= set(page.texts)
    assert "<script>alert(1)</script> & [31m <b>dog</b>" in page.texts
    assert f"Other splits of the data: {resume} --seeds 3." in page.texts
    assert any(f"{resume} --compare" in text for text in page.texts)
    assert len(page.all("img")) == 5
    del content["balance"], content["reliability"], row["ece_mean"]  # older results
    write_json(run.results / "classification.json", content)
    assert len(read_page(save_report([run])).all("img")) == 3


def test_damaged_files_are_named(tmp_path):
    run = make_run(tmp_path / "run", tmp_path)
    (run.images / "epoch-0001.png").write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match="epoch-0001.png is damaged"):
        save_report([run])
    (run.images / "epoch-0001.png").unlink()
    (run.results / "similarity.json").write_text("{")
    with pytest.raises(UserError, match="similarity.json is damaged"):
        save_report([run])
    (run.results / "similarity.json").write_text('{"rows": {"reranked": []}}')
    with pytest.raises(UserError, match="A file of .* is damaged"):
        save_report([run])


def test_a_page_that_is_too_large(run, monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "MAX_BYTES", 1000)
    with pytest.raises(UserError, match="Show fewer runs or images"):
        save_report([run], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_rates_at_all_thresholds_are_those_of_the_protocol():
    random = np.random.default_rng(0)
    matched, mismatched = random.integers(0, 9, (2, 20)) / 8
    thresholds = np.linspace(0, 1.25, 11)
    rates = sweep_thresholds(matched, mismatched, thresholds)
    for index, threshold in enumerate(thresholds):
        counts = confusion_counts(matched, mismatched, threshold)
        assert rates["recall"][index] == counts["recall"]
        assert rates["accuracy"][index] == pytest.approx(counts["accuracy"])
        if counts["tp"] + counts["fp"]:
            assert rates["precision"][index] == counts["precision"]
        else:
            assert np.isnan(rates["precision"][index])


def test_metrics_share_axes_with_their_validation():
    lines = [{"epoch": 1, "loss": 1.0, "val_loss": 2.0, "val_recall": 3, "name": "x"}]
    charts = training_charts(lines)
    assert list(charts) == ["loss", "recall (validation)"] and not training_charts([])
    (axis,) = charts["loss"].axes
    assert len(axis.get_lines()) == 2
    # Epochs are whole, even a single one.
    assert all(float(tick).is_integer() for tick in axis.get_xticks())


def test_images_are_reduced_and_scripts_are_bound_to_the_policy():
    assert len(image_uri(np.zeros((4, 4000, 3), np.uint8), 100)) < 2000
    html = render_page("report.html", "x", title="t", subtitle="", chapters=[])
    assert "script-src &#39;sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=" in html


def test_the_command(run, tmp_path):
    out = tmp_path / "page.html"
    arguments = ["report", str(run.path), "--out", str(out)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert out.is_file()
    result = CliRunner().invoke(main, [*arguments[:3], "page.pdf"])
    assert result.exit_code == 2 and "--out must end in .html" in result.output
