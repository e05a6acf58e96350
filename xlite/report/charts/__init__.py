"""Plotly figures of a report, for dark pages and for white paper: the palette makes the difference."""
