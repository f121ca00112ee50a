"""EfficientNet-Lite0 sees dogs where everybody who described the picture saw one."""

import re

import numpy as np
import pytest

from kerasgan.models import backbones

DOGS = range(151, 269)  # ImageNet's breeds, Chihuahua to Mexican hairless
