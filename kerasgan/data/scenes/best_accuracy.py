"""The classes of `scenes`, and the best accuracy that each kind of input allows."""

LABELS: tuple[str, ...] = ("cat", "duck", "elephant", "giraffe", "rabbit", "turtle")

HIDDEN_ANIMAL_SHARE = 0.24  # of the images show nothing of the animal
UNNAMED_ANIMAL_SHARE = (
    0.18  # of the scenes have five captions that don't say which it is
)


def best_possible_accuracy() -> dict[str, float]:
    """The expected accuracy, 0–1, of the best classifier for each kind of input.

    Where the class cannot be told, every one of the LABELS is equally likely, and a
    guess is right once in len(LABELS). Hiding and leaving out are independent, so
    both happen to HIDDEN_SHARE · UNNAMED_SHARE of the scenes.
    """

    def accuracy(untold: float) -> float:
        return 1 - untold + untold / len(LABELS)

    return {
        "majority": accuracy(1),
        "image": accuracy(HIDDEN_ANIMAL_SHARE),
        "text": accuracy(UNNAMED_ANIMAL_SHARE),
        "pair": accuracy(HIDDEN_ANIMAL_SHARE * UNNAMED_ANIMAL_SHARE),
    }
