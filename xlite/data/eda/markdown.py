"""Markdown tables, and shares as the reports write them."""

from collections.abc import Iterable, Sequence

import pandas as pd


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A Markdown table; the last `numbers` columns are aligned right."""
    rules = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rules, *rows))


def percent(share: float | None) -> str:
    """`12.34%` of a share 0-1, empty if it is NaN or None."""
    return "" if pd.isna(share) else f"{share:.2%}"


def of(number: int, total: int) -> str:
    """`12.34%` of a total, `none` if that is 0."""
    return f"{number / total:.2%}" if total else "none"
