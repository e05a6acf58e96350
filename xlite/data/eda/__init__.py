"""Exploratory analysis of a data folder: figures, the design document's claims, the report."""

from xlite.data.eda.report import write_eda

__all__ = ["write_eda"]
