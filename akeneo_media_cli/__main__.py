"""`python -m akeneo_media_cli`, and the console script's entry."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from .cli.app import run

    run()


if __name__ == "__main__":
    main()
