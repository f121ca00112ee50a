"""Trains the captions stage of a run: paper A's second generator."""

import contextlib
import shutil
from dataclasses import dataclass

import keras
import numpy as np
from rich.console import Console

from kerasgan.captioning.adversarial import train_adversarially
from kerasgan.captioning.caption_data import (
    CaptionData,
    build_caption_data,
    data_for_captions,
    encoder_image_size,
    stack_views,
)
from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.configured_networks import (
    build_configured_captioner,
    load_configured_word_vectors,
    require_word_vectors,
)
from kerasgan.captioning.dual_encoder import DualEncoder
from kerasgan.captioning.pipeline import (
    LIKELIHOOD_CAPTIONER,
    STORE_FILE,
    CaptioningPipeline,
    load_captioner,
)
from kerasgan.captioning.precision_check import checked_precision
from kerasgan.captioning.teacher_forcing import caption_batches, train_teacher_forcing
from kerasgan.captioning.token_tfidf import inverse_document_frequencies
from kerasgan.captioning.train_dual_encoder import train_dual_encoder
from kerasgan.config.recipes import resolve
from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.data.memory import keep_in_memory
from kerasgan.data.stored_arrays import select_rows
from kerasgan.encoders.feature_cache import (
    average_pool,
    cached_views,
    encode_images,
    store_features,
)
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.encoders.precision import dtype_policy_scope, to_float32
from kerasgan.encoders.stored_features import SelectedRows
from kerasgan.files import write_text
from kerasgan.runs import Run, training_run
from kerasgan.training.allocator import retain_freed_memory
from kerasgan.training.callbacks.epoch_printer import EpochPrinter
from kerasgan.training.callbacks.json_lines_logger import JsonLinesLogger
from kerasgan.training.callbacks.time_limit import TimeLimit
from kerasgan.training.determinism import use_determinism
from kerasgan.training.devices import use_device
from kerasgan.training.worker_agreement import require_agreement, worker_failures

LOG_FILE = "captions.jsonl"  # in a run
FEATURES = "features"  # in a run, while it is trained
RESUME = "Start all workers again with --resume: finished networks are kept."


def train_captions(
    settings: Settings | None = None, run: Run | None = None, progress: bool = True
) -> CaptioningPipeline:
    """Trains a dual encoder and a captioner, and writes them into a run.

    The captioner is trained by maximum likelihood and then against a discriminator.
    Models that an interrupted training has saved in `models/` are not trained again.

    Args:
        settings: the settings; None: the run's, or the defaults.
        run: a run, which needs no images stage. None creates the next run in `runs/`.
        progress: whether messages are printed on standard error.

    Returns:
        The trained `CaptioningPipeline`, which is also saved in the run.

    Raises:
        UserError: the data have too few captions, the word vectors are not installed,
            or another process trains the run.
        JobError: a loss became NaN or infinite, or a worker stopped.
    """
    with training_run("train-gan", settings, run) as (settings, run):
        return _train(settings, run, progress)


def _train(settings, run, progress):
    strategy = use_device(settings.training)
    retain_freed_memory()
    use_determinism(settings, "captions")
    if (run.models / STORE_FILE).is_file():
        return load_captioner(run)
    require_word_vectors(settings, run)
    pairs = load_data(data_for_captions(settings), progress=progress)
    run.write_data(pairs.info)
    pairs.print_memory_note(progress)
    data = build_caption_data(settings, run, pairs.train)
    precision = checked_precision(settings.captions, data.token_ids[data.train_rows])
    chosen: dict[str, object] = {"captions.precision": precision}
    run.update_options(chosen=chosen)
    settings = resolve(None, chosen, base=settings)
    # Preparing a data set draws random numbers, reading a prepared one does not.
    keras.utils.set_random_seed(settings.training.seed)
    with worker_failures(strategy, RESUME):
        require_agreement(
            *(strategy, settings, pairs.train.ids, pairs.train.captions),
            pairs.info["content"],
        )
        encoded = _train_dual_encoder(settings, run, data, strategy, progress)
        captioner = _train_captioner(
            settings, run, data, strategy, encoded.views, progress
        )
    rows, token_ids = data.train_rows, data.token_ids[data.train_rows]
    vectors = encoded.dual_encoder.embed_images(encoded.inputs)
    idf = inverse_document_frequencies(
        token_ids, data.vocabulary_size, captioner.start_id
    )
    store = CaptionStore(vectors[rows], token_ids, idf)
    networks = encoded.image_encoder, encoded.dual_encoder, captioner
    config = settings.captions
    num_candidates = config.beam_candidates, config.sampled_candidates
    pipeline = CaptioningPipeline(*networks, data.vectorizer, store, num_candidates)
    rows = data.validation_rows
    pipeline.fit_reranker(encoded.views[0][rows], vectors[rows], data.token_ids[rows])
    pipeline.save(run)
    shutil.rmtree(run.path / FEATURES, ignore_errors=True)
    return pipeline


@dataclass
class _EncodedImages:
    """The first two networks, and the features of all images of the training split.

    Attributes:
        image_encoder: images to features.
        dual_encoder: trained.
        inputs: of the dual encoder, images or average features.
        views: features `(n, height, width, channels)` of the images as they are, and
            mirrored.
    """

    image_encoder: keras.Model
    dual_encoder: DualEncoder
    inputs: np.ndarray
    views: list[np.ndarray]


