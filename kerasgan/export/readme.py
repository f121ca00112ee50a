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

The examples run in this directory.$quiet

""")
NEEDS = {
    "savedmodel": "It needs TensorFlow alone: everything from files and words on is"
    " inside.",
    "keras": "The layers are kerasgan's: it must be installed to load them. The"
    " networks take arrays; `preprocessing.py` makes them.",
    "litert": "LiteRT has no images' decoders and no words: the models take arrays,"
    " which `preprocessing.py` makes (it needs numpy and Pillow).",
    "onnx": "ONNX has no images' decoders and no words: the models take arrays, which"
    " `preprocessing.py` makes (it needs numpy and Pillow).",
}
QUIET = (
    " What TensorFlow writes to stderr as it starts is no error;"
    " `TF_CPP_MIN_LOG_LEVEL=2` in the environment silences some of it, `2>/dev/null`"
    " all."
)
INPUTS = {
    "noise": "`noise` float32 `(n, {latent_dim})`, normal",
    "image_bytes": "`image_bytes` string `(n,)`, files",
    "captions": "`captions` string `(n,)`, UTF-8",
    "text": "`text` string `(n,)`, UTF-8",
    "image": "`image` uint8 `(n, {image_size}, {image_size}, 3)`",
    "token_ids": "`token_ids` int32 `(n, {caption_length})`",
}
EMPTY = {"image_bytes": 'b""', "text": '""'}  # what stands for a missing one
# How each input is made in an example, two rows of it.
FILES = '["one.jpg", "two.jpg"]'
CAPTIONS = '["two dogs on grass", "a red boat"]'
MADE = {
    "noise": "tf.random.normal((2, {latent_dim}))",
    "image_bytes": f"tf.stack([tf.io.read_file(path) for path in {FILES}])",
    "captions": f"tf.constant({CAPTIONS})",
    "text": 'tf.constant(["black running shoe", "brown belt"])',
}
ARRAY = {
    "noise": 'np.random.default_rng(0).standard_normal((2, {latent_dim}), "float32")',
    "image": "np.stack(\n"
    '        [preprocessing.image(open(path, "rb").read(), "{stage}")\n'
    f"         for path in {FILES}]\n"
    "    )",
    "token_ids": f'preprocessing.token_ids({CAPTIONS}, "{{stage}}")',
}
# How an answer is looked at, by the name of what it is about.
PRINTED = "print({name: values.numpy() for name, values in answer.items()})"
SEEN = {"images": 'tf.io.write_file("1.png", tf.io.encode_png(answer["images"][0]))'}
ARRAYS_PRINTED = "print(answer)"
ARRAYS_SEEN = {
    "images": "from PIL import Image\n\n"
    'Image.fromarray(answer["images"][0].squeeze()).save("1.png")',
    "caption": "print(answer)\n"
    'print(preprocessing.caption(answer["token_ids"][0], "captions"))',
    "captions": "print(answer)\n"
    'print(preprocessing.caption(answer["token_ids"][0, 0], "captions"))',
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
$seen
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
$seen
```

""")
KERAS = """\
```python
import keras
import kerasgan.data.text  # registers what reads strings
import kerasgan  # registers the layers
import numpy as np

network = keras.saving.load_model("$file", compile=False)
network.summary()
examples = np.load("check.npz")
inputs = $inputs
print(network(inputs, training=False))
```
"""
SERVING = """\
## TensorFlow Serving

    docker run -p 8501:8501 -e MODEL_NAME=kerasgan \\
        -v "$PWD:/models/kerasgan/1" tensorflow/serving

A file's bytes are sent as base64; each list has an item a row. Rows of one request that
are no images come back with `valid` false and do not spoil the others.

"""
MISSING = """\
## What may be missing

`b""` stands for an image that is missing, `""` for a text; over REST `{"b64": ""}` and
`""`. The other side tells the class; without both, the classes' shares in training do.
A text without letters and digits is missing, too. Bytes that are no image are not a
missing one: `valid` is false.

"""
TAIL = """\
## What is here

- vocabularies: words that they lack are unknown, all alike; and `labels.txt` where
  there are classes. In `assets/` of a SavedModel.
- `export.json`: endpoints, inputs and outputs, for programs.
- `check.npz`: examples with the run's own answers; `kerasgan export --check .`
  compares, where kerasgan is installed.
"""
LIMITS = """\
## Images

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
        quiet="" if name == "onnx" else QUIET,
    )
    if name == "keras":
        return head + _called(manifest["endpoints"][0]) + "\n" + TAIL
    show = _served if name == "savedmodel" else _converted
    parts = [
        show(stage, endpoint, manifest)
        for stage in stages
        for endpoint in stage.endpoints
    ]
    if name == "savedmodel":
        missing = any(stage.accepts_missing for stage in stages)
        parts += [SERVING, LIMITS, MISSING * missing]
    return head + "".join(parts) + TAIL


def _table(stages, manifest):
    name, lines = manifest["format"], ["| | takes | gives |", "|---|---|---|"]
    if name == "keras":
        for network in manifest["endpoints"]:
            shapes = network["shapes"]
            given = "; ".join(f"`{key}` {shapes[key]}" for key in network["inputs"])
            gives = "; ".join(shapes[key] for key in network["outputs"])
            lines.append(f"| `{network['file']}` | {given} | {gives} |")
        return "\n".join(lines)
    for stage in stages:
        sizes = manifest["stages"][stage.name]
        for endpoint in stage.endpoints:
            served = name == "savedmodel"
            inputs = endpoint.friendly_inputs if served else endpoint.inputs
            outputs = outputs_of(stage, endpoint) if served else endpoint.array_outputs
            takes = "; ".join(
                INPUTS[given].format(**sizes) + _or_missing(stage, given)
                for given in inputs
            )
            gives = "; ".join(f"`{key}` {about}" for key, about in outputs.items())
            lines.append(f"| `{endpoint.name}` | {takes} | {gives} |")
    return "\n".join(lines)


def _or_missing(stage, given):
    empty = EMPTY.get(given) if stage.accepts_missing else None
    return f" (`{empty}` if missing)" if empty else ""


def _called(network):
    """A network of Keras's own format, on its examples."""
    given = {name: f'examples["{key}"]' for name, key in network["inputs"].items()}
    pairs = [f'    "{name}": {example},' for name, example in given.items()]
    # Some take one array.
    inputs = given.get("inputs") or "\n".join(["{", *pairs, "}"])
    return Template(KERAS).substitute(file=network["file"], inputs=inputs)


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
        seen=SEEN.get(next(iter(endpoint.outputs)), PRINTED),
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
        seen=ARRAYS_SEEN.get(next(iter(endpoint.outputs)), ARRAYS_PRINTED),
    )
