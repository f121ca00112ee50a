"""Typed, immutable settings with all defaults of the package.

A recipe is a YAML file with the sections `data`, `gan`, `captions`, `classifier` and
`training`, whose keys are the attributes below. Values on the command line override the
recipe, which overrides these defaults. docs/settings.md describes each key.
"""

import os
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

EfficientNetLite = Literal[
    "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"
]
MemberName = Literal[
    "image", "linear_probe", "lstm", "words", "characters", "wide", "pair"
]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0)]
Minutes = Annotated[float, Field(gt=0)]


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _captions_backbone(name: str) -> str:
    names, known = name.split("+"), get_args(EfficientNetLite)
    is_unique = len(set(names)) == len(names)
    if name != "conv" and not (is_unique and set(names) <= set(known)):
        raise ValueError(
            f"must be conv, {', '.join(known)}, or different ones of these networks"
            " joined by +"
        )
    return name


def _absolute_weights(name: str) -> str:
    return name if name in ("imagenet", "none") else _absolute(name)


# Absolute, so that a stored path does not depend on the working directory.
Path = Annotated[str, AfterValidator(_absolute)]


class Section(BaseModel):
    """Immutable settings; unknown keys and wrong types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataConfig(Section):
    """The data set, its sample and its split."""

    dataset: str = "scenes"
    source: Path | None = None  # directory or file of the data set
    data_dir: Path | None = None  # of prepared data sets; None: the default of TFDS
    # Images. auto: if they take at most a quarter of the free memory.
    keep_in_memory: Literal["auto", "always", "never"] = "auto"
    # Dispatcher of tf.data service, whose workers read and decode images, which are not
    # kept in memory then; the images stage of train-gan.
    service: Annotated[str, Field(pattern=r"^grpc://\S+:\d{1,5}$")] | None = None
    image_size: Annotated[int, Field(ge=8, le=1024)] = 64
    fit: Literal["crop", "pad", "stretch"] = "crop"  # how an image becomes square
    num_images: Positive = 2600  # of the data set `scenes`
    image_root: Path | None = None  # `table`: None for the folder of the table
    image_column: str | None = None
    caption_columns: list[str] | None = None
    label_column: str | None = None
    # Of an image: the first is kept, an error, or all are kept (for --multi-label).
    several_labels: Literal["first", "refuse", "all"] = "first"
    label_separators: str = ";|"  # characters between the labels of a cell
    labels: Path | None = None  # `coyo`: parts of COYO-Labeled-300M, or a table
    label_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5  # of the likeliest class
    label_groups: Annotated[int, Field(ge=2)] = 10  # `coyo`: number of classes
    keep_uncaptioned: bool = False  # images without a caption, where others have one
    label_minimum: Positive = 1  # images a class; smaller classes are left out
    # Cells of a table that mean that there is no value, as data frames write them.
    missing_values: list[str] = [
        *("NaN", "nan", "None", "null", "NULL", "NaT", "<NA>", "N/A", "#N/A"),
    ]
    sample: Literal["all", "paper"] | Positive = "all"
    sample_unit: Literal["image", "row"] = "image"
    z: Annotated[float, Field(gt=0)] = 1.96  # paper A, equation (4)
    p: Fraction = 0.5
    e: Fraction = 0.05
    rounding: Literal["down", "nearest", "up"] = "down"  # 384.16 is the paper's 384
    population_correction: bool = False
    # What is never divided by the split: equal images, or also equal captions.
    group_by: Literal["images", "captions"] = "images"
    split: Fraction | None = None  # training share; None: as published, else 0.8
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    max_bad: Annotated[float, Field(ge=0, le=1)] = 0.05  # share of rows

    @property
    def train_share(self) -> float:
        """Share of images for training if no published split is used."""
        return 0.8 if self.split is None else self.split


class GanConfig(Section):
    """The model of images: a GAN, paper A's equations (1) and (2), or a VAE."""

    # vae: the generator is the decoder of a variational autoencoder, for comparison.
    model: Literal["gan", "vae"] = "gan"
    conditional: bool | None = None  # None: if the data have captions
    channels: Literal["rgb", "grayscale"] = "rgb"
    latent_dim: Positive = 100
    # auto: projected where the backbone's weights are installed, unless precision, loss
    # or spectral normalization need conv.
    # projected: on the features of a frozen, pretrained backbone; needs float32.
    discriminator: Literal["auto", "projected", "conv"] = "auto"
    backbone: EfficientNetLite = "efficientnet-lite0"  # of a projected discriminator
    # Side in pixels of what the backbone sees. None: 1.5 times the image's, at least
    # 64; for `scenes` the image's.
    encoder_image_size: Annotated[int, Field(ge=32, multiple_of=32)] | None = None
    # gated: batch normalization, gated linear units; bears a projected discriminator.
    generator: Literal["auto", "gated", "light"] = "auto"
    # None, here and below: chosen by the discriminator, see kerasgan.gan.gan_settings.
    generator_filters: Annotated[int, Field(ge=2)] | None = None  # at full resolution
    # Of the first convolution, also of the encoder of a VAE.
    discriminator_filters: Annotated[int, Field(ge=2)] = 32
    max_filters: Annotated[int, Field(ge=2)] | None = None  # of all layers
    caption_length: Positive = 24  # words
    vocabulary_size: Annotated[int, Field(ge=3)] = 5000
    text_branch: Literal["lstm-attention", "words"] = "words"
    text_dim: Positive = 128
    loss: Literal[
        "auto",
        "minimax",
        "non-saturating",
        "hinge",
        "least-squares",
        "wasserstein-gp",
        "relativistic",
    ] = "auto"
    order: Literal["one-stage", "alternating"] = "one-stage"
    spectral_normalization: bool = False  # of a `conv` discriminator
    r1: NonNegative | None = None  # weight of the gradient penalty on real images
    r2: NonNegative = 0.0  # ... and on generated ones
    r1_interval: Positive = 16  # steps between two penalties
    # None: all three if there are fewer than 2,000 images.
    augmentation: list[Literal["color", "translation", "cutout"]] | None = None
    # Of what the discriminator sees at first: standard deviation as a share of the
    # image's side, and thousands of images in which it fades.
    blur: NonNegative | None = None
    blur_images: NonNegative = 10.0
    contrastive_weight: NonNegative = 1.0
    diversity_weight: NonNegative = 1.0
    kl_weight: NonNegative = 1.0  # of a VAE's KL divergence
    ema_half_life: NonNegative = 10.0  # thousands of images; 0 for none
    # Share of the training images, at most 250, by which the best epoch is chosen.
    validation: Annotated[float, Field(ge=0, le=0.5)] = 0.05


