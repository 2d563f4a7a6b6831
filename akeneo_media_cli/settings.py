"""Where a setting comes from: `--env-file`, the environment, `.env`, and files that hold secrets.

No message of this module contains a value that may be secret: problems
name the variable, and the content of a file never gets into an exception.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .errors import UsageError
from .pim.address import UNSAFE_ALLOWED, pim_url
from .pim.connection import Connection
from .secret import Secret
from .suggest import nearest

OPTION_PREFIX = "AKENEO_MEDIA_"
LOGIN = ("AKENEO_CLIENT_ID", "AKENEO_CLIENT_SECRET", "AKENEO_USERNAME", "AKENEO_PASSWORD")
URL, TOKEN, ALLOW_HTTP = "AKENEO_URL", "AKENEO_TOKEN", UNSAFE_ALLOWED
PLACEHOLDERS = frozenset(
    {
        "changeme",
        "change-me",
        "your-client-id",
        "your-client-secret",
        "your-username",
        "your-password",
        "your-token",
    }
)
"""What `.env.example` has in place of values; not real credentials."""

_MAX_FILE = 64 * 1024
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_TOKEN_TEXT = re.compile(r"[!-~]+")
_HOW_TO_SET = {
    URL: "the address of your PIM, such as https://my.cloud.akeneo.com",
    "AKENEO_CLIENT_ID": "in the PIM: Connect > Connection settings > your connection > Client ID",
    "AKENEO_CLIENT_SECRET": "in the PIM: Connect > Connection settings > your connection > Secret",
    "AKENEO_USERNAME": "in the PIM: Connect > Connection settings > your connection > Username",
    "AKENEO_PASSWORD": "shown when the connection is created; its page can create a new one",
}


class _Source(NamedTuple):
    """One place that settings come from; `folder` is where relative paths of `_FILE` variables start."""

    name: str
    values: Mapping[str, str]
    folder: Path

    def has(self, name: str) -> bool:
        return bool(self.values.get(name) or self.values.get(f"{name}_FILE"))


def expanded(path: Path) -> Path:
    """A path with `~` replaced. Raises UsageError for an account without a home folder."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"{path}: there is no home folder for ~", "Write the whole path.") from None


def load_connection(environ: Mapping[str, str], env_file: Path | None, *, cwd: Path) -> Connection:
    """The PIM and our credentials: from `env_file`, then `environ`, then `.env` in `cwd` if there is one.

    `.env` is read only without `env_file`. An empty value counts as not set. In one place a token is used
    rather than the four credentials; between places, the first that has either decides.
    Raises `UsageError` that names every problem at once.
    """
    problems: list[str] = []
    sources = _sources(environ, env_file, cwd, problems)
    found = {name: _value(name, sources, problems) for name in _wanted(sources)}
    url = _address(found[URL], sources, problems)
    if problems:
        raise UsageError(
            f"the connection to the PIM is not usable:{_listed(problems)}",
            "Set these as environment variables or in a .env file (.env.example shows how). Or set only "
            "AKENEO_TOKEN, the token of an App, in place of ID, secret, username and password. "
            "To try without a PIM: akeneo-media upload MANIFEST --sandbox",
        )
    if TOKEN in found:
        return Connection(url, token=Secret(found[TOKEN]))
    client_id, client_secret, username, password = (found[name] for name in LOGIN)
    return Connection(url, client_id, Secret(client_secret), username, Secret(password))


def load_url(environ: Mapping[str, str], env_file: Path | None, *, cwd: Path) -> str:
    """The PIM's address alone, from the same places: it says whose ledger is meant, and needs no login.

    Raises `UsageError` that lists every problem at once.
    """
    problems: list[str] = []
    sources = _sources(environ, env_file, cwd, problems)
    url = _address(_value(URL, sources, problems), sources, problems)
    if problems:
        raise UsageError(
            f"it is not known which PIM is meant:{_listed(problems)}",
            f"Set {URL} as an environment variable or in a .env file, or name the ledger with --state FILE.",
        )
    return url


def option_environment(
    environ: Mapping[str, str], env_file: Path | None, *, cwd: Path, pairs: Collection[str] = ()
) -> dict[str, str]:
    """The `AKENEO_MEDIA_*` variables of the environment, and those of `.env` that it leaves out or empty.

    Those of `pairs` are told as `affirmed` does. Raises `UsageError` if the file cannot be used, and as
    `affirmed`.
    """
    problems: list[str] = []
    file = _env_source(env_file, cwd, problems)
    if problems:
        raise UsageError("; ".join(problems), "Fix the file, or use another with --env-file.")
    return {**affirmed(file.values, pairs, file.name), **affirmed(environ, pairs, "the environment")}


def affirmed(values: Mapping[str, str], pairs: Collection[str], where: str) -> dict[str, str]:
    """The `AKENEO_MEDIA_*` variables that one place has, but for empty ones.

    `pairs` are the variables of options that have a `--no-` form: `AKENEO_MEDIA_NO_SHARE=1` is told as
    `AKENEO_MEDIA_SHARE=0`. Raises `UsageError` for one that is not a switch, and for two that contradict each
    other.
    """
    options = {name: text for name, text in values.items() if text and name.startswith(OPTION_PREFIX)}
    for name in pairs:
        denied = f"{OPTION_PREFIX}NO_{name.removeprefix(OPTION_PREFIX)}"
        text = options.pop(denied, "").strip().lower()
        if not text:
            continue
        if text not in _TRUE | _FALSE:
            raise UsageError(f"{denied} in {where} is neither 1 nor 0", "Set it to 1, or remove it.")
        meant = "0" if text in _TRUE else "1"
        if options.get(name, meant).strip().lower() not in (_FALSE if text in _TRUE else _TRUE):
            raise UsageError(f"{name} and {denied} in {where} contradict each other", "Keep one of them.")
        options[name] = meant
    return options


