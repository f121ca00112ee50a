"""The guides run, in small."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
SMALL = {"NUM_IMAGES": 60, "NUM_PAIRS": 80, "EPOCHS": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted(GUIDES.glob("*.py")), ids=lambda path: path.stem
)
def test_a_guide_runs(path, tmp_path, data_dir):
    code = path.read_text(encoding="utf-8")
    for name, value in SMALL.items():
        code = re.sub(rf"^{name} = \d+", f"{name} = {value}", code, flags=re.M)
    guide = tmp_path / path.name
    guide.write_text(code, encoding="utf-8")
    environment = {**os.environ, "TFDS_DATA_DIR": str(data_dir)}
    result = subprocess.run(
        [sys.executable, guide],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
