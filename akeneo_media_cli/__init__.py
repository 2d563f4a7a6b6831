"""Upload media files into Akeneo PIM from a manifest: streamed, scheduled, remembered."""

__version__ = "0.1.0"
