"""The form of a media code."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.sandbox.store.media import media_code


@given(st.binary(max_size=300), st.integers(0, 10**18))
def test_a_media_code_has_the_pims_form(name: bytes, tick: int) -> None:
    code = media_code(name, tick)
    head, _, safe = code[8:].partition("_")
    assert code[:8] == "/".join(head[:4]) + "/"
    assert len(head) == 40
    assert code == media_code(name, tick)
    if len(name) <= 100:
        assert len(safe) == len(name)
        assert media_code(name, tick + 1) != code
