"""What a file's path says: patterns such as `{product}_{attribute}.{ext}`, and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import Formatter

from ...errors import UsageError
from ...frozen import frozen
from ..columns import canonical, spelled

ANY = "any"
NUMBER = "n"
EXTENSION = "ext"

_LOCALE = "[A-Za-z]{2,3}(?:[_-][A-Za-z]{4})?[_-](?:[A-Za-z]{2}|[0-9]{3})"
_SHAPES = {ANY: "[^/]*", NUMBER: "[0-9]+", EXTENSION: "[^./]+", "locale": _LOCALE}
_FREE = "[^/]+"
_LETTER_FIRST = r"[^\W\d_][^/]*"
_TAIL = "(?s:.*/)?"  # greedy: the fewest parts from the end of the path that fit
_MOST_FREE = 5
# Each free field multiplies the ways to cut a name up, be it in one part of the path or in several. A million
# take half a second; a hostile name of 255 characters has a hundred million.
_MOST_WAYS = 1_000_000
_DEFAULT = re.compile(r"(?<!\{)\{(?P<name>\w+)=(?P<default>[0-9]+)\}")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@frozen
class Miss:
    """Why a path does not fit; `depth`, from 0 to 1, is how near it came."""

    reason: str
    depth: float = 0.0


@frozen
class Rules:
    """How what was found in a path is taken: `renamed` attributes by what names call them; `case` matters."""

    renamed: Mapping[str, str]
    case: bool = False

    @property
    def flags(self) -> re.RegexFlag:
        """For every expression that is compared with a path."""
        return re.RegexFlag(0) if self.case else re.IGNORECASE

    def attribute(self, name: str, fields: Mapping[str, str]) -> str | Miss:
        """The attribute's code behind what names call it; `name` itself where `--map` does not say.

        `fields` are what else was found in the path: `--map front=picture_{n}` may name them.
        """
        code = self.renamed.get(name if self.case else name.casefold())
        if code is None:
            return name
        if "{" not in code:
            return code
        try:
            return code.format_map(fields)
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            return Miss(f"--map {name}={code} needs what the name does not say: {error}", 1.0)


def parse_renamed(options: Sequence[str], *, case: bool) -> dict[str, str]:
    """`--map NAME=ATTRIBUTE` as typed. Raises UsageError for what is not of that form, or given twice."""
    renamed: dict[str, str] = {}
    for option in options:
        name, equals, code = (part.strip() for part in option.partition("="))
        key = name if case else name.casefold()
        if not (name and equals and code and _are_fields(code)):
            raise UsageError(f"--map {option!r} is not NAME=ATTRIBUTE", "For example: --map front=picture")
        if renamed.get(key, code) != code:
            raise UsageError(f"--map names {name!r} twice, with different attributes", "Keep one of them.")
        renamed[key] = code
    return renamed


def _are_fields(code: str) -> bool:
    """Are the braces in it, if there are any, names of fields?"""
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(code)]
    except ValueError:
        return False
    return all(
        name is None or (name.isidentifier() and not spec and not conversion)
        for name, spec, conversion in fields
    )


def patterns_of(written: str, rules: Rules) -> list[Pattern]:
    """One `--pattern`: two of them where it has a default for a number, as `{product}_{n=1}.{ext}` has.

    The first has the number, the second has neither it nor what is written before it. Raises UsageError.
    """
    found = _DEFAULT.search(written)
    if found is None:
        return [Pattern(written, rules)]
    name, default, start = found["name"], found["default"], found.start()
    before = max((written.rfind(end, 0, start) + 1 for end in "}/"), default=0)
    if _DEFAULT.search(written, found.end()) or spelled(name) != NUMBER or start == before:
        raise UsageError(
            f"--pattern {written!r}: a default is for {{n}}, once, and after some text",
            "For example: --pattern '{product}_{n=1}.{ext}'",
        )
    with_number = f"{written[:start]}{{{NUMBER}}}{written[found.end() :]}"
    without = written[:before] + written[found.end() :]
    default = default.lstrip("0") or "0"
    return [
        Pattern(with_number, rules, shown=written),
        Pattern(without, rules, shown=written, defaults={NUMBER: default}),
    ]


class Pattern:
    """One `--pattern`. It is compared with the end of a path: folders in it are the file's nearest ones.

    A pattern that begins with `/` is compared with the whole path below the folder that is scanned.
    """

    def __init__(
        self, written: str, rules: Rules, *, shown: str = "", defaults: Mapping[str, str] | None = None
    ) -> None:
        """`shown`: as it was typed, if not so; `defaults`: fields that it does not have, with their text.

        Raises UsageError for braces that make no field, and fields that cannot be told apart.
        """
        self.written = shown or written
        self.rules = rules
        self._defaults = defaults or {}
        tail = "" if written.startswith("/") else _TAIL
        pieces = _pieces(written)
        self.fields = tuple(dict.fromkeys([*(name for _, name in pieces if name), *self._defaults]))
        self._steps = _steps(pieces)
        self._ends = [re.compile(f"(?={re.escape(end)})", rules.flags) for end in _ends(pieces)]
        self._cuts = [
            re.compile(tail + _joined(_steps(pieces, attribute=shape)), rules.flags)
            for shape in _attribute_shapes(rules)
        ]
        self._other_cut = re.compile(tail + _joined(_steps(pieces, _LETTER_FIRST, lazy="?")), rules.flags)
        self._begun = [
            re.compile(tail + _joined(self._steps[:n]), rules.flags) for n in range(len(self._steps), 0, -1)
        ]

    def match(self, path: str) -> dict[str, str] | Miss:
        """The fields' text in a relative path with `/` between its parts, or why it does not fit."""
        if self._ways(path) > _MOST_WAYS:
            return Miss(f"it could be split in more than {_MOST_WAYS:,} ways: use fewer fields, or --regex")
        found = next((found for cut in self._cuts if (found := cut.fullmatch(path))), None)
        return _fields(found, self.rules, self._defaults) if found else self._why(path)

    def match_named(self, path: str) -> dict[str, str] | None:
        """The fields of a path whose attribute is one that `--map` names; else None."""
        if self._preferred is None or self._ways(path) > _MOST_WAYS:
            return None
        found = self._preferred.fullmatch(path)
        fields = _fields(found, self.rules, self._defaults) if found else None
        return None if isinstance(fields, Miss) else fields

    def other(self, path: str) -> dict[str, str] | None:
        """The fields of a path that fits, if its name could be cut elsewhere as well; else None."""
        if self._preferred is not None and self._preferred.fullmatch(path):
            return None
        found = self._other_cut.fullmatch(path)
        fields = _fields(found, self.rules, self._defaults) if found else None
        return None if fields is None or isinstance(fields, Miss) or fields == self.match(path) else fields

    def _ways(self, path: str) -> int:
        """At most so many ways there are to cut the path up."""
        ways = path.count("/") + 1
        for end in self._ends:
            ways *= max(1, sum(1 for _ in end.finditer(path)))
        return ways

    @property
    def _preferred(self) -> re.Pattern[str] | None:
        return self._cuts[0] if self.rules.renamed and "attribute" in self.fields else None

    def _why(self, path: str) -> Miss:
        total = len(self._steps)
        for n, begun in enumerate(self._begun):
            if not begun.match(path):
                continue
            fitting = total - n
            if n == 0:
                return Miss(f"the name goes on after {self.written!r}", 1.0)
            missing, before = self._steps[fitting][0], self._steps[fitting - 1][0]
            return Miss(f"no {missing} after {before}", fitting / (total + 1))
        return Miss(f"no {self._steps[0][0]} at the start")


