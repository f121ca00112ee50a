"""The classes of `scenes`, and the best accuracy that each kind of input allows."""

LABELS: tuple[str, ...] = ("cat", "duck", "elephant", "giraffe", "rabbit", "turtle")

HIDDEN_ANIMAL_SHARE = 0.24  # of the images do not show the animal
UNNAMED_ANIMAL_SHARE = 0.18  # of the scenes have captions that do not name its kind


def best_possible_accuracy() -> dict[str, float]:
    """Computes the expected accuracy of the best classifier for each kind of input.

    If the input does not determine the class, all `LABELS` are equally likely, and a
    guess is right once in `len(LABELS)`. Images and captions hide the class
    independently of each other, so both do in
    `HIDDEN_ANIMAL_SHARE * UNNAMED_ANIMAL_SHARE` of the scenes.

    Returns:
        A dict with the keys `"majority"` (no input), `"image"`, `"text"` and `"pair"`,
        and values in [0, 1].
    """

    def accuracy(undetermined: float) -> float:
        return 1 - undetermined + undetermined / len(LABELS)

    return {
        "majority": accuracy(1),
        "image": accuracy(HIDDEN_ANIMAL_SHARE),
        "text": accuracy(UNNAMED_ANIMAL_SHARE),
        "pair": accuracy(HIDDEN_ANIMAL_SHARE * UNNAMED_ANIMAL_SHARE),
    }
