from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.config.recipes import differences, read_assignment, read_recipe, resolve
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError

RECIPES = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_valid_and_say_how_to_run_them(path):
    recipe = read_recipe(path)
    assert resolve(recipe).data.dataset == recipe["data"]["dataset"]
    head = path.read_text().split("\ndata:")[0]
    command = "train-classifier" if "classifier" in path.stem else "train-gan"
    assert f"kerasgan {command}" in head and "Time:" in head


@pytest.mark.parametrize("stem", ["scenes-gan", "scenes-classifier"])
def test_the_default_recipes_hold_the_defaults(stem):
    (path,) = [path for path in RECIPES if path.stem == stem]
    assert resolve(read_recipe(path)) == Settings()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gan.latent_dimm": 3}, "'latent_dimm'.*gan.*Did you mean 'latent_dim'"),
        ({"gam.latent_dim": 3}, "'gam'.*Did you mean 'gan'"),
        ({"gan.latent_dim": "many"}, "gan.latent_dim in the command line.*'many'"),
        ({"gan.latent_dim": True}, "gan.latent_dim.*Received: True"),
        ({"gan.loss": "hing"}, "gan.loss.*'hinge'.*Received: 'hing'"),
        ({"data.split": 1.5}, "data.split.*less than 1.*Received: 1.5"),
        ({"data.sample": "many"}, "^data.sample .*'paper' or: .*integer.*'many'$"),
        ({"training.epochs": 0}, "training.epochs.*Received: 0"),
    ],
)
def test_mistakes_are_named(values, message):
    with pytest.raises(UserError, match=message):
        resolve(None, values)


def test_a_recipe_s_mistake_names_the_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("gan:\n  latent: 3\n")
    with pytest.raises(UserError, match="section gan of .*mine.yaml"):
        resolve(read_recipe(path), place=str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"- 1\n- 2\n", "must hold sections"),
        (b"gan: [1,\n", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"!!python/object/apply:os.system ['true']", "cannot be read"),
    ],
)
def test_recipes_that_are_none(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError, match=message):
        read_recipe(path)
    with pytest.raises(UserError, match="no recipe at .*absent.yaml"):
        read_recipe(tmp_path / "absent.yaml")


def test_assignments():
    assert read_assignment("gan.r1=1e-1") == ("gan.r1", 0.1)
    assert read_assignment("gan.augmentation=[cutout]") == (
        "gan.augmentation",
        ["cutout"],
    )
    assert read_assignment("data.source=a=b") == ("data.source", "a=b")
    for text in ("gan.r1", "r1=2", "a.b.c=2"):
        with pytest.raises(UserError, match="SECTION.KEY=VALUE"):
            read_assignment(text)


def test_an_empty_recipe_is_the_defaults(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert resolve(read_recipe(path)) == Settings()


@given(st.integers(1, 10**6), st.floats(1e-6, 1))
def test_settings_survive_being_stored(epochs, rate):
    values = {"training.epochs": epochs, "training.learning_rate": rate}
    settings = resolve(None, values)
    assert resolve(settings.model_dump()) == settings


def test_paths_are_absolute_and_names_of_weights_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = ("source", "data_dir", "image_root", "labels")
    settings = resolve(
        {"data": {key: f"in/../{key}" for key in keys}},
        {"classifier.weights": "own.h5"},
    )
    for key in keys:
        assert getattr(settings.data, key) == str(tmp_path / key)
    assert settings.classifier.weights == str(tmp_path / "own.h5")
    assert resolve(None, {"classifier.weights": "none"}).classifier.weights == "none"
    home = resolve(None, {"data.source": "~/in"}).data.source
    assert home == str(Path("~/in").expanduser())


def test_differences_are_named():
    other = resolve(None, {"gan.r1": 9.0, "training.epochs": 7})
    lines = differences(Settings(), other, free={"training.epochs"})
    assert len(lines) == 1 and lines[0].startswith("gan.r1:") and "9.0 now" in lines[0]
