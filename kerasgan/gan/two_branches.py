"""What models of an image branch and a text branch share."""

from typing import Any

import keras


class TwoBranches:
    """Holds, saves and loads the branches of a model; a base beside `keras.Model`.

    Args:
        image_branch: images to vectors.
        text_branch: token ids to vectors, or None without captions.
    """

    def __init__(
        self,
        image_branch: keras.Model,
        text_branch: keras.Model | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.image_branch = image_branch
        self.text_branch = text_branch

    def get_config(self):
        """Returns the branches; a subclass adds its other arguments."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "image_branch": serialize(self.image_branch),
            "text_branch": serialize(self.text_branch),
        }

    @classmethod
    def from_config(cls, config):
        """Builds a model from the result of `get_config`."""
        branches = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("image_branch", "text_branch")
        }
        return cls(**{**config, **branches})
