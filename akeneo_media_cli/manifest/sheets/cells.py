"""Cells that are more than their text, and values as text."""

from __future__ import annotations

import datetime


class Unread(str):
    """A filled cell whose text the file does not hold: as text it is the cell's name, such as `B3`."""

    __slots__ = ("hint", "why")
    why: str
    hint: str

    @classmethod
    def formula(cls, column: int, row: int) -> Unread:
        """A formula that was saved without its value, as programs write it that cannot calculate."""
        return cls._made(
            column,
            row,
            "has a formula, but the file does not hold its value",
            "Open the file in Excel or LibreOffice and save it: that calculates all formulas. "
            "Or write values instead of formulas.",
        )

    @classmethod
    def error(cls, column: int, row: int) -> Unread:
        """A formula whose value is an error."""
        return cls._made(column, row, "shows an error, such as #N/A", "Fix its formula, or write a value.")

    @classmethod
    def _made(cls, column: int, row: int, why: str, hint: str) -> Unread:
        cell = cls(f"{letters_of(column)}{row}")
        cell.why = f"the cell {cell} {why}"
        cell.hint = hint
        return cell


class SavedZero(str):
    """The text `0` of a cell with a formula: xlsxwriter saves it for any formula, as it cannot calculate."""

    __slots__ = ("place",)
    place: str

    @classmethod
    def at(cls, column: int, row: int, text: str) -> SavedZero:
        """`text` as that of the cell in this column and row, from 1."""
        cell = cls(text)
        cell.place = f"{letters_of(column)}{row}"
        return cell


def letters_of(column: int) -> str:
    """The letters of a column, counted from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def text_of(value: object) -> str:
    """A cell as text: numbers without an exponent, dates as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        from decimal import Decimal

        # More than 15 digits are not in the sheet: they come from how computers hold numbers.
        return format(Decimal(f"{value or 0:.15g}"), "f")
    if isinstance(value, datetime.datetime):
        is_day = value.time() == datetime.time()
        return value.date().isoformat() if is_day else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)
