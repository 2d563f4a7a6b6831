"""Asset Manager and reference entities: where values name channels, and batches are JSON arrays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..answers import parse
from ..answers.entity_types import AssetFamily, Entity, MediaAttribute, PamAsset, ReferenceEntity
from ..answers.types import LineResult
from ..answers.value_errors import RequestContext
from .calls import JSON, Calls, batches, criteria, query, segment

T = TypeVar("T")


class EntityCalls(Calls):
    """Enterprise and cloud only: ask `routes` first. All raise Refusal, Trouble, AccessError, UsageError."""

    def asset_family(self, code: str) -> AssetFamily | None:
        """An asset family; None where there is none. Its code is compared with case
        (docs/pim-behaviour.md, "Assets and reference entities")."""
        return self.get_or_none(f"/asset-families/{segment(code)}", AssetFamily.read)

    def asset_families(self) -> list[AssetFamily]:
        """All asset families."""
        return [family for page in self.pages("/asset-families", AssetFamily.read) for family in page]

    def reference_entities(self) -> list[ReferenceEntity]:
        """All reference entities."""
        path = "/reference-entities"
        return [entity for page in self.pages(path, ReferenceEntity.read) for entity in page]

    def pam_asset(self, code: str) -> PamAsset | None:
        """An asset of the old PAM, PIM 2.x and 3.x; None where there is none
        (docs/pim-behaviour.md, "The old PAM")."""
        return self.get_or_none(f"/assets/{segment(code)}", PamAsset.read)

    def asset_attributes(self, family: str) -> list[MediaAttribute]:
        """The attributes of an asset family: 100 at most, in one answer."""
        return self.get(f"/asset-families/{segment(family)}/attributes", _attributes)

    def asset_options(self, family: str, attribute: str) -> list[str]:
        """The codes of an attribute's options: 100 at most, in one answer."""
        return self._options(f"/asset-families/{segment(family)}/attributes/{segment(attribute)}/options")

    def record_options(self, reference_entity: str, attribute: str) -> list[str]:
        """As `asset_options`, of a reference entity's attribute."""
        entity = segment(reference_entity)
        return self._options(f"/reference-entities/{entity}/attributes/{segment(attribute)}/options")

    def _options(self, path: str) -> list[str]:
        return self.get(path, lambda data: [_option(each) for each in parse.items(data, "options")])

    def get_asset(self, family: str, code: str) -> Entity | None:
        """One asset; None where there is none."""
        path = f"/asset-families/{segment(family)}/assets/{segment(code)}"
        return self.one(path, code, Entity.read, lambda codes: self.search_assets(family, codes), _code)

    def search_assets(self, family: str, codes: Sequence[str]) -> list[Entity]:
        """Those of the assets that the index knows, a hundred a call."""
        return self._by_code(f"/asset-families/{segment(family)}/assets", codes, Entity.read)

    def asset_page(self, family: str, at: str = "") -> tuple[list[Entity], str]:
        """A page of a family's assets, and `at` of the next page, "" after the last."""
        return self.page(at or f"/asset-families/{segment(family)}/assets", Entity.read)

    def patch_assets(self, family: str, lines: Sequence[Mapping[str, Any]]) -> list[LineResult]:
        """Make or change up to 100 assets; a result for each line, also for those the answer left out.

        A Refusal may mean that earlier lines were saved anyway (naming convention,
        docs/pim-behaviour.md, "Assets and reference entities"). Raises ValueError for more than 100 lines.
        """
        return self.patch_array(f"/asset-families/{segment(family)}/assets", lines)

    def reference_entity(self, code: str) -> ReferenceEntity | None:
        """A reference entity; None where there is none."""
        return self.get_or_none(f"/reference-entities/{segment(code)}", ReferenceEntity.read)

    def patch_reference_entity(self, code: str, image: str | None) -> None:
        """Set the reference entity's own image to an uploaded media file; None empties it."""
        body = json.dumps({"code": code, "image": image}).encode()
        path = f"/reference-entities/{segment(code)}"
        answer = self.call("PATCH", path, body=body, headers={"Content-Type": JSON})
        if answer.status not in (201, 204):
            raise self.refused(answer, RequestContext(code=code, entity=True))

    def record_attributes(self, reference_entity: str) -> list[MediaAttribute]:
        """The attributes of a reference entity's records."""
        return self.get(f"/reference-entities/{segment(reference_entity)}/attributes", _attributes)

    def get_record(self, reference_entity: str, code: str) -> Entity | None:
        """One record; None where there is none."""
        path = f"/reference-entities/{segment(reference_entity)}/records/{segment(code)}"
        return self.one(
            path, code, Entity.read, lambda codes: self.search_records(reference_entity, codes), _code
        )

    def search_records(self, reference_entity: str, codes: Sequence[str]) -> list[Entity]:
        """Those of the records that the index knows, a hundred a call."""
        return self._by_code(f"/reference-entities/{segment(reference_entity)}/records", codes, Entity.read)

    def patch_records(self, reference_entity: str, lines: Sequence[Mapping[str, Any]]) -> list[LineResult]:
        """As `patch_assets`, for records."""
        return self.patch_array(f"/reference-entities/{segment(reference_entity)}/records", lines)

    def _by_code(self, path: str, codes: Sequence[str], reader: Callable[[Any], T]) -> list[T]:
        def path_of(batch: list[str]) -> str:
            return path + query(search=criteria(code=("IN", batch)))

        return [
            item for each in batches(codes, path_of) for page in self.pages(each, reader) for item in page
        ]


def _code(entity: Entity) -> str | None:
    return entity.code


def _option(data: Any) -> str:
    return parse.text(parse.mapping(data, "option"), "code")


def _attributes(data: Any) -> list[MediaAttribute]:
    return [MediaAttribute.read(each) for each in parse.items(data, "attributes")]
