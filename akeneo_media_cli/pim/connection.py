"""Where the PIM is and who we are there."""

from __future__ import annotations

from ..frozen import frozen
from ..secret import Secret

_NONE = Secret("")


@frozen
class Connection:
    """A PIM's address and either a connection's four credentials or an App's token.

    `url` is scheme, host, port and path prefix without a trailing slash and without `/api/rest/v1`. `direct`:
    proxies that the environment names are not used, as the PIM is a part of this process.
    """

    url: str
    client_id: str = ""
    client_secret: Secret = _NONE
    username: str = ""
    password: Secret = _NONE
    token: Secret | None = None
    direct: bool = False
