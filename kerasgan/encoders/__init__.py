"""Networks from images and captions to features, pretrained or trained along."""

import keras as keras  # first: importing Keras imports modules of this package
