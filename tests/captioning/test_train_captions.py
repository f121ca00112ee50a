"""The captions' stage, from the networks to a run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning import train_captions as stage
from kerasgan.captioning.adversarial import (
    AdversarialCaptioning,
    build_caption_discriminator,
    train_adversarially,
)
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.pipeline import CaptioningPipeline, load_captioner
from kerasgan.captioning.reranking import hubness
from kerasgan.captioning.teacher_forcing import caption_batches, train_teacher_forcing
from kerasgan.captioning.train_dual_encoder import train_dual_encoder
from kerasgan.config.settings import CaptionsConfig, DataConfig, Settings
from kerasgan.data.text import build_vectorizer
from kerasgan.encoders.feature_cache import average_pool, encode_images
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.errors import UserError
from kerasgan.runs import new_run, open_run

RANDOM = np.random.default_rng(0)
TINY = CaptionsConfig(
    dual_encoder_members=1,
    joint_dim=8,
    dim=16,
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
START, LENGTH = 2, 4
KINDS = np.repeat(np.arange(4), 6)  # what each of 24 images shows


def world():
    """Grids and captions of four kinds of images that are easy to tell apart."""
    grids = np.zeros((24, 2, 2, 4), np.float16)
    grids[np.arange(24), :, :, KINDS] = 3
    grids += RANDOM.normal(0, 0.1, grids.shape).astype(np.float16)
    token_ids = np.zeros((24, 2, LENGTH), np.int32)
    token_ids[:, 0, 0] = START
    token_ids[:, 0, 1] = 3 + KINDS
    token_ids[:, 0, 2] = 7
    token_ids[::2, 1, :2] = np.stack([np.full(12, START), 3 + KINDS[::2]], axis=1)
    return grids, token_ids


def captioner():
    return build_captioner(
        (2, 2, 4), 8, START, caption_length=LENGTH, dim=16, noise_dim=16, dropout=0.0
    )


def test_matcher_learns_what_belongs_together():
    grids, token_ids = world()
    sides = average_pool(grids), token_ids
    sizes = {"vocabulary_size": 8, "caption_length": LENGTH}
    dual_encoder = train_dual_encoder(TINY, sides, sides, sizes)
    cosines = (
        dual_encoder.embed("image", sides[0])
        @ dual_encoder.embed("caption", token_ids[:, 0]).T
    )
    assert (KINDS[cosines.argmax(1)] == KINDS).mean() > 0.9


def test_likelihood_learns_what_images_are_called():
    grids, token_ids = world()
    model = captioner()
    train_teacher_forcing(model, TINY, ([grids], token_ids), ([grids], token_ids))
    pipeline = CaptioningPipeline(None, None, model, _vectorizer())
    said = [
        choices[0][0].split()[0] for choices in pipeline.caption(grids, None, "beam")
    ]
    assert np.mean([said[n] == f"kind{KINDS[n]}" for n in range(24)]) > 0.9


def _vectorizer():
    words = ["[START]", *(f"kind{n}" for n in range(4)), "thing"]
    return build_vectorizer(None, words, 8, LENGTH)


def test_batches_hold_each_image_once_and_look_in_turns():
    grids, token_ids = world()
    looks = [
        batch["grid"].numpy()
        for batch in caption_batches([grids, -grids], token_ids, 3, 1)
    ]
    firsts = np.array([look[look != 0][0] > 0 for look in looks])
    assert 0 < firsts.sum() < len(firsts)
    dataset = caption_batches([grids], token_ids, 3, 5)
    found = [batch for batch in dataset]
    assert [len(batch["grid"]) for batch in found] == [5, 5, 5, 5, 4]
    seen = np.concatenate([batch["grid"].numpy() for batch in found])
    assert {x.tobytes() for x in seen} == {x.tobytes() for x in grids.astype("f")}
    assert (found[0]["noise"].numpy() != found[1]["noise"].numpy()).any()


def test_rewards_of_each_caption():
    grids, token_ids = world()
    cider_reward = CiderReward(token_ids, 8)
    adversarial = AdversarialCaptioning(
        captioner(),
        build_caption_discriminator(4, 8, LENGTH, dim=4),
        TINY,
        cider_reward,
    )
    generated = np.array([[[START, 3, 7, 0], [START, 4, 0, 0]]] * 24, np.int32)
    grid = tf.constant(grids.astype("float32"))
    probability, consensus = adversarial._rewards(
        grid, tf.constant(token_ids), tf.constant(generated)
    )
    assert probability.shape == (24, 2) and (0 < probability.numpy()).all()
    own, consensus = cider_reward(generated, token_ids).numpy(), consensus.numpy()
    assert (own[KINDS == 0, 0] > own[KINDS == 0, 1]).all()
    # The images before the first one are of another kind, those before the sixth
    # are of its own: what suits them as well is worth less.
    assert consensus[0, 0] == own[0, 0] and consensus[5, 0] < own[5, 0]
    # Too few images to be strangers to each other.
    few = adversarial._rewards(
        grid[:3], tf.constant(token_ids[:3]), tf.constant(generated[:3])
    )
    assert (few[1].numpy() == cider_reward(generated[:3], token_ids[:3]).numpy()).all()


def test_the_game_makes_agreeing_captions_likelier():
    grids, token_ids = world()
    model = captioner()
    settings = TINY.model_copy(
        update={
            "adversarial_epochs": 40,
            "adversarial_learning_rate": 3e-2,
            "likelihood": 0.0,
        }
    )
    dataset = caption_batches([grids], token_ids, 16, 8)
    lines = []
    train_adversarially(
        model,
        settings,
        dataset,
        CiderReward(token_ids, 8),
        [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda n, logs: lines.append({**logs})
            )
        ],
    )
    assert set(lines[0]) == {"d_loss", "probability", "consensus", "likelihood"}
    assert lines[-1]["consensus"] > lines[0]["consensus"] + 0.1


def test_an_eye_of_any_kind(tmp_path):
    image_encoder = build_image_encoder("conv", 32)
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    grids = encode_images(image_encoder, images)
    assert grids.shape == (3, 2, 2, 256)
    mirrored = encode_images(image_encoder, images, mirrored=True)
    np.testing.assert_array_equal(
        mirrored, encode_images(image_encoder, images[:, :, ::-1])
    )
    np.testing.assert_allclose(
        average_pool(grids), grids.astype("float32").mean((1, 2)), rtol=1e-5
    )
    lite0 = build_image_encoder("efficientnet-lite0", 64, weights=None)
    assert lite0.output_shape == (None, 2, 2, 1280) and not lite0.trainable_weights


def test_validation_rows_are_apart_and_have_captions():
    class Split:
        captions = [["a"]] * 8 + [[]] * 3 + [["b"]] * 9

    fit, kept = stage.validation_rows(Split, 0.25, Settings())
    assert len(kept) == 4 and len(fit) == 13
    assert not set(fit) & set(kept) and not {8, 9, 10} & {*fit, *kept}
    Split.captions = [["a"]] * 3
    with pytest.raises(UserError, match="Received: 3"):
        stage.validation_rows(Split, 0.5, Settings())


def test_images_with_fewer_captions_are_padded():
    token_ids = stage.padded_ids(_vectorizer(), [["kind1"], [], ["kind2", "", "thing"]])
    assert token_ids.shape == (3, 2, LENGTH)
    assert token_ids[:, :, 1].tolist() == [[4, 0], [0, 0], [5, 7]]


@pytest.fixture(scope="module")
def settings(data_dir):
    tiny = {"likelihood_epochs": 1, "dual_encoder_epochs": 1, "adversarial_epochs": 1}
    tiny["precision"] = "mixed_bfloat16"
    return Settings(
        data=DataConfig(num_images=24, image_size=32, data_dir=str(data_dir)),
        captions=TINY.model_copy(update=tiny),
    )


def test_odd_captions_and_a_loaded_run(settings, tmp_path):
    run = new_run("train-gan", settings, tmp_path / "run")
    pipeline = stage.train_captions(settings, run, progress=False)
    loaded = load_captioner(open_run(run.path))
    layers = [
        *loaded.dual_encoder._flatten_layers(),
        *loaded.captioner._flatten_layers(),
    ]
    assert {layer.dtype_policy.name for layer in layers} == {"float32"}
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    here, there = (
        f.caption(f.encode_images(images), f.embed_images(images))
        for f in (pipeline, loaded)
    )
    assert [[c for c, _ in x] for x in here] == [[c for c, _ in x] for x in there]
    odd = ["", "A", "word " * 500, "zzz qqq", "犬が走る", "\x07\x1b[31m", "<b>dog</b>"]
    vectors = loaded.embed_captions(odd)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    seen = loaded.embed_images(images)
    relevance = loaded.relevance(seen, vectors)
    hubs = hubness(vectors, loaded.store.vectors)
    among_captions = relevance - (seen @ vectors.T - hubs)
    np.testing.assert_allclose(
        among_captions, among_captions[:, :1].repeat(7, 1), atol=1e-5
    )
    before = (run.models / "captioner.keras").read_bytes()
    stage.train_captions(settings, run, progress=False)  # nothing is left to do
    assert (run.models / "captioner.keras").read_bytes() == before


def test_a_damaged_network_is_named(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    run.save_network(
        "dual_encoder", keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    )
    path = run.models / "dual_encoder.keras"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        UserError, match="dual_encoder.keras is damaged, or was written"
    ):
        run.load_network("dual_encoder")


def test_a_run_without_captions_cannot_be_asked_for_any(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    with pytest.raises(UserError, match="no trained captions"):
        load_captioner(run)
