"""The captions' stage, from the networks to a run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config import CaptionsConfig, DataConfig, Settings
from kerasgan.data.text import build_vectorizer
from kerasgan.errors import UserError
from kerasgan.models.captioner import build_captioner
from kerasgan.models.eye import build_eye
from kerasgan.runs import new_run, open_run
from kerasgan.training import train_captions as stage
from kerasgan.training.agreement import Agreement
from kerasgan.training.caption_forger import CaptionForger, load_captioner
from kerasgan.training.caption_game import CaptionGame, build_judge, play
from kerasgan.training.captioning import batches, train_likelihood
from kerasgan.training.choosing import hubness
from kerasgan.training.matching import train_matcher
from kerasgan.training.seeing import grids_of, pooled

RANDOM = np.random.default_rng(0)
TINY = CaptionsConfig(
    members=1,
    joint_dim=8,
    dim=16,
    matcher_batch_size=8,
    matcher_learning_rate=1e-2,
    learning_rate=2e-2,
    batch_size=8,
    likelihood_epochs=12,
    matcher_epochs=40,
    samples=4,
    matcher_minutes=None,
    likelihood_minutes=None,
    game_minutes=None,
)
START, LENGTH = 2, 4
KINDS = np.repeat(np.arange(4), 6)  # what each of 24 pictures shows


def world():
    """Grids and captions of four kinds of pictures that are easy to tell apart."""
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
    sides = pooled(grids), token_ids
    sizes = {"vocabulary_size": 8, "caption_length": LENGTH}
    matcher = train_matcher(TINY, sides, sides, sizes)
    cosines = (
        matcher.embed("picture", sides[0]) @ matcher.embed("caption", token_ids[:, 0]).T
    )
    assert (KINDS[cosines.argmax(1)] == KINDS).mean() > 0.9


def test_likelihood_learns_what_pictures_are_called():
    grids, token_ids = world()
    model = captioner()
    train_likelihood(model, TINY, ([grids], token_ids), ([grids], token_ids))
    forger = CaptionForger(None, None, model, _vectorizer())
    said = [choices[0][0].split()[0] for choices in forger.caption(grids, None, "beam")]
    assert np.mean([said[n] == f"kind{KINDS[n]}" for n in range(24)]) > 0.9


def _vectorizer():
    words = ["[START]", *(f"kind{n}" for n in range(4)), "thing"]
    return build_vectorizer(None, words, 8, LENGTH)


def test_batches_hold_each_picture_once_and_look_in_turns():
    grids, token_ids = world()
    looks = [
        batch["grid"].numpy() for batch in batches([grids, -grids], token_ids, 3, 1)
    ]
    firsts = np.array([look[look != 0][0] > 0 for look in looks])
    assert 0 < firsts.sum() < len(firsts)
    dataset = batches([grids], token_ids, 3, 5)
    found = [batch for batch in dataset]
    assert [len(batch["grid"]) for batch in found] == [5, 5, 5, 5, 4]
    seen = np.concatenate([batch["grid"].numpy() for batch in found])
    assert {x.tobytes() for x in seen} == {x.tobytes() for x in grids.astype("f")}
    assert (found[0]["noise"].numpy() != found[1]["noise"].numpy()).any()


def test_rewards_of_each_caption():
    grids, token_ids = world()
    agreement = Agreement(token_ids, 8)
    game = CaptionGame(captioner(), build_judge(4, 8, LENGTH, dim=4), TINY, agreement)
    forged = np.array([[[START, 3, 7, 0], [START, 4, 0, 0]]] * 24, np.int32)
    grid = tf.constant(grids.astype("float32"))
    belief, consensus = game._rewards(grid, tf.constant(token_ids), tf.constant(forged))
    assert belief.shape == (24, 2) and (0 < belief.numpy()).all()
    own, consensus = agreement(forged, token_ids).numpy(), consensus.numpy()
    assert (own[KINDS == 0, 0] > own[KINDS == 0, 1]).all()
    # The pictures before the first one are of another kind, those before the sixth
    # are of its own: what suits them as well is worth less.
    assert consensus[0, 0] == own[0, 0] and consensus[5, 0] < own[5, 0]
    # Too few pictures to be strangers to each other.
    few = game._rewards(grid[:3], tf.constant(token_ids[:3]), tf.constant(forged[:3]))
    assert (few[1].numpy() == agreement(forged[:3], token_ids[:3]).numpy()).all()


def test_the_game_makes_agreeing_captions_likelier():
    grids, token_ids = world()
    model = captioner()
    settings = TINY.model_copy(
        update={"game_epochs": 40, "game_learning_rate": 3e-2, "likelihood": 0.0}
    )
    dataset = batches([grids], token_ids, 16, 8)
    lines = []
    play(
        model,
        settings,
        dataset,
        Agreement(token_ids, 8),
        [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda n, logs: lines.append({**logs})
            )
        ],
    )
    assert set(lines[0]) == {"d_loss", "belief", "consensus", "likelihood"}
    assert lines[-1]["consensus"] > lines[0]["consensus"] + 0.1


def test_an_eye_of_any_kind(tmp_path):
    eye = build_eye("conv", 32)
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    grids = grids_of(eye, images)
    assert grids.shape == (3, 2, 2, 256)
    mirrored = grids_of(eye, images, mirrored=True)
    np.testing.assert_array_equal(mirrored, grids_of(eye, images[:, :, ::-1]))
    np.testing.assert_allclose(
        pooled(grids), grids.astype("float32").mean((1, 2)), rtol=1e-5
    )
    lite0 = build_eye("efficientnet-lite0", 64, weights=None)
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


def test_pictures_with_fewer_captions_are_padded():
    token_ids = stage.padded_ids(_vectorizer(), [["kind1"], [], ["kind2", "", "thing"]])
    assert token_ids.shape == (3, 2, LENGTH)
    assert token_ids[:, :, 1].tolist() == [[4, 0], [0, 0], [5, 7]]


@pytest.fixture(scope="module")
def settings(data_dir):
    tiny = {"likelihood_epochs": 1, "matcher_epochs": 1, "game_epochs": 1}
    tiny["precision"] = "mixed_bfloat16"
    return Settings(
        data=DataConfig(pictures=24, image_size=32, data_dir=str(data_dir)),
        captions=TINY.model_copy(update=tiny),
    )


def test_odd_captions_and_a_loaded_run(settings, tmp_path):
    run = new_run("train-gan", settings, tmp_path / "run")
    forger = stage.train_captions(settings, run, progress=False)
    loaded = load_captioner(open_run(run.path))
    layers = [*loaded.matcher._flatten_layers(), *loaded.captioner._flatten_layers()]
    assert {layer.dtype_policy.name for layer in layers} == {"float32"}
    images = RANDOM.integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    here, there = (
        f.caption(f.see(images), f.embed_pictures(images)) for f in (forger, loaded)
    )
    assert [[c for c, _ in x] for x in here] == [[c for c, _ in x] for x in there]
    odd = ["", "A", "word " * 500, "zzz qqq", "犬が走る", "\x07\x1b[31m", "<b>dog</b>"]
    vectors = loaded.embed_captions(odd)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    seen = loaded.embed_pictures(images)
    relevance = loaded.relevance(seen, vectors)
    hubs = hubness(vectors, loaded.memory.vectors)
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
        "matcher", keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    )
    path = run.models / "matcher.keras"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="matcher.keras is damaged, or was written"):
        run.load_network("matcher")


def test_a_run_without_captions_cannot_be_asked_for_any(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    with pytest.raises(UserError, match="no trained captions"):
        load_captioner(run)
