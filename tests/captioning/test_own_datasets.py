"""Training on a `tf.data.Dataset` or arrays, without settings and runs."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.data.scenes import draw_scene
from kerasgan.training.tokenized_pairs import make_tokenized_dataset, tokenize_pairs

SIZE, LENGTH = 32, 10
SCENES = [draw_scene(index, size=SIZE, seed=0) for index in range(16)]
IMAGES = np.stack([scene.image for scene in SCENES])
CAPTIONS = [scene.captions[0] for scene in SCENES]
# Compiling takes longer than these trainings. The first tests compile.
EAGER = {"run_eagerly": True}
LISTS = [list(scene.captions[: 1 + index % 2]) for index, scene in enumerate(SCENES)]


@pytest.fixture(scope="module")
def vectorizer():
    return kerasgan.build_vectorizer(CAPTIONS, sequence_length=LENGTH)


@pytest.fixture
def image_encoder():
    return kerasgan.build_image_encoder("conv", image_size=SIZE, filters=(4, 4, 4))


def make_captioner(**arguments):
    return kerasgan.build_captioner(dim=8, noise_dim=4, **arguments)


def dataset(captions=CAPTIONS):
    return tf.data.Dataset.from_tensor_slices((IMAGES, captions)).batch(8)


def losses(history):
    values = [value for values in history.history.values() for value in values]
    assert values and np.isfinite(values).all()
    return history.history


def test_a_dual_encoder_trains_on_a_dataset(vectorizer, image_encoder, tmp_path):
    before = [weight.numpy() for weight in image_encoder.trainable_weights]
    dual_encoder = kerasgan.build_dual_encoder(
        image_encoder=image_encoder, vectorizer=vectorizer, joint_dim=4
    )
    dual_encoder.compile("adam")
    history = dual_encoder.fit(
        dataset(), epochs=2, validation_data=dataset(), verbose=0
    )
    assert set(losses(history)) == {"loss", "val_loss"}
    after = image_encoder.trainable_weights
    assert any((a != b.numpy()).any() for a, b in zip(before, after, strict=True))
    vectors = dual_encoder.embed_images(IMAGES)
    text_vectors = dual_encoder.embed_captions(["a red boat", ""])
    assert vectors.shape == (16, 8) and text_vectors.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(text_vectors, axis=1), 1, atol=1e-5)


def test_a_captioner_trains_on_a_dataset(vectorizer, image_encoder):
    captioner = make_captioner(image_encoder=image_encoder, vectorizer=vectorizer)
    captioner.compile("adam")
    assert set(losses(captioner.fit(dataset(), epochs=2, verbose=0))) == {"loss"}
    for decoding in ("greedy", "beam", "top-p"):
        captions = captioner.generate(IMAGES[:3], decoding=decoding)
        assert len(captions) == 3 and all(isinstance(text, str) for text in captions)
    assert captioner.generate(IMAGES[:3], decoding="beam", width=2)
    sampled = [captioner.generate(IMAGES, "top-p", seed=seed) for seed in (0, 0, 1)]
    assert sampled[0] == sampled[1] != sampled[2]
    with pytest.raises(ValueError, match="decoding must be one of"):
        captioner.generate(IMAGES, decoding="rerank")


def test_a_captioner_learns_to_tell_images_apart(vectorizer):
    images = np.zeros((16, SIZE, SIZE, 3), "uint8")
    images[::2] = 255
    captions = ["a white sheet" if index % 2 == 0 else "night" for index in range(16)]
    vectorizer = kerasgan.build_vectorizer(captions, sequence_length=LENGTH)
    image_encoder = kerasgan.build_image_encoder("conv", SIZE, filters=(4, 4, 4))
    captioner = make_captioner(image_encoder=image_encoder, vectorizer=vectorizer)
    captioner.compile(keras.optimizers.Adam(1e-2))
    captioner.fit(images, captions, batch_size=8, epochs=40, verbose=0)
    assert captioner.generate(images[:2], decoding="beam") == captions[:2]


def test_a_frozen_image_encoder_keeps_its_weights(vectorizer, image_encoder):
    image_encoder.trainable = False
    before = [weight.numpy() for weight in image_encoder.weights]
    captioner = make_captioner(image_encoder=image_encoder, vectorizer=vectorizer)
    captioner.compile("adam", **EAGER)
    captioner.fit(dataset(), verbose=0)
    for old, new in zip(before, image_encoder.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


@pytest.mark.parametrize("name", ["captioner", "dual_encoder"])
def test_arrays_and_several_captions_an_image(name, vectorizer, image_encoder):
    arguments = {"image_encoder": image_encoder, "vectorizer": vectorizer}
    if name == "captioner":
        model = make_captioner(**arguments)
    else:
        model = kerasgan.build_dual_encoder(joint_dim=4, augment=False, **arguments)
    model.compile("adam", **EAGER)
    padded = [[*texts, ""][:2] for texts in LISTS]
    pair = IMAGES, LISTS
    for arguments in (
        {"x": IMAGES[:8], "y": LISTS[:8], "batch_size": 4},
        {"x": pair, "batch_size": 16},
        {"x": {"image": IMAGES, "caption": np.array(padded)}, "batch_size": 16},
        {"x": dataset(padded), "validation_data": pair},
        {"x": dataset(tf.ragged.constant(LISTS))},
    ):
        losses(model.fit(**arguments, verbose=0))
    assert np.isfinite(model.evaluate(IMAGES, CAPTIONS, verbose=0))
    assert np.isfinite(model.evaluate(dataset(), verbose=0))


def test_models_without_an_image_encoder_take_features(vectorizer):
    features = np.random.default_rng(0).normal(size=(16, 2, 2, 3)).astype("float32")
    captioner = make_captioner(feature_shape=(2, 2, 3), vectorizer=vectorizer)
    captioner.compile("adam", **EAGER)
    losses(captioner.fit(features, CAPTIONS, verbose=0))
    token_ids = vectorizer(tf.constant(CAPTIONS)).numpy()
    arrays = {"features": features, "token_ids": token_ids[:, None]}
    losses(captioner.fit(arrays, verbose=0))
    assert len(captioner.generate(features)) == 16
    dual_encoder = kerasgan.build_dual_encoder(
        feature_dim=3, vectorizer=vectorizer, joint_dim=4
    )
    means = features.mean(axis=(1, 2))
    dual_encoder.adapt(means)
    dual_encoder.compile("adam", **EAGER)
    losses(dual_encoder.fit(means, CAPTIONS, verbose=0))
    assert dual_encoder.embed_images(means).shape == (16, 8)


def test_models_without_a_vectorizer_ask_for_one(image_encoder):
    captioner = make_captioner(
        image_encoder=image_encoder, vocabulary_size=9, start_id=2
    )
    captioner.compile("adam", **EAGER)
    with pytest.raises(ValueError, match="need a vectorizer"):
        captioner.fit(dataset())
    with pytest.raises(ValueError, match="generate needs a vectorizer"):
        captioner.generate(IMAGES)
    dual_encoder = kerasgan.build_dual_encoder(9, 5, image_encoder=image_encoder)
    with pytest.raises(ValueError, match="embed_captions needs a vectorizer"):
        dual_encoder.embed_captions(["a boat"])
    plain = keras.layers.TextVectorization(output_sequence_length=5)
    plain.adapt(["a boat"])
    with pytest.raises(ValueError, match="start token"):
        make_captioner(image_encoder=image_encoder, vectorizer=plain)


def test_rare_words_are_unknown_to_a_captioner_of_few_words(vectorizer, image_encoder):
    captioner = make_captioner(
        image_encoder=image_encoder, vectorizer=vectorizer, vocabulary_size=6
    )
    captioner.compile("adam", **EAGER)
    losses(captioner.fit(dataset(), verbose=0))
    words = set(vectorizer.get_vocabulary()[:6])
    assert {
        word for text in captioner.generate(IMAGES) for word in text.split()
    } <= words


def test_noise_is_drawn_where_a_batch_has_none(vectorizer):
    captioner = make_captioner(feature_shape=(2, 2, 3), vectorizer=vectorizer)
    inputs = {
        "features": np.ones((2, 2, 2, 3), "float32"),
        "token_ids": vectorizer(tf.constant(CAPTIONS[:2])),
    }
    outputs = [np.asarray(captioner(inputs)) for _ in range(2)]
    assert outputs[0].shape == (2, 1, LENGTH, 8)
    assert (outputs[0] != outputs[1]).any()


def test_missing_captions_are_zero(vectorizer):
    captions = [["a boat", ""], ["a dog", "a cat"]]
    pairs = tf.data.Dataset.from_tensors((IMAGES[:2], captions))
    batch = next(iter(tokenize_pairs(pairs, vectorizer)))
    token_ids = batch["token_ids"].numpy()
    assert token_ids.shape == (2, 2, LENGTH) and token_ids.dtype == np.int32
    assert not token_ids[0, 1].any() and token_ids[1, 1].any()
    single = tf.data.Dataset.from_tensors((IMAGES[:1], [""]))
    token_ids = next(iter(tokenize_pairs(single, vectorizer)))["token_ids"].numpy()
    assert token_ids[0, 0] and not token_ids[0, 1:].any()  # an empty caption


def test_arrays_without_strings_stay_as_they_are(vectorizer):
    arrays = {"features": np.zeros((2, 3)), "token_ids": np.zeros((2, 4), int)}
    assert make_tokenized_dataset(arrays, None, vectorizer) == (arrays, None)
    labels = np.zeros(16, int)
    assert make_tokenized_dataset(IMAGES, labels, vectorizer) == (IMAGES, labels)


def test_saved_models_load_in_a_fresh_process(vectorizer, image_encoder, tmp_path):
    captioner = make_captioner(image_encoder=image_encoder, vectorizer=vectorizer)
    dual_encoder = kerasgan.build_dual_encoder(
        image_encoder=keras.models.clone_model(image_encoder),
        vectorizer=vectorizer,
        joint_dim=4,
        augment=False,
    )
    for name, model in (("captioner", captioner), ("dual_encoder", dual_encoder)):
        model.compile("adam", **EAGER)
        model.fit(dataset(), verbose=0)
        model.save(tmp_path / f"{name}.keras")
    np.save(tmp_path / "images.npy", IMAGES)
    code = """
import keras, kerasgan, numpy as np
images = np.load("images.npy")
captioner = keras.saving.load_model("captioner.keras")
print("\\n".join(captioner.generate(images)))
dual_encoder = keras.saving.load_model("dual_encoder.keras")
vectors = dual_encoder.embed_images(images), dual_encoder.embed_captions(["a boat"])
np.savez("vectors.npz", *vectors)
dual_encoder.fit(images, ["a boat"] * len(images), verbose=0)  # goes on training
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    captions = captioner.generate(IMAGES)
    assert result.stdout == "\n".join([*captions, ""])
    with np.load(tmp_path / "vectors.npz") as loaded:
        vectors = dual_encoder.embed_images(IMAGES)
        np.testing.assert_allclose(loaded["arr_0"], vectors, atol=1e-5)
        vectors = dual_encoder.embed_captions(["a boat"])
        np.testing.assert_allclose(loaded["arr_1"], vectors, atol=1e-5)
