"""The README.md of an export: each endpoint called from a few lines of Python."""

import json
from string import Template

from kerasgan.export.saved_model import outputs_of

NAMES = {
    "savedmodel": "a SavedModel",
    "keras": "Keras models",
    "litert": "LiteRT models",
    "onnx": "ONNX models",
}
HEAD = Template("""\
# $run as $name

Written by kerasgan $version (`kerasgan export`). $needs

$table

""")
NEEDS = {
    "savedmodel": "It needs TensorFlow alone: everything from files and words on is"
    " inside.",
    "keras": "The layers are kerasgan's: it must be installed to load them. The"
    " networks take arrays; `preprocessing.py` makes them.",
    "litert": "LiteRT has no pictures' decoders and no words: the models take arrays,"
    " which `preprocessing.py` makes (it needs numpy and Pillow).",
    "onnx": "ONNX has no pictures' decoders and no words: the models take arrays, which"
    " `preprocessing.py` makes (it needs numpy and Pillow).",
}
INPUTS = {
    "noise": "`noise` float32 `(n, {latent_dim})`, normal",
    "image_bytes": "`image_bytes` string `(n,)`, files",
    "captions": "`captions` string `(n,)`, UTF-8",
    "text": "`text` string `(n,)`, UTF-8",
    "picture": "`picture` uint8 `(n, {image_size}, {image_size}, 3)`",
    "token_ids": "`token_ids` int32 `(n, {caption_length})`",
}
# How each input is made in an example, and how it is written in a REST request.
MADE = {
    "noise": "tf.random.normal((1, {latent_dim}))",
    "image_bytes": 'tf.io.read_file("photograph.jpg")[None]',
    "captions": 'tf.constant(["two dogs on grass"])',
    "text": 'tf.constant(["black running shoe"])',
}
ARRAY = {
    "noise": 'np.random.default_rng(0).standard_normal((1, {latent_dim}), "float32")',
    "picture": 'preprocessing.picture(open("photograph.jpg", "rb").read(), "{stage}")'
    "[None]",
    "token_ids": 'preprocessing.token_ids(["two dogs on grass"], "{stage}")',
}
LOADED = {
    "litert": "import tensorflow as tf\n\n"
    'model = tf.lite.Interpreter("$file").get_signature_runner()\n'
    "answer = model(**inputs)",
    "onnx": "import onnxruntime\n\n"
    'model = onnxruntime.InferenceSession("$file")\n'
    "names = [output.name for output in model.get_outputs()]\n"
    "answer = dict(zip(names, model.run(names, inputs)))",
}
SERVED = Template("""\
## $name
$about

```python
import tensorflow as tf

model = tf.saved_model.load(".")
answer = model.signatures["$name"](
$given
)
print({name: values.numpy() for name, values in answer.items()})
```

    POST http://localhost:8501/v1/models/kerasgan:predict
    $request

""")
CONVERTED = Template("""\
## $name
$about

```python
import numpy as np
import preprocessing
$load
print(answer)
```

""")
KERAS = """\
```python
import keras
import kerasgan.data.text  # registers what reads strings
import kerasgan.models  # registers the layers

network = keras.saving.load_model("$file", compile=False)
network.summary()
```
"""
SERVING = """\
## TensorFlow Serving

    docker run -p 8501:8501 -e MODEL_NAME=kerasgan \\
        -v "$PWD:/models/kerasgan/1" tensorflow/serving

A file's bytes are sent as base64. Rows of one request that are no pictures come back
with `valid` false and do not spoil the others.

"""
TAIL = """\
## What is here

- vocabularies, and `labels.txt` where there are classes; in `assets/` of a SavedModel.
- `export.json`: endpoints, inputs and outputs, for programs.
- `check.npz`: examples with the run's own answers; `kerasgan export --check .`
  compares, where kerasgan is installed.
"""
LIMITS = """\
## Pictures

JPEG, PNG, GIF (the first frame) and BMP of at most 64 million pixels. What is none of
these, is truncated, or has more pixels has `valid` false; its other outputs are 0 or
empty. Batches whose inputs have different numbers of rows fail; empty batches give
empty answers.

"""


def readme_of(stages, manifest):
    """The text of README.md.

    Args:
        stages: a list of `Stage`.
        manifest: what `manifest_of` returns.
    """
    name = manifest["format"]
    head = HEAD.substitute(
        run=manifest["run"],
        name=NAMES[name],
        version=manifest["versions"]["kerasgan"],
        needs=NEEDS[name],
        table=_table(stages, manifest),
    )
    if name == "keras":
        file = manifest["endpoints"][0]["file"]
        return head + Template(KERAS).substitute(file=file) + "\n" + TAIL
    show = _served if name == "savedmodel" else _converted
    parts = [
        show(stage, endpoint, manifest)
        for stage in stages
        for endpoint in stage.endpoints
    ]
    if name == "savedmodel":
        parts += [SERVING, LIMITS]
    return head + "".join(parts) + TAIL


def _table(stages, manifest):
    name, lines = manifest["format"], ["| | takes | gives |", "|---|---|---|"]
    if name == "keras":
        for network in manifest["endpoints"]:
            given = ", ".join(f"`{key}`" for key in network["inputs"])
            lines.append(f"| `{network['file']}` | {given} | |")
        return "\n".join(lines)
    for stage in stages:
        sizes = manifest["stages"][stage.name]
        for endpoint in stage.endpoints:
            served = name == "savedmodel"
            inputs = endpoint.friendly_inputs if served else endpoint.inputs
            outputs = outputs_of(endpoint) if served else endpoint.array_outputs
            takes = "; ".join(INPUTS[given].format(**sizes) for given in inputs)
            gives = "; ".join(f"`{key}` {about}" for key, about in outputs.items())
            lines.append(f"| `{endpoint.name}` | {takes} | {gives} |")
    return "\n".join(lines)


def _served(stage, endpoint, manifest):
    sizes = manifest["stages"][stage.name]
    given = [
        f"    {name}={MADE[name].format(**sizes)}," for name in endpoint.friendly_inputs
    ]
    rows = {
        "noise": [["…", f"{stage.latent_dim} numbers", "…"]],
        "image_bytes": [{"b64": "…"}],
        "captions": ["two dogs on grass"],
        "text": ["black running shoe"],
    }
    request = {
        "signature_name": endpoint.name,
        "inputs": {name: rows[name] for name in endpoint.friendly_inputs},
    }
    return SERVED.substitute(
        name=endpoint.name,
        about=endpoint.about,
        given="\n".join(given),
        request=json.dumps(request, ensure_ascii=False),
    )


def _converted(stage, endpoint, manifest):
    sizes = manifest["stages"][stage.name] | {"stage": stage.name}
    (file,) = (
        listed["file"]
        for listed in manifest["endpoints"]
        if listed["name"] == endpoint.name
    )
    made = [f'    "{name}": {ARRAY[name].format(**sizes)},' for name in endpoint.inputs]
    load = Template(LOADED[manifest["format"]]).substitute(file=file)
    imported, _, rest = load.partition("\n\n")
    inputs = "\n".join(["inputs = {", *made, "}"])
    return CONVERTED.substitute(
        name=endpoint.name,
        about=endpoint.about,
        load=f"{imported}\n\n{inputs}\n{rest}",
    )
