"""The captions stage, from the training of each network to a run."""

import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning.adversarial import (
    build_caption_discriminator,
    caption_rewards,
    train_adversarially,
)
from kerasgan.captioning.caption_data import pad_token_ids, validation_rows
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.configured_networks import untrained_networks
from kerasgan.captioning.hubness import hubness
from kerasgan.captioning.pipeline import CaptioningPipeline, load_captioner
from kerasgan.captioning.teacher_forcing import caption_batches, train_teacher_forcing
from kerasgan.captioning.train_captions import (
    LOG_FILE,
    _log_callbacks,
    train_captions,
)
from kerasgan.captioning.train_dual_encoder import train_dual_encoder
from kerasgan.captioning.transformer_decoder import TransformerDecoder
from kerasgan.config.recipes import resolve
from kerasgan.config.settings import CaptionsConfig, DataConfig, Settings
from kerasgan.encoders.feature_cache import average_pool, encode_images
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.errors import JobError, UserError
from kerasgan.files import read_json_lines
from kerasgan.layers.text_vectorization import build_vectorizer
from kerasgan.layers.traversal import find_layers
from kerasgan.runs import new_run, open_run

RANDOM = np.random.default_rng(0)
TINY = CaptionsConfig(
    backbone="conv",
    dual_encoder_members=1,
    joint_dim=8,
    dim=16,
    caption_length=4,
    dual_encoder_batch_size=8,
    dual_encoder_learning_rate=1e-2,
    learning_rate=2e-2,
    batch_size=8,
    likelihood_epochs=12,
    dual_encoder_epochs=40,
    sampled_captions=4,
    dual_encoder_minutes=None,
    likelihood_minutes=None,
    adversarial_minutes=None,
)
START, LENGTH, VOCABULARY_SIZE = 2, 4, 8
CLASSES = np.repeat(np.arange(4), 6)  # of 24 images


def make_data():
    """Features and captions of four classes of images that are easy to tell apart."""
    features = np.zeros((24, 2, 2, 4), np.float16)
    features[np.arange(24), :, :, CLASSES] = 3
    features += RANDOM.normal(0, 0.1, features.shape).astype(np.float16)
    token_ids = np.zeros((24, 2, LENGTH), np.int32)
    token_ids[:, 0, 0] = START
    token_ids[:, 0, 1] = 3 + CLASSES
    token_ids[:, 0, 2] = 7
    token_ids[::2, 1, :2] = np.stack([np.full(12, START), 3 + CLASSES[::2]], axis=1)
    return features, token_ids


def make_captioner(decoder="lstm"):
    return build_captioner(
        (2, 2, 4),
        VOCABULARY_SIZE,
        START,
        caption_length=LENGTH,
        dim=16,
        dropout=0.0,
        decoder=decoder,
    )


def make_vectorizer():
    words = ["[START]", *(f"class{n}" for n in range(4)), "thing"]
    return build_vectorizer(None, words, VOCABULARY_SIZE, LENGTH)


def test_the_dual_encoder_learns_which_captions_match():
    features, token_ids = make_data()
    pairs = average_pool(features), token_ids
    dual_encoder = train_dual_encoder(TINY, pairs, pairs, VOCABULARY_SIZE)
    vectors = dual_encoder.embed_images(pairs[0])
    cosines = vectors @ dual_encoder.embed_token_ids(token_ids[:, 0]).T
    assert (CLASSES[cosines.argmax(1)] == CLASSES).mean() > 0.9


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_the_captioner_learns_captions(decoder):
    features, token_ids = make_data()
    captioner = make_captioner(decoder)
    pairs = [features], token_ids
    train_teacher_forcing(captioner, TINY, pairs, pairs)
    pipeline = CaptioningPipeline(None, None, captioner, make_vectorizer())
    captions = pipeline.caption(features, None, "beam")
    words = [candidates[0][0].split()[0] for candidates in captions]
    assert np.mean([words[n] == f"class{CLASSES[n]}" for n in range(24)]) > 0.9


