import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kerasgan.captioning.caption_data import data_for_captions, validation_rows
from kerasgan.captioning.pipeline import load_captioner
from kerasgan.cli import main
from kerasgan.config.settings import Settings, TrainingConfig
from kerasgan.data import load_data
from kerasgan.runs import new_run, open_run
from kerasgan.search.search_index import SearchIndex
from tests.helpers import opened

TINY = [
    "--set=data.num_images=48",
    "--set=data.image_size=32",
    "--set=gan.discriminator=conv",
    "--set=gan.generator_filters=4",
    "--set=gan.discriminator_filters=4",
    "--set=gan.max_filters=4",
    "--set=gan.text_dim=4",
    "--set=training.batch_size=8",
    "--set=training.grid=2",
    "--set=captions.backbone=conv",
    "--set=captions.dual_encoder_members=1",
    "--set=captions.joint_dim=4",
    "--set=captions.dual_encoder_epochs=1",
    "--set=captions.dim=4",
    "--set=captions.likelihood_epochs=1",
    "--set=captions.adversarial_epochs=1",
    "--set=captions.sampled_captions=2",
]


def call(*arguments, status=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory, data_dir):
    path = tmp_path_factory.mktemp("cli") / "run"
    place = "--data-dir", data_dir, "--run-dir", path
    output = call("train-gan", *TINY, *place, "--epochs", 1).stdout
    assert "Errors in paper A:" in output and "generated images" in output
    assert output.count("79.37") == 1
    return path


def test_a_missing_gpu_is_an_error_before_data_are_prepared(tmp_path):
    for command in ("train-gan", "train-classifier"):
        place = "--run-dir", tmp_path / "run", "--data-dir", tmp_path / "data"
        result = call(command, "--device", "gpu", *place, status=2)
        assert "training.device is gpu, but TensorFlow finds no GPU" in result.stderr
        assert not list(tmp_path.iterdir())


def test_options_of_the_device_are_settings():
    options = "--device=cpu", "--strategy=mirrored", "--precision=mixed_bfloat16"
    result = call("train-classifier", *options, "--batch-size=48", "--dry-run")
    lines = {line.strip() for line in result.stdout.splitlines()}
    assert {"device: cpu", "strategy: mirrored", "batch_size: 48"} <= lines
    assert "precision: mixed_bfloat16" in lines


def test_a_malformed_tf_config_is_an_error_before_a_run_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    options = "--strategy=multi-worker", "--run-dir", tmp_path / "run"
    result = call("train-gan", *options, status=2)
    assert "TF_CONFIG must be JSON" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_run_is_resumed(run_dir):
    resume = "train-gan", "--resume", "--run-dir", run_dir
    call(*resume, "--epochs", 2, "--stage", "images")
    assert [line["epoch"] for line in open_run(run_dir).metrics] == [1, 2]


def test_other_settings_are_rejected_by_name(run_dir):
    result = call(
        "train-gan", "--resume", "--run-dir", run_dir, "--set=gan.r1=5.0", status=2
    )
    assert "gan.r1: None in the run, 5.0 now" in result.output


def test_a_run_captions_images(run_dir, tmp_path):
    image = tmp_path / "photograph.png"
    Image.fromarray(np.full((40, 60, 3), 90, "uint8")).save(image)
    (tmp_path / "notes.txt").write_text("no image")
    figure = tmp_path / "figure.png"
    result = call(
        "caption", run_dir, image, tmp_path / "notes.txt", tmp_path / "absent.jpg",
        "--attention", figure,
    )  # fmt: skip
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert set(lines[0]) == {"image", "caption", "score", "alternatives"}
    assert lines[1]["error"] == "not an image"
    assert "No such file" in lines[2]["error"]
    with Image.open(figure) as sheet:
        assert sheet.width > 100
    call("caption", run_dir, tmp_path / "absent.jpg", status=1)
    out = tmp_path / "captions.jsonl"
    result = call("caption", run_dir, tmp_path, "--out", out)
    assert "2 predicted, 0 failed." in result.stderr and not result.stdout
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["image"] for line in found] == [str(figure), str(image)]
    assert found[1]["caption"]


