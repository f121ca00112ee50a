"""Imports every module that registers a Keras object, so that saved models load.

`import kerasgan` does this as soon as Keras is imported as well, in either order.
"""

from kerasgan.captioning import captioner as captioner
from kerasgan.captioning import dual_encoder as dual_encoder
from kerasgan.data import text as text
from kerasgan.gan import discriminator as discriminator
from kerasgan.layers import application_preprocessing as application_preprocessing
from kerasgan.layers import attention_pooling as attention_pooling
from kerasgan.layers import contains_text as contains_text
from kerasgan.layers import log_linear_ensemble as log_linear_ensemble
from kerasgan.layers import modulation as modulation
from kerasgan.layers import ngram_logits as ngram_logits
from kerasgan.layers import weighted_embedding_sum as weighted_embedding_sum
