"""Typed, frozen settings: every default of the package lives here.

A recipe is a YAML file with the sections `data`, `gan`, `captions`, `classifier` and
`training`; each key is an attribute below. Values on the command line are set over the
recipe's, the recipe's over these defaults.
"""

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0)]
Minutes = Annotated[float, Field(gt=0)]


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _absolute_weights(name: str) -> str:
    return name if name in ("imagenet", "none") else _absolute(name)


# Absolute, so that what was stored means the same wherever it is read.
Path = Annotated[str, AfterValidator(_absolute)]


class Section(BaseModel):
    """Settings that cannot be changed after they were made, nor misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataConfig(Section):
    """What is read, how much of it, and how it is split."""

    dataset: str = "scenes"
    source: Path | None = None  # directory or file that holds the data set
    data_dir: Path | None = None  # prepared data sets; None: TFDS's own default
    image_size: Annotated[int, Field(ge=8, le=1024)] = 64
    fit: Literal["crop", "pad", "stretch"] = "crop"  # how an image becomes square
    num_images: Positive = 2600  # drawn by the data set `scenes`
    image_root: Path | None = None  # `table`: None is the table's own folder
    image_column: str | None = None
    caption_columns: list[str] | None = None
    label_column: str | None = None
    labels: Path | None = None  # `coyo`: COYO-Labeled-300M's parts, or any table
    label_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5  # of the top-1 class
    label_groups: Annotated[int, Field(ge=2)] = 10  # `coyo`: commonest classes, kept
    keep_uncaptioned: bool = False  # `table`: images without a caption
    label_minimum: Positive = 1  # images of a class; smaller classes are left out
    sample: Literal["all", "paper"] | Positive = "all"
    sample_unit: Literal["image", "row"] = "image"
    z: Annotated[float, Field(gt=0)] = 1.96  # paper A, equation (4)
    p: Fraction = 0.5
    e: Fraction = 0.05
    rounding: Literal["down", "nearest", "up"] = "down"  # 384.16 is the paper's 384
    population_correction: bool = False
    # What stands on one side of the split only: byte-equal images, or captions too.
    group_by: Literal["images", "captions"] = "images"
    split: Fraction | None = None  # part that trains; None: as published, else 0.8
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    max_bad: Annotated[float, Field(ge=0, le=1)] = 0.05  # share of bad rows that stops

    @property
    def train_share(self) -> float:
        """Part of the images that trains where no published split is used."""
        return 0.8 if self.split is None else self.split


class GanConfig(Section):
    """The two networks and their game, paper A equations (1) and (2)."""

    conditional: bool | None = None  # None: on where the data have captions
    channels: Literal["rgb", "grayscale"] = "rgb"
    latent_dim: Positive = 100
    generator_filters: Annotated[int, Field(ge=2)] = 16  # at full size
    discriminator_filters: Annotated[int, Field(ge=2)] = 32  # at half the size
    max_filters: Annotated[int, Field(ge=2)] = 128  # of the widest layers
    caption_length: Positive = 24  # words
    vocabulary_size: Annotated[int, Field(ge=3)] = 5000
    text_branch: Literal["lstm-attention", "words"] = "words"
    text_dim: Positive = 128
    loss: Literal[
        "minimax", "non-saturating", "hinge", "least-squares", "wasserstein-gp"
    ] = "non-saturating"
    order: Literal["one-stage", "alternating"] = "one-stage"
    spectral_normalization: bool = False
    r1: NonNegative = 1.0  # weight of the gradient penalty on real images
    r1_interval: Positive = 16  # steps between two penalties
    # None: all three below 2,000 images, which D would learn by heart.
    augmentation: list[Literal["colour", "translation", "cutout"]] | None = None
    contrastive_weight: NonNegative = (
        1.0  # weight of the contrast between pairs of a batch
    )
    diversity_weight: NonNegative = (
        1.0  # weight of the spread asked of a caption's images
    )
    ema_half_life: NonNegative = 10.0  # thousands of images; 0: no averaging


class CaptionsConfig(Section):
    """The matcher, the forger of captions, and their game."""

    backbone: Literal["conv", "efficientnet-lite0"] = "conv"
    validation: Annotated[float, Field(gt=0, le=0.5)] = 0.1  # part of what trains
    vocabulary_size: Annotated[int, Field(ge=4)] = 4000
    caption_length: Annotated[int, Field(ge=2)] = 24  # words
    text_branch: Literal["lstm-attention", "words"] = "words"  # of the matcher
    joint_dim: Positive = 256
    dual_encoder_members: Positive = 2  # networks whose cosines are averaged
    captions_per_image: Positive = 5  # of each image in a step
    dual_encoder_batch_size: Annotated[int, Field(ge=2)] = 256
    dual_encoder_learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    dual_encoder_epochs: Positive = 60
    dual_encoder_minutes: Minutes | None = 0.4  # None: all epochs
    output_vocabulary_size: Annotated[int, Field(ge=4)] = 1500  # most frequent words
    dim: Positive = 256  # of the captioner's LSTM, embedding and attention
    noise_dim: Positive = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    # Of training. auto: mixed_bfloat16 where the machine multiplies in it.
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    batch_size: Positive = 32  # images, with up to five captions each
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    likelihood_epochs: Positive = 15
    likelihood_minutes: Minutes | None = 0.6
    adversarial_epochs: Annotated[int, Field(ge=0)] = (
        3  # of the adversarial stage; 0: none
    )
    adversarial_minutes: Minutes | None = 0.2
    adversarial_learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    sampled_captions: Annotated[int, Field(ge=2)] = 5  # captions an image in the game
    cider_weight: NonNegative = 2.0  # reward for words of the image's own captions
    negative_cider_weight: NonNegative = 3.0  # what suits other images' captions costs
    likelihood_weight: NonNegative = 0.2  # weight of teacher forcing in the game


class ClassifierConfig(Section):
    """Paper B's classifier of pairs, and ours."""

    modality: Literal["pair", "image", "text"] = "pair"
    # `paper`: branches side by side under one head; `ours`: parts trained alone.
    fusion: Literal["ensemble", "paper"] = "ensemble"
    attention: bool = True  # of the paper's pair; without it stands in for [2]
    # conv, efficientnet-lite0, auto (it where it is installed), or keras.applications'.
    backbone: str = "conv"
    # Of a named backbone: imagenet, none or a file.
    weights: Annotated[str, AfterValidator(_absolute_weights)] = "imagenet"
    filters: list[Positive] = [32, 64, 128]  # of the paper's convolutions
    encoder_filters: list[Positive] = [32, 64, 96]  # of the residual blocks of ours
    encoder_learning_rate: Annotated[float, Field(gt=0)] = (
        4e-3  # of ours, where it learns
    )
    augment: bool = False  # mirrors and shifts the images that the eye learns from
    image_dim: Positive = 128  # of the image's vector
    text_dim: Positive = 128  # of embedding, LSTM and the text's vector
    vocabulary_size: Annotated[int, Field(ge=4)] = 10_000
    text_length: Annotated[int, Field(ge=2)] = 32  # words
    mask_label_words: bool = False  # leaves out words that name a class
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    epochs: Positive = 100  # at most
    minutes: Minutes | None = 0.7  # at most, each time a network is trained
    patience: Positive | None = 5  # epochs without gain; None: the last one counts
    validation: Annotated[float, Field(gt=0, le=0.5)] = 0.1  # part that stops training
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    # Of ours; `pair` is the paper's pair. Those that the data have nothing for are left
    # out.
    members: list[Literal["image", "lstm", "words", "characters", "wide", "pair"]] = [
        "image",
        "lstm",
        "words",
    ]
    folds: Annotated[int, Field(ge=2)] = 5  # of ours, whose weights are fitted outside
    ensemble_pairs: Positive = 400  # pairs that are enough to fit the weights


class TrainingConfig(Section):
    """What, how long, how fast, and on what."""

    # `both` leaves out captions where the data have none.
    stage: Literal["both", "images", "captions"] = "both"
    epochs: Positive = 1000
    minutes: Minutes | None = 1.2  # of the images' stage; None: all epochs
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 8e-4
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.5
    beta_2: Annotated[float, Field(gt=0, lt=1)] = 0.99
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    device: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    grid: Annotated[int, Field(ge=1, le=16)] = 6  # rows and columns of the grids
    grid_every: Positive = 1  # epochs between two image grids


class Settings(Section):
    """One recipe, whole."""

    data: DataConfig = DataConfig()
    gan: GanConfig = GanConfig()
    captions: CaptionsConfig = CaptionsConfig()
    classifier: ClassifierConfig = ClassifierConfig()
    training: TrainingConfig = TrainingConfig()
