"""`python -m akeneo_media_cli`, and the console script's entry."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    try:
        from .cli.app import run
    except KeyboardInterrupt:
        # Reading the program takes a while too, and its traceback would say nothing.
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
