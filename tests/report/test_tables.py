"""The figures of the papers, and tables of the evaluation as text."""

import pytest
from rich.table import Table

from kerasgan.papers import A_CLAIMED, rates_from_cells
from kerasgan.report.tables import tables_to_text


def test_paper_a_claims_another_accuracy_than_its_cells_give():
    rates = rates_from_cells()
    assert rates["precision"] == pytest.approx(A_CLAIMED["precision"], abs=5e-3)
    assert rates["recall"] == pytest.approx(A_CLAIMED["recall"], abs=5e-3)
    assert rates["accuracy"] == pytest.approx(0.776, abs=5e-4)


def test_tables_are_below_each_other():
    tables = [Table("first"), Table("second")]
    tables[0].add_row("a")
    text = tables_to_text(tables)
    assert text.index("first") < text.index("a") < text.index("second")
    assert not text.endswith("\n")
