"""The sections of a report about what was asked, and how training went."""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from kerasgan.config.settings import Settings
from kerasgan.errors import UserError
from kerasgan.report.charts import training_charts
from kerasgan.report.pages import HtmlFigure, HtmlTable, Section, chart_uri, image_uri
from kerasgan.runs import Run

PLACES = {"data.data_dir", "data.source", "data.image_root", "data.labels"}  # of files
METRICS = {  # what they mean to a reader
    "d_loss": "loss of the discriminator",
    "g_loss": "loss of the generator",
    "value": "V(D, G), which the discriminator maximizes and the generator minimizes",
    "d_real": "share of real images that the discriminator classifies correctly",
    "d_generated": "share of generated images that it classifies correctly",
    "d_mismatched": "share of real images with a wrong caption that it rejects",
    "images_per_second": "speed of training",
    "diversity": "distance between generated images, over that between real ones",
    "kid": "distance of generated from real images (KID); the lowest epoch is kept",
    "recall (validation)": "recall at 10 in %, mean of both directions",
    "d_probability": "probability that the discriminator gives generated captions",
    "cider_reward": "CIDEr-D of generated captions, less that with other images",
    "likelihood_loss": "cross-entropy of human captions",
}
STAGES = {
    "dual_encoder": "the dual encoder",
    "likelihood": "the captioner, by likelihood",
    "adversarial": "the captioner, adversarially",
}


def read_result(run: Run, name: str) -> Any:
    """Reads a file in `results/`, or returns None if it does not exist.

    Args:
        run: the run.
        name: its file name without `.json`.

    Raises:
        UserError: the file is damaged.
    """
    path = f"results/{name}.json"
    return run.read(path) if (run.path / path).is_file() else None


def asked_section(run: Run) -> Section:
    """Describes the settings that differ from the defaults, the data and the device.

    Args:
        run: the run.
    """
    return Section(
        "What was asked",
        tables=[_data_table(run), _settings_table(run)],
        notes=[_software_note(run)],
    )


def changed_settings(run: Run) -> dict[str, tuple[Any, Any]]:
    """Returns the settings that differ from the defaults, with these.

    Args:
        run: the run.

    Returns:
        A dict that maps `section.key` to value and default. Folders of the machine are
        left out.
    """
    settings, defaults = run.settings.model_dump(), Settings().model_dump()
    return {
        f"{section}.{key}": (value, defaults[section][key])
        for section, keys in settings.items()
        for key, value in keys.items()
        if value != defaults[section][key] and f"{section}.{key}" not in PLACES
    }


def _settings_table(run):
    rows = [
        [name, json.dumps(value), json.dumps(default)]
        for name, (value, default) in changed_settings(run).items()
    ]
    rows += [
        [name, json.dumps(value), "chosen by data and machine"]
        for name, value in run.chosen.items()
    ]
    notes = [] if rows else ["All settings have their defaults."]
    columns = ["setting", "value", "default"]
    return HtmlTable(columns, rows, notes, text_columns=(1, 2))


def _data_table(run):
    if not (run.path / "data.json").is_file():
        return HtmlTable(["data"], [], ["The data have not been read."])
    data = run.data
    source = Path(data["source"]).name if data.get("source") else "drawn by kerasgan"
    skipped = [f"{count:,} × {why}" for why, count in data.get("skipped", {}).items()]
    sample, split = data.get("sample") or {}, data.get("split") or {}
    rows = [
        ["data set", f"{data['dataset']} ({source})"],
        ["images read", f"{data['images']:,}"],
        ["captions read", f"{data['captions']:,}"],
        ["images used", f"{data['train']:,} to train, {data['test']:,} to test"],
        ["sample", sample.get("formula") or f"{sample.get('size', 0):,} images"],
        ["split", ", ".join(f"{key} {value}" for key, value in split.items())],
        ["skipped", ", ".join(skipped) or "nothing"],
    ]
    if data.get("label_names"):
        rows.append(["classes", f"{len(data['label_names']):,}"])
    return HtmlTable(["data", ""], rows, text_columns=(1,))


def _software_note(run):
    options = run.read("options.json")
    versions = ", ".join(
        f"{name} {version}" for name, version in options.get("versions", {}).items()
    )
    device = options.get("device") or f"{run.settings.training.device} (as asked)"
    commit = options.get("git_commit")
    note = f"Device: {device}. {versions}"
    return f"{note}, commit {commit[:12]}." if commit else f"{note}."


def training_sections(run: Run, num_grids: int = 6) -> list[Section]:
    """Draws the metrics of each training, and the image grids over the epochs.

    Args:
        run: the run.
        num_grids: number of grids that are shown.

    Returns:
        A section for each stage that was trained.
    """
    sections = []
    gallery = _metric_charts(run.metrics)
    if gallery:
        last = run.metrics[-1]
        note = f"{last['epoch']:,} epochs in {last.get('seconds', 0):,.0f} s."
        title = "Training of the images stage"
        sections.append(Section(title, gallery=gallery, width="17rem", notes=[note]))
    gallery = _grids(run, num_grids)
    if gallery:
        section = Section("Generated images", gallery=gallery, width="26rem")
        sections.append(section)
    for stage, lines in _caption_metrics(run).items():
        gallery = _metric_charts(lines)
        if gallery:
            title = f"Training of {STAGES.get(stage, stage)}"
            sections.append(Section(title, gallery=gallery, width="17rem"))
    return sections


def _metric_charts(metrics):
    charts = training_charts(metrics)
    return [
        HtmlFigure(
            chart_uri(chart), title, [METRICS[title]] if title in METRICS else []
        )
        for title, chart in charts.items()
    ]


def _caption_metrics(run):
    path = run.path / "captions.jsonl"
    if not path.is_file():
        return {}
    stages: dict[str, list[dict]] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            metrics = json.loads(line)
            stages.setdefault(metrics["stage"], []).append(metrics)
        except (ValueError, TypeError, KeyError):
            continue  # the last line may be incomplete
    return stages


def last_grid(run: Run, title: str) -> list[HtmlFigure]:
    """Returns the image grid of the last epoch, if there is one.

    Args:
        run: the run.
        title: of the figure.
    """
    paths = sorted(run.images.glob("epoch-*.png"))
    epoch = f"epoch {_epoch(paths[-1])}" if paths else ""
    return [HtmlFigure(_grid_uri(path), title, [epoch]) for path in paths[-1:]]


def _epoch(path):
    return int(path.stem.partition("-")[2])


def _grids(run, num_grids):
    """The image grids of evenly spaced epochs; without captions also real images."""
    paths = sorted(run.images.glob("epoch-*.png"))
    if len(paths) > num_grids:
        steps = [
            round(n * (len(paths) - 1) / max(1, num_grids - 1))
            for n in range(num_grids)
        ]
        paths = [paths[step] for step in sorted({*steps, len(paths) - 1})]
    figures = [HtmlFigure(_grid_uri(path), f"epoch {_epoch(path)}") for path in paths]
    reals = run.images / "reals.png"
    if reals.is_file() and not (run.images / "captions.json").is_file():
        figures.append(HtmlFigure(_grid_uri(reals), "real images"))
    return figures


def _grid_uri(path):
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return image_uri(image)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} is damaged: {error}") from error
