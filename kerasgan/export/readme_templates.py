"""Texts of the README.md of an export."""

from string import Template

FORMAT_NAMES = {
    "savedmodel": "a SavedModel",
    "keras": "Keras models",
    "litert": "LiteRT models",
    "onnx": "ONNX models",
}
HEAD = Template("""\
# $run as $format

Written by kerasgan $version (`kerasgan export`). $requirements

$table

Run the examples in this directory.$log_hint

""")
REQUIREMENTS = {
    "savedmodel": "It only needs TensorFlow. Preprocessing is part of the model, whose"
    " inputs are the bytes of image files and strings.",
    "keras": "Loading needs kerasgan, which has the layers. The networks take arrays,"
    " which `preprocessing.py` makes.",
    "litert": "LiteRT cannot decode images and has no strings. The models take arrays,"
    " which `preprocessing.py` makes; it needs numpy and Pillow.",
    "onnx": "ONNX cannot decode images and has no strings. The models take arrays,"
    " which `preprocessing.py` makes; it needs numpy and Pillow.",
}
LOG_HINT = (
    " TensorFlow logs messages to stderr when it starts, which are not errors. Set"
    " `TF_CPP_MIN_LOG_LEVEL=2` in the environment to hide some of them, or append"
    " `2>/dev/null` to hide all."
)

# The table of inputs and outputs -------------------------------------------------

INPUTS = {
    "noise": "`noise` float32 `(n, {latent_dim})`, from a normal distribution",
    "image_bytes": "`image_bytes` string `(n,)`, image files",
    "captions": "`captions` string `(n,)`, UTF-8",
    "text": "`text` string `(n,)`, UTF-8",
    "image": "`image` uint8 `(n, {image_size}, {image_size}, 3)`",
    "token_ids": "`token_ids` int32 `(n, {caption_length})`",
}
MISSING_VALUES = {"image_bytes": 'b""', "text": '""'}

# Values of the inputs in the examples, two rows each -----------------------------

EXAMPLE_FILES = '["one.jpg", "two.jpg"]'
EXAMPLE_CAPTIONS = '["two dogs on grass", "a red boat"]'
TENSORS = {
    "noise": "tf.random.normal((2, {latent_dim}))",
    "image_bytes": f"tf.stack([tf.io.read_file(path) for path in {EXAMPLE_FILES}])",
    "captions": f"tf.constant({EXAMPLE_CAPTIONS})",
    "text": 'tf.constant(["black running shoe", "brown belt"])',
}
ARRAYS = {
    "noise": 'np.random.default_rng(0).standard_normal((2, {latent_dim}), "float32")',
    "image": "np.stack(\n"
    '        [preprocessing.preprocess_image(open(path, "rb").read(), "{stage}")\n'
    f"         for path in {EXAMPLE_FILES}]\n"
    "    )",
    "token_ids": f'preprocessing.tokenize({EXAMPLE_CAPTIONS}, "{{stage}}")',
}

# How the examples show the outputs, by the name of the first output --------------

PRINT_TENSORS = "print({name: values.numpy() for name, values in outputs.items()})"
SHOW_TENSORS = {
    "images": 'tf.io.write_file("1.png", tf.io.encode_png(outputs["images"][0]))'
}
PRINT_ARRAYS = "print(outputs)"
SHOW_ARRAYS = {
    "images": "from PIL import Image\n\n"
    'Image.fromarray(outputs["images"][0].squeeze()).save("1.png")',
    "caption": "print(outputs)\n"
    'print(preprocessing.detokenize(outputs["token_ids"][0], "captions"))',
    "captions": "print(outputs)\n"
    'print(preprocessing.detokenize(outputs["token_ids"][0, 0], "captions"))',
}

# Sections ------------------------------------------------------------------------

SIGNATURE = Template("""\
## $name
$description

```python
import tensorflow as tf

model = tf.saved_model.load(".")
outputs = model.signatures["$name"](
$arguments
)
$show
```

    POST http://localhost:8501/v1/models/kerasgan:predict
    $request

""")
CALLS = {
    "litert": "import tensorflow as tf\n\n"
    'model = tf.lite.Interpreter("$file").get_signature_runner()\n'
    "outputs = model(**inputs)",
    "onnx": "import onnxruntime\n\n"
    'model = onnxruntime.InferenceSession("$file")\n'
    "names = [output.name for output in model.get_outputs()]\n"
    "outputs = dict(zip(names, model.run(names, inputs)))",
}
MODEL = Template("""\
## $name
$description

```python
import numpy as np
import preprocessing
$call
$show
```

""")
KERAS = Template("""\
```python
import keras
import kerasgan  # registers the layers
import numpy as np

network = keras.saving.load_model("$file", compile=False)
network.summary()
examples = np.load("check.npz")
inputs = $inputs
print(network(inputs, training=False))
```
""")
TENSORFLOW_SERVING = """\
## TensorFlow Serving

    docker run -p 8501:8501 -e MODEL_NAME=kerasgan \\
        -v "$PWD:/models/kerasgan/1" tensorflow/serving

The bytes of files are sent as base64. Each list has one item per row. A file that is
not an image does not affect the other rows of a request; its `valid` is false.

"""
INVALID_IMAGES = """\
## Images

JPEG, PNG, GIF (the first frame) and BMP with at most 64 million pixels are supported.
For other files, truncated files and larger images `valid` is false, and the other
outputs are 0 or empty. A batch fails if its inputs have different numbers of rows. The
outputs of an empty batch are empty.

"""
MISSING_INPUTS = """\
## Missing inputs

Use `b""` for a missing image and `""` for a missing text (over REST `{"b64": ""}` and
`""`). The class is then predicted from the other input. If both are missing, the
probabilities are the shares of the classes in the training data. A text without letters
and digits counts as missing. A file that is not an image does not count as missing: its
`valid` is false.

"""
FILES = """\
## Files

- `vocabulary-*.txt`: the vocabularies. Other words have the token id of unknown words.
  `labels.txt`: the classes, if there are any. Both are in `assets/` of a SavedModel.
- `export.json`: endpoints, inputs and outputs, for programs.
- `check.npz`: example inputs, and the outputs of the run. `kerasgan export --check .`
  compares them with the outputs of the exported models (it needs kerasgan).
"""
