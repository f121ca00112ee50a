"""Classification of images with text: paper B's network, and an ensemble."""

import keras as keras  # first: importing Keras imports modules of this package
