"""
Title: A GAN on your own images
Description: Train a generator on a folder of images, watch it, save it, and use it.
Time: about three minutes on two cores.
"""

"""
## Setup

The guide draws its own images, so that it runs anywhere. To use yours, set `FOLDER` to
a directory of image files and delete the loop that draws.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import kerasgan
from kerasgan.data.scenes import draw_scene

FOLDER = Path("guide-images")
NUM_IMAGES = 1000
IMAGE_SIZE = 32
EPOCHS = 20

captions = {}
FOLDER.mkdir(exist_ok=True)
for index in range(NUM_IMAGES):
    scene = draw_scene(index, size=IMAGE_SIZE, seed=0)
    path = FOLDER / f"{index:05d}.png"
    keras.utils.save_img(path, scene.image, scale=False)
    captions[str(path)] = scene.captions[0]

"""
## The data

Any `tf.data.Dataset` of batches of images works. Images have values in [0, 255]; the
model scales them itself.
"""

images = keras.utils.image_dataset_from_directory(
    FOLDER,
    labels=None,
    image_size=(IMAGE_SIZE, IMAGE_SIZE),
    batch_size=32,
    verbose=False,
)

"""
## The networks

`build_generator` and `build_discriminator` return Keras models. Use your own instead if
you like: any functional or sequential generator from noise `(n, latent_dim)` to images
in [-1, 1], and `kerasgan.Discriminator(image_branch)` around any functional model from
images to vectors, on which you call `build()`.

A discriminator on the features of a network that was trained on ImageNet learns from
fewer images. It needs a generator with batch normalization, and no R1 penalty:

```python
gan = kerasgan.GAN(
    kerasgan.build_generator(
        IMAGE_SIZE, min_filters=32, max_filters=256, architecture="gated"
    ),
    kerasgan.build_discriminator(IMAGE_SIZE, backbone="efficientnet-lite0"),
    loss="hinge",
    r1=0,
)
gan.compile(keras.optimizers.Adam(8e-4, 0), keras.optimizers.Adam(8e-4, 0))
```

For grayscale images pass `channels=1` to both, and `color_mode="grayscale"` to
`image_dataset_from_directory`.
"""

gan = kerasgan.GAN(
    kerasgan.build_generator(IMAGE_SIZE, latent_dim=64),
    kerasgan.build_discriminator(IMAGE_SIZE),
    loss="hinge",
    r1=1.0,
    augmentation=["color", "translation"],
)
gan.compile(keras.optimizers.Adam(8e-4, 0.5), keras.optimizers.Adam(8e-4, 0.5))

"""
## Training

`fit` is Keras's own. The callback saves a grid of generated images after each epoch,
always with the same noise; look at `guide-run/epoch-0001.png` and its successors.

`fit` logs the means over each epoch of:

- `g_loss`, `d_loss`: the losses of the generator G and of the discriminator D. They
  oppose each other, and a lower one does not mean better images.
- `value`: V(D, G), which D maximizes. It is near 0, its maximum, where D is right and
  certain, and -log 4 = -1.39 where D cannot tell generated images from real ones. With
  `loss="hinge"` and `"least-squares"` it is only a relative measure; with
  `"wasserstein-gp"` it is the estimated distance between real and generated images.
- `d_real`, `d_generated`: shares of the real and of the generated images that D
  classifies correctly. With `"wasserstein-gp"` they mean nothing.
- `d_mismatched`, only with captions: share of the real images with another image's
  caption that D rejects.

In a good run both networks make errors: in this one, `d_real` and `d_generated` stay
between 0.65 and 0.9. If both exceed 0.99 for several epochs, D wins and G learns
little: try augmentation, a larger `r1`, or more images. `kerasgan train-gan` warns
after three such epochs. With captions, `d_generated` alone may be near 1.0, because
`d_real` also counts whether D finds that image and caption match. No metric shows
whether the generated images are alike or beautiful: look at the grids.
"""

gan.fit(
    images,
    epochs=EPOCHS,
    callbacks=[
        kerasgan.callbacks.ImageGrid("guide-run", rows=4, columns=8),
        kerasgan.callbacks.StopOnNonFinite("GAN"),
    ],
)

"""
## Generating and saving

`generate` uses a moving average of the generator's weights, which draws better than the
last weights. A saved GAN can be trained further. `import kerasgan` before
`keras.saving.load_model`, because that registers the classes.
"""

generated = gan.generate(count=16, seed=1)
assert generated.shape == (16, IMAGE_SIZE, IMAGE_SIZE, 3)

gan.save("guide-run/gan.keras")
loaded = keras.saving.load_model("guide-run/gan.keras")
np.testing.assert_array_equal(loaded.generate(count=16, seed=1), generated)

"""
## With captions

To draw from captions, give both networks text, and `fit` pairs of images and strings.
"""

paths = list(captions)
vectorizer = kerasgan.build_vectorizer(list(captions.values()))
conditional = kerasgan.GAN(
    kerasgan.build_generator(IMAGE_SIZE, latent_dim=64, text_dim=64),
    kerasgan.build_discriminator(
        IMAGE_SIZE, vocabulary_size=vectorizer.vocabulary_size(), text_dim=64
    ),
    vectorizer,
)
conditional.compile(keras.optimizers.Adam(8e-4, 0.5), keras.optimizers.Adam(8e-4, 0.5))


def load(path, caption):
    image = tf.io.decode_png(tf.io.read_file(path), channels=3)
    return tf.ensure_shape(image, (IMAGE_SIZE, IMAGE_SIZE, 3)), caption


pairs = tf.data.Dataset.from_tensor_slices((paths, list(captions.values())))
pairs = pairs.map(load).cache().shuffle(1000).batch(32)
conditional.fit(pairs, epochs=EPOCHS)

drawn = conditional.generate(["a red boat on the beach", "a green turtle in the snow"])
keras.utils.save_img("guide-run/red-boat.png", drawn[0], scale=False)
