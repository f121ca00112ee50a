"""Imports every module that registers a Keras object, so that saved models load.

`import kerasgan` does this as soon as Keras is imported as well, in either order.
"""

from kerasgan import layers as layers
from kerasgan.captioning import captioner as captioner
from kerasgan.captioning import dual_encoder as dual_encoder
from kerasgan.gan import discriminator as discriminator
from kerasgan.gan import gan as gan
from kerasgan.gan import vae as vae
from kerasgan.gan import vae_encoder as vae_encoder
from kerasgan.layers import text_vectorization as text_vectorization
