"""What the README shows is run as it stands."""

import json
import re
from pathlib import Path

import pytest

from kerasgan.config.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_library_example_runs():
    code = re.search(r"<!-- library -->\n```python\n(.*?)```", README, re.S).group(1)
    small = code.replace("range(2000)", "range(40)")
    assert small != code
    names = {}
    exec(compile(small, "README.md", "exec"), names)
    assert names["drawn"].shape == (2, 32, 32, 3)


def test_it_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).is_file()


def test_the_page_of_settings_has_every_key_with_its_default():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    found = {}
    for text in page.split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| \S", text, re.M)
        rows = ((key, value.replace("\\|", "|")) for key, value in rows)
        found[text.split("\n")[0]] = dict(rows)
    assert found == {
        section: {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in keys.items()
        }
        for section, keys in Settings().model_dump().items()
    }


def test_recipes_that_it_names_exist():
    names = set(re.findall(r"--config ([\w-]+)", README))
    assert names
    for name in names:
        assert (ROOT / "configs" / f"{name}.yaml").is_file()


def test_the_tests_that_hold_the_promises_exist():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    assert len(named) >= 15
    for path, name in named:
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(encoding="utf-8")
