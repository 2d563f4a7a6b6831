"""The export job: a row for each media value that products and models hold themselves, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind, UsageError
from akeneo_media_cli.jobs.export import Export, ExportOptions
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.rows import Row, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, parse_faults, start_sandbox
from akeneo_media_cli.transfer.coordinator import Policy
from akeneo_media_cli.transfer.environment import Environment
from akeneo_media_cli.transfer.reads import ParallelReads

from ..e2e.conftest import catalogue
from .conftest import CONNECTIONS
from .desk import Desk, connection_to

UUID = "00000000-0000-4000-8000-000000000001"
HEAD = "product,product_model,uuid,attribute,locale,scope,file"


@pytest.fixture(scope="module")
def pim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A catalogue of more than one page, with values of every sort."""
    known = catalogue(105, connections=CONNECTIONS)
    known["products"].append({"uuid": UUID, "family": "shoes"})
    known["products"].append({"identifier": "bag", "family": None})
    folder: Path = tmp_path_factory.mktemp("filled")
    with start_sandbox(known, options=SandboxOptions(save_time=0)) as sandbox:
        desk = Desk(sandbox, folder)
        for name in ("a", "b", "model", "variant", "Étiquette a"):
            desk.file(name)
        manifest = desk.manifest(
            HEAD,
            "p-1,,,picture,,,a.jpg",
            "p-105,,,picture,,,b.jpg",
            "p-1,,,manual,en_US,ecommerce,a.jpg",
            "p-1,,,manual,fr_FR,ecommerce,b.jpg",
            "p-1,,,manual,en_US,mobile,model.jpg",
            "p-2,,,label,fr_FR,,Étiquette a.jpg",
            ",m-1,,picture,,,model.jpg",
            "v-1,,,shot,,,variant.jpg",
            f",,{UUID},picture,,,a.jpg",
            "bag,,,stray,,,b.jpg",
        )
        done = desk.upload(manifest)
        desk.close()
        assert done.statuses() == {"uploaded": 10}, done.kinds()
        yield sandbox


class Exported:
    """What an export with these options gives."""

    def __init__(self, pim: RunningSandbox, user: str = "main", **options: Any) -> None:
        self.notes: list[str] = []
        reads = ParallelReads(Policy(2, 0), Silent(), Environment())
        with PimClient(connection_to(pim, pim.connections[user])) as client:
            walk = Export(
                ExportOptions(**options), client, reads, lambda message, _: self.notes.append(message)
            )
            self.rows: list[Row] = list(walk.rows())
        self.counted = walk.counted

    @property
    def files(self) -> set[str]:
        return {row.file.removeprefix("media/") for row in self.rows}


def test_each_value_is_a_row_of_whoever_holds_it_itself(pim: RunningSandbox) -> None:
    found = Exported(pim)
    assert found.files == {
        "p-1/picture/a.jpg",
        "p-105/picture/b.jpg",
        "p-1/manual-en_US-ecommerce/a.jpg",
        "p-1/manual-fr_FR-ecommerce/b.jpg",
        "p-1/manual-en_US-mobile/model.jpg",
        "p-2/label-fr_FR/Étiquette a.jpg",
        "models/m-1/picture/model.jpg",
        "v-1/shot/variant.jpg",
        "bag/stray/b.jpg",
    }, "a variant does not give its model's picture"
    assert (found.counted.values, found.counted.entities, found.counted.left_out) == (9, 6, 1)
    (manual,) = [row for row in found.rows if row.scope == "mobile"]
    assert (manual.attribute, manual.locale, manual.target and manual.target.code) == (
        "manual",
        "en_US",
        "p-1",
    )
    assert found.rows[0].target is not None
    assert found.rows[0].target.type is TargetType.PRODUCT_MODEL


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ({"attributes": ["MANUAL"], "locales": ["FR_fr"]}, {"manual-fr_FR-ecommerce/b"}),
        ({"attributes": ["manual"], "scopes": ["mobile"]}, {"manual-en_US-mobile/model"}),
        ({"attributes": ["picture"], "locales": ["fr_FR"], "models": False}, {"picture/a", "picture/b"}),
        ({"products": False}, {"picture/model"}),
        ({"models": False, "attributes": ["shot", "picture"]}, {"picture/a", "picture/b", "shot/variant"}),
        ({"attributes": ["stray"], "families": ["shoes"]}, set()),
        ({"attributes": ["stray"]}, {"stray/b"}),
    ],
)  # fmt: skip
def test_what_is_asked_for(pim: RunningSandbox, options: dict[str, Any], files: set[str]) -> None:
    found = Exported(pim, **options)
    assert {
        file.removesuffix(".jpg").split("/", 1 + file.startswith("models/"))[-1] for file in found.files
    } == files


def test_products_by_uuid_are_all_there(pim: RunningSandbox) -> None:
    found = Exported(pim, by_uuid=True, models=False, attributes=["picture"])
    targets = [row.target for row in found.rows if row.target is not None]
    assert {target.type for target in targets} == {TargetType.PRODUCT_UUID}
    assert UUID in {target.code for target in targets}
    assert (len(targets), found.counted.left_out) == (3, 0)


def test_names_are_asked_for_or_taken_from_the_codes(pim: RunningSandbox) -> None:
    def calls() -> int:
        return sum(pim.stats()["calls"].get("GET /media-files/{code}", {}).values())

    before = calls()
    found = Exported(pim, attributes=["label"], names=False)
    assert found.files == {"p-2/label-fr_FR/__tiquette_a.jpg"}
    assert calls() == before
    Exported(pim, attributes=["label"])
    assert calls() == before + 1


def test_a_media_file_that_the_pim_does_not_tell_of_is_named_by_its_code(pim: RunningSandbox) -> None:
    pim.store.options.faults = parse_faults(["403-html=1@media-files/"])
    try:
        found = Exported(pim, attributes=["label"])
    finally:
        pim.store.options.faults = parse_faults([])
    assert found.files == {"p-2/label-fr_FR/__tiquette_a.jpg"}
    (note,) = found.notes
    assert "does not describe the media file" in note


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"attributes": ["pictur"]}, "pictur"),
        ({"attributes": ["name"]}, "not an image or a file"),
        ({"families": ["boots"]}, "boots"),
    ],
)
def test_what_does_not_exist_is_wrong_usage_before_any_row(
    pim: RunningSandbox, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Exported(pim, **options)


def test_a_catalogue_without_media_attributes_has_nothing_to_export() -> None:
    with (
        start_sandbox({"attributes": [{"code": "sku", "type": "pim_catalog_identifier"}]}) as sandbox,
        pytest.raises(UsageError, match="no image or file attribute"),
    ):
        Exported(sandbox)


def test_who_may_not_read_products_gets_no_manifest(pim: RunningSandbox) -> None:
    with pytest.raises(AccessError) as raised:
        Exported(pim, "sightless")
    assert raised.value.kind is Kind.FORBIDDEN


def test_columns_are_those_that_rows_may_fill() -> None:
    place = ("attribute", "locale", "scope", "file", "filename")
    assert ExportOptions().columns == ("product", "product_model", *place)
    assert ExportOptions(models=False, by_uuid=True).columns == ("product_uuid", *place)
    assert ExportOptions(products=False).columns == ("product_model", *place)
