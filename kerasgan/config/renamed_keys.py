"""Settings that had another name before 0.2.0."""

RENAMED = {
    "data": {
        "pictures": "num_images",
        "together": "group_by",
        "keep_captionless": "keep_uncaptioned",
    },
    "gan": {"contrast": "contrastive_weight", "diversity": "diversity_weight"},
    "captions": {
        "members": "dual_encoder_members",
        "matcher_captions": "captions_per_image",
        "matcher_batch_size": "dual_encoder_batch_size",
        "matcher_learning_rate": "dual_encoder_learning_rate",
        "matcher_epochs": "dual_encoder_epochs",
        "matcher_minutes": "dual_encoder_minutes",
        "spoken": "output_vocabulary_size",
        "game_epochs": "adversarial_epochs",
        "game_minutes": "adversarial_minutes",
        "game_learning_rate": "adversarial_learning_rate",
        "samples": "sampled_captions",
        "consensus": "cider_weight",
        "distinctness": "negative_cider_weight",
        "likelihood": "likelihood_weight",
    },
    "classifier": {
        "parts": "members",
        "eye_filters": "encoder_filters",
        "eye_learning_rate": "encoder_learning_rate",
        "pool_rows": "ensemble_pairs",
    },
}
RENAMED_VALUES = {
    ("data", "group_by", "pictures"): "images",
    ("gan", "augmentation", "colour"): "color",
    ("gan", "channels", "grey"): "grayscale",
    ("classifier", "members", "picture"): "image",
    ("classifier", "fusion", "ours"): "ensemble",
    ("training", "stage", "pictures"): "images",
}
VERSION = "0.2.0"


def renamed_key(section: str, key: str) -> str | None:
    """Returns the present name of a key that was renamed, otherwise None.

    Args:
        section: section of the recipe.
        key: key in the section.
    """
    return RENAMED.get(section, {}).get(key)


def renamed_value(section: str, key: str, value: object) -> str | None:
    """Returns the present name of a value that was renamed, otherwise None.

    Args:
        section: section of the recipe.
        key: key in the section.
        value: value of the key.
    """
    if not isinstance(value, str):
        return None
    return RENAMED_VALUES.get((section, key, value))