class Expression:
    """One `--regex`: named groups are fields. Compared with the end of a path, as patterns are."""

    def __init__(self, written: str, rules: Rules) -> None:
        """Raises UsageError for what is not a regular expression, and one without named groups."""
        self.written = written
        self.rules = rules
        try:
            compiled = re.compile(written, rules.flags)
            self._whole = re.compile(f"{_TAIL}(?:{written})", rules.flags)
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(
                f"--regex {written!r} is not a regular expression: {error}",
                "For example: --regex '(?P<product>[^_]+)_(?P<attribute>\\w+)\\.jpg'",
            ) from None
        if not compiled.groupindex:
            raise UsageError(
                f"--regex {written!r} has no named group", "Name what it finds: (?P<product>[^_]+)"
            )
        columns = [_column(name) for name in compiled.groupindex]
        if len(set(columns)) < len(columns):
            raise UsageError(f"--regex {written!r} has two groups for one column", "Keep one of them.")
        self.fields = tuple(columns)

    def match(self, path: str) -> dict[str, str] | Miss:
        """As `Pattern.match`; of a regular expression no more can be said than that it does not fit."""
        found = self._whole.fullmatch(path)
        return _fields(found, self.rules, {}) if found else Miss("the regular expression does not match")


def _fields(found: re.Match[str], rules: Rules, defaults: Mapping[str, str]) -> dict[str, str] | Miss:
    values: dict[str, str] = dict(defaults)
    for group, text in found.groupdict().items():
        name = _column(group)
        value = (text or "").strip()
        if not value or name == ANY:
            continue
        if _UNWRITABLE.search(value):
            return Miss(f"{{{group}}} holds control characters or bytes that are not UTF-8: rename the file")
        if name == "locale":
            value = _locale(value)
        elif name == NUMBER and value.isdigit():
            value = value.lstrip("0") or "0"
        values[name] = value
    if "attribute" in values:
        attribute = rules.attribute(values["attribute"], values)
        if isinstance(attribute, Miss):
            return attribute
        values["attribute"] = attribute
    blank = [group for group, text in found.groupdict().items() if text and not text.strip() and group != ANY]
    return Miss(f"{{{blank[0]}}} is blank") if blank else values