def _train_dual_encoder(settings, run, data, strategy, progress):
    """Trains the dual encoder, and a `conv` image encoder with it."""
    config, split = settings.captions, data.split
    trains_image_encoder = config.backbone == "conv"
    dual_encoder = _load_saved(run, "dual_encoder")
    # An image encoder without a dual encoder is of an interrupted training.
    image_encoder = _load_saved(run, "image_encoder") if dual_encoder else None
    scope = strategy.scope() if trains_image_encoder else contextlib.nullcontext()
    with dtype_policy_scope(config.precision), scope:
        new_encoder = build_image_encoder(config.backbone, encoder_image_size(settings))
    image_encoder = image_encoder or new_encoder
    if trains_image_encoder:
        inputs = [split.images]
    else:
        views = cached_views(new_encoder, config.backbone, split)
        inputs = [average_pool(view) for view in views]
        if keep_in_memory(sum(view.nbytes for view in views), settings.data):
            views = [np.asarray(view) for view in views]
    if dual_encoder is None:
        dual_encoder = _fit_dual_encoder(
            config,
            run,
            data,
            inputs,
            image_encoder if trains_image_encoder else None,
            strategy,
            progress,
        )
        image_encoder = to_float32(image_encoder)
        # The last one shows that both are complete.
        networks = {"image_encoder": image_encoder, "dual_encoder": dual_encoder}
        run.save_networks(networks)
    if trains_image_encoder:
        views = [
            _encode(image_encoder, split, run, mirrored) for mirrored in (False, True)
        ]
    return _EncodedImages(image_encoder, dual_encoder, inputs[0], views)


def _encode(image_encoder, split, run, mirrored):
    """Features of a trained image encoder; on the disk where the images are, too."""
    if split.in_memory:
        return encode_images(image_encoder, split.images, mirrored, np.float16)
    folder = run.path / FEATURES / f"mirrored-{mirrored}".lower()
    folder.parent.mkdir(exist_ok=True)
    return store_features(image_encoder, split.images, folder, mirrored)


def _fit_dual_encoder(config, run, data, inputs, image_encoder, strategy, progress):
    rows, token_ids = data.validation_rows, data.token_ids
    vocabulary = data.vectorizer.get_vocabulary()
    word_vectors = load_configured_word_vectors(config, vocabulary)
    with dtype_policy_scope(config.precision), strategy.scope():
        dual_encoder = train_dual_encoder(
            config,
            stack_views(inputs, token_ids, data.train_rows),
            (select_rows(inputs[0], rows), token_ids[rows]),
            data.vocabulary_size,
            image_encoder,
            word_vectors,
            callbacks=_log_callbacks(run, "dual_encoder", progress),
        )
    return to_float32(dual_encoder)


def _train_captioner(settings, run, data: CaptionData, strategy, views, progress):
    """Trains the captioner by likelihood, saves it, and trains it adversarially.

    Both begin with the seed and a new network, whether or not the training was
    interrupted between them: a file has no states of random numbers.
    """
    config, rows = settings.captions, data.train_rows
    start_id = int(data.token_ids[rows[0], 0, 0])

    def build():
        keras.utils.set_random_seed(settings.training.seed)
        with dtype_policy_scope(config.precision), strategy.scope():
            return build_configured_captioner(
                config, views[0].shape[1:], data.vocabulary_size, start_id
            )

    captioner = build()
    token_ids = captioner.to_output_vocabulary(data.token_ids)
    train = [SelectedRows(view, rows) for view in views], token_ids[rows]
    trained = _load_saved(run, LIKELIHOOD_CAPTIONER)
    if trained is None:
        train_teacher_forcing(
            captioner,
            config,
            train,
            (
                [SelectedRows(views[0], data.validation_rows)],
                token_ids[data.validation_rows],
            ),
            callbacks=_log_callbacks(run, "likelihood", progress),
        )
        trained = to_float32(captioner)
        run.save_networks({LIKELIHOOD_CAPTIONER: trained})
    captioner = build()
    captioner.set_weights(trained.get_weights())
    sizes = config.noise_dim, config.batch_size
    if config.adversarial_epochs:
        train_adversarially(
            captioner,
            config,
            caption_batches(*train, *sizes, strategy.num_replicas_in_sync),
            CiderReward(token_ids[rows], captioner.vocabulary_size),
            _log_callbacks(run, "adversarial", progress),
            settings.training.seed,
        )
    return to_float32(captioner)


def _load_saved(run, name):
    exists = (run.models / f"{name}.keras").is_file()
    return run.load_network(name) if exists else None


def _log_callbacks(run, stage, progress):
    """Logs the epochs of a stage to `captions.jsonl` and standard error.

    The lines of an interrupted training of the same stage are deleted, and a last line
    that was not written to its end.
    """
    path = run.path / LOG_FILE
    if path.is_file():
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        kept = [line for line in lines if f'"stage": "{stage}"' not in line]
        write_text(path, "".join(f"{line}\n" for line in kept))
    console = Console(stderr=True, quiet=not progress)

    def show(line):
        console.print(line, highlight=False, soft_wrap=True)

    printer = EpochPrinter(show, prefix=f"{stage}: epoch")
    # TimeLimit only adds `seconds` to the log.
    return [TimeLimit(), JsonLinesLogger(path, stage=stage), printer]
