"""EfficientNet-Lite0 sees dogs where everybody who described the picture saw one."""

import csv
import io
import re
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasgan.models import backbones

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "flickr30k.tar"
DOGS = (151, 268)  # ImageNet's breeds, Chihuahua to Mexican hairless
COUNT = 60  # pictures


def pictures_of_dogs(source):
    """uint8 pictures `(COUNT, 224, 224, 3)` whose five captions all name a dog."""
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
        pictures = []
        for name in names[:COUNT]:
            picture = Image.open(archive.extractfile(members[name])).convert("RGB")
            pictures.append(np.asarray(picture.resize((224, 224), Image.BICUBIC)))
    return np.stack(pictures)


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not there")
def test_pictures_of_dogs_are_dogs(tmp_path):
    pytest.importorskip(
        backbones.PACKAGE, reason="the extra kerasgan[backbone] is not installed"
    )
    model = backbones.efficientnet_lite0(cache=tmp_path)
    pictures = pictures_of_dogs(SHARED)
    outputs = model.predict(pictures, batch_size=20, verbose=0)
    best = outputs["logits"].argmax(axis=1)
    assert len(pictures) == COUNT
    assert np.mean((best >= DOGS[0]) & (best <= DOGS[1])) >= 0.8