def _locale(text: str) -> str:
    """A locale as the PIM spells it: `en_US`, `zh_Hans_CN`; anything else as it is."""
    if not re.fullmatch(_LOCALE, text):
        return text
    language, *script, region = re.split("[_-]", text)
    return "_".join([language.lower(), *(s.title() for s in script), region.upper()])


def _column(name: str) -> str:
    return canonical(name) or spelled(name)


def _pieces(written: str) -> list[tuple[str, str]]:
    """A pattern as pairs of fixed text and the field after it, "" for none."""

    def wrong(why: str) -> UsageError:
        return UsageError(
            f"--pattern {written!r}: {why}",
            "Fields look like {product}, {attribute}, {locale}, {scope}, {n}, {any}, {ext}.",
        )

    try:
        parsed = list(Formatter().parse(written.removeprefix("/")))
    except ValueError as error:
        raise wrong(str(error)) from None
    pieces: list[tuple[str, str]] = []
    for literal, name, spec, conversion in parsed:
        column = _column(name or "")
        if name is not None and (spec or conversion or not column.isidentifier()):
            raise wrong("a field is a column's name and nothing else")
        if pieces and not literal and name is not None:
            raise wrong(f"there is nothing between {{{pieces[-1][1]}}} and {{{column}}}")
        pieces.append((literal, column))
    names = [name for _, name in pieces if name]
    if not names:
        raise wrong("it has no field, so every file would be the same row")
    free = 0
    for literal, name in pieces:
        free = (0 if "/" in literal else free) + (name not in _SHAPES or name == ANY)
        if free > _MOST_FREE:
            raise wrong(f"more than {_MOST_FREE} fields of any text in one name cannot be told apart")
    if "file" in names or "filename" in names:
        raise wrong("{file} and {filename} are what is matched, not a part of it")
    return pieces


def _ends(pieces: Sequence[tuple[str, str]]) -> list[str]:
    """What ends each field that may go on after it in the same part of a path."""
    seen: set[str] = {NUMBER, "locale"}
    ends = []
    for (_, name), (end, _) in pairwise(pieces):
        if name not in seen and end and "/" not in end:
            ends.append(end)
        if name != ANY:
            seen.add(name)
    return ends


def _attribute_shapes(rules: Rules) -> list[str]:
    """What an attribute may look like, the likeliest first: what `--map` names settles where a name is cut.

    Then one that begins with a letter, as codes do: `sku_picture_2` is the attribute picture_2, not 2.
    """
    names = sorted(rules.renamed, key=len, reverse=True)
    return ["|".join(re.escape(name) for name in names), _LETTER_FIRST, _FREE][0 if names else 1 :]


def _joined(steps: Sequence[tuple[str, str]]) -> str:
    return "".join(expression for _, expression in steps)


def _steps(
    pieces: Sequence[tuple[str, str]], attribute: str = _FREE, lazy: str = ""
) -> list[tuple[str, str]]:
    """Each step of a pattern: how to name it to people, and its regular expression.

    Of several ways to cut a name, fields take as much as they can, or as little if `lazy` is a "?".
    """
    steps: list[tuple[str, str]] = []
    seen: set[str] = set()
    for literal, name in pieces:
        if literal:
            steps.append((repr(literal), re.escape(literal)))
        if not name:
            continue
        shape = _SHAPES.get(name, _FREE + lazy)
        if name == "attribute":
            shape = attribute
        if name == ANY:
            expression = shape
        elif name in seen:
            expression = f"(?P={name})"
        else:
            expression = f"(?P<{name}>{shape})"
        seen.add(name)
        steps.append((f"{{{name}}}", expression))
    return steps
