"""The PIM's refusals: statuses and bodies (docs/pim-behaviour.md, "Refusals and their causes")."""

from __future__ import annotations

from typing import Any

SUFFIX = " Check the expected format on the API documentation."
"""The end of every refusal of a PATCH."""
DOCUMENTATION = "http://api.akeneo.com/api-reference.html#"


class ApiError(Exception):
    """A refusal with its JSON body: `{"code": .., "message": .., "errors"?: .., "_links"?: ..}`."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.more = more
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """What the answer holds."""
        return {"code": self.status, "message": self.message, **self.more}


class PropertyError(Exception):
    """A value that cannot be set; becomes a simple 422."""


def unprocessable(message: str) -> ApiError:
    """A simple 422, without `errors`."""
    return ApiError(422, message)


def documented(message: str, anchor: str) -> ApiError:
    """The 422 of PATCH endpoints, which name their documentation."""
    return ApiError(
        422,
        message + SUFFIX,
        _links={"documentation": {"href": DOCUMENTATION + anchor}},
    )


def violations(items: list[dict[str, Any]]) -> ApiError:
    """`Validation failed.` with its list; repeated items are dropped
    (docs/pim-behaviour.md, "Refusals and their causes")."""
    unique = [item for n, item in enumerate(items) if item not in items[:n]]
    return ApiError(422, "Validation failed.", errors=unique)


def crash() -> ApiError:
    """What an exception in the PIM becomes."""
    return ApiError(500, "Internal Server Error")
