"""Names of files, which systems write in different ways."""

import unicodedata


def spellings(name: str) -> list[str]:
    """Returns the ways in which a path may be written.

    Windows separates folders by backslashes. An archive from macOS has decomposed names
    (u and a diaeresis), while tables usually have composed ones (ü).

    Args:
        name: the path in one of the ways.

    Returns:
        Different paths; the first one is `name`.
    """
    with_slashes = name.replace("\\", "/")
    forms = [
        unicodedata.normalize(form, path)
        for path in (name, with_slashes)
        for form in ("NFC", "NFD")
    ]
    return list(dict.fromkeys([name, with_slashes, *forms]))


def is_hidden(name: str) -> bool:
    """Returns whether a file or folder is hidden, such as `._a.jpg` of macOS.

    Args:
        name: without the folders above it.
    """
    return name.startswith(".") or name == "__MACOSX"
