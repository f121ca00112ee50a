"""How fast an exported captioner is, beside a loop of `model.predict`.

    python tools/measure_export.py RUN EXPORTED PICTURES

RUN is the run that EXPORTED was exported from, PICTURES a folder of JPEGs. Prints one
JSON object: pictures a second from files' bytes to captions, for batches of 64, for one
picture a call, and for the loop: `predict` for the eye and again for each word.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kerasgan  # isort: skip  (sets TensorFlow's environment)
import keras
import numpy as np
import tensorflow as tf

from kerasgan.data.pictures import decode, prepare, strict_pillow
from kerasgan.models.captioner import END

BATCH, ROUNDS, LOOPED = 64, 5, 4


def main(run, exported, pictures):
    names = sorted(Path(pictures).glob("*.jpg"))[:BATCH]
    files = [name.read_bytes() for name in names]
    caption = tf.saved_model.load(exported).signatures["caption"]
    forger = kerasgan.load_captioner(run)

    def together():
        return caption(image_bytes=tf.constant(files))["caption"].numpy()

    def one_by_one():
        return [
            caption(image_bytes=tf.constant([data]))["caption"].numpy()[0]
            for data in files
        ]

    looped = [text.encode() for text in by_predict(forger, files[:LOOPED])]
    assert looped == list(together()[:LOOPED]) == one_by_one()[:LOOPED]
    found = {
        "batch": len(files) / best(together),
        "one": len(files) / best(one_by_one),
        "predict": LOOPED / best(lambda: by_predict(forger, files[:LOOPED]), 2),
    }
    print(json.dumps({name: round(rate, 2) for name, rate in found.items()}))


def best(job, rounds=ROUNDS):
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def by_predict(forger, files):
    """What one writes without a loop in the graph."""
    captioner, captions = forger.captioner, []
    for data in files:
        with strict_pillow():
            data = prepare(data, forger.image_size, "crop")
            picture = np.asarray(decode(data)[0], "float32")
        grid = forger.eye.predict(picture[None], verbose=0)
        grid = grid.astype("float16").astype("float32")
        token_ids = np.zeros((1, 1, captioner.caption_length), "int32")
        token_ids[..., 0] = captioner.start_id
        noise = np.zeros((1, captioner.noise_dim), "float32")
        for word in range(captioner.caption_length - 1):
            inputs = {"grid": grid, "token_ids": token_ids, "noise": noise}
            joined = captioner.predict(inputs, verbose=0)[:, :, word]
            chances = keras.ops.convert_to_numpy(captioner.log_probabilities(joined))
            token_ids[..., word + 1] = chances.argmax(-1)
            if token_ids[0, 0, word + 1] == END:
                break
        captions.append(forger.spell(token_ids[0, 0, 1:]))
    return captions


if __name__ == "__main__":
    main(*sys.argv[1:])
