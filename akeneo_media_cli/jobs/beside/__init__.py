"""After the files of assets and records are in the PIM: their other values, and their links."""

from .step import BesideStep

__all__ = ["BesideStep"]
