"""What PHP 8.2 and 8.4 said of files that real programs made: the emulation says the same of every one."""

from __future__ import annotations

import pytest

from akeneo_media_cli.content.fileinfo import mime_type
from akeneo_media_cli.content.pim_types import is_taken
from akeneo_media_cli.content.sample import Sample, TooFarError

from .conftest import Truth, truths


@pytest.mark.parametrize("truth", truths(), ids=lambda truth: f"{truth.path.name}-{truth.php}")
def test_type_and_verdict_are_php_s_and_the_pim_s(truth: Truth) -> None:
    with truth.path.open("rb") as file:
        found = mime_type(Sample.file(file, truth.path.stat().st_size), truth.php)
    assert found == truth.mime_type
    assert is_taken(truth.extension, found) is truth.taken


@pytest.mark.parametrize("truth", truths(), ids=lambda truth: f"{truth.path.name}-{truth.php}")
def test_the_beginning_alone_gives_the_same_type_or_says_that_it_is_not_enough(truth: Truth) -> None:
    data = truth.path.read_bytes()
    try:
        assert mime_type(Sample.beginning(data[:4096], len(data)), truth.php) == truth.mime_type
    except TooFarError:
        assert len(data) > 4096
