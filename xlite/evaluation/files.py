"""The files of a judgement's folder, by the names that other programs read. Imports nothing."""

METRICS_FILE = "metrics.json"
"""The report, as values."""

LABELS_FILE = "labels.csv"
"""What is known of each film: its labels and its patient."""

CURVES_FILE = "curves.json"
"""The curves of the report, as values."""
