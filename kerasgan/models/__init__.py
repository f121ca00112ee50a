"""Networks. Importing this registers their layers with Keras, for loading."""

from kerasgan.models import captioner as captioner
from kerasgan.models import discriminator as discriminator
from kerasgan.models import generator as generator
from kerasgan.models import matcher as matcher
