"""What people say of captions: right, partly right or wrong."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score

from kerasgan.data.annotations import clean_text
from kerasgan.data.layouts.cells import cell_text
from kerasgan.data.layouts.table import open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import check_file
from kerasgan.evaluation.pair_protocol import confusion_counts
from kerasgan.evaluation.run_predictions import read_predictions
from kerasgan.files import write_json
from kerasgan.inference.prediction_writer import unescape_formula
from kerasgan.papers import A_THRESHOLD
from kerasgan.runs import Run

CAPTION_ROWS = ("reranked", "adversarial", "likelihood")  # the first one that exists
VERDICTS = ("wrong", "partly", "right")  # from bad to good
RIGHT = {"right": {"right"}, "right or partly": {"right", "partly"}}


def evaluate_verdicts(run: Run, files: Sequence[str | Path]) -> dict[str, Any]:
    """Compares people's verdicts with the TF-IDF cosine and with each other.

    Args:
        run: the run whose captions were reviewed.
        files: see `summarize_verdicts`. Without a column `row`, the captions are those
            of the captioner.

    Returns:
        The content of `results/verdicts.json`: what `summarize_verdicts` returns, and
        `tfidf`: for `"right"` and `"right or partly"` the `confusion_counts` of the
        TF-IDF cosine, with these images as the matched pairs, at paper A's threshold
        (`at_half`) and that of the validation images (`at_validated`).

    Raises:
        UserError: the captions have not been evaluated, or no verdict can be used.
    """
    predictions = {
        row: {clean_text(item["image_id"]): item for item in items}
        for row, items in read_predictions(run).items()
    }
    captions = {
        row: {image_id: item["caption"] for image_id, item in items.items()}
        for row, items in predictions.items()
    }
    default = next((row for row in CAPTION_ROWS if row in predictions), "")
    results, medians = summarize_verdicts(captions, default, files)
    items = predictions[results["row"]]
    scored = [image_id for image_id in medians if items[image_id]["matched"]]
    scores = np.array([float(items[image_id]["matched"]) for image_id in scored])
    threshold = float(next(iter(items.values()))["threshold"])
    results["tfidf"] = {
        title: _score_tfidf(scores, [medians[n] in good for n in scored], threshold)
        for title, good in RIGHT.items()
    }
    write_json(run.results / "verdicts.json", results)
    return results


def summarize_verdicts(
    captions: Mapping[str, Mapping[str, str]],
    default_row: str,
    files: Sequence[str | Path],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Counts people's verdicts on captions, and compares them with each other.

    Of several verdicts on an image the median counts, the worse one of the middle two.

    Args:
        captions: for each row of captions, the caption by image id, see `clean_text`.
        default_row: the row of files without a column `row`.
        files: tables as the page of `kerasgan review` makes them, with the columns
            `image_id` and `verdict`, and optionally `caption`, `correction`,
            `reviewer` (else the name of the file, or its path if several files have
            the same name) and `row`.

    Returns:
        A dict, and the median verdict by image id. The dict has

        - `row`, that of the captions;
        - `images`: number of images with a verdict, and `reviewers`: numbers of
          verdicts by reviewer;
        - `verdicts`: number of images by verdict;
        - `corrections`: number of captions with corrected words;
        - `agreement`: `cohen`, the kappa of each two reviewers, and `fleiss`, that of
          all reviewers on the images that all of them marked; None if it is undefined;
        - `left_out`, `examples` and `notes`.

    Raises:
        UserError: no verdict can be used.
    """
    report = ReadReport()
    marks, row, corrections = _read_verdicts(files, captions, default_row, report)
    by_image: dict[str, list[str]] = {}
    for verdicts in marks.values():
        for image_id, verdict in verdicts.items():
            by_image.setdefault(image_id, []).append(verdict)
    medians = {image_id: median_verdict(found) for image_id, found in by_image.items()}
    counts = Counter(medians.values())
    results = {
        "row": row,
        "images": len(medians),
        "reviewers": {name: len(verdicts) for name, verdicts in marks.items()},
        "verdicts": {verdict: counts[verdict] for verdict in reversed(VERDICTS)},
        "corrections": corrections,
        "agreement": _agreement(marks),
        "left_out": dict(report.skipped),
        "examples": report.examples,
        "notes": report.notes,
    }
    return results, medians


