"""X-Lite: light chest X-ray students, 14 findings and a map for each. Research, never a diagnosis."""

__version__ = "0.1.0"
