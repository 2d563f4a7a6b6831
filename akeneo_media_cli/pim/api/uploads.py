"""The calls that send a file."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from ...errors import Failure, Kind
from ..answers import parse, value_errors
from ..answers.types import Attribute, Created
from ..answers.value_errors import RequestContext
from ..errors import Refusal
from ..http.multipart import FileBody
from ..http.transport import Answer
from .calls import Calls, pam_path

_CODE = re.compile(r"/api/rest/v1/(?:category-|asset-|reference-entities-)?media-files/(.+?)(?:/download)?/?")


class UploadCalls(Calls):
    """Each sends one `FileBody`, made for this call, and believes only a 201 that names what was made.

    All raise Refusal, Trouble, SourceTrouble, AccessError, UsageError. `attribute` is what the catalogue
    says of the attribute, where known: it sharpens the kind of a refusal.
    """

    def upload_product(self, body: FileBody, attribute: Attribute | None = None) -> Created:
        """A value of a product, by identifier (`body.value`). The value is saved when this returns."""
        return self._upload_value(body, "product", attribute)

    def upload_product_model(self, body: FileBody, attribute: Attribute | None = None) -> Created:
        """A value of a product model, by code (`body.value`)."""
        return self._upload_value(body, "product_model", attribute)

    def upload_category_media(self, body: FileBody) -> Created:
        """A value of an enriched category (`body.value`); cloud only
        (docs/pim-behaviour.md, "Enriched categories")."""
        _expect(body, "category")
        return self._located(self._sent("/category-media-files", body))

    def upload_asset_media(self, body: FileBody) -> Created:
        """A file for assets, attached to none yet: `patch_assets` does
        (docs/pim-behaviour.md, "Assets and reference entities")."""
        return self._named(self._sent("/asset-media-files", body), "Asset-media-file-code")

    def upload_record_media(self, body: FileBody) -> Created:
        """A file for records and reference entities, attached to none yet
        (docs/pim-behaviour.md, "Assets and reference entities")."""
        answer = self._sent("/reference-entities-media-files", body)
        return self._named(answer, "Reference-entities-media-file-code")

    def upload_pam_reference(self, asset: str, body: FileBody, locale: str | None = None) -> Created:
        """The reference file of an asset of the old PAM, PIM 2.x and 3.x
        (docs/pim-behaviour.md, "The old PAM")."""
        return self._pam(pam_path(asset, None, locale), asset, body)

    def upload_pam_variation(
        self, asset: str, scope: str, body: FileBody, locale: str | None = None
    ) -> Created:
        """The variation file of an asset of the old PAM for a channel
        (docs/pim-behaviour.md, "The old PAM")."""
        return self._pam(pam_path(asset, scope, locale), asset, body)

    def _upload_value(self, body: FileBody, holder: str, attribute: Attribute | None) -> Created:
        _expect(body, holder)
        return self._located(self._sent("/media-files", body, attribute, free=True))

    def _sent(
        self,
        path: str,
        body: FileBody,
        attribute: Attribute | None = None,
        *,
        free: bool = False,
        code: str = "",
    ) -> Answer:
        answer = self.call("POST", path, body=body)
        if answer.status == 201:
            return answer
        value = body.value
        sent = RequestContext(
            code=value.code if value else code,
            attributes=(value.attribute,) if value else (),
            locale=value.locale if value else None,
            scope=value.scope if value else None,
            filename=body.filename,
            size=body.size,
            attribute=attribute,
            entity=value is None,
        )
        raise self.refused(answer, sent, free=free)

    def _located(self, answer: Answer) -> Created:
        path = _path(answer)
        found = _CODE.fullmatch(path[path.find("/api/rest/v1/") :]) if "/api/rest/v1/" in path else None
        if found is None:
            raise self._unnamed(answer)
        return Created(unquote(found.group(1)), path)

    def _named(self, answer: Answer, header: str) -> Created:
        code = answer.headers.get(header, "").strip()
        return Created(code, _path(answer)) if code else self._located(answer)

    def _pam(self, path: str, asset: str, body: FileBody) -> Created:
        answer = self._sent(path, body, code=asset)
        location = _path(answer)
        if "/assets/" not in location:
            raise self._unnamed(answer)
        return Created(asset, location, self._note(answer))

    def _note(self, answer: Answer) -> str:
        """Beside the 201 the old PAM may say which variations it could not make."""
        try:
            data: Any = parse.document(answer.body)
        except parse.Garbled:
            return ""
        return (
            self.transport.redact(value_errors.error_body({"code": 201, **data}).message)
            if isinstance(data, dict)
            else ""
        )

    def _unnamed(self, answer: Answer) -> Refusal:
        return Refusal(
            Failure(
                Kind.NOT_CREATED,
                "the answer is 201, but names no media file",
                "Something between changes the PIM's answers: headers must come through a proxy unchanged.",
                answer.status,
            )
        )


def _path(answer: Answer) -> str:
    """The Location's path: its host can be wrong behind a proxy
    (docs/pim-behaviour.md, "Answers to an upload")."""
    try:
        return urlsplit(answer.headers.get("Location", "")).path
    except ValueError:
        return ""


def _expect(body: FileBody, holder: str) -> None:
    if body.value is None or body.value.holder != holder:
        raise ValueError(f"the body is not made for a {holder}")