def test_a_loss_that_is_not_finite_stops_training():
    features, token_ids = make_data()
    pairs = [np.full_like(features, np.nan)], token_ids
    message = "captioner .likelihood., epoch 1, step ., precision float32"
    with pytest.raises(JobError, match=message):
        train_teacher_forcing(make_captioner(), TINY, pairs, pairs)
    batches = caption_batches(*pairs, 16, 8)
    with pytest.raises(JobError, match="captioner .adversarial., epoch 1, step ."):
        cider_reward = CiderReward(token_ids, VOCABULARY_SIZE)
        train_adversarially(make_captioner(), TINY, batches, cider_reward)
    pairs = np.full((24, 4), np.nan, "float32"), token_ids
    with pytest.raises(JobError, match="dual encoder"):
        train_dual_encoder(TINY, pairs, pairs, VOCABULARY_SIZE)


def test_batches_have_each_image_once_and_alternate_between_views():
    features, token_ids = make_data()
    batches = [
        batch["features"].numpy()
        for batch in caption_batches([features, -features], token_ids, 3, 1)
    ]
    is_first = np.array([batch[batch != 0][0] > 0 for batch in batches])
    assert 0 < is_first.sum() < len(is_first)
    batches = list(caption_batches([features], token_ids, 3, 5))
    assert [len(batch["features"]) for batch in batches] == [5, 5, 5, 5, 4]
    images = np.concatenate([batch["features"].numpy() for batch in batches])
    expected = {image.tobytes() for image in features.astype("float32")}
    assert {image.tobytes() for image in images} == expected
    assert (batches[0]["noise"].numpy() != batches[1]["noise"].numpy()).any()


def test_rewards_of_captions():
    features, token_ids = make_data()
    cider_reward = CiderReward(token_ids, VOCABULARY_SIZE)
    discriminator = build_caption_discriminator(4, VOCABULARY_SIZE, LENGTH, dim=4)
    generated = np.array([[[START, 3, 7, 0], [START, 4, 0, 0]]] * 24, np.int32)
    features = tf.constant(features.astype("float32"))

    def rewards(count):
        arrays = features[:count], token_ids[:count], generated[:count]
        tensors = [tf.constant(array) for array in arrays]
        return caption_rewards(
            discriminator, cider_reward, *tensors, TINY.negative_cider_weight
        )

    probability, cider = rewards(24)
    assert probability.shape == (24, 2) and (probability.numpy() > 0).all()
    positive, cider = cider_reward(generated, token_ids).numpy(), cider.numpy()
    assert (positive[CLASSES == 0, 0] > positive[CLASSES == 0, 1]).all()
    # The images before the first one are of another class, those before the sixth of
    # its own class: a caption that also matches other images is worth less.
    assert cider[0, 0] == positive[0, 0] and cider[5, 0] < positive[5, 0]
    # Three images are too few to be negatives of each other.
    _, cider = rewards(3)
    expected = cider_reward(generated[:3], token_ids[:3]).numpy()
    assert (cider.numpy() == expected).all()


@pytest.mark.parametrize(
    "decoder", ["lstm", pytest.param("transformer", marks=pytest.mark.slow)]
)
def test_adversarial_training_raises_the_reward(decoder):
    features, token_ids = make_data()
    config = TINY.model_copy(
        update={
            "adversarial_epochs": 25,
            "adversarial_learning_rate": 3e-2,
            "likelihood_weight": 0.0,
        }
    )
    logs = []
    train_adversarially(
        make_captioner(decoder),
        config,
        caption_batches([features], token_ids, 16, 8),
        CiderReward(token_ids, VOCABULARY_SIZE),
        [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, values: logs.append({**values})
            )
        ],
    )
    names = {"d_loss", "d_probability", "cider_reward", "likelihood_loss"}
    assert set(logs[0]) == names
    assert logs[-1]["cider_reward"] > logs[0]["cider_reward"] + 0.1


def test_features_of_image_encoders():
    image_encoder = build_image_encoder("conv", 32)
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    features = encode_images(image_encoder, images)
    assert features.shape == (3, 2, 2, 256)
    mirrored = encode_images(image_encoder, images, mirrored=True)
    expected = encode_images(image_encoder, images[:, :, ::-1])
    np.testing.assert_array_equal(mirrored, expected)
    means = features.astype("float32").mean((1, 2))
    np.testing.assert_allclose(average_pool(features), means, rtol=1e-5)
    lite0 = build_image_encoder("efficientnet-lite0", 64, weights=None)
    assert lite0.output_shape == (None, 2, 2, 1280) and lite0.trainable_weights


