"""What a collection is to hold once assets are linked."""

from __future__ import annotations

from akeneo_media_cli.planning.linking import LinkMode, collection


def test_assets_are_put_behind_or_before_the_others_which_keep_their_order() -> None:
    assert collection(["z", "a"], ["n", "A", "m", "n"], LinkMode.APPEND) == ["z", "a", "n", "m"]
    assert collection(["z", "a"], ["n", "A", "m"], LinkMode.FIRST) == ["n", "m", "z", "a"]


def test_only_a_replacement_takes_assets_out_and_changes_the_order() -> None:
    assert collection(["z", "a"], ["n", "a", "n"], LinkMode.REPLACE) == ["n", "a"]
