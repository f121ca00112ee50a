"""Medians, spread and ratios of a section."""

from typing import Any

import numpy as np

from benchmarks.rounds import Section

NAME_WIDTH = 44


def spread(values: list[float]) -> dict[str, Any]:
    """Returns the median and the quartiles of values.

    Args:
        values: one of each round.
    """
    lower, median, upper = np.percentile(values, (25, 50, 75))
    return {"median": float(median), "quartiles": [float(lower), float(upper)]}


def summarize(section: Section, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Summarizes the result of `run_section`.

    A ratio says how many times as fast our row is as another one, in the same round.

    Args:
        section: the section.
        rows: the result of `run_section`.

    Returns:
        A dict of `title`, `unit`, `rows`, with median and quartiles, and `ratios`:
        `{our row: {row: {"median": …, "quartiles": […]}}}`.
    """
    measured = {
        name: row
        for name, row in rows.items()
        if "failed" not in row and "values" in row
    }
    for row in measured.values():
        row |= spread(row["values"])
    ratios: dict[str, dict[str, Any]] = {}
    for contender in section.contenders:
        if contender.ours and contender.name in measured:
            ours = np.array(measured[contender.name]["values"])
            power = -1 if section.unit == "s" else 1
            ratios[contender.name] = {
                name: spread((ours / row["values"]) ** power)
                for name, row in measured.items()
                if name != contender.name
            }
    title, unit = section.title, section.unit
    return {"title": title, "unit": unit, "rows": rows, "ratios": ratios}


def format_section(summary: dict[str, Any]) -> str:
    """Formats the result of `summarize` as a table.

    Args:
        summary: the result of `summarize`.
    """
    ratios = summary["ratios"]
    columns = [f"[{number}]" for number in range(1, len(ratios) + 1)]
    heading = f"{'':{NAME_WIDTH}}{summary['unit']:>10}  {'quartiles':17}"
    lines = [summary["title"], heading + "".join(f"{name:>9}" for name in columns)]
    for name, row in summary["rows"].items():
        state = next((key for key in ("skipped", "failed") if key in row), None)
        if state:
            reason = row[state].splitlines()[-1]  # of a log
            lines.append(f"{name:{NAME_WIDTH}}{state}: {reason}")
            continue
        quartiles = " to ".join(map(format_value, row["quartiles"]))
        line = f"{name:{NAME_WIDTH}}{format_value(row['median']):>10}  {quartiles:17}"
        for others in ratios.values():
            line += f"{others[name]['median']:9.2f}" if name in others else f"{'':9}"
        lines.append(line.rstrip())
    for column, name in zip(columns, ratios, strict=True):
        lines.append(f"{column} how many times as fast as the row is {name}")
    return "\n".join(lines)


def format_value(value: float) -> str:
    """Formats a number with three digits at least.

    Args:
        value: positive.
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