def median_verdict(verdicts: Sequence[str]) -> str:
    """Returns the median, the worse one of the middle two.

    Args:
        verdicts: at least one of `VERDICTS`.
    """
    ranks = sorted(VERDICTS.index(verdict) for verdict in verdicts)
    return VERDICTS[ranks[(len(ranks) - 1) // 2]]


def _score_tfidf(scores: np.ndarray, is_right: Sequence[bool], threshold: float):
    right = np.array(is_right, bool)
    return {
        name: confusion_counts(scores[right], scores[~right], value)
        for name, value in (("at_half", A_THRESHOLD), ("at_validated", threshold))
    }


def _read_verdicts(files, captions, default_row, report):
    """Returns verdicts by reviewer and image, their row, and how many corrections."""
    marks: dict[str, dict[str, str]] = {}
    found_row = None
    corrections = 0
    for file, file_reviewer in _reviewers_of_files(files):
        check_file(file)
        names, records = open_table(file, report)
        if not {"image_id", "verdict"} <= set(names):
            raise UserError(
                f"{file} has no columns image_id and verdict. Received:"
                f" {', '.join(map(repr, names))}."
            )
        for line, record in records:
            cells = {"image_id": "", "verdict": ""}  # a line of JSON may lack them
            cells |= {name: _unescape(value) for name, value in record.items()}
            row = cells.get("row") or found_row or default_row
            if row not in captions or row != (found_row or row):
                report.skip("verdict on another row", file, line, row)
                continue
            found_row = row
            reason = _reason_to_skip(cells, captions[row])
            reviewer = marks.setdefault(cells.get("reviewer") or file_reviewer, {})
            if reason is None and cells["image_id"] in reviewer:
                reason = "further verdict"
            if reason is not None:
                report.skip(reason, file, line, cells["image_id"])
                continue
            reviewer[cells["image_id"]] = cells["verdict"].lower()
            corrections += bool(cells.get("correction"))
    marks = {name: verdicts for name, verdicts in marks.items() if verdicts}
    if not marks:
        reasons = ", ".join(f"{n} × {why}" for why, n in report.skipped.items())
        raise UserError(f"No verdict can be used: {reasons or 'no rows'}.")
    return marks, found_row, corrections


def _reviewers_of_files(files):
    """Pairs each file with the name of its reviewer, if its rows have none."""
    paths = list(map(Path, files))
    counts = Counter(path.stem for path in set(paths))
    names = [str(path) if counts[path.stem] > 1 else path.stem for path in paths]
    return zip(paths, map(clean_text, names), strict=True)


def _reason_to_skip(cells: Mapping[str, str], captions: Mapping[str, str]):
    """Says why a verdict cannot be used; None if it can."""
    image_id = cells["image_id"]
    if image_id not in captions:
        return "verdict on an unknown image"
    if not cells["verdict"] and cells.get("correction"):
        return "correction without a verdict"
    if cells["verdict"].lower() not in VERDICTS:
        return "unknown verdict"
    if cells.get("caption") and cells["caption"] != clean_text(captions[image_id]):
        return "verdict on another caption"
    return None


def _unescape(value: object) -> str:
    return clean_text(unescape_formula(cell_text(value)))


def _agreement(marks: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    pairs = []
    for first, second in itertools.combinations(marks, 2):
        both = [name for name in marks[first] if name in marks[second]]
        kappa = cohen_kappa(
            [marks[first][name] for name in both],
            [marks[second][name] for name in both],
        )
        pair = {"reviewers": [first, second], "images": len(both), "kappa": kappa}
        pairs.append(pair)
    common = set.intersection(*(set(verdicts) for verdicts in marks.values()))
    counts = [
        [sum(v[name] == verdict for v in marks.values()) for verdict in VERDICTS]
        for name in sorted(common)
    ]
    return {"cohen": pairs, "fleiss": fleiss_kappa(counts), "images": len(common)}


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Computes Cohen's kappa of two reviewers.

    Args:
        first: verdicts of one reviewer, n.
        second: verdicts of the other one on the same images.

    Returns:
        A float in [-1, 1], 0 for the agreement of chance; None if there is no image or
        both always gave the same verdict, where kappa is undefined.
    """
    if len({*first, *second}) < 2:
        return None
    return float(cohen_kappa_score(first, second))


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> float | None:
    """Computes Fleiss' kappa (Fleiss 1971, https://doi.org/10.1037/h0031619).

    Args:
        counts: `(n, k)`, how many reviewers gave each of k verdicts on an image; the
            sum is the same for all images.

    Returns:
        A float of at most 1, 0 for the agreement of chance; None if it is undefined:
        without images, with a single reviewer, or if all verdicts are the same.
    """
    table = np.asarray(counts, np.float64)
    if not table.size or table[0].sum() < 2:
        return None
    reviewers = table[0].sum()
    shares = table.sum(axis=0) / table.sum()
    by_chance = float((shares**2).sum())
    if by_chance == 1:
        return None
    agreed = (table * (table - 1)).sum(axis=1) / (reviewers * (reviewers - 1))
    return float((agreed.mean() - by_chance) / (1 - by_chance))
