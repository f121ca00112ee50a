"""Drawing: the generator, the discriminator, and how they are trained."""

import keras as keras  # first: importing Keras imports modules of this package
