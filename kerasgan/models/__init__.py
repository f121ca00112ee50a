"""Networks. Importing this registers their layers with Keras, for loading."""

from kerasgan.models import captioner as captioner
from kerasgan.models import classifier as classifier
from kerasgan.models import discriminator as discriminator
from kerasgan.models import generator as generator
from kerasgan.models import matcher as matcher
from kerasgan.models import ngrams as ngrams
