"""What the three trainings share: callbacks, checkpoints, devices."""

import keras as keras  # first: importing Keras imports modules of this package
