"""Finds recipes by name, reads them from YAML, and resolves them to settings."""

import difflib
import reprlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kerasgan.config import renamed_keys
from kerasgan.config.settings import Settings
from kerasgan.errors import UserError

SUFFIX = ".yaml"
MAX_RECIPE_CHARACTERS = 1 << 20
_REPR = reprlib.Repr()  # of values in messages: short, however often aliases repeat
_REPR.maxlevel, _REPR.maxstring = 2, 200


def recipes_dir() -> Path:
    """Returns the directory of the recipes that come with the package.

    It is `kerasgan/configs` in an installed package and `configs` in a checkout.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


def list_recipes() -> list[tuple[str, str]]:
    """Returns name and description, its first comment line, of each recipe."""
    recipes = []
    for path in sorted(recipes_dir().glob(f"*{SUFFIX}")):
        first_line = path.read_text(encoding="utf-8").partition("\n")[0]
        recipes.append((path.stem, first_line.lstrip("# ")))
    return recipes


def find_recipe(name: str | Path) -> Path:
    """Finds a recipe.

    Args:
        name: path of a YAML file, or the name of a recipe of the package, such as
            `flickr30k-gan`. An existing file has priority.

    Returns:
        Absolute path of the file.

    Raises:
        UserError: there is no such file or recipe.
    """
    path = Path(name).expanduser().absolute()
    if path.exists() and not path.is_dir():  # also a pipe
        return path
    names = [recipe for recipe, _ in list_recipes()]
    if str(name) in names:
        return recipes_dir() / f"{name}{SUFFIX}"
    stem = path.name.removesuffix(SUFFIX)
    raise UserError(
        f"There is no recipe {str(name)!r}: neither a file nor a recipe of kerasgan."
        f"{_suggestion(stem, names)} Recipes: {', '.join(names)}."
    )


def read_recipe(path: str | Path) -> dict:
    """Reads a recipe as YAML 1.2, in which `4e-4` is a number and `no` a string.

    Args:
        path: path or name of the recipe, see `find_recipe`.

    Returns:
        `{"section": {"key": value}}`, not validated.

    Raises:
        UserError: the file does not exist, or is no YAML file with sections.
    """
    path = find_recipe(path)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_RECIPE_CHARACTERS + 1)
        if len(text) > MAX_RECIPE_CHARACTERS:
            raise UserError(f"The recipe {path} is too long to be one.")
        recipe = _load_yaml(text)
    except RecursionError:
        raise UserError(f"The recipe {path} is nested too deeply.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"The recipe {path} cannot be read: {error}") from None
    if not isinstance(recipe or {}, dict):
        received = _REPR.repr(recipe)
        raise UserError(f"The recipe {path} must have sections. Received: {received}")
    return recipe or {}


def _load_yaml(text: str) -> Any:
    """Parses YAML 1.2; raises a ValueError or RecursionError if it is malformed."""
    from ruamel.yaml import YAML

    try:
        return YAML(typ="safe", pure=True).load(text)
    except RecursionError:
        raise
    except Exception as error:  # it raises any of them for malformed values
        raise ValueError(str(error)) from None


def read_assignment(text: str) -> tuple[str, object]:
    """Parses `gan.latent_dim=64`, as written on the command line.

    Args:
        text: the assignment; its value is YAML.

    Returns:
        Key and value.

    Raises:
        UserError: the text is no assignment.
    """
    key, sign, value = text.partition("=")
    if not sign or key.count(".") != 1:
        raise UserError(f"--set expects SECTION.KEY=VALUE. Received: {text!r}")
    try:
        return key.strip(), _load_yaml(value)
    except (ValueError, RecursionError):
        raise UserError(
            f"--set {key} expects a YAML value. Received: {_REPR.repr(value)}"
        ) from None


def resolve(
    recipe: dict | None = None,
    values: dict[str, object] | None = None,
    base: Settings | None = None,
    source: str = "the recipe",
) -> Settings:
    """Applies a recipe to `base` (the defaults), and single values to the result.

    Args:
        recipe: `{"section": {"key": value}}`.
        values: `{"section.key": value}` of the command line.
        base: settings to start from.
        source: where the recipe comes from, for messages.

    Returns:
        The settings.

    Raises:
        UserError: an unknown section or key, with a suggestion, or a value of the
            wrong type or out of range.
    """
    tree = (base or Settings()).model_dump()
    sources = {}
    for section, key, value, origin in _assignments(recipe, values, source, tree):
        _require_known(section, tree, origin)
        new_name = renamed_keys.renamed_key(section, key)
        if new_name and key not in tree[section]:
            raise UserError(
                f"{section}.{key} in {origin} was renamed to {section}.{new_name} in"
                f" {renamed_keys.VERSION}."
            )
        _require_known(key, tree[section], f"section {section} of {origin}")
        tree[section][key] = value
        sources[section, key] = origin
    try:
        return Settings(**tree)
    except ValidationError as error:
        raise UserError(_validation_message(error, sources)) from None


def differences(stored: Settings, wanted: Settings, ignored: set[str]) -> list[str]:
    """Lists the values that differ between two settings.

    Args:
        stored: settings of a run.
        wanted: other settings.
        ignored: keys `section.key` that may differ.

    Returns:
        A line for each difference.
    """
    lines = []
    for section, keys in stored.model_dump().items():
        for key, value in keys.items():
            other = getattr(getattr(wanted, section), key)
            if other != value and f"{section}.{key}" not in ignored:
                lines.append(f"{section}.{key}: {value!r} in the run, {other!r} now")
    return lines


def _assignments(recipe, values, source, tree) -> Iterator[tuple]:
    """Yields section, key, value and origin of each."""
    for section, keys in (recipe or {}).items():
        _require_known(section, tree, source)
        if not isinstance(keys or {}, dict):
            received = _REPR.repr(keys)
            raise UserError(
                f"{section} in {source} must have keys. Received: {received}"
            )
        for key, value in (keys or {}).items():
            yield section, str(key), value, source
    for name, value in (values or {}).items():
        section, _, key = name.partition(".")
        yield section, key, value, "the command line"


def _require_known(name: object, known: Iterable[str], source: str) -> None:
    known = list(known)
    if name not in known:
        raise UserError(
            f"Unknown key {name!r} in {source}.{_suggestion(str(name), known)}"
            f" Available: {', '.join(known)}."
        )


def _suggestion(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f" Did you mean {close[0]!r}?" if close else ""


def _validation_message(error: ValidationError, sources: dict) -> str:
    """Returns a line for each invalid value."""
    # A value of several possible types has an error for each of them.
    messages: dict[tuple, list[str]] = {}
    for problem in error.errors():
        section, key = problem["loc"][:2]  # a list's items have a third
        message = problem["msg"]
        new_name = renamed_keys.renamed_value(str(section), str(key), problem["input"])
        if new_name:
            message += f" (it was renamed to {new_name!r} in {renamed_keys.VERSION})"
        place = section, key, _REPR.repr(problem["input"])
        messages.setdefault(place, []).append(message)
    return "\n".join(
        f"{section}.{key} in {sources.get((section, key), 'the stored settings')}:"
        f" {' or: '.join(dict.fromkeys(texts))}. Received: {received}"
        for (section, key, received), texts in messages.items()
    )
