"""Tables of predictions and references."""

import csv
import json


def write_table(path, rows):
    """Writes dicts with the same keys as CSV, or as JSON lines."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
            return path
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path
