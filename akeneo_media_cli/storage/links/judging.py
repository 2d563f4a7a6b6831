"""What an error of a bucket or SFTP server means, and is it temporary? Each library has its own errors."""

from __future__ import annotations

import re

from ...errors import Failure, Kind
from ...pim.errors import SourceTrouble
from . import found as f

_ADDRESS = re.compile(r"\S+://\S+|\?\S+")
_AGAIN = "Check that aws, gcloud or sftp can read it, then run the same command again."
_OWN_TOOLS = "Check that aws or gcloud can read it, then fix the link or their settings."
_CREDENTIALS = "Put its credentials where aws, gcloud or ssh look for them; see docs/links.md."
_MALFORMED = frozenset(("ParamValidationError", "InvalidRegionError", "UnsupportedS3ArnError"))
"""Not a valid bucket, key or region."""
_PASSING = frozenset((408, 409, 425, 429))
_LINES = {"ParamValidationError": 2}
"""How many lines of an error are needed to say anything, if more than one."""


def judged(error: Exception, shown: str, timeout: float) -> SourceTrouble:
    """What an error of fsspec, of a cloud's client or of paramiko means for the row."""
    names = {type(each).__name__ for each in _chain(error)}
    if isinstance(error, ImportError):
        return SourceTrouble(
            Failure(
                Kind.LINK_REFUSED,
                f"{shown} needs the extra `remote`, which is not installed",
                "install it: pip install 'akeneo-media-cli[remote]' (or pipx inject, uv tool install --with)",
            )
        )
    if isinstance(error, FileNotFoundError):
        return f.gone(shown)
    distrust = _distrust(error, names)
    if distrust is not None:
        return f.withheld(shown, *distrust)
    if _for_good(error, names):
        return f.withheld(shown, _reason(error), _OWN_TOOLS)
    silent = isinstance(error, TimeoutError) or any("Timeout" in name for name in names)
    why = f"no answer within {timeout:g} seconds" if silent else _reason(error)
    return f.trouble(f"{shown} cannot be read: {why}", _AGAIN)


def _for_good(error: Exception, names: set[str]) -> bool:
    """Would a retry get the same error?"""
    if names & _MALFORMED:
        return True
    if isinstance(error, TimeoutError):
        # S3 has a 400 for a request that took too long.
        return False
    # gcsfs gives no status for its own error for a 403.
    forbidden = type(error) is OSError and str(error).startswith("Forbidden")
    return forbidden or any(
        400 <= status < 500 and status not in _PASSING for status in map(_status, _chain(error))
    )


def _status(error: BaseException | None) -> int:
    """The HTTP status in an error of the S3 or Google client; 0 if there is none."""
    response = getattr(error, "response", None)
    told = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
    for number in (told, getattr(error, "code", None)):
        if isinstance(number, int):
            return number
    return 0


def _distrust(error: Exception, names: set[str]) -> tuple[str, str] | None:
    """Why authentication failed on either side, and what to do; None if it is something else."""
    if "UnknownHostKeyError" in names:
        return (
            "the server's host key is unknown, so it could be any server",
            "Once you have verified it, add its key to ~/.ssh/known_hosts: ssh-keyscan HOST",
        )
    if "BadHostKeyException" in names:
        return (
            "the server's host key differs from the known one, so it may be another server",
            "Ask its operator; then replace the old key in ~/.ssh/known_hosts.",
        )
    nobody = names & _UNKNOWN_TO_THEM or ("SSHException" in names and "uthentication" in str(error))
    return (_reason(error), _CREDENTIALS) if nobody or isinstance(error, PermissionError) else None


_UNKNOWN_TO_THEM = frozenset(
    ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError",
     "ProfileNotFound", "DefaultCredentialsError", "RefreshError", "AuthenticationException",
     "BadAuthenticationType", "PasswordRequiredException", "NoCredentials")
)  # fmt: skip


def _chain(error: Exception) -> tuple[BaseException | None, ...]:
    return error, error.__cause__, error.__context__


def _reason(error: Exception) -> str:
    """An error in words, without the URLs that it may quote: they may be signed."""
    text = " ".join(
        _ADDRESS.sub("***", str(error)).split("\n")[: _LINES.get(type(error).__name__, 1)]
    ).strip()
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
