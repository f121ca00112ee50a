"""Recipes: settings read from YAML and the command line, checked, compared."""

import difflib
from pathlib import Path

from pydantic import ValidationError

from kerasgan.config.settings import Settings
from kerasgan.errors import UserError


def read_recipe(path: str | Path) -> dict:
    """Reads a YAML file of settings (YAML 1.2: `4e-4` is a number, `no` a word)."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = Path(path).expanduser().absolute()
    try:
        recipe = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"There is no recipe at {path}.") from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UserError(f"The recipe {path} cannot be read: {error}") from None
    if not isinstance(recipe or {}, dict):
        raise UserError(f"The recipe {path} must hold sections. Received: {recipe!r}")
    return recipe or {}


def read_assignment(text: str) -> tuple[str, object]:
    """Reads `gan.latent_dim=64`, as written on the command line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, sign, value = text.partition("=")
    if not sign or key.count(".") != 1:
        raise UserError(f"--set wants SECTION.KEY=VALUE. Received: {text!r}")
    try:
        return key.strip(), YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        raise UserError(
            f"--set {key} wants a YAML value. Received: {value!r}"
        ) from None


def resolve(
    recipe: dict | None = None,
    values: dict[str, object] | None = None,
    base: Settings | None = None,
    place: str = "the recipe",
) -> Settings:
    """Sets a recipe over `base` (the defaults), and single values over the recipe.

    Args:
        recipe: `{"section": {"key": value}}`.
        values: `{"section.key": value}`.
        base: settings to start from.
        place: where the recipe comes from, for messages.

    Raises:
        UserError: for an unknown section or key, naming the nearest known one, and
            for a value of the wrong type or out of range.
    """
    tree = (base or Settings()).model_dump()
    places = {}
    for section, keys in (recipe or {}).items():
        if keys is None:
            keys = {}
        if not isinstance(keys, dict):
            _refuse_unknown(section, tree, place)
            raise UserError(f"{section} in {place} must hold keys. Received: {keys!r}")
        for key, value in keys.items():
            _assign(tree, str(section), str(key), value, place)
            places[section, key] = place
    for name, value in (values or {}).items():
        section, key = name.split(".")
        _assign(tree, section, key, value, "the command line")
        places[section, key] = "the command line"
    try:
        return Settings(**tree)
    except ValidationError as error:
        found: dict[tuple, list[str]] = {}
        for problem in error.errors():  # several of one value that may be several types
            place = (*problem["loc"][:2], repr(problem["input"]))
            found.setdefault(place, []).append(problem["msg"])
        lines = [
            f"{section}.{key} in {places.get((section, key), 'the stored settings')}: "
            f"{' or: '.join(dict.fromkeys(messages))}. Received: {received}"
            for (section, key, received), messages in found.items()
        ]
        raise UserError("\n".join(lines)) from None


def _assign(tree, section, key, value, place):
    _refuse_unknown(section, tree, place)
    _refuse_unknown(key, tree[section], f"section {section} of {place}")
    tree[section][key] = value


def _refuse_unknown(name, known, place):
    if name in known:
        return
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UserError(
        f"Unknown key {name!r} in {place}.{hint} Known: {', '.join(known)}."
    )


def differences(stored: Settings, wanted: Settings, free: set[str]) -> list[str]:
    """Names what differs between two settings, but for the keys in `free`."""
    lines = []
    for section, keys in stored.model_dump().items():
        for key, value in keys.items():
            other = getattr(getattr(wanted, section), key)
            if other != value and f"{section}.{key}" not in free:
                lines.append(f"{section}.{key}: {value!r} there, {other!r} now")
    return lines
