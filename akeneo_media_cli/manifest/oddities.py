"""Values that spreadsheets and people leave behind, and that no PIM has: found before anything is asked."""

from __future__ import annotations

import re

from ..errors import Failure, Kind

_SHORTENED = re.compile(r"[-+]?[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]{2,3}")
_TEXT_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_ERROR = re.compile(
    r"#(?:N/A|REF!|VALUE!|NAME\?|NUM!|NULL!|DIV/0!|NV|BEZUG!|WERT!|ZAHL!|####*)", re.IGNORECASE
)
_PARTS = re.compile(r"\s*[,;|\n]\s*")
_LOCALES = re.compile(r"\s*[,;|/]\s*|\s+")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]+){1,2}")
_CODE = re.compile(r"[A-Za-z0-9_]+")


def is_plain(code: str, attribute: str, locale: str | None, scope: str | None) -> bool:
    """Quickly: can none of the functions below find anything in these?"""
    return (
        "+" not in code
        and code[:1] not in "=#"
        and attribute.isidentifier()
        and (locale is None or locale.isidentifier())
        and (scope is None or scope.isidentifier())
    )


def odd_code(code: str) -> Failure | None:
    """A code that a spreadsheet has changed."""
    if _SHORTENED.fullmatch(code):
        return _malformed(
            f"{code} is not a code: Excel has shortened this number",
            "Format the column as text in the spreadsheet, enter the codes again, and export it again.",
        )
    formula = _TEXT_FORMULA.fullmatch(code)
    if formula:
        return _malformed(
            f"{code} is not a code but how Excel keeps {formula[1]} as text", f"Write {formula[1]} alone."
        )
    if _ERROR.fullmatch(code):
        return _malformed(
            f"{code} is not a code but an error in a spreadsheet",
            "Fix the formula in the spreadsheet, and export it again.",
        )
    return None


def several(attribute: str, locale: str | None, scope: str | None) -> Failure | None:
    """A cell that names several attributes, locales or channels."""
    for column, text, parting, shape in (
        ("locale", locale, _LOCALES, _LOCALE),
        ("scope", scope, _PARTS, _CODE),
        ("attribute", attribute, _PARTS, _CODE),
    ):
        parts = [part for part in parting.split(text or "") if part]
        if len(parts) > 1 and all(shape.fullmatch(part) for part in parts):
            return _malformed(
                f"`{column}` names {len(parts)} at once: {text}",
                f"Write a row for each of them, with one {column} each; they may name the same file.",
            )
    return None


def _malformed(message: str, hint: str) -> Failure:
    return Failure(Kind.ROW_MALFORMED, message, hint)