def test_validation_rows_are_disjoint_and_have_captions():
    class Split:
        captions = [["a"]] * 8 + [[]] * 3 + [["b"]] * 9
        groups = np.arange(20)

    train, validation = validation_rows(Split, 0.25, Settings())
    rows = [*range(8), *range(11, 20)]
    order = np.random.default_rng(0).permutation(rows)
    np.testing.assert_array_equal(validation, np.sort(order[:4]))
    np.testing.assert_array_equal(train, np.sort(order[4:]))
    Split.captions = [["a"]] * 3
    with pytest.raises(UserError, match="Received: 3"):
        validation_rows(Split, 0.5, Settings())


def test_validation_does_not_separate_groups():
    """Such as the images of one row, which have the same caption."""

    class Split:
        groups = np.repeat(np.arange(8), 3)
        captions = [[f"row {group}"] for group in groups]

    train, validation = validation_rows(Split, 0.25, Settings())
    assert (len(train), len(validation)) == (18, 6)
    assert sorted([*train, *validation]) == list(range(24))
    assert not set(Split.groups[train]) & set(Split.groups[validation])
    Split.groups = np.array([0] + [1] * 23)
    with pytest.raises(UserError, match="two of which validate"):
        validation_rows(Split, 0.25, Settings())


def test_images_with_fewer_captions_are_padded():
    captions = [["class1"], [], ["class2", "", "thing"]]
    token_ids = pad_token_ids(make_vectorizer(), captions)
    assert token_ids.shape == (3, 2, LENGTH)
    assert token_ids[:, :, 1].tolist() == [[4, 0], [0, 0], [5, 7]]


@pytest.fixture(scope="module")
def settings(data_dir):
    tiny = {"likelihood_epochs": 1, "dual_encoder_epochs": 1, "adversarial_epochs": 1}
    tiny |= {"precision": "mixed_bfloat16", "caption_length": 24}
    tiny |= {"beam_candidates": 3, "sampled_candidates": 4}
    return Settings(
        data=DataConfig(num_images=24, image_size=32, data_dir=str(data_dir)),
        captions=TINY.model_copy(update=tiny),
    )


@pytest.fixture(scope="module")
def trained(settings, tmp_path_factory):
    """A run, and the pipeline that its training returned."""
    keras.utils.set_random_seed(0)
    run = new_run("train-gan", settings, tmp_path_factory.mktemp("runs") / "run")
    return run, train_captions(settings, run, progress=False)


def test_word_vectors_that_are_not_installed_end_the_training_before_it_begins(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "wordllama", None)
    settings = Settings(
        data=DataConfig(data_dir=str(tmp_path / "data")),
        captions=TINY.model_copy(update={"word_vectors": "wordllama"}),
    )
    run = new_run("train-gan", settings, tmp_path / "run")
    with pytest.raises(UserError, match="word vectors need the package wordllama"):
        train_captions(settings, run, progress=False)
    assert not (tmp_path / "data").exists()


def test_the_dual_encoder_begins_with_the_vectors_of_its_vocabulary(
    settings, monkeypatch, tmp_path
):
    class Stop(Exception):
        pass

    def load(vocabulary, max_dim):
        return np.array([[len(word)] * max_dim for word in vocabulary])

    def train(config, train, validation, vocabulary_size, encoder, vectors, **options):
        assert vectors.shape == (vocabulary_size, 2 * TINY.joint_dim)
        assert vectors[:2, 0].tolist() == [0, len("[UNK]")]
        raise Stop

    module = "kerasgan.captioning.train_captions"
    monkeypatch.setattr(f"{module}.train_dual_encoder", train)
    networks = "kerasgan.captioning.configured_networks"
    monkeypatch.setattr(f"{networks}.check_word_vectors", lambda name: None)
    monkeypatch.setattr(f"{networks}.load_word_vectors", load)
    settings = resolve(None, {"captions.word_vectors": "wordllama"}, base=settings)
    run = new_run("train-gan", settings, tmp_path / "run")
    with pytest.raises(Stop):
        train_captions(settings, run, progress=False)