def test_a_run_is_evaluated(run_dir):
    results = json.loads(call("evaluate", run_dir, "--rerank", 3, "--json").stdout)
    row = results["similarity"]["rows"]["reranked"]
    cells = [row["at_half"][cell] for cell in ("tp", "fp", "fn", "tn")]
    assert sum(cells) == row["pairs"] * row["derangements"]
    assert {"human", "likelihood", "random"} <= set(results["similarity"]["rows"])
    found = json.loads((run_dir / "results" / "retrieval.json").read_text())
    assert found == results["retrieval"]
    assert found["reranked"]["matches"] == 3
    ranks = [found[key]["text_to_image"] for key in ("by_cosine", "reranked")]
    assert all(0 <= row["r1"] <= row["r5"] <= row["r10"] <= 100 for row in ranks)
    with open(run_dir / "results" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    matched = [float(r["matched"]) for r in rows if r["row"] == "human"]
    assert len(matched) == row["images"]
    threshold = results["similarity"]["rows"]["human"]["at_half"]["threshold"]
    strict = results["similarity"]["rows"]["human"]["strict"]
    assert strict["tp"] == sum(score >= threshold for score in matched)
    assert results["images"]["images"] == row["images"]
    assert (run_dir / "results" / "examples.png").is_file()
    assert 0 <= row["auc_by_embedding"] <= 1


@pytest.fixture(scope="module")
def collection(run_dir, tmp_path_factory):
    """The test images as files, their captions, and an index of them."""
    folder = tmp_path_factory.mktemp("collection")
    split = load_data(data_for_captions(open_run(run_dir).settings)).test
    for name, image in zip(split.ids, split.images, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")
    captions = dict(zip(split.ids, split.captions, strict=True))
    output = call("index", run_dir, folder, "--out", folder / "index").stdout
    assert f"{len(captions)} images: {len(captions)} added, 0 changed" in output
    assert "(default of searches)" in output
    return folder, captions


def test_a_search_ranks_as_the_evaluation(run_dir, collection):
    folder, captions = collection
    retrieval = json.loads((run_dir / "results" / "retrieval.json").read_text())
    index, ranks = SearchIndex(folder / "index"), []
    pipeline = load_captioner(run_dir)
    names = [Path(record["image"]).stem for record in index.data]
    assert not index.manifest["needs_tensorflow"]
    for name, texts in captions.items():
        for text in texts:
            vector = pipeline.embed_captions([text])[0] @ index.rotation
            np.testing.assert_allclose(index.embed(text), vector, atol=1e-5)
            rows, _ = index.rank(text, "embedding", 10)
            found = [names[row] for row in rows]
            ranks.append(found.index(name) + 1 if name in found else 99)
    expected = retrieval["text_to_image"]
    for depth in (1, 5, 10):
        recall = 100 * np.mean(np.array(ranks) <= depth)
        assert recall == pytest.approx(expected[f"r{depth}"])
    choices = json.loads((run_dir / "results" / "search.json").read_text())
    assert choices["rankings"]["beam"] == index.manifest["ranking"]


def test_the_captioner_ranks_the_first_results_again(collection):
    folder, captions = collection
    options = captions[min(captions)][0], "--by=embedding", "--json"
    ranked, reranked = (
        [json.loads(line) for line in call(*arguments).stdout.splitlines()]
        for arguments in (
            ("search", folder / "index", *options, "--top", 4),
            ("search", folder / "index", *options, "--top", 4, "--rerank", 3),
        )
    )
    first = {row["image"] for row in ranked[:3]}
    assert first == {row["image"] for row in reranked[:3]}
    assert ranked[3]["image"] == reranked[3]["image"]
    assert [row["score"] for row in ranked] != [row["score"] for row in reranked]


def test_a_photograph_that_is_not_in_the_index(collection, tmp_path):
    folder, captions = collection
    image = tmp_path / "x.bmp"
    Image.open(folder / f"{min(captions)}.png").save(image)
    result = call("search", folder / "index", "--image", image, "--json", "--top", 1)
    found = json.loads(result.stdout)
    assert found["image"].endswith(f"{min(captions)}.png")
    assert found["score"] == pytest.approx(1, abs=1e-3)
    result = call("search", folder / "index", "--image", image, "--by=words", "--json")
    assert found["caption"] == json.loads(result.stdout.splitlines()[0])["caption"]


def test_images_are_categorized(run_dir, collection, tmp_path):
    folder, captions = collection
    names = "a dog; a boat; a car; a cat"
    arguments = "categorise", run_dir, folder, "--categories", names
    page, links = tmp_path / "page.html", tmp_path / "links"
    result = call(*arguments, "--html", page, "--links", links, "--threshold=-9")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == len(captions)
    for row in rows:
        choices = [row, *row["alternatives"]]
        assert sorted(choice["category"] for choice in choices) == sorted(
            names.split("; ")
        )
        assert (links / row["category"] / Path(row["image"]).name).is_file()
    assert page.read_text().count("<img") == len(rows)
    out = tmp_path / "several.csv"
    call(*arguments, "--several", "--out", out, "--threshold=9")
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["category"] for row in rows} == {"none of these"}
    result = call(*arguments)  # with the threshold of the validation images
    assert len(result.stdout.splitlines()) == len(captions)
    result = call("categorize", run_dir, folder, "--categories=zzz", status=2)
    assert "no word of the category 'zzz'" in result.output


def test_captions_in_files_have_the_figures_of_the_run(run_dir, tmp_path):
    """Of the same captions, references, training captions and threshold."""
    run = open_run(run_dir)
    data = load_data(data_for_captions(run.settings))
    rows, _ = validation_rows(
        data.train, run.settings.captions.validation, run.settings
    )
    for name, split, used in (
        ("references", data.test, range(len(data.test.ids))),
        ("training", data.train, rows),
    ):
        lines = [
            json.dumps({"image": split.ids[row], "captions": list(split.captions[row])})
            for row in used
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    with open(run.results / "predictions.csv", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["row"] == "reranked"]
    captions = {row["image_id"]: row["caption"] for row in found}
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    expected = run.read("results/similarity.json")["rows"]["reranked"]
    output = call(
        "evaluate", "--json",
        "--predictions", tmp_path / "captions.json",
        "--references", tmp_path / "references.jsonl",
        "--train-captions", tmp_path / "training.jsonl",
        "--threshold", repr(expected["at_validated"]["threshold"]),
    ).stdout  # fmt: skip
    scored = json.loads(output)
    row = scored["similarity"]["rows"]["predictions"]
    others = {"auc_by_reference", "auc_by_embedding", "threshold_images"}
    assert row.keys() ^ expected.keys() == others
    assert all(row[key] == expected[key] for key in row.keys() - others)
    for name, of_run in (("predictions", "reranked"), ("human", "human")):
        expected = run.read("results/captions.json")["rows"][of_run]
        assert scored["captions"]["rows"][name] == expected


def test_a_run_is_reported(run_dir):
    (line,) = call("report", run_dir).stdout.splitlines()
    html = Path(line).read_text(encoding="utf-8")
    assert Path(line) == run_dir / "report.html"
    examples, grids = 3 * 6, len([*run_dir.glob("images/epoch-*.png")])
    assert html.count("data:image/jpeg") == examples + grids
    assert "cannot be read" not in html


def test_a_run_is_not_overwritten(run_dir):
    result = call("train-gan", "--run-dir", run_dir, status=2)
    assert "--resume" in result.output and str(run_dir) in result.output


def test_save_imgs(run_dir, tmp_path):
    out = tmp_path / "new" / "grid.png"
    call("save-imgs", run_dir, "--caption=a red boat", "--columns=3", "--out", out)
    assert opened(out).format == "PNG"
    call("save-imgs", run_dir, "--caption=a", "--caption=b", "--interpolate")
    assert (run_dir / "images" / "strip-seed0.png").is_file()


def test_save_imgs_needs_only_the_run_directory(run_dir, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("the data were read")

    monkeypatch.setattr("kerasgan.data.pipeline.load_data", fail)
    result = call("save-imgs", run_dir, "--rows=2", "--seed=3")
    own = result.output.strip()
    assert own.endswith("random-seed3.png")
    given = [f"--caption={caption}" for caption in open_run(run_dir).captions]
    assert len(given) == 2
    out = tmp_path / "given.png"
    call("save-imgs", run_dir, *given, "--seed=3", "--out", out)
    assert opened(own).tobytes() == opened(out).tobytes()


def test_a_run_without_images_explains_how_to_train_them(tmp_path):
    settings = Settings(training=TrainingConfig(stage="captions"))
    run = new_run("train-gan", settings, tmp_path / "run")
    result = call("save-imgs", run.path, status=2)
    assert f"train-gan --stage images --resume --run-dir {run.path}" in result.output


def test_unwritable_paths_exit_with_1(run_dir, tmp_path):
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "deep" / "below.png"
    for arguments in (["save-imgs", run_dir, "--out"], ["train-gan", "--run-dir"]):
        result = call(*arguments, below, status=1)
        assert result.output.startswith("Error: Not a directory: ")
        assert str(below.parent) in result.output


def test_nearest_training_images(run_dir, tmp_path, monkeypatch):
    def pixels(images, scale):
        return images.reshape(len(images), -1).astype("float32")

    monkeypatch.setattr("kerasgan.gan.nearest_images.pooled_features", pixels)
    result = call("save-imgs", run_dir, "--nearest", "--out", tmp_path / "a.png")
    assert "Median distance to the nearest training image: " in result.stderr
    call("save-imgs", run_dir, "--out", tmp_path / "b.png")
    heights = [opened(tmp_path / name).height for name in ("a.png", "b.png")]
    assert heights[0] + 2 == 2 * (heights[1] + 2)
    call("save-imgs", run_dir, "--nearest", "--count=2", "--out", tmp_path / "out")
    with open(tmp_path / "out" / "images.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["nearest"] for row in rows} <= set(open_run(run_dir).data["train_ids"])
    assert all(0 <= float(row["nearest_distance"]) <= 2 for row in rows)


def test_save_imgs_rejects(run_dir, tmp_path):
    assert ".png" in call("save-imgs", run_dir, "--out=a.txt", status=2).output
    assert "no run at" in call("save-imgs", tmp_path, status=2).output
    result = call("save-imgs", run_dir, "--caption=a", "--rows=2", status=2)
    assert "--rows cannot be combined with --caption" in result.output
    result = call("save-imgs", run_dir, "--rows=3", status=2)
    assert "show 2 captions. Received: 3" in result.output


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("train-gan", ["flickr30k-gan", "flickr30k-gan-paper", "scenes-gan"]),
        ("train-classifier", ["coyo-classifier-paper", "table-classifier"]),
    ],
)
def test_recipes_are_listed(command, names):
    lines = call(command, "--list-configs").output.splitlines()
    listed = {line.split("  ")[0]: line.partition("  ")[2].strip() for line in lines}
    assert set(names) <= set(listed) and all(listed.values())
