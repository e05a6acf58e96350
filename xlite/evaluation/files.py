"""The files of a judgement's folder, by the names that other programs read. Imports nothing."""

METRICS_FILE = "metrics.json"
"""The report, as values."""

PREDICTIONS_FILE = "predictions.csv"
"""What was said of each film."""
