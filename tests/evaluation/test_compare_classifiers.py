import pytest

from kerasgan.config.settings import DataConfig, Settings
from kerasgan.errors import UserError
from kerasgan.evaluation.compare_classifiers import compare_classifiers
from kerasgan.runs import new_run
from tests.data.makers import names, write_images

ROWS = ("majority",)


def test_further_splits_are_of_the_same_data(tmp_path):
    write_images(tmp_path, names(8))
    table = tmp_path / "table.csv"
    lines = [
        f"{name},text {name},{'red' * (n % 2)}x" for n, name in enumerate(names(8))
    ]
    table.write_text("\n".join(["image,caption,label", *lines]))
    data = DataConfig(dataset="table", source=str(table), data_dir=str(tmp_path / "d"))
    run = new_run("train-classifier", Settings(data=data), tmp_path / "run")
    messages = []
    compare_classifiers(run, ROWS, 1, messages.append)
    original = table.read_text()
    table.write_text(original.replace("text 1003", "other 1003"))
    with pytest.raises(UserError, match="other images: content"):
        compare_classifiers(run, ROWS, 2, messages.append)
    table.write_text(original)
    results = compare_classifiers(run, ROWS, 2, messages.append)
    assert results["rows"]["majority"]["seeds"] == 2
    assert sum("most frequent class" in message for message in messages) == 2
