"""
Title: From a trained run to a served model
Description: Train a small run, export it as a SavedModel, and call it without kerasgan.
Time: about three minutes on two cores.
"""

"""
## A run

The commands `kerasgan train-gan`, `train-classifier` and their Python functions leave a
run directory. This one classifies images with text.
"""

import subprocess
import sys
from pathlib import Path

import tensorflow as tf

import kerasgan
from kerasgan.export.export_run import export_run
from kerasgan.runs import new_run

NUM_IMAGES = 600
EPOCHS = 10

settings = kerasgan.Settings(
    data=kerasgan.DataConfig(dataset="scenes", num_images=NUM_IMAGES),
    classifier=kerasgan.ClassifierConfig(epochs=EPOCHS, minutes=None),
)
run = new_run("train-classifier", settings, "guide-classifier")
kerasgan.train_classifier(settings, run)

"""
## Export

The export holds everything from files and strings to probabilities, and is compared
with the run in a process that cannot import kerasgan.
"""

export_run(run, "guide-export")
print(Path("guide-export/README.md").read_text(encoding="utf-8"))

"""
## Call it

Only TensorFlow is needed. The signature takes image files as bytes, and strings.
"""

code = """
import sys
import tensorflow as tf

model = tf.saved_model.load("guide-export")
image = tf.io.encode_png(tf.zeros((64, 64, 3), tf.uint8))
outputs = model.signatures["classify"](
    image_bytes=tf.stack([image]), text=tf.constant(["a red boat and a duck"])
)
print(outputs["class"].numpy(), outputs["probabilities"].numpy().round(2))
assert "kerasgan" not in sys.modules
"""
subprocess.run([sys.executable, "-c", code], check=True)

"""
## Serve it

TensorFlow Serving takes the same directory as a version of a model:

```
docker run -p 8501:8501 -v $PWD/guide-export:/models/pairs/1 -e MODEL_NAME=pairs \\
    tensorflow/serving
curl -d '{"signature_name": "classify", "inputs": {"image_bytes": [{"b64": "…"}],
    "text": ["a red boat and a duck"]}}' localhost:8501/v1/models/pairs:predict
```
"""

assert tf.saved_model.contains_saved_model("guide-export")