def test_a_loaded_run_gives_the_same_captions(trained):
    run, pipeline = trained
    loaded = load_captioner(open_run(run.path))
    for network in (loaded.dual_encoder, loaded.captioner):
        layers = find_layers(network, keras.layers.Layer)
        assert {layer.dtype_policy.name for layer in layers} == {"float32"}
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    captions, loaded_captions = (
        [
            [caption for caption, _ in candidates]
            for candidates in model.caption(
                model.encode_images(images), model.embed_images(images)
            )
        ]
        for model in (pipeline, loaded)
    )
    assert captions == loaded_captions
    features, vectors = loaded.encode_images(images), loaded.embed_images(images)
    token_ids, reranking = loaded.candidates(features, vectors)
    assert token_ids.shape[:2] == reranking.shape[:2] == (3, 3 + 4)


def test_odd_captions_can_be_embedded(trained):
    pipeline = trained[1]
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    odd = ["", "A", "word " * 500, "zzz qqq", "犬が走る", "\x07\x1b[31m", "<b>dog</b>"]
    captions = pipeline.embed_captions(odd)
    assert np.isfinite(captions).all()
    np.testing.assert_allclose(np.linalg.norm(captions, axis=1), 1, atol=1e-4)
    vectors = pipeline.embed_images(images)
    relevance = pipeline.relevance(vectors, captions)
    corrected = vectors @ captions.T - hubness(captions, pipeline.store.vectors)
    image_hubness = corrected - relevance
    np.testing.assert_allclose(
        image_hubness, image_hubness[:, :1].repeat(7, 1), atol=1e-5
    )


def test_a_finished_run_is_not_trained_again(trained, settings):
    run = trained[0]
    before = (run.models / "captioner.keras").read_bytes()
    train_captions(settings, run, progress=False)
    assert (run.models / "captioner.keras").read_bytes() == before


def test_an_interrupted_run_continues_with_the_missing_networks(trained, settings):
    run = trained[0]
    names = ("image_encoder", "dual_encoder", "captioner-likelihood")
    before = {name: (run.models / f"{name}.keras").stat().st_mtime_ns for name in names}
    log = run.path / "captions.jsonl"
    lines = read_json_lines(log)
    stages = [line["stage"] for line in lines]
    assert stages == ["dual_encoder", "likelihood", "adversarial"]
    (run.models / "caption-store.npz").unlink()
    train_captions(settings, run, progress=False)
    again = read_json_lines(log)
    assert stages == [line["stage"] for line in again]
    # With the same noise and dropout.
    losses = [found[-1]["likelihood_loss"] for found in (lines, again)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    after = (run.models / "captioner-likelihood.keras").stat().st_mtime_ns
    assert after == before["captioner-likelihood"]


def test_a_half_written_line_of_the_log_is_dropped(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    lines = [{"stage": "dual_encoder", "epoch": 1}, {"stage": "likelihood", "epoch": 1}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (run.path / LOG_FILE).write_text(text + '{"stage": "adver')
    _log_callbacks(run, "likelihood", progress=False)
    assert read_json_lines(run.path / LOG_FILE) == lines[:1]


def test_untrained_networks_are_those_of_the_settings(settings):
    config = settings.captions.model_copy(update={"decoder": "transformer"})
    settings = settings.model_copy(update={"captions": config})
    dual_encoder, captioner = untrained_networks(settings)
    assert isinstance(captioner.decoder, TransformerDecoder)
    assert captioner.vocabulary_size == config.output_vocabulary_size
    assert dual_encoder.text_encoder.input_shape == (None, config.caption_length)


def test_a_damaged_network_is_named(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    run.save_networks({"dual_encoder": network})
    path = run.models / "dual_encoder.keras"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        UserError, match="dual_encoder.keras is damaged, or was written"
    ):
        run.load_network("dual_encoder")


def test_a_run_without_captions_cannot_be_loaded(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    with pytest.raises(UserError, match="no trained captions"):
        load_captioner(run)
