"""The captions of an evaluated run, with their scores."""

import csv

from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import unescape_formula
from kerasgan.runs import Run

NUMBERS = ("matched", "mismatched", "threshold")  # empty without references
COLUMNS = {"row", "image_id", "caption", *NUMBERS}


def read_predictions(run: Run) -> dict[str, list[dict[str, str]]]:
    """Reads `results/predictions.csv`.

    Args:
        run: a run whose captions have been evaluated.

    Returns:
        For each row of the evaluation a list of dicts with the columns of the file.

    Raises:
        UserError: it does not exist or is damaged.
    """
    path = run.results / "predictions.csv"
    rows: dict[str, list[dict[str, str]]] = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = COLUMNS - set(reader.fieldnames or ())
            if missing:
                raise ValueError(f"columns are missing: {', '.join(sorted(missing))}")
            for row in reader:
                if None in row or None in row.values():
                    raise ValueError(
                        f"line {reader.line_num} has a cell too many or few"
                    )
                for name in NUMBERS:
                    float(row[name] or "nan")
                for name in ("image_id", "caption"):
                    row[name] = unescape_formula(row[name] or "")
                rows.setdefault(row["row"], []).append(row)
    except FileNotFoundError:
        raise UserError(
            f"{run.path} has no captions yet. Run: kerasgan evaluate {run.path}"
        ) from None
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} is damaged: {error}") from error
    return rows