class CaptionsConfig(Section):
    """Dual encoder, captioner and adversarial training."""

    # conv, EfficientNet-Lite, or several networks of it joined by a plus sign.
    backbone: Annotated[str, AfterValidator(_captions_backbone)] = "efficientnet-lite0"
    # Side in pixels of what a pretrained backbone sees. None: 224, or 128 for `scenes`,
    # whose objects are large and drawn.
    encoder_image_size: Annotated[int, Field(ge=32, multiple_of=32)] | None = None
    validation: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    vocabulary_size: Annotated[int, Field(ge=4)] = 4000
    caption_length: Annotated[int, Field(ge=2)] = 24  # words
    text_branch: Literal["lstm-attention", "words"] = "words"  # of the dual encoder
    # Pretrained, with which the embedding of the text branch begins; None: random ones.
    word_vectors: Literal["wordllama"] | None = None
    joint_dim: Positive = 256
    dual_encoder_members: Positive = 2  # their cosines are averaged
    captions_per_image: Positive = 5  # in a step of the dual encoder
    dual_encoder_batch_size: Annotated[int, Field(ge=2)] = 256
    dual_encoder_learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    dual_encoder_epochs: Positive = 60
    dual_encoder_minutes: Minutes | None = 0.2  # None for no limit
    output_vocabulary_size: Annotated[int, Field(ge=4)] = 1500  # most frequent words
    decoder: Literal["lstm", "transformer"] = "lstm"  # of the captioner
    dim: Positive = 256  # of the captioner's embedding, decoder and attention
    noise_dim: Positive = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    # Of training. auto: mixed_bfloat16 where the processor supports it, not on a GPU.
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    batch_size: Positive = 32  # images, each with up to five captions
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    likelihood_epochs: Positive = 15
    likelihood_minutes: Minutes | None = 0.7
    adversarial_epochs: Annotated[int, Field(ge=0)] = 3
    adversarial_minutes: Minutes | None = 0.3
    adversarial_learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    sampled_captions: Annotated[int, Field(ge=2)] = 5  # captions an image and step
    cider_weight: NonNegative = 2.0  # of CIDEr-D with the image's captions
    negative_cider_weight: NonNegative = 3.0  # ... with captions of other images
    likelihood_weight: NonNegative = 0.2  # of teacher forcing
    # Captions of an image that are reranked.
    beam_candidates: Positive = 8
    sampled_candidates: Positive = 12


