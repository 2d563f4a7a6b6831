"""The calls that send a file."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from ...errors import Failure, Kind
from ...wording import size
from ..answers import parse, refusals, value_errors
from ..answers.types import Attribute, Created
from ..answers.value_errors import RequestContext
from ..errors import Trouble
from ..http.multipart import FileBody
from ..http.transport import SMALL, Answer
from .calls import API, Calls, pam_path

_CODE = re.compile(r"/api/rest/v1/(?:category-|asset-|reference-entities-)?media-files/(.+?)(?:/download)?/?")


class UploadCalls(Calls):
    """Each sends one `FileBody`, made for this call, and trusts only a 201 that names what was created.

    All raise Refusal, Trouble, SourceTrouble, AccessError, UsageError. `attribute` is what the catalogue
    says about the attribute, if known: it makes the kind of a refusal more precise.
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
        try:
            answer = self.call("POST", path, body=body, largest=SMALL)
        except Trouble as trouble:
            trouble.oversize = self._oversize(trouble, body)
            raise
        if answer.status == 201:
            self.history.body_passed(body.size)
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
        if 200 <= answer.status < 300 and (not answer.body or self.history.any_worked):
            raise self._unnamed(answer)
        raise self.refused(answer, sent, free=free)

    def _oversize(self, trouble: Trouble, body: FileBody) -> Failure | None:
        """Caddy and others answer 502, or cut the connection, where a body is over their limit."""
        cut = trouble.failure.http_status is None and trouble.failure.kind is Kind.CONNECTION
        largest = self.history.largest_passed(body.size)
        if largest is None or not (cut or trouble.failure.http_status == 502):
            return None
        return Failure(
            Kind.BODY_TOO_LARGE,
            f"something on the way stops a file of {size(body.size)}: {trouble.failure.message}",
            f"Files up to {size(largest)} got through. Raise the limit of the proxy in front of the PIM "
            "(in Caddy: max_size of request_body), or make the file smaller.",
            trouble.failure.http_status,
        )

    def _located(self, answer: Answer) -> Created:
        path = _path(answer)
        found = _CODE.fullmatch(path[path.find("/api/rest/v1/") :]) if "/api/rest/v1/" in path else None
        if found is None:
            raise self._unnamed(answer)
        return self._made(answer, Created(unquote(found.group(1)), path))

    def _made(self, answer: Answer, created: Created) -> Created:
        self.history.worked("POST", answer.path.removeprefix(API))
        return created

    def _named(self, answer: Answer, header: str) -> Created:
        code = answer.headers.get(header, "").strip()
        return self._made(answer, Created(code, _path(answer))) if code else self._located(answer)

    def _pam(self, path: str, asset: str, body: FileBody) -> Created:
        answer = self._sent(path, body, code=asset)
        location = _path(answer)
        if "/assets/" not in location:
            raise self._unnamed(answer)
        return self._made(answer, Created(asset, location, self._note(answer)))

    def _note(self, answer: Answer) -> str:
        """With its 201 the old PAM may say which variations it could not generate."""
        try:
            data: Any = parse.document(answer.body)
        except parse.Garbled:
            return ""
        return (
            self.transport.redact(value_errors.error_body({"code": 201, **data}).message)
            if isinstance(data, dict)
            else ""
        )

    def _unnamed(self, answer: Answer) -> Trouble:
        """For a success that does not name what was created: a look-up must find out."""
        if answer.body and not refusals.read(answer, self.transport.redact).json and answer.status != 201:
            return self._outage(answer)
        return Trouble(
            Failure(
                Kind.NOT_CREATED,
                f"the answer is {answer.status}, but does not name the media file",
                "Something on the way changes the PIM's answers: a proxy must pass status and headers on "
                "unchanged.",
                answer.status,
            ),
            maybe_done=True,
        )


def _path(answer: Answer) -> str:
    """The Location's path: its host can be wrong behind a proxy."""
    try:
        return urlsplit(answer.headers.get("Location", "")).path
    except ValueError:
        return ""


def _expect(body: FileBody, holder: str) -> None:
    if body.value is None or body.value.holder != holder:
        raise ValueError(f"the body is not made for a {holder}")
