"""Writes the README.md of an export, with an example call of each endpoint."""

import json
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from kerasgan.export import readme_templates as templates
from kerasgan.export.endpoints import Endpoint, Stage


def build_readme(stages: Sequence[Stage], manifest: Mapping[str, Any]) -> str:
    """Builds the text of README.md.

    Args:
        stages: the stages that are exported.
        manifest: the result of `build_manifest`.

    Returns:
        Markdown.
    """
    format = manifest["format"]
    head = templates.HEAD.substitute(
        run=manifest["run"],
        format=templates.FORMAT_NAMES[format],
        version=manifest["versions"]["kerasgan"],
        requirements=templates.REQUIREMENTS[format],
        table=_table(stages, manifest),
        log_hint="" if format == "onnx" else templates.LOG_HINT,
    )
    if format == "keras":
        example = _keras_example(manifest["endpoints"][0])
        return "\n".join([head + example, templates.FILES])
    is_saved_model = format == "savedmodel"
    build_example = _signature_example if is_saved_model else _array_example
    sections = [
        build_example(stage, endpoint, manifest)
        for stage in stages
        for endpoint in stage.endpoints
    ]
    if is_saved_model:
        sections += [templates.TENSORFLOW_SERVING, templates.INVALID_IMAGES]
        if any(stage.accepts_missing for stage in stages):
            sections.append(templates.MISSING_INPUTS)
    return head + "".join(sections) + templates.FILES


def _table(stages, manifest):
    lines = ["| | inputs | outputs |", "|---|---|---|"]
    if manifest["format"] == "keras":
        lines += [_network_row(network) for network in manifest["endpoints"]]
        return "\n".join(lines)
    lines += [
        _endpoint_row(stage, endpoint, manifest)
        for stage in stages
        for endpoint in stage.endpoints
    ]
    return "\n".join(lines)


def _network_row(network):
    shapes = network["shapes"]
    inputs = "; ".join(f"`{name}` {shapes[name]}" for name in network["inputs"])
    outputs = "; ".join(shapes[name] for name in network["outputs"])
    return f"| `{network['file']}` | {inputs} | {outputs} |"


def _endpoint_row(stage: Stage, endpoint: Endpoint, manifest: Mapping[str, Any]) -> str:
    if manifest["format"] == "savedmodel":
        names = endpoint.serving_inputs
        descriptions = stage.serving_outputs(endpoint)
    else:
        names, descriptions = endpoint.inputs, endpoint.array_outputs
    sizes = manifest["stages"][stage.name]
    inputs = "; ".join(
        templates.INPUTS[name].format(**sizes) + _missing_value(stage, name)
        for name in names
    )
    outputs = "; ".join(f"`{name}` {text}" for name, text in descriptions.items())
    return f"| `{endpoint.name}` | {inputs} | {outputs} |"


def _missing_value(stage, name):
    value = templates.MISSING_VALUES.get(name) if stage.accepts_missing else None
    return f" (`{value}` if missing)" if value else ""


def _keras_example(network):
    """Calls a network with the examples of check.npz."""
    values = {name: f'examples["{key}"]' for name, key in network["inputs"].items()}
    items = [f'    "{name}": {value},' for name, value in values.items()]
    # Some networks take one array.
    inputs = values.get("inputs") or "\n".join(["{", *items, "}"])
    return templates.KERAS.substitute(file=network["file"], inputs=inputs)


def _signature_example(
    stage: Stage, endpoint: Endpoint, manifest: Mapping[str, Any]
) -> str:
    """Calls a signature of a SavedModel, in Python and over REST."""
    sizes = manifest["stages"][stage.name]
    arguments = [
        f"    {name}={templates.TENSORS[name].format(**sizes)},"
        for name in endpoint.serving_inputs
    ]
    values = {
        "noise": [["…", f"{stage.latent_dim} numbers", "…"]],
        "image_bytes": [{"b64": "…"}],
        "captions": ["two dogs on grass"],
        "text": ["black running shoe"],
    }
    request = {
        "signature_name": endpoint.name,
        "inputs": {name: values[name] for name in endpoint.serving_inputs},
    }
    first_output = next(iter(endpoint.outputs))
    return templates.SIGNATURE.substitute(
        name=endpoint.name,
        description=endpoint.description,
        arguments="\n".join(arguments),
        show=templates.SHOW_TENSORS.get(first_output, templates.PRINT_TENSORS),
        request=json.dumps(request, ensure_ascii=False),
    )


def _array_example(
    stage: Stage, endpoint: Endpoint, manifest: Mapping[str, Any]
) -> str:
    """Calls a LiteRT or ONNX model."""
    sizes = manifest["stages"][stage.name] | {"stage": stage.name}
    (file,) = (
        entry["file"]
        for entry in manifest["endpoints"]
        if entry["name"] == endpoint.name
    )
    items = [
        f'    "{name}": {templates.ARRAYS[name].format(**sizes)},'
        for name in endpoint.inputs
    ]
    inputs = "\n".join(["inputs = {", *items, "}"])
    call = Template(templates.CALLS[manifest["format"]]).substitute(file=file)
    imports, _, statements = call.partition("\n\n")
    first_output = next(iter(endpoint.outputs))
    return templates.MODEL.substitute(
        name=endpoint.name,
        description=endpoint.description,
        call=f"{imports}\n\n{inputs}\n{statements}",
        show=templates.SHOW_ARRAYS.get(first_output, templates.PRINT_ARRAYS),
    )
