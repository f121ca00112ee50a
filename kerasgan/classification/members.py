"""Builds the networks and the ensemble members that a configuration describes."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from kerasgan.classification.ensemble_member import EnsembleMember
from kerasgan.classification.linear_member import ANALYZERS, LinearMember
from kerasgan.classification.network_member import NetworkMember
from kerasgan.classification.networks import (
    build_classifier,
    build_conv_branch,
    build_encoder_branch,
    build_feature_branch,
)
from kerasgan.classification.task import ClassificationTask, resolve_backbone
from kerasgan.config.settings import ClassifierConfig
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE, build_image_encoder
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.errors import UserError


@dataclass
class MemberBuilder:
    """Builds networks and ensemble members for a task.

    Attributes:
        config: the classifier's settings.
        task: the classes and the training examples.
        vectorizer: the layer that computes token ids, or None if texts are not used.
        callbacks: Keras callbacks of all networks.
    """

    config: ClassifierConfig
    task: ClassificationTask
    vectorizer: keras.layers.TextVectorization | None
    callbacks: Sequence[keras.callbacks.Callback] = ()

    @property
    def uses_images(self) -> bool:
        """Whether images are used."""
        return self.config.modality != "text"

    @property
    def _has_features(self):
        return self.task.image_encoder is not None

    @property
    def image_size(self) -> int | None:
        """Side of the images in pixels; None if there are no images."""
        if self._has_features:
            return BACKBONE_IMAGE_SIZE
        images = self.task.train.images
        return None if images is None else images.shape[1]

    def build_network(self) -> keras.Model:
        """Builds paper B's network for the modality of the configuration."""
        return build_classifier(
            len(self.task.label_names),
            self._image_branch(for_paper_network=True) if self.uses_images else None,
            None if self.vectorizer is None else self._text_branch(),
            self.config.dropout,
        )

    def build_members(self) -> dict[str, EnsembleMember]:
        """Builds the members of the ensemble that suit the data.

        Returns:
            Members by name, in the order of `config.members`.

        Raises:
            UserError: no member suits the data, or a member needs both image and text
                and there is none for the image alone or the text alone.
        """
        candidates = {name: self._build_member(name) for name in self.config.members}
        members: dict[str, EnsembleMember] = {
            name: member for name, member in candidates.items() if member is not None
        }
        names = ", ".join(self.config.members)
        advice = ""
        if not self._has_features and {"linear_probe", "wide"} & set(candidates):
            advice = (
                "\nThe members linear_probe and wide need a frozen backbone, for"
                " example classifier.backbone=efficientnet-lite0."
            )
        if not members:
            raise UserError(
                "None of the members can be trained on these data. Received:"
                f" classifier.members={names} and"
                f" classifier.modality={self.config.modality}{advice}"
            )
        modalities = {member.modality for member in members.values()}
        missing = sorted({"image", "text"} - modalities)
        if missing and "pair" in modalities:
            raise UserError(
                "A member for pairs also needs one for the"
                f" {' and one for the '.join(missing)}, which predicts when the other"
                f" input is missing. Received: classifier.members={names}{advice}"
            )
        return members

    def _build_member(self, name):
        """Builds a member, or returns None if the data do not suit it."""
        has_text = self.vectorizer is not None
        config = self.config
        outputs = len(self.task.label_names), config.multi_label, config.balance
        has_pairs = self.uses_images and has_text
        if name == "image" and self.uses_images:
            if not self._has_features:  # the image encoder is trained
                rate = config.encoder_learning_rate
                config = config.model_copy(update={"learning_rate": rate})
            return self._network_member("image", config, self._image_branch(), None)
        if name == "lstm" and has_text:
            return self._network_member("text", config, None, self._text_branch())
        if name in ANALYZERS and has_text:
            return LinearMember("text", name, [name], *outputs)
        if name == "linear_probe" and self.uses_images and self._has_features:
            return LinearMember("image", name, [], *outputs)
        if name == "wide" and has_pairs and self._has_features:
            return LinearMember("pair", name, list(ANALYZERS), *outputs)
        if name == "pair" and has_pairs:
            image_branch = self._image_branch(for_paper_network=True)
            return self._network_member(
                "pair", config, image_branch, self._text_branch()
            )
        return None

    def _network_member(self, modality, config, image_branch, text_branch):
        network = build_classifier(
            len(self.task.label_names),
            image_branch,
            text_branch,
            config.dropout,
            name=f"{modality}_network",
        )
        return NetworkMember(modality, network, config, self.callbacks)

    def _image_branch(self, for_paper_network=False):
        config, task = self.config, self.task
        if self._has_features:
            return build_feature_branch(task.train.images, config.image_dim)
        backbone, size = resolve_backbone(config.backbone), self.image_size
        if backbone == "conv" and for_paper_network:
            return build_conv_branch(size, config.filters, config.image_dim)
        image_encoder = build_image_encoder(
            backbone, size, None, config.encoder_filters
        )
        return build_encoder_branch(image_encoder, config.augment)

    def _text_branch(self):
        return build_text_branch(
            self.vectorizer.vocabulary_size(),
            None,
            self.config.text_dim,
            "lstm-attention" if self.config.attention else "lstm",
        )
