"""What is wrong with buckets and SFTP servers, and does it pass: their libraries have no word in common."""

from __future__ import annotations

import re

from ...errors import Failure, Kind
from ...pim.errors import SourceTrouble
from . import found as f

_ADDRESS = re.compile(r"\S+://\S+|\?\S+")
_AGAIN = "look whether its own tools (aws, gcloud, sftp) get it, then run the same command again"
_OWN_TOOLS = "look whether its own tools (aws, gcloud) get it, then correct the link or their settings"
_CREDENTIALS = "put its credentials where its own tools look for them; docs/links.md shows where"
_MALFORMED = frozenset(("ParamValidationError", "InvalidRegionError", "UnsupportedS3ArnError"))
"""No bucket, key or region that there could be."""
_PASSING = frozenset((408, 409, 425, 429))
_LINES = {"ParamValidationError": 2}
"""Lines of an error that it takes to say anything, where that is more than one."""


def judged(error: Exception, shown: str, timeout: float) -> SourceTrouble:
    """What an error of fsspec, of a cloud's client or of paramiko means for the row."""
    names = {type(each).__name__ for each in _chain(error)}
    if isinstance(error, ImportError):
        return SourceTrouble(
            Failure(
                Kind.LINK_REFUSED,
                f"{shown} cannot be followed: the extra `remote` is not installed",
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
    return f.trouble(f"{shown} cannot be had: {why}", _AGAIN)


def _for_good(error: Exception, names: set[str]) -> bool:
    """Would the same question have the same answer for ever, as far as that can be told?"""
    if names & _MALFORMED:
        return True
    if isinstance(error, TimeoutError):
        # S3 has a 400 for a request that took too long.
        return False
    # gcsfs has no number for the one it makes of a 403.
    forbidden = type(error) is OSError and str(error).startswith("Forbidden")
    return forbidden or any(
        400 <= status < 500 and status not in _PASSING for status in map(_status, _chain(error))
    )


def _status(error: BaseException | None) -> int:
    """The status that the clients of S3 or Google tell; 0 where there is none."""
    response = getattr(error, "response", None)
    told = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
    for number in (told, getattr(error, "code", None)):
        if isinstance(number, int):
            return number
    return 0


def _distrust(error: Exception, names: set[str]) -> tuple[str, str] | None:
    """Why they do not trust us, or we not them, and what to do; None where it is something else."""
    if "UnknownHostKeyError" in names:
        return (
            "no key is known of the server, so it may be any",
            "once you are sure of it, add its key to ~/.ssh/known_hosts: ssh-keyscan HOST",
        )
    if "BadHostKeyException" in names:
        return (
            "the server has another key than is known of it, so it may be another server",
            "ask who runs it; a new key goes in place of the old one in ~/.ssh/known_hosts",
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
    """An error in words, without the addresses that it may quote: they may be signed."""
    text = " ".join(
        _ADDRESS.sub("***", str(error)).split("\n")[: _LINES.get(type(error).__name__, 1)]
    ).strip()
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
