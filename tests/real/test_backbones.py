"""EfficientNet-Lite0 sees dogs where everybody who described the image saw one."""

import csv
import io
import re
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasgan.encoders import efficientnet_lite

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "flickr30k.tar"
DOGS = (151, 268)  # ImageNet's breeds, Chihuahua to Mexican hairless
COUNT = 60  # images


def images_of_dogs(source):
    """uint8 images `(COUNT, 224, 224, 3)` whose five captions all name a dog."""
    with tarfile.open(source) as archive:
        members = {Path(member.name).name: member for member in archive}
        table = io.TextIOWrapper(archive.extractfile(members["results.csv"]), "utf-8")
        captions = defaultdict(list)
        for row in csv.reader(table, delimiter="|", quoting=csv.QUOTE_NONE):
            captions[row[0]].append(row[-1].lower())
        names = [
            name
            for name, texts in captions.items()
            if len(texts) == 5 and all(re.search(r"\bdogs?\b", text) for text in texts)
        ]
        images = []
        for name in names[:COUNT]:
            image = Image.open(archive.extractfile(members[name])).convert("RGB")
            images.append(np.asarray(image.resize((224, 224), Image.BICUBIC)))
    return np.stack(images)


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not there")
@pytest.mark.parametrize("name", efficientnet_lite.VARIANTS)
def test_images_of_dogs_are_dogs(name, tmp_path):
    model = efficientnet_lite.efficientnet_lite(name, cache=tmp_path)
    images = images_of_dogs(SHARED)
    outputs = model.predict(images, batch_size=20, verbose=0)
    best = outputs["logits"].argmax(axis=1)
    assert len(images) == COUNT
    assert np.mean((best >= DOGS[0]) & (best <= DOGS[1])) >= 0.8
