"""
Title: A classifier of images with text
Description: Paper B's network in Keras, and an ensemble as a scikit-learn estimator.
Time: about four minutes on two cores.
"""

"""
## The data

Images, one text for each, and labels. The guide draws scenes whose class is the animal;
one image in five hides it, and some captions do not name it.
"""

import keras
import numpy as np
import tensorflow as tf
from sklearn.model_selection import cross_val_score

import kerasgan
from kerasgan.classification.pair_inputs import image_text_pairs
from kerasgan.data.scenes import draw_scene

NUM_PAIRS = 600
IMAGE_SIZE = 64
EPOCHS = 10

scenes = [draw_scene(index, size=IMAGE_SIZE, seed=0) for index in range(NUM_PAIRS)]
images = np.stack([scene.image for scene in scenes])
texts = [scene.captions[0] for scene in scenes]
labels = np.array([scene.label for scene in scenes])
num_train = int(0.8 * NUM_PAIRS)

"""
## Paper B's network

An image branch of convolutions and pooling, a text branch with LSTM and attention, both
concatenated under one dense layer: a functional model.
"""

vectorizer = kerasgan.build_vectorizer(texts[:num_train], vocabulary_size=1000)
token_ids = np.asarray(vectorizer(np.array(texts)), "int32")
classes, targets = np.unique(labels, return_inverse=True)
network = kerasgan.build_classifier(
    len(classes),
    kerasgan.build_conv_branch(IMAGE_SIZE),
    kerasgan.build_text_branch(
        vectorizer.vocabulary_size(), token_ids.shape[1], kind="lstm-attention"
    ),
)
network.compile(
    "adam",
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
    jit_compile=False,
)
network.fit(
    {"image": images[:num_train], "token_ids": token_ids[:num_train]},
    targets[:num_train],
    batch_size=32,
    epochs=EPOCHS,
    validation_data=(
        {"image": images[num_train:], "token_ids": token_ids[num_train:]},
        targets[num_train:],
    ),
)

"""
## The ensemble

Members are trained separately, on the image, the text as a sequence and the words, and
are weighted by out-of-fold predictions. It is an estimator like those of scikit-learn.
"""

classifier = kerasgan.PairClassifier(epochs=EPOCHS, random_state=0)
classifier.fit(images[:num_train], texts[:num_train], labels[:num_train])
print(classifier.score(images[num_train:], texts[num_train:], labels[num_train:]))
probabilities = classifier.predict_proba(images[num_train:], texts[num_train:])
assert probabilities.shape == (NUM_PAIRS - num_train, len(classes))

"""
A missing text, or a missing image, is no problem: the other one is used.
"""

print(classifier.predict(images[num_train : num_train + 3], None))
print(classifier.predict(None, texts[num_train : num_train + 3]))

"""
`cross_val_score` and the other tools of scikit-learn take pairs as one object.
"""

pairs = image_text_pairs(images[:num_train], texts[:num_train])
words = kerasgan.PairClassifier(members=["words"], random_state=0)
print(cross_val_score(words, pairs, labels[:num_train], cv=3))

"""
## Saving

A trained classifier can be pickled. `save` writes its model as a `.keras` file, which
needs Keras and kerasgan: `import kerasgan` before `keras.saving.load_model`, because
that registers the layers. The file does not contain the names of the classes; keep
`classes_`, which has them in the order of the model's output.
"""

classifier.save("classifier.keras")
np.save("classes.npy", classifier.classes_)

"""
The inputs are images in the size of the training, whether there is an image, and texts.
Keras rejects NumPy arrays of `str`: pass `tf.constant(texts)`.
"""

model = keras.saving.load_model("classifier.keras")
class_names = np.load("classes.npy")
loaded = model.predict(
    {
        "image": images[num_train:],
        "has_image": np.ones(NUM_PAIRS - num_train, bool),
        "text": tf.constant(texts[num_train:]),
    }
)
np.testing.assert_allclose(loaded, probabilities, atol=1e-5)
print(class_names[loaded[:3].argmax(axis=1)])
