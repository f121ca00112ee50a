"""`kerasgan evaluate` without a run: predictions and images of any system."""

from typing import Any

import click

from kerasgan.cli.options import import_tensorflow
from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import json_line

TABLE_COLUMNS = ("image_column", "caption_columns", "label_column")


def evaluate_other_system(as_json: bool, options: dict[str, Any]) -> None:
    """Evaluates `--predictions` or `--images` against `--references`, and prints.

    Args:
        as_json: whether one JSON object is printed instead of tables.
        options: `predictions`, `images`, `references`, `captions`, `dual_encoder`,
            `train_captions`, `threshold`, `multi_label`, `label_separators` and the
            columns of tables; None if they were not given.

    Raises:
        UserError: an option is missing, or a file cannot be evaluated.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if "predictions" in given and "images" in given:
        raise UserError("Name --predictions or --images, not both.")
    if "references" not in given or not {"predictions", "images"} & set(given):
        raise UserError(
            "Name a RUN, or --predictions FILE with --references FILE, or --images"
            " FOLDER with --references FOLDER."
        )
    if "predictions" in given:
        results, text = _evaluate_predictions(given)
    else:
        results, text = _evaluate_images(given)
    click.echo(json_line(results) if as_json else f"{text}\n", nl=False)


def _evaluate_predictions(given):
    import_tensorflow()
    from kerasgan.config.settings import DataConfig
    from kerasgan.evaluation.evaluate_files import evaluate_files
    from kerasgan.report.classification_report import scores_text
    from kerasgan.report.tables import evaluation_text, left_out_lines

    names = *TABLE_COLUMNS, "label_separators"
    update = {name: given[name] for name in names if name in given}
    if given.get("multi_label"):
        update["several_labels"] = "all"
    results = evaluate_files(
        given["predictions"],
        given["references"],
        train_captions=given.get("train_captions"),
        threshold=given.get("threshold"),
        config=DataConfig(dataset="table", **update),
    )
    if "similarity" not in results:
        return results, scores_text(results)
    return results, "\n".join([evaluation_text(results), *left_out_lines(results)])


def _evaluate_images(given):
    if ("captions" in given) != ("dual_encoder" in given):
        raise UserError("--captions and --dual-encoder need each other.")
    import_tensorflow()
    from kerasgan.evaluation.evaluate_folders import evaluate_folders
    from kerasgan.report.tables import evaluation_text, left_out_lines

    folders = given["images"], given["references"]
    dual_encoder = _load_dual_encoder(given) if "captions" in given else None
    results = evaluate_folders(*folders, progress=_print_step)
    lines, tables = left_out_lines(results), {"images": results}
    if dual_encoder:
        tables["agreement"] = _evaluate_agreement(*folders, *dual_encoder)
        lines += left_out_lines(tables["agreement"])
        results = results | {"agreement": tables["agreement"]}
    return results, "\n".join([evaluation_text(tables), *lines])


def _load_dual_encoder(given):
    """Returns the run of the dual encoder, its models, and the captions."""
    from kerasgan.captioning.pipeline import load_captioner
    from kerasgan.config.settings import DataConfig
    from kerasgan.data.read_report import ReadReport
    from kerasgan.evaluation.annotation_files import read_annotated_file
    from kerasgan.runs import open_run

    columns = {name: given[name] for name in TABLE_COLUMNS if name in given}
    config = DataConfig(dataset="table", **columns)
    captions = read_annotated_file(given["captions"], config, ReadReport())
    if not captions.columns.captions:
        raise UserError(
            f"{captions.path} has no captions. Name their column with --caption-column."
        )
    run = open_run(given["dual_encoder"])
    return run, load_captioner(run), captions


def _evaluate_agreement(images, references, run, pipeline, captions):
    from kerasgan.evaluation.evaluate_folders import evaluate_agreement

    results = evaluate_agreement(
        images, references, captions, pipeline, progress=_print_step
    )
    if (run.models / "generator.keras").is_file():
        results["notes"].append(
            f"{run.path} also generates images: it must not judge its own"
        )
    return {"run": str(run.path), **results}


def _print_step(line):
    click.echo(line, err=True)
