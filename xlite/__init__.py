"""X-Lite: light chest X-ray students that give 14 findings and a map for each. Research software, never a diagnosis."""

__version__ = "0.1.0"
