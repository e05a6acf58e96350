"""NIH ChestX-ray14 from its public links."""

from xlite.data.download.nih import download

__all__ = ["download"]
