import os
import subprocess
import sys

import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data.dataset_spec import DatasetSpec, dataset_config, resolve_data_dir
from kerasgan.errors import UserError
from tests.data import makers


@pytest.fixture
def config(tmp_path):
    makers.write_images(tmp_path / "in", ["a.jpg", "b.jpg"])
    path = makers.table(tmp_path / "in", ["image,caption", "a.jpg,one", "b.jpg,two"])
    return DataConfig(
        dataset="table", source=str(path), data_dir=str(tmp_path / "out"), image_size=8
    )


def test_the_path_depends_on_everything_that_the_data_depend_on(config, tmp_path):
    paths = [DatasetSpec.from_config(config).path]
    assert DatasetSpec.from_config(config).path == paths[0]
    for settings in (
        {"image_size": 16},
        {"fit": "pad"},
        {"seed": 1},
        {"split": 0.5},
        {"sample": 2},
        {"label_column": ""},
        {"max_bad": 0.5},
    ):
        paths.append(DatasetSpec.from_config(config.model_copy(update=settings)).path)
    (tmp_path / "in" / "b.jpg").write_bytes(makers.encoded(makers.pixels(7)))
    paths.append(DatasetSpec.from_config(config).path)
    os.utime(tmp_path / "in" / "b.jpg", ns=(1, 1))
    paths.append(DatasetSpec.from_config(config).path)
    (tmp_path / "in" / "a.jpg").unlink()
    paths.append(DatasetSpec.from_config(config).path)
    (tmp_path / "in" / "table.csv").write_text("image,caption\nb.jpg,three\n")
    paths.append(DatasetSpec.from_config(config).path)
    assert len(set(paths)) == len(paths)


def test_two_equal_sources_are_two_data_sets(config, tmp_path):
    makers.write_images(tmp_path / "in2", ["a.jpg", "b.jpg"])
    path = makers.table(tmp_path / "in2", ["image,caption", "a.jpg,one", "b.jpg,two"])
    other = config.model_copy(update={"source": str(path)})
    assert DatasetSpec.from_config(other).path != DatasetSpec.from_config(config).path


def test_the_same_source_by_another_name_is_the_same(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "in")
    by_name = config.model_copy(update={"source": "table.csv"})
    assert DatasetSpec.from_config(by_name).path == DatasetSpec.from_config(config).path
    elsewhere = config.model_copy(update={"data_dir": str(tmp_path / "else")})
    assert (
        DatasetSpec.from_config(elsewhere).config_name
        == DatasetSpec.from_config(config).config_name
    )


def test_the_data_dir_defaults_to_that_of_tfds(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    assert resolve_data_dir(DataConfig()) == tmp_path / "tfds"
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_data_dir(DataConfig()) == tmp_path / "tensorflow_datasets"


def test_without_a_source_the_manual_directory_is_read(tmp_path):
    config = DataConfig(dataset="flickr8k", data_dir=str(tmp_path))
    manual = tmp_path / "downloads" / "manual" / "flickr8k"
    with pytest.raises(UserError, match=f"--source PATH, or put it into {manual}"):
        DatasetSpec.from_config(config)
    manual.mkdir(parents=True)
    makers.kaggle_8k(manual)
    assert DatasetSpec.from_config(config).source == manual


def test_unknown_data_sets_and_wrong_settings_are_named():
    with pytest.raises(
        UserError, match="Unknown data set 'cifar'. Available: scenes, flickr30k"
    ):
        DatasetSpec.from_config(DataConfig(dataset="cifar"))
    with pytest.raises(UserError, match="image_size: .* Received: 'big'"):
        dataset_config("table", None, {"image_size": "big"})
    with pytest.raises(UserError, match="color"):
        dataset_config("table", None, {"color": 1})
    with pytest.raises(UserError, match="at least 32 pixels. Received: .*=16"):
        DatasetSpec.from_config(DataConfig(dataset="scenes", image_size=16))


def test_a_spec_imports_neither_tensorflow_nor_pandas(config):
    code = (
        "import sys; from kerasgan.data.dataset_spec import DatasetSpec; "
        "from kerasgan.config.settings import DataConfig; "
        f"config = DataConfig.model_validate_json({config.model_dump_json()!r}); "
        "DatasetSpec.from_config(config); "
        "print({'tensorflow', 'pandas', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
