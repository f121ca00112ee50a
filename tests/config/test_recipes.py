import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasgan.config.recipes import (
    differences,
    find_recipe,
    list_recipes,
    read_assignment,
    read_recipe,
    resolve,
)
from kerasgan.config.renamed_keys import RENAMED, RENAMED_VALUES
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError

RECIPES = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
LITE = "efficientnet-lite0"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_valid_and_say_how_to_run_them(path):
    recipe = read_recipe(path)
    assert resolve(recipe).data.dataset == recipe["data"]["dataset"]
    head = path.read_text().split("\ndata:")[0]
    command = "train-classifier" if "classifier" in path.stem else "train-gan"
    assert f"kerasgan {command}" in head and "Time:" in head


@pytest.mark.parametrize(("name", "description"), list_recipes())
def test_descriptions_are_one_sentence(name, description):
    assert re.fullmatch(r"Trains [^.]+\.", description), name


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
        ({"captions.backbone": "resnet50"}, "must be conv, .*-lite2, or .*joined by"),
        ({"captions.backbone": LITE + "+conv"}, "must be conv, .*lite0.conv'"),
        ({"captions.backbone": f"{LITE}+{LITE}"}, "must be conv, .*different ones"),
    ],
)
def test_messages_name_the_mistake(values, message):
    with pytest.raises(UserError, match=message):
        resolve(None, values)


def test_messages_name_the_recipe(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("gan:\n  latent: 3\n")
    with pytest.raises(UserError, match="section gan of .*mine.yaml"):
        resolve(read_recipe(path), source=str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"- 1\n- 2\n", "must have sections"),
        (b"gan: [1,\n", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"data: " + b"[" * 20_000, "nested too deeply"),
        (b"data: {}\n" + b"#" * (1 << 20), "too long"),
        (b"!!python/object/apply:os.system ['true']", "cannot be read"),
        (b"gan: {r1: 2001-99-99}", "cannot be read"),
        (b"gan: {r1: !!binary x}", "cannot be read"),
    ],
)
def test_invalid_recipes(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError, match=message):
        read_recipe(path)
    with pytest.raises(UserError, match="There is no recipe .*absent.yaml"):
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


def test_an_empty_recipe_gives_the_defaults(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert resolve(read_recipe(path)) == Settings()


@given(st.integers(1, 10**6), st.floats(1e-6, 1))
def test_settings_round_trip(epochs, rate):
    values = {"training.epochs": epochs, "training.learning_rate": rate}
    settings = resolve(None, values)
    assert resolve(settings.model_dump()) == settings


def test_paths_become_absolute_but_names_of_weights_do_not(tmp_path, monkeypatch):
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


def test_differences():
    other = resolve(None, {"gan.r1": 9.0, "training.epochs": 7})
    lines = differences(Settings(), other, ignored={"training.epochs"})
    assert len(lines) == 1 and lines[0].startswith("gan.r1:") and "9.0 now" in lines[0]


def test_recipes_are_found_by_name(tmp_path, monkeypatch):
    assert [name for name, _ in list_recipes()] == [path.stem for path in RECIPES]
    assert all(description for _, description in list_recipes())
    (path,) = [path for path in RECIPES if path.stem == "scenes-gan"]
    assert find_recipe("scenes-gan") == path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes-gan").write_text("gan:\n  r1: 9.0\n")
    assert find_recipe("scenes-gan") == tmp_path / "scenes-gan"
    assert read_recipe("scenes-gan") == {"gan": {"r1": 9.0}}
    with pytest.raises(UserError, match="Did you mean 'flickr30k-gan'"):
        find_recipe("flickr30k-gans")


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [(section, *names) for section in RENAMED for names in RENAMED[section].items()],
)
def test_renamed_keys_are_named(section, old, new):
    known = Settings().model_dump()[section]
    assert new in known and old not in known
    with pytest.raises(UserError, match=rf"{section}\.{old} .*renamed to .*{new} in"):
        resolve({section: {old: 1}})


@pytest.mark.parametrize(("key", "new"), RENAMED_VALUES.items())
def test_renamed_values_are_named(key, new):
    section, name, old = key
    is_list = name in ("augmentation", "members")
    old, value = ([old], [new]) if is_list else (old, new)
    resolve({section: {name: value}})
    with pytest.raises(UserError, match=f"renamed to '{new}' in"):
        resolve({section: {name: old}})


def test_unknown_sections_are_errors_even_if_empty():
    with pytest.raises(UserError, match="Unknown key 'gam'.*Did you mean 'gan'"):
        resolve({"gam": None})


@pytest.mark.parametrize("place", ["gan: *i", "gan: {r1: *i}", "gan: {loss: *i}"])
def test_aliases_of_aliases_are_not_written_out(tmp_path, place):
    """A message with every item of this recipe would have a billion words."""
    lines = ["a0: &a [x, x, x, x, x, x, x, x, x, x]"]
    for old, new in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{new}0: &{new} [{', '.join([f'*{old}'] * 10)}]")
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join([*lines, place]))
    with pytest.raises(UserError) as error:
        resolve({"gan": read_recipe(path)["gan"]})
    assert len(str(error.value)) < 2000
