"""Keras layers that Keras itself does not have, one public class a file."""

from kerasgan.layers.application_preprocessing import ApplicationPreprocessing
from kerasgan.layers.attention_pooling import AttentionPooling
from kerasgan.layers.contains_text import ContainsText
from kerasgan.layers.log_linear_ensemble import LogLinearEnsemble
from kerasgan.layers.modulation import Modulation
from kerasgan.layers.ngram_logits import NgramLogits
from kerasgan.layers.weighted_embedding_sum import WeightedEmbeddingSum

__all__ = [
    "ApplicationPreprocessing",
    "AttentionPooling",
    "ContainsText",
    "LogLinearEnsemble",
    "Modulation",
    "NgramLogits",
    "WeightedEmbeddingSum",
]
