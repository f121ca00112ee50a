import os
import subprocess
import sys

import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.dataset_spec import DatasetSpec, data_dir_of, dataset_config
from kerasgan.errors import UserError
from tests.data import makers


@pytest.fixture
def config(tmp_path):
    makers.write_images(tmp_path / "in", ["a.jpg", "b.jpg"])
    path = makers.table(tmp_path / "in", ["image,caption", "a.jpg,one", "b.jpg,two"])
    return DataConfig(
        dataset="table", source=str(path), data_dir=str(tmp_path / "out"), image_size=8
    )


def test_the_place_depends_on_all_that_the_data_do(config, tmp_path):
    places = [DatasetSpec.of(config).path]
    assert DatasetSpec.of(config).path == places[0]
    for settings in (
        {"image_size": 16},
        {"fit": "pad"},
        {"seed": 1},
        {"split": 0.5},
        {"sample": 2},
        {"label_column": ""},
        {"max_bad": 0.5},
    ):
        places.append(DatasetSpec.of(config.model_copy(update=settings)).path)
    (tmp_path / "in" / "b.jpg").write_bytes(makers.coded(makers.pixels(7)))
    places.append(DatasetSpec.of(config).path)
    os.utime(tmp_path / "in" / "b.jpg", ns=(1, 1))
    places.append(DatasetSpec.of(config).path)
    (tmp_path / "in" / "a.jpg").unlink()
    places.append(DatasetSpec.of(config).path)
    (tmp_path / "in" / "table.csv").write_text("image,caption\nb.jpg,three\n")
    places.append(DatasetSpec.of(config).path)
    assert len(set(places)) == len(places)


def test_two_equal_sources_are_two_data_sets(config, tmp_path):
    makers.write_images(tmp_path / "in2", ["a.jpg", "b.jpg"])
    path = makers.table(tmp_path / "in2", ["image,caption", "a.jpg,one", "b.jpg,two"])
    other = config.model_copy(update={"source": str(path)})
    assert DatasetSpec.of(other).path != DatasetSpec.of(config).path


def test_the_same_source_by_another_name_is_the_same(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "in")
    by_name = config.model_copy(update={"source": "table.csv"})
    assert DatasetSpec.of(by_name).path == DatasetSpec.of(config).path
    elsewhere = config.model_copy(update={"data_dir": str(tmp_path / "else")})
    assert DatasetSpec.of(elsewhere).config_name == DatasetSpec.of(config).config_name


def test_the_data_dir_is_tfdss_unless_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    assert data_dir_of(DataConfig()) == tmp_path / "tfds"
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_dir_of(DataConfig()) == tmp_path / "tensorflow_datasets"


def test_without_a_source_the_manual_directory_is_read(tmp_path):
    config = DataConfig(dataset="flickr8k", data_dir=str(tmp_path))
    manual = tmp_path / "downloads" / "manual" / "flickr8k"
    with pytest.raises(UserError, match=f"--source PATH, or put it into {manual}"):
        DatasetSpec.of(config)
    manual.mkdir(parents=True)
    makers.kaggle_8k(manual)
    assert DatasetSpec.of(config).source == manual


def test_unknown_data_sets_and_wrong_settings_are_named():
    with pytest.raises(
        UserError, match="No data set 'coco'; there are scenes, flickr30k"
    ):
        DatasetSpec.of(DataConfig(dataset="coco"))
    with pytest.raises(UserError, match="image_size: .* got 'big'"):
        dataset_config("table", None, {"image_size": "big"})
    with pytest.raises(UserError, match="colour"):
        dataset_config("table", None, {"colour": 1})


def test_planning_imports_neither_tensorflow_nor_pandas(config):
    code = (
        "import sys; from kerasgan.data.dataset_spec import Plan; "
        "from kerasgan.config.settings import DataConfig; "
        f"Plan.of(DataConfig.model_validate_json({config.model_dump_json()!r})); "
        "print({'tensorflow', 'pandas', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
