"""`train-classifier`, `classify` and `evaluate` on a table."""

import csv
import json

import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from PIL import Image

from kerasgan.cli import main
from tests.data import coyo_makers
from tests.export.makers import make_run
from tests.helpers import opened

TINY = [
    "--set=data.image_size=32",
    "--set=classifier.filters=[4]",
    "--set=classifier.image_dim=8",
    "--set=classifier.text_dim=8",
    "--set=classifier.text_length=8",
    "--set=classifier.folds=2",
    "--set=classifier.ensemble_pairs=5",
    "--set=classifier.minutes=null",
    "--epochs=2",
]
COLORS = {"red": (200, 30, 30), "blue": (30, 30, 200)}


def call(*arguments, status=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def write_table(folder, rows):
    """Rows of (name, title, kind); an image of its color for each name."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for name, _, kind in rows:
        color = np.array(COLORS.get(kind, (90, 90, 90)))
        noise = random.integers(-20, 20, (36, 40, 3))
        Image.fromarray((color + noise).clip(0, 255).astype("uint8")).save(
            folder / name
        )
    with open(folder / "table.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "title", "label"])
        writer.writerows(rows)
    return folder / "table.csv"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    kinds = ["red", "blue"] * 20
    rows = [(f"{n}.png", f"thing {n} in {kind}", kind) for n, kind in enumerate(kinds)]
    rows[4] = ("4.png", "", "red")  # an image without a text
    rows += [("alone.png", "the only one", "odd"), ("gone.png", "lost", "red")]
    source = write_table(tmp_path_factory.mktemp("table") / "data", rows)
    (source.parent / "gone.png").unlink()
    return source


@pytest.fixture(scope="module")
def run_dir(table, data_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "run"
    result = call(
        "train-classifier",
        *TINY,
        "--dataset=table",
        f"--source={table}",
        f"--data-dir={data_dir}",
        f"--run-dir={path}",
        "--compare",
        "--seeds=1",
    )
    assert "paper B's claim" in result.output
    assert "Skipped: 1 × missing file." in result.stderr
    assert "fewer than two training images: odd." in result.stderr
    assert "--config table-classifier has better ones" in result.stderr
    assert "split 1 of 1: pair, ensemble" in result.stderr
    return path


def test_all_models_are_compared(run_dir):
    found = json.loads((run_dir / "results" / "classification.json").read_text())
    rows = [
        "majority",
        "tfidf",
        "image",
        "text",
        "paper_without_attention",
        "paper",
        "ensemble",
    ]
    assert list(found["rows"]) == rows
    for row in found["rows"].values():
        assert row["seeds"] == 1 and 0 <= row["accuracy_mean"] <= 1
        assert {"accuracy_sd", "macro_f1_mean", "train_accuracy_mean"} <= set(row)
        assert 0 <= row["ece_mean"] <= 1
    assert found["leaks"]["names_own"] > 0.5
    assert found["rows"]["paper"]["temperature_mean"] > 0
    assert sum(each["pairs"] for each in found["reliability"]["paper"]) == 8
    ensemble = found["rows"]["ensemble"]
    assert list(ensemble["members_accuracy_mean"]) == ["image", "lstm", "words"]
    assert (run_dir / "results" / "accuracy.png").is_file()
    assert opened(run_dir / "results" / "confusion-ensemble.png").size[0] > 200


def test_other_data_are_not_evaluated(run_dir, table):
    original = table.read_text(encoding="utf-8")
    table.write_text(original.replace("thing 3 ", "other 3 "), encoding="utf-8")
    result = call("evaluate", run_dir, status=2)
    assert "other images: content" in result.stderr
    table.write_text(original, encoding="utf-8")


def test_a_finished_comparison_is_not_trained_again(run_dir):
    before = (run_dir / "results" / "rows.jsonl").read_text()
    call(
        "train-classifier", "--resume", f"--run-dir={run_dir}", "--compare", "--seeds=1"
    )
    assert (run_dir / "results" / "rows.jsonl").read_text() == before


def test_pairs_are_classified(run_dir, table, tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    sheet = tmp_path / "explanation.png"
    result = call(
        "classify",
        run_dir,
        table.parent / "0.png",
        tmp_path / "notes.txt",
        "--text=thing in red &amp; more",
        f"--explain={sheet}",
    )
    first, second = map(json.loads, result.output.splitlines())
    assert 0 < first["probability"] <= 1 and len(first["alternatives"]) == 2
    assert first["class"] in ("red", "blue", "odd") and "error" in second
    assert opened(sheet).size[0] > 500


def test_only_a_text_and_only_an_image(run_dir, table):
    by_text = call("classify", run_dir, "--text", "thing in blue")
    assert json.loads(by_text.output)["image"] is None
    by_image = call("classify", run_dir, table.parent / "1.png")
    assert json.loads(by_image.output)["text"] is None
    call("classify", run_dir, status=2)
    two = "--text=a", "--text=b"
    result = call("classify", run_dir, table.parent / "1.png", *two, status=2)
    assert "Received: images: 1, texts: 2" in result.output
    result = call("classify", run_dir, table.parent, *two, status=2)
    assert "2 times with a folder" in result.output and "--source" in result.output


def test_figures_are_png_files(run_dir, tmp_path):
    result = call(
        "classify", run_dir, "--text=a", "--explain=explanation.xyz", status=2
    )
    assert "explanation.xyz does not end in .png" in result.output
    folder = tmp_path / "explanation.png"
    folder.mkdir()
    result = call("classify", run_dir, "--text=a", f"--explain={folder}", status=2)
    assert "explanation.png is a folder" in result.output


def test_a_run_of_a_classifier_has_no_captions(run_dir, table):
    result = call("caption", run_dir, table.parent / "1.png", status=2)
    assert "is a run of train-classifier, not of train-gan" in result.output


def test_a_table_is_classified(run_dir, table, tmp_path):
    out = tmp_path / "classes.parquet"
    result = call("classify", run_dir, "--source", table, "--out", out)
    assert "41 predicted, 1 failed: 1 × missing file." in result.stderr
    rows = pyarrow.parquet.read_table(out).to_pylist()
    assert rows[0]["image"] == "0.png" and rows[0]["text"] == "thing 0 in red"
    assert rows[4]["text"] is None and rows[4]["class"] in ("red", "blue", "odd")
    assert len(rows[0]["alternatives"]) == 2 and rows[0]["error"] is None
    only_texts = "--image-column=", "--caption-column=title"
    result = call("classify", run_dir, "--source", table, *only_texts)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0]["image"] is None and lines[0]["probability"] > 0
    assert lines[4]["error"] == "neither image nor text"


def test_another_table_is_evaluated(run_dir, tmp_path, data_dir):
    rows = [(f"n{n}.png", f"new in {k}", k) for n, k in enumerate(["red", "blue"] * 3)]
    rows.append(("n9.png", "nobody knows", "green"))
    source = write_table(tmp_path / "more", rows)
    arguments = "evaluate", run_dir, f"--source={source}", f"--data-dir={data_dir}"
    found = json.loads(call(*arguments, "--json").stdout)
    assert found["pairs"] == 6 and found["left_out"] == {"unknown class green": 1}
    without = json.loads(call(*arguments, "--without=text", "--json").stdout)
    assert without["pairs"] == 6
    blind = json.loads(call(*arguments, "--caption-column=", "--json").stdout)
    assert blind["accuracy"] == without["accuracy"]
    result = call(*arguments, "--label-column=", status=2)
    assert "their column with --label-column" in result.output
    assert ", ECE 0." in call("evaluate", run_dir).output
    (tmp_path / "more" / "n9.png").unlink()
    result = call(*arguments, status=2)
    assert "1 of 7 rows are bad (14.3%), more than data.max_bad=0.05" in result.output
    assert "Skipped: 1 × missing file" in call(*arguments, "--max-bad=0.2").output


def test_several_images_of_a_row_are_one_example(run_dir, table, tmp_path, data_dir):
    rows = ["image,title,label", "0.png;1.png,,red", "2.png,x,red", "3.png;4.png,,blue"]
    source = table.parent / "several.csv"
    source.write_text("\n".join([*rows, "0.png;absent.png,,red"]))
    sheet = tmp_path / "explanation.png"
    result = call("classify", run_dir, "--source", source, "--explain", sheet)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["image"] for line in lines][:2] == ["0.png;1.png", "2.png"]
    assert lines[3]["error"] == "missing file" and sheet.is_file()
    images = [table.parent / f"{n}.png" for n in range(2)]
    single = [
        json.loads(line)
        for line in call("classify", run_dir, *images).stdout.splitlines()
    ]

    def probability(line, name):
        choices = [line, *line["alternatives"]]
        return next(c["probability"] for c in choices if c["class"] == name)

    mean = (probability(single[0], "red") + probability(single[1], "red")) / 2
    assert probability(lines[0], "red") == pytest.approx(mean, abs=1e-5)
    source.write_text("\n".join(rows))
    options = f"--source={source}", f"--data-dir={data_dir}", "--json"
    found = json.loads(call("evaluate", run_dir, *options).stdout)
    assert found["pairs"] == 3
    expected = [line["class"] for line in lines[:3]]
    correct = sum(map(str.__eq__, expected, ["red", "red", "blue"]))
    assert found["accuracy"] == pytest.approx(correct / 3)


def test_images_in_parquet_are_classified_as_files_are(run_dir, table, tmp_path):
    files = [(table.parent / f"{n}.png").read_bytes() for n in range(3)]
    source = tmp_path / "t.parquet"
    rows = [{"images": [{"bytes": data} for data in files[:2]], "title": "x"}]
    rows += [{"images": [{"bytes": files[2]}], "title": "y"}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), source)
    found = call("classify", run_dir, "--source", source).stdout.splitlines()
    named = table.parent / "named.csv"
    named.write_text("image,title\n0.png;1.png,x\n2.png,y\n")
    expected = call("classify", run_dir, "--source", named).stdout.splitlines()
    found, expected = ([json.loads(line) for line in x] for x in (found, expected))
    assert [line.pop("image") for line in found] == ["t/0/0;t/0/1", "t/1"]
    assert [line.pop("image") for line in expected] == ["0.png;1.png", "2.png"]
    assert found == expected


def test_table_options_need_a_table(run_dir):
    for option in ("--image-root=.", "--caption-column=label", "--max-bad=0.1"):
        result = call("evaluate", run_dir, option, status=2)
        assert f"{option.split('=')[0]} needs --source" in result.output


def test_data_dir(run_dir, tmp_path):
    call("evaluate", run_dir, f"--data-dir={tmp_path / 'moved'}")
    assert (tmp_path / "moved" / "table").is_dir()


def test_numbers_are_texts_and_punctuation_is_not(tmp_path, data_dir):
    kinds = ["red", "blue"] * 15
    numbers = [(f"{n}.png", str(n % 2), kind) for n, kind in enumerate(kinds)]
    signs = [(name, "!?", kind) for name, _, kind in numbers]
    shared = "train-classifier", "--dataset=table", f"--data-dir={data_dir}", *TINY
    source = write_table(tmp_path / "numbers", numbers)
    arguments = *shared, f"--source={source}", f"--run-dir={tmp_path / 'run'}"
    found = json.loads(call(*arguments, "--modality=text", "--json").stdout)
    assert found["rows"]["tfidf"]["accuracy_mean"] == 1
    assert found["titles"]["ensemble"] == "text only, ensemble"
    assert "image_missing_accuracy_mean" not in found["rows"]["ensemble"]
    source = write_table(tmp_path / "signs", signs)
    arguments = *shared, f"--source={source}", f"--run-dir={tmp_path / 'other'}"
    result = call(*arguments, "--modality=text", status=2)
    assert "no text has any words" in result.output
    result = call(*arguments, "--json")
    assert set(json.loads(result.stdout)["rows"]) == {"majority", "ensemble"}
    assert "No text has any words" in result.stderr


def test_tables_without_classes_are_rejected(tmp_path, data_dir):
    rows = [(f"{n}.png", f"thing {n}", "red") for n in range(8)]
    source = write_table(tmp_path / "one", rows)
    shared = "train-classifier", "--dataset=table", f"--data-dir={data_dir}", *TINY
    run = tmp_path / "run"
    result = call(*shared, f"--source={source}", f"--run-dir={run}", status=2)
    assert "at least two classes" in result.output and not run.exists()
    source.write_text("image,title\n0.png,thing\n1.png,other\n")
    result = call(*shared, f"--source={source}", f"--run-dir={run}", status=2)
    assert "column of labels" in result.output


def test_the_recipe_of_paper_b_runs_on_shards_of_img2dataset(tmp_path, data_dir):
    pairs = coyo_makers.rows(40)
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    result = call(
        "train-classifier",
        "--config=coyo-classifier-paper",
        f"--source={source}",
        f"--set=data.labels={labels}",
        *("--set=data.image_size=32", "--set=classifier.filters=[4]"),
        *("--set=classifier.text_dim=4", "--sample=20", "--epochs=1"),
        f"--data-dir={data_dir}",
        f"--run-dir={tmp_path / 'run'}",
        "--json",
    )
    found = json.loads(result.stdout)
    assert set(found["rows"]) == {"majority", "tfidf", "paper"}
    assert len(found["label_names"]) == 2


def test_missing_texts_are_filled_and_rare_classes_balanced(tmp_path, data_dir):
    kinds = ["red", "blue", "red"] * 14
    titles = [f"{kind} thing" if n % 2 else "" for n, kind in enumerate(kinds)]
    rows = [(f"{n}.png", title, kinds[n]) for n, title in enumerate(titles)]
    source = write_table(tmp_path / "data", rows)
    captioner = make_run(tmp_path / "captioner", ("captions",))
    run = tmp_path / "run"
    arguments = (
        *("train-classifier", *TINY, "--dataset=table", f"--source={source}"),
        *(f"--data-dir={data_dir}", f"--run-dir={run}", "--modality=text"),
        *("--balance", "--fusion=paper", f"--fill-captions={captioner.path}"),
    )
    result = call(*arguments)
    assert "classes that are equally frequent" in result.stdout
    assert "have a caption by captioner: 1" in result.stderr
    options = json.loads((run / "options.json").read_text())
    assert options["settings"]["classifier"]["fill_captions"] == str(captioner.path)
    filled = json.loads((run / "data.json").read_text())["filled_captions"]
    assert set(filled["captions"]) == {f"{n}.png" for n in range(0, 42, 2)}
    row = json.loads((run / "results" / "classification.json").read_text())
    evaluated = json.loads(call("evaluate", run, "--json").stdout)
    assert evaluated["ece"] == pytest.approx(row["rows"]["text"]["ece_mean"], abs=1e-4)
    without = make_run(tmp_path / "without", ("images",))
    changed = f"--fill-captions={without.path}", f"--run-dir={tmp_path / 'other'}"
    result = call(*arguments, *changed, status=2)
    assert "without has no trained captions" in result.output
    assert not (tmp_path / "other").exists()
