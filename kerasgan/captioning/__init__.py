"""Captioning and retrieval: dual encoder, captioner and reranking."""

import keras as keras  # first: importing Keras imports modules of this package
