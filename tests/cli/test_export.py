import json

import pytest
from click.testing import CliRunner

from kerasgan.cli import main
from tests.data.makers import write_pictures
from tests.export.makers import make_run


def call(*arguments, status=0):
    result = CliRunner().invoke(main, ["export", *(str(text) for text in arguments)])
    assert result.exit_code == status, result.output
    return result


def test_a_run_is_exported_and_tried_again(tmp_path):
    run = make_run(tmp_path / "run", ["pictures"])
    write_pictures(tmp_path / "photographs", ["a.jpg", "b.jpg", "c.jpg"])
    out = tmp_path / "out"
    said = call(run.path, "--out", out, "--pictures", tmp_path / "photographs").stdout
    assert "generate         pictures" in said and f"{out}: " in said and " MB" in said
    found = json.loads(call("--check", out, "--json").stdout)
    assert found["bytes"] == sum(
        path.stat().st_size for path in out.rglob("*") if path.is_file()
    )
    assert found["endpoints"]["discriminate"]["valid"] == {"kind": "b", "off": 0.0}
    assert "is there already" in call(run.path, "--out", out, status=2).output
    (out / "saved_model.pb").write_bytes(b"damaged")
    result = call("--check", out, status=1)
    assert "cannot be used by itself" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either a RUN"),
        (["run", "--check", "out"], "Give either a RUN"),
        (["run"], "--out DIR goes with a RUN"),
        (["--check", "absent"], "is no export"),
        (["absent", "--out", "out"], "There is no run at"),
        (["absent", "--out", "out", "--format", "jax"], "--format"),
    ],
)
def test_mistakes_exit_2_without_traceback(arguments, message):
    output = call(*arguments, status=2).output
    assert message in output and "Traceback" not in output
