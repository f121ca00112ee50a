"""`kerasgan report`: one page about a run, or about several beside each other."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kerasgan.errors import UserError
from kerasgan.report.caption_sections import caption_sections, image_section, main_row
from kerasgan.report.classifier_sections import classifier_sections
from kerasgan.report.pages import (
    Chapter,
    HtmlTable,
    Section,
    figures_text,
    render_page,
    save_page,
)
from kerasgan.report.run_sections import (
    asked_section,
    changed_settings,
    last_grid,
    read_result,
    training_sections,
)
from kerasgan.report.tables import CAPTION_METRICS, IMAGE_METRICS
from kerasgan.report.verdict_tables import verdict_sections
from kerasgan.runs import Run

REPORT = "report.html"
MAX_RUNS_WITH_ALL_GRIDS = 4
RATES = (
    ("precision", "precision", "{:.3f}"),
    ("recall", "recall", "{:.3f}"),
    ("accuracy", "accuracy", "{:.3f}"),
)


def save_report(runs: Sequence[Run], path: str | Path | None = None) -> Path:
    """Writes a self-contained HTML page about runs.

    Every figure is one of the files that the runs wrote: options.json, data.json,
    metrics.jsonl, captions.jsonl and results/.

    Args:
        runs: at least one run; several are also compared in tables.
        path: of the page; None: `report.html` in the first run.

    Returns:
        The path.

    Raises:
        UserError: a file of a run is damaged, or the page would be too large.
    """
    names = _distinct_names(runs)
    num_grids = 6 if len(runs) <= MAX_RUNS_WITH_ALL_GRIDS else 2
    chapters = [
        Chapter(name, _checked_sections(run, num_grids))
        for name, run in zip(names, runs, strict=True)
    ]
    title = f"Report: {names[0]}" if len(runs) == 1 else f"Report of {len(runs)} runs"
    if len(runs) > 1:
        chapters.insert(0, Chapter("Side by side", compare_runs(runs, names)))
    subtitle = "; ".join(
        f"{run.command} on {run.settings.data.dataset}, {_start_date(run)}"
        for run in runs
    )
    html = render_page("report.html", title=title, subtitle=subtitle, chapters=chapters)
    return save_page(html, Path(path) if path else runs[0].path / REPORT)


def _checked_sections(run, num_grids):
    try:
        return run_sections(run, num_grids)
    except UserError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise UserError(
            f"A file of {run.path} is damaged, or another version wrote it: {error!r}."
            " Repeat kerasgan evaluate."
        ) from error


def _start_date(run):
    """The day on which the options were written."""
    seconds = (run.path / "options.json").stat().st_mtime
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _distinct_names(runs):
    names = [run.path.name for run in runs]
    if len(set(names)) == len(names):
        return names
    return [f"{run.path.parent.name}/{run.path.name}" for run in runs]


def run_sections(run: Run, num_grids: int = 6) -> list[Section]:
    """Returns the sections about one run.

    Args:
        run: the run.
        num_grids: number of image grids that are shown.
    """
    return [
        asked_section(run),
        *training_sections(run, num_grids),
        *image_section(run),
        *caption_sections(run),
        *verdict_sections(run),
        *classifier_sections(run),
        Section("What was not run", notes=missing_results(run)),
    ]


def missing_results(run: Run) -> list[str]:
    """Says which results a run does not have, and which command makes them.

    Args:
        run: the run.
    """
    resume = f"kerasgan {run.command} --resume --run-dir RUN"
    if run.command == "train-classifier":
        missing = _missing_classifiers(read_result(run, "classification"), resume)
    else:
        missing = _missing_generators(run, resume)
    return missing or [f"Everything that {run.command} offers was run."]


def _missing_classifiers(results, resume):
    if not results:
        return [f"Any result, because the training did not finish: {resume}."]
    missing, is_compared = [], len(results["rows"]) >= 4
    if not is_compared:
        missing.append(f"The papers' classifiers, for comparison: {resume} --compare.")
    if results["seeds"] == 1:
        compare = " --compare" if is_compared else ""
        missing.append(f"Other splits of the data: {resume}{compare} --seeds 3.")
    return missing


def _missing_generators(run, resume):
    missing, evaluate = [], "kerasgan evaluate RUN"
    for stage, name in (("images", "generator"), ("captions", "captioner")):
        if not (run.models / f"{name}.keras").is_file():
            missing.append(f"The {stage} stage: {resume} --stage {stage}.")
    similarity = read_result(run, "similarity")
    if not similarity:
        missing.append(f"The evaluation of captions and retrieval: {evaluate}.")
    elif similarity["left_out"]:
        titles = [similarity["titles"][name] for name in similarity["left_out"]]
        missing.append(
            "Rows of the evaluation that the settings or the data do not have:"
            f" {'; '.join(titles)}."
        )
    if not read_result(run, "images"):
        missing.append(
            "The comparison of generated images with real ones, once both stages are"
            f" trained: {evaluate}."
        )
    if not read_result(run, "verdicts"):
        missing.append(
            "A review of the captions by people: kerasgan review RUN, and then"
            f" {evaluate} --verdicts FILE."
        )
    return missing


def compare_runs(runs: Sequence[Run], names: Sequence[str]) -> list[Section]:
    """Shows what was asked of several runs and what they reached, side by side.

    Args:
        runs: the runs.
        names: their names, which head the columns.
    """
    settings = [changed_settings(run) for run in runs]
    keys = dict.fromkeys(key for changed in settings for key in changed)
    defaults = {key: changed[key][1] for changed in settings for key in changed}
    rows = [
        [key, *(_setting(changed, key, defaults) for changed in settings)]
        for key in keys
    ]
    rows = [row for row in rows if len(set(row[1:])) > 1]
    columns = ["setting", *names]
    words = tuple(range(1, len(columns)))
    note = "The settings in which the runs differ." if rows else "Equal settings."
    results = [_main_results(run) for run in runs]
    titles = dict.fromkeys(title for result in results for title in result)
    figures = [[title, *(r.get(title, "") for r in results)] for title in titles]
    pairs = zip(runs, names, strict=True)
    grids = [grid for run, name in pairs for grid in last_grid(run, name)]
    sections = [
        Section("Settings", tables=[HtmlTable(columns, rows, [note], words)]),
        Section("Results", tables=[HtmlTable(["", *names], figures)]),
        Section("Generated images", gallery=grids, width="26rem"),
    ]
    return sections if grids else sections[:2]


def _setting(changed, key, defaults):
    return json.dumps(changed[key][0] if key in changed else defaults[key])


def _main_results(run: Run) -> dict[str, str]:
    """Returns the main figures of a run as texts, by title."""
    results: dict[str, str] = {"command": run.command}
    if (run.path / "data.json").is_file():
        results["training images"] = f"{run.data['train']:,}"
        results["test images"] = f"{run.data['test']:,}"
    metrics = run.metrics
    if metrics:
        results["epochs of the images stage"] = f"{metrics[-1]['epoch']:,}"
        results["seconds of the images stage"] = f"{metrics[-1].get('seconds', 0):,.0f}"
    images = read_result(run, "images")
    if images:
        results |= _titled("images: ", images["sets"]["generated"], IMAGE_METRICS)
    similarity = read_result(run, "similarity")
    if similarity and (name := main_row(similarity)):
        row = similarity["rows"][name]
        results["captions"] = similarity["titles"][name]
        results["captions: AUC"] = f"{row['auc']:.3f}"
        results |= _titled("captions: ", row["at_validated"], RATES)
        captions = (read_result(run, "captions") or {"rows": {}})["rows"]
        results |= _titled("captions: ", captions.get(name, {}), CAPTION_METRICS)
    retrieval = read_result(run, "retrieval")
    if retrieval:
        for key in ("image_to_text", "text_to_image"):
            recalls = (f"{retrieval[key][depth]:.1f}" for depth in ("r1", "r5", "r10"))
            title = f"R@1, 5, 10, {key.replace('_', ' ')}"
            results[title] = ", ".join(recalls)
    classification = read_result(run, "classification")
    for name, row in (classification or {"rows": {}})["rows"].items():
        title = f"accuracy: {classification['titles'][name]}"
        results[title] = f"{row['accuracy_mean']:.3f}"
    return results


def _titled(prefix: str, values: Mapping[str, Any], metrics) -> dict[str, str]:
    texts = figures_text(values, metrics)
    pairs = zip(metrics, texts, strict=True)
    return {prefix + title: text for (_, title, _), text in pairs}