class ClassifierConfig(Section):
    """Paper B's classifier of pairs, and the ensemble."""

    modality: Literal["pair", "image", "text"] = "pair"
    # `paper`: one network; `ensemble`: members that are trained separately.
    fusion: Literal["ensemble", "paper"] = "ensemble"
    attention: bool = True  # of the paper's network
    # conv, auto, EfficientNet-Lite, or a model of keras.applications.
    backbone: str = "conv"
    # Of a named backbone: imagenet, none or a file.
    weights: Annotated[str, AfterValidator(_absolute_weights)] = "imagenet"
    filters: list[Positive] = [32, 64, 128]  # of the paper's convolutions
    encoder_filters: list[Positive] = [32, 64, 96]  # of the residual blocks
    encoder_learning_rate: Annotated[float, Field(gt=0)] = 4e-3
    augment: bool = False  # of the images that train the image encoder
    image_dim: Positive = 128  # of the image features
    text_dim: Positive = 128  # of embedding, LSTM and text features
    vocabulary_size: Annotated[int, Field(ge=4)] = 10_000
    text_length: Annotated[int, Field(ge=2)] = 32  # words
    mask_label_words: bool = False  # removes words that name a class
    balance: bool = False  # whether rare classes count as much as frequent ones
    # Run of train-gan whose captioner captions the images without text.
    fill_captions: Path | None = None
    multi_label: bool = False  # a pair has any number of labels
    # Probability from which a pair has a label; f1: of each class, chosen on held-out
    # pairs.
    threshold: Fraction | Literal["f1"] = 0.5
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    epochs: Positive = 100  # at most
    minutes: Minutes | None = 0.7  # for each training of a network
    patience: Positive | None = 5  # epochs; None: no early stopping
    validation: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    # Of the ensemble; `pair` is the paper's network. Members whose inputs the data do
    # not have are left out.
    members: list[MemberName] = ["image", "lstm", "words"]
    folds: Annotated[int, Field(ge=2)] = 5  # of the cross-validation for the weights
    ensemble_pairs: Positive = 400  # enough to fit the weights


class TrainingConfig(Section):
    """Stage, duration, optimizer and device."""

    # `both` omits the captions stage if the data have no captions.
    stage: Literal["both", "images", "captions"] = "both"
    epochs: Positive = 1000
    minutes: Minutes | None = 1.8  # of the images stage; None for no limit
    # Of the images stage. None: 32, or 256 on a GPU or TPU.
    batch_size: Annotated[int, Field(ge=2)] | None = None
    # None: 8e-4 for a batch of 32, and as the square root of the batch size for others.
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    # Of the images stage. None: 0 with a projected discriminator, 0.5 with `conv`, 0.9
    # for a VAE.
    beta_1: Annotated[float, Field(ge=0, lt=1)] | None = None
    beta_2: Annotated[float, Field(gt=0, lt=1)] = 0.99
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    device: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    strategy: Literal["none", "mirrored", "multi-worker", "tpu"] = "none"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    deterministic: bool = False  # the same weights bit for bit; without time limits
    grid: Annotated[int, Field(ge=1, le=16)] = 6  # rows and columns of the image grids
    grid_every: Positive = 1  # epochs


class Settings(Section):
    """All settings."""

    data: DataConfig = DataConfig()
    gan: GanConfig = GanConfig()
    captions: CaptionsConfig = CaptionsConfig()
    classifier: ClassifierConfig = ClassifierConfig()
    training: TrainingConfig = TrainingConfig()
