"""The sections of a report about classifiers: paper B's figure 6, and beyond it."""

from collections.abc import Mapping
from typing import Any

from kerasgan.papers import B_ACCURACY
from kerasgan.report.classification_report import (
    accuracy_chart,
    comparison_notes,
    confusion_chart,
    ece_text,
    reliability_chart,
)
from kerasgan.report.multi_label_tables import multi_label_table
from kerasgan.report.pages import HtmlFigure, HtmlTable, Section, chart_uri
from kerasgan.report.run_sections import read_result
from kerasgan.runs import Run


def classifier_sections(run: Run) -> list[Section]:
    """Shows the results of `compare_classifiers`.

    Args:
        run: the run.

    Returns:
        Sections; none if no classifier has been evaluated.
    """
    results = read_result(run, "classification")
    if not results:
        return []
    confusions, reliabilities = (
        [
            HtmlFigure(chart_uri(draw(results, row)), results["titles"][row])
            for row in results.get(key, {})  # none of several labels
            if row != "majority"
        ]
        for key, draw in (
            ("confusion", confusion_chart),
            ("reliability", reliability_chart),
        )
    )
    galleries = [
        Section("Confusion matrices", gallery=confusions, width="20rem"),
        Section(
            "Reliability: how often a prediction of each confidence is right",
            gallery=reliabilities,
            width="16rem",
        ),
    ]
    return [
        Section(
            "Paper B's figure 6: classifiers of image-text pairs",
            tables=[_comparison_table(results)],
            charts=[
                HtmlFigure(
                    chart_uri(accuracy_chart(results)),
                    "Accuracy of each classifier on training and test pairs",
                )
            ],
        ),
        *(section for section in galleries if section.gallery),
        *_class_section(results),
    ]


def _comparison_table(results: Mapping[str, Any]) -> HtmlTable:
    notes = [f"Number of splits: {results['seeds']}.", *comparison_notes(results)]
    if results.get("multi_label"):
        return HtmlTable(*multi_label_table(results), notes)
    rows = []
    for name, row in results["rows"].items():
        claim = B_ACCURACY.get(name, {})
        rows.append(
            [
                results["titles"][name],
                *(f"{claim[key]:.3f}" if claim else "" for key in ("train", "test")),
                f"{row['train_accuracy_mean']:.3f}",
                f"{row['accuracy_mean']:.3f}",
                f"{row['accuracy_sd']:.3f}" if row["seeds"] > 1 else "one split",
                f"{row['macro_f1_mean']:.3f}",
                ece_text(row),
                f"{row['seconds']:,.0f}",
            ]
        )
    columns = ["classifier", "the paper says: training", "the paper says: test"]
    columns += ["measured: training", "measured: test", "± sd", "macro F1", "ECE"]
    columns.append("seconds")
    notes.append(
        "The paper's test accuracy of .92595 is not a whole number of 1,000 test pairs,"
        " so it is not one plain accuracy over them."
    )
    return HtmlTable(columns, rows, notes)


def _class_section(results: Mapping[str, Any]) -> list[Section]:
    """Shows the figures of each class, of the last classifier."""
    name = list(results["rows"])[-1]
    rows = [
        [label, *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))]
        + [f"{row['pairs']:,}"]
        for label, row in results["classes"][name].items()
    ]
    title = f"Classes on the first split: {results['titles'][name]}"
    columns = ["class", "precision", "recall", "F1", "test pairs"]
    return [Section(title, tables=[HtmlTable(columns, rows)])]
