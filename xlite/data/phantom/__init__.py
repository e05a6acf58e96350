"""Phantom films: chest radiographs drawn from anatomy, in the layout of NIH ChestX-ray14."""

from xlite.data.phantom.write import write_phantom

__all__ = ["write_phantom"]