def unknown_options(options: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A warning for each `AKENEO_MEDIA_*` variable without an option, with the name that was meant."""
    return [
        f"Unknown option {name}{_meant(name, known)}"
        for name in sorted(options)
        if name.startswith(OPTION_PREFIX) and name not in known
    ]


def _meant(name: str, known: Collection[str]) -> str:
    near = nearest(name, known, cutoff=0.8)
    return f"; did you mean {near}?" if near else ""


def _address(text: str, sources: Sequence[_Source], problems: list[str]) -> str:
    allowed = _switch(ALLOW_HTTP, sources, problems)
    url = ""
    if text:
        url, wrong = pim_url(text, allow_http=allowed)
        problems += [f"{URL} {problem}" for problem in wrong]
    return url


def _listed(problems: Sequence[str]) -> str:
    return "".join(f"\n  - {problem}" for problem in problems)


def _wanted(sources: Sequence[_Source]) -> tuple[str, ...]:
    """The variables that are needed, by what the first place with any of a login has."""
    for source in sources:
        if source.has(TOKEN):
            return URL, TOKEN
        if any(map(source.has, LOGIN)):
            break
    return URL, *LOGIN


def _value(name: str, sources: Sequence[_Source], problems: list[str]) -> str:
    """The value from the first place that has it; empty, with the problem noted, if none is usable."""
    for source in sources:
        value = source.values.get(name, "")
        file = source.values.get(f"{name}_FILE", "")
        if value and file:
            problems.append(f"{name} and {name}_FILE are both set in {source.name}: keep one")
            return ""
        if file:
            value = _secret_file(f"{name}_FILE", source.folder / expanded(Path(file)), problems)
        if value or file:
            return _sensible(name, value, problems) if value else ""
    others = {
        n for s in sources for n in s.values if n.startswith("AKENEO_") and not n.startswith(OPTION_PREFIX)
    }
    near = nearest(name, sorted(others - set(_HOW_TO_SET) - {TOKEN}), cutoff=0.85)
    slip = f" ({near} is set: is that a typo?)" if near else ""
    problems.append(f"{name} is missing{slip}: {_HOW_TO_SET[name]}")
    return ""


def _sensible(name: str, value: str, problems: list[str]) -> str:
    if name == "AKENEO_PASSWORD":
        trimmed = value  # May begin or end with anything.
    else:
        trimmed = value.strip()
        if name != URL and trimmed[:1] in ("'", '"') and trimmed[-1:] == trimmed[:1]:
            problems.append(f"{name} has quotes around it that are part of the value: remove them")
            return ""
    if not trimmed:
        problems.append(f"{name} is blank: {_HOW_TO_SET.get(name, 'set the token')}")
    elif trimmed.lower() in PLACEHOLDERS:
        problems.append(f"{name} still has the example's value: {_HOW_TO_SET.get(name, 'set the token')}")
    elif name == TOKEN and not _TOKEN_TEXT.fullmatch(trimmed):
        problems.append(
            f"{name} has characters that no token has (a space or line break in it?): copy it again"
        )
    return trimmed


def _switch(name: str, sources: Sequence[_Source], problems: list[str]) -> bool:
    for source in sources:
        text = source.values.get(name, "").strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        if text:
            problems.append(f"{name} is neither 1 nor 0")
    return False


def _secret_file(name: str, path: Path, problems: list[str]) -> str:
    """What a `_FILE` variable's file holds, without the line break at its end."""
    text = _text(path, f"the file of {name}, {path},", problems, limit=_MAX_FILE)
    if text is None:
        return ""
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        problems.append(f"the file of {name}, {path}, is empty")
    return text


def _sources(
    environ: Mapping[str, str], env_file: Path | None, cwd: Path, problems: list[str]
) -> list[_Source]:
    """The places to look in, in order: a file that was named on purpose overrides the environment."""
    environment = _Source("the environment", environ, cwd)
    file = _env_source(env_file, cwd, problems)
    return [environment, file] if env_file is None else [file, environment]


def _env_source(env_file: Path | None, cwd: Path, problems: list[str]) -> _Source:
    path = cwd / (".env" if env_file is None else expanded(env_file))
    # A folder of that name is somebody's virtual environment.
    if env_file is None and (path.is_dir() or not path.exists()):
        return _Source(str(path), {}, path.parent)
    text = _text(path, str(path), problems)
    return _Source(str(path), dict(_assignments(text or "", path, problems)), path.parent)


def _assignments(text: str, path: Path, problems: list[str]) -> Iterator[tuple[str, str]]:
    from dotenv.parser import parse_stream

    # Only the parser: `$` in a password is not expanded, and a bad line is reported without its text.
    for binding in parse_stream(io.StringIO(text)):
        if binding.error and "AKENEO" in binding.original.string.upper():
            problems.append(
                f"{path}, line {binding.original.line}, is not NAME=value (is a quote left open?)"
            )
        elif binding.key is not None and binding.value is not None:
            yield binding.key, binding.value


def _text(path: Path, what: str, problems: list[str], limit: int = 1024 * 1024) -> str | None:
    """A file's text; None, with the problem recorded, if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        problems.append(f"{what} cannot be read: {getattr(error, 'strerror', None) or 'no such name'}")
        return None
    if len(content) > limit:
        problems.append(f"{what} is larger than {limit // 1024} KiB: is it the right file?")
        return None
    # What Windows PowerShell writes with `>` begins with these two bytes.
    encoding = "utf-16" if content.startswith(b"\xff\xfe") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        problems.append(f"{what} is not UTF-8 text: save it as UTF-8")
        return None
    return text
