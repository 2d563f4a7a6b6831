"""One tree of errors: each has a kind, a message and a hint.

`Kind` is the closed list behind `error.kind` in reports; `docs/errors.md` has a
cause and a fix for each, and a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum

from .exits import Exit
from .frozen import frozen


class Kind(StrEnum):
    """What went wrong, as scripts may test for it. Members may be added, never renamed."""

    # The row as written.
    ROW_MALFORMED = "row_malformed"
    TARGET_MISSING = "target_missing"
    TARGET_AMBIGUOUS = "target_ambiguous"
    CONFLICTING_ROWS = "conflicting_rows"
    # The file.
    FILE_MISSING = "file_missing"
    FILE_NOT_REGULAR = "file_not_regular"
    FILE_UNREADABLE = "file_unreadable"
    FILE_EMPTY = "file_empty"
    FILE_CHANGED = "file_changed"
    FILE_TOO_LARGE = "file_too_large"
    FILE_EXISTS = "file_exists"
    FILE_UNWRITABLE = "file_unwritable"
    OUTSIDE_ROOT = "outside_root"
    NAME_TOO_LONG = "name_too_long"
    EXTENSION_TOO_LONG = "extension_too_long"
    CONTENT_MISMATCH = "content_mismatch"
    CONTENT_REFUSED = "content_refused"
    PICTURE_TRUNCATED = "picture_truncated"
    PICTURE_BROKEN = "picture_broken"
    PICTURE_TOO_LARGE = "picture_too_large"
    CANNOT_FIT = "cannot_fit"
    LINK_REFUSED = "link_refused"
    SOURCE_TROUBLE = "source_trouble"
    # What the PIM's catalogue says of the row.
    ATTRIBUTE_UNKNOWN = "attribute_unknown"
    ATTRIBUTE_NOT_MEDIA = "attribute_not_media"
    ATTRIBUTE_UNREADABLE = "attribute_unreadable"
    ATTRIBUTE_WRONG_LEVEL = "attribute_wrong_level"
    ATTRIBUTE_NOT_IN_FAMILY = "attribute_not_in_family"
    ATTRIBUTE_NOT_COLLECTION = "attribute_not_collection"
    VALUE_INVALID = "value_invalid"
    NAMING_CONVENTION = "naming_convention"
    SCOPE_REQUIRED = "scope_required"
    SCOPE_UNEXPECTED = "scope_unexpected"
    LOCALE_REQUIRED = "locale_required"
    LOCALE_UNEXPECTED = "locale_unexpected"
    CHANNEL_UNKNOWN = "channel_unknown"
    LOCALE_UNKNOWN = "locale_unknown"
    LOCALE_NOT_IN_CHANNEL = "locale_not_in_channel"
    LOCALE_NOT_AVAILABLE = "locale_not_available"
    EXTENSION_NOT_ALLOWED = "extension_not_allowed"
    MIME_NOT_ALLOWED = "mime_not_allowed"
    TARGET_UNKNOWN = "target_unknown"
    TARGET_INVALID = "target_invalid"
    NO_CARRIER = "no_carrier"
    ROUTE_MISSING = "route_missing"
    # What the PIM answered.
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    BLOCKED = "blocked"
    BODY_TOO_LARGE = "body_too_large"
    REDIRECTED = "redirected"
    NOT_CREATED = "not_created"
    NOT_ATTACHED = "not_attached"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    # The way to the PIM.
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    # Found by reading back.
    VALUE_LOST = "value_lost"
    CHANGED_IN_PIM = "changed_in_pim"
    VALUE_DIFFERS = "value_differs"
    VALUE_MISSING = "value_missing"
    DRAFT = "draft"
    NO_WAY_BACK = "no_way_back"
    MEDIA_UNKNOWN = "media_unknown"
    # The run as a whole.
    CREDENTIALS_REFUSED = "credentials_refused"
    API_FORBIDDEN = "api_forbidden"
    USAGE = "usage"
    MANIFEST_UNUSABLE = "manifest_unusable"
    LEDGER_LOCKED = "ledger_locked"
    LEDGER_UNUSABLE = "ledger_unusable"
    REPORT_UNWRITABLE = "report_unwritable"
    DEFECT = "defect"


TITLES: dict[str, str] = {
    Kind.ROW_MALFORMED: "Invalid row",
    Kind.TARGET_MISSING: "Row without a target",
    Kind.TARGET_AMBIGUOUS: "Row with several targets",
    Kind.CONFLICTING_ROWS: "Conflicting rows",
    Kind.FILE_MISSING: "File not found",
    Kind.FILE_NOT_REGULAR: "Not a regular file",
    Kind.FILE_UNREADABLE: "File cannot be read",
    Kind.FILE_EMPTY: "Empty file",
    Kind.FILE_CHANGED: "File changed during the upload",
    Kind.FILE_TOO_LARGE: "File too large",
    Kind.FILE_EXISTS: "A different file exists",
    Kind.FILE_UNWRITABLE: "File cannot be written",
    Kind.OUTSIDE_ROOT: "File outside the root folders",
    Kind.NAME_TOO_LONG: "File name too long",
    Kind.EXTENSION_TOO_LONG: "File extension too long",
    Kind.CONTENT_MISMATCH: "Content does not match the name",
    Kind.CONTENT_REFUSED: "The PIM will refuse the content",
    Kind.PICTURE_TRUNCATED: "File is cut off",
    Kind.PICTURE_BROKEN: "Damaged picture",
    Kind.PICTURE_TOO_LARGE: "Picture has too many pixels",
    Kind.CANNOT_FIT: "Picture cannot be converted",
    Kind.LINK_REFUSED: "Link not allowed",
    Kind.SOURCE_TROUBLE: "Link cannot be read",
    Kind.ATTRIBUTE_UNKNOWN: "Attribute not found",
    Kind.ATTRIBUTE_NOT_MEDIA: "Not a media attribute",
    Kind.ATTRIBUTE_UNREADABLE: "Attributes cannot be read",
    Kind.ATTRIBUTE_WRONG_LEVEL: "Attribute of another level",
    Kind.ATTRIBUTE_NOT_IN_FAMILY: "Attribute not in the family",
    Kind.ATTRIBUTE_NOT_COLLECTION: "Not an asset collection",
    Kind.VALUE_INVALID: "Invalid value",
    Kind.NAMING_CONVENTION: "Naming convention not met",
    Kind.SCOPE_REQUIRED: "Channel missing",
    Kind.SCOPE_UNEXPECTED: "Channel not expected",
    Kind.LOCALE_REQUIRED: "Locale missing",
    Kind.LOCALE_UNEXPECTED: "Locale not expected",
    Kind.CHANNEL_UNKNOWN: "Channel not found",
    Kind.LOCALE_UNKNOWN: "Locale not found",
    Kind.LOCALE_NOT_IN_CHANNEL: "Locale not in the channel",
    Kind.LOCALE_NOT_AVAILABLE: "Locale not available for the attribute",
    Kind.EXTENSION_NOT_ALLOWED: "Extension not allowed",
    Kind.MIME_NOT_ALLOWED: "File type not allowed",
    Kind.TARGET_UNKNOWN: "Product (or other target) not found",
    Kind.TARGET_INVALID: "Target is invalid in the PIM",
    Kind.NO_CARRIER: "No carrier for a product without identifier",
    Kind.ROUTE_MISSING: "Not supported by this PIM",
    Kind.REFUSED: "Refused by the PIM",
    Kind.FORBIDDEN: "Permission missing",
    Kind.BLOCKED: "Blocked by a firewall",
    Kind.BODY_TOO_LARGE: "File too large for the server",
    Kind.REDIRECTED: "Redirected to another address",
    Kind.NOT_CREATED: "Upload not confirmed",
    Kind.NOT_ATTACHED: "File not attached",
    Kind.SERVER_ERROR: "Server error",
    Kind.UNAVAILABLE: "PIM unavailable",
    Kind.THROTTLED: "Rate limited",
    Kind.TIMEOUT: "Timeout",
    Kind.CONNECTION: "Connection failed",
    Kind.TLS: "TLS error",
    Kind.VALUE_LOST: "Value overwritten by another program",
    Kind.CHANGED_IN_PIM: "Changed in the PIM",
    Kind.VALUE_DIFFERS: "Value differs",
    Kind.VALUE_MISSING: "Value is empty",
    Kind.DRAFT: "Saved as a draft",
    Kind.NO_WAY_BACK: "Cannot be undone",
    Kind.MEDIA_UNKNOWN: "Media file not found",
    Kind.CREDENTIALS_REFUSED: "Credentials refused",
    Kind.API_FORBIDDEN: "API access forbidden",
    Kind.USAGE: "Wrong usage",
    Kind.MANIFEST_UNUSABLE: "Manifest cannot be used",
    Kind.LEDGER_LOCKED: "Another run is active",
    Kind.LEDGER_UNUSABLE: "Ledger cannot be used",
    Kind.REPORT_UNWRITABLE: "Report cannot be written",
    Kind.DEFECT: "Bug in this program",
}
"""The kinds as headings, for people."""


@frozen
class Failure:
    """Why a row is not in the PIM: `report.items[].error`.

    `message` is what was found or what the PIM said, whole; `hint` is what to do
    next, in words of a catalogue manager; `http_status` is None where no answer came.
    """

    kind: Kind
    message: str
    hint: str
    http_status: int | None = None


class MediaError(Exception):
    """Base of every error shown to a user without a traceback.

    Ends the run with `exit_status`; errors of single rows are `Failure` values, not exceptions.
    """

    exit_status: Exit = Exit.DEFECT
    kind: Kind = Kind.DEFECT

    def __init__(self, message: str, hint: str = "", kind: Kind | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind is not None:
            self.kind = kind

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    @property
    def failure(self) -> Failure:
        """The same as a value."""
        return Failure(self.kind, self.message, self.hint)


class UsageError(MediaError):
    """Wrong usage or configuration; nothing was sent."""

    exit_status = Exit.USAGE
    kind = Kind.USAGE


class ManifestError(MediaError):
    """The manifest as a whole cannot be used; nothing was sent."""

    exit_status = Exit.MANIFEST
    kind = Kind.MANIFEST_UNUSABLE


class AccessError(MediaError):
    """The PIM refused the credentials or the permission to use its API."""

    exit_status = Exit.REFUSED
    kind = Kind.CREDENTIALS_REFUSED


class TemporaryError(MediaError):
    """The PIM could not be reached or kept answering with trouble; the same command resumes."""

    exit_status = Exit.PENDING
    kind = Kind.UNAVAILABLE


class LedgerLockedError(MediaError):
    """Another run holds this PIM's ledger."""

    exit_status = Exit.LOCKED
    kind = Kind.LEDGER_LOCKED


class LedgerError(MediaError):
    """The ledger cannot be used: unwritable, newer than this program, or its disk is full."""

    exit_status = Exit.USAGE
    kind = Kind.LEDGER_UNUSABLE


class ReportError(MediaError):
    """A report or metrics file could not be written; the rows were done anyway."""

    exit_status = Exit.ROWS_FAILED
    kind = Kind.REPORT_UNWRITABLE
