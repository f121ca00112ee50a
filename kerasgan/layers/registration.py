"""Registers Keras objects under the package's name, so that saved models load."""

import keras

register = keras.saving.register_keras_serializable(package="kerasgan")
