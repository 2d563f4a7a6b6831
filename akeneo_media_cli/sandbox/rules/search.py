"""Search over products and models: what the PIM checks of a condition, and which entities meet it.

docs/pim-behaviour.md, "Searching and paging" and "Spelling of identifiers and codes".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import ApiError, unprocessable
from ..php.text import php_type
from ..store.catalogue import MEDIA_TYPES, OPTION_TYPES, Catalogue
from ..store.entities import MODEL, PRODUCT, Entities, Entity, ValueKey
from ..store.media import MediaStore
from .completeness import completeness
from .filters import BY_TYPE, MODEL_FIELDS, PRODUCT_FIELDS, SHOWN_NAMES

IN_MAX = 100
"""Identifiers in one `IN`."""
_DATE_FORMAT = re.compile(r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}")

_BACKEND_TYPES = {"pim_catalog_simpleselect": "option", "pim_catalog_multiselect": "options"}
"""What refusals call an option of an attribute of a type."""

Criteria = Mapping[str, Any]
"""A decoded `search`: property to its conditions."""


@dataclass(frozen=True)
class Condition:
    """One condition, with the locale and channel that it or the query names."""

    name: str
    operator: str
    value: Any
    locale: str | None = None
    scope: str | None = None
    locales: tuple[str, ...] = ()


class Search:
    """One search over entities of a kind."""

    def __init__(
        self, entities: Entities, media: MediaStore, kind: str, by_uuid: bool, now: Callable[[], float]
    ) -> None:
        self.entities, self.media, self.kind, self.by_uuid, self.now = entities, media, kind, by_uuid, now
        self.catalogue: Catalogue = entities.catalogue
        self.fields = MODEL_FIELDS if kind == MODEL else PRODUCT_FIELDS

    # Checks, before anything is searched.

    def check(self, criteria: Criteria, search_locale: str | None) -> None:
        """Raises ApiError for criteria that the PIM does not take, in the PIM's order of checks."""
        check_structure(criteria)
        _check_categories(self.catalogue, criteria)
        for name, conditions in criteria.items():
            if name not in PRODUCT_FIELDS and self.catalogue.attribute(name) is None:
                if self.by_uuid:
                    raise _unsupported(name, conditions[0]["operator"])
                raise ApiError(404, f'"{name}" does not exist or you do not have permission to access it.')
        if self.kind == PRODUCT:
            _check_identifiers(criteria.get("identifier", ()))
        _check_locales(self.catalogue, criteria, search_locale)

    def conditions(
        self, criteria: Criteria, search_locale: str | None, search_scope: str | None
    ) -> list[Condition]:
        """The conditions, each checked by its own property. Raises ApiError 422."""
        out = []
        for name, given in criteria.items():
            for item in given:
                condition = Condition(
                    name,
                    item["operator"],
                    item.get("value"),
                    item.get("locale") or search_locale,
                    item.get("scope") or search_scope,
                    tuple(item.get("locales") or ()),
                )
                self._check(condition)
                out.append(condition)
        return out

    def _check(self, condition: Condition) -> None:
        attribute = self._attribute(condition.name)
        operators = BY_TYPE.get(attribute["type"], ()) if attribute else self.fields.get(condition.name, ())
        if condition.operator not in operators:
            raise _unsupported(SHOWN_NAMES.get(condition.name, condition.name), condition.operator)
        if attribute:
            self._check_place(attribute, condition)
        if condition.operator not in ("EMPTY", "NOT EMPTY", "UNCLASSIFIED"):
            self._check_value(attribute["type"] if attribute else condition.name, condition)

    def _attribute(self, name: str) -> dict[str, Any] | None:
        """The attribute that a name means; spelled exactly so."""
        found = self.catalogue.attribute(name)
        return found if found and found["code"] == name else None

    def _check_place(self, attribute: Mapping[str, Any], condition: Condition) -> None:
        code, locale, scope = attribute["code"], condition.locale, condition.scope
        if attribute["localizable"]:
            if locale is None:
                raise unprocessable(f'Attribute "{code}" expects a locale, none given.')
            available = attribute["available_locales"]
            if available and locale not in available:
                expected = ", ".join(available)
                raise unprocessable(
                    f'Attribute "{code}" is locale specific and expects one of these locales: {expected}, '
                    f'"{locale}" given.'
                )
        if attribute["scopable"]:
            if scope is None:
                raise unprocessable(f'Attribute "{code}" expects a scope, none given.')
            if self.catalogue.channels.find(scope) is None:
                raise unprocessable(f'Attribute "{code}" expects an existing scope, "{scope}" given.')

    def _check_value(self, what: str, condition: Condition) -> None:
        name, operator, value = condition.name, condition.operator, condition.value
        if what in ("created", "updated"):
            _check_dates(condition)
        elif what == "completeness":
            if self.kind == MODEL:
                return
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise _expects(name, "a numeric", value)
            if condition.scope is None:
                raise unprocessable('Property "completeness" expects a valid scope.')
        elif what in ("enabled", "pim_catalog_boolean"):
            if not isinstance(value, bool):
                raise _expects(name, "a boolean", value)
        elif what in ("identifier", "uuid", "pim_catalog_identifier") and operator in ("IN", "NOT IN"):
            _check_strings(name, value)
        elif operator in ("IN", "NOT IN") or what == "categories":
            self._check_codes(what, name, value)
        elif what == "pim_catalog_number":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise _expects(name, "a numeric", value)
        elif not isinstance(value, str) and what not in (
            "pim_catalog_metric",
            "pim_catalog_price_collection",
        ):
            raise _expects(name, "a string", value)

    def _check_codes(self, what: str, name: str, value: Any) -> None:
        if not isinstance(value, list):
            raise _expects(name, "an array", value)
        for code in value:
            if isinstance(code, bool) or not isinstance(code, (str, int, float)):
                raise _expects(name, "a string", code)
        missing = next((code for code in map(str, value) if not self._exists(what, name, code)), None)
        if missing is not None:
            shown = _BACKEND_TYPES.get(what, what)
            raise unprocessable(f'Object "{shown}" with code "{missing}" does not exist')

    def _exists(self, what: str, name: str, code: str) -> bool:
        """Whether a family, group or option exists; other codes are not checked."""
        if what == "family":
            return self.catalogue.families.find(code) is not None
        if what == "groups":
            return self.catalogue.has_group(code)
        if what in OPTION_TYPES:
            return any(option.lower() == code.lower() for option in self.catalogue.options.get(name, ()))
        return True

    # Comparing.

    def meets(self, entity: Entity, condition: Condition) -> bool:
        """Whether an entity is what one condition looks for."""
        name, operator, value = condition.name, condition.operator, condition.value
        if name in ("created", "updated"):
            return _date_meets(getattr(entity, name), operator, value, self.now())
        if name == "completeness":
            return self.kind == MODEL or self._completeness_meets(entity, condition)
        if name == "categories":
            return self._category_meets(entity, operator, value)
        return name == "quality_score" or self._value_meets(entity, condition)

    def _value_meets(self, entity: Entity, condition: Condition) -> bool:
        have = self._held(entity, condition)
        if condition.operator == "EMPTY":
            return not have and self._may_have(entity, condition.name)
        if condition.operator == "NOT EMPTY":
            return bool(have)
        return _compares(have, condition.operator, condition.value)

    def _held(self, entity: Entity, condition: Condition) -> list[Any]:
        """What an entity has for a property or an attribute: its own values and those of its parents."""
        name = condition.name
        attribute = self._attribute(name)
        if attribute is None:
            return self._property(entity, name)
        key = ValueKey(
            name,
            self.catalogue.locale_code(condition.locale) if attribute["localizable"] else None,
            self.catalogue.channel_code(condition.scope) if attribute["scopable"] else None,
        )
        data = self.entities.value(entity, key)
        if attribute["type"] in MEDIA_TYPES:
            row = self.media.find(data) if isinstance(data, str) else None
            data = row.original_filename if row else None
        return data if isinstance(data, list) else [] if data is None else [data]

    def _property(self, entity: Entity, name: str) -> list[Any]:
        if name == "parent":
            return [above.key for above in self.entities.ancestors(entity)]
        held = entity.data.get(name)
        if name == "family":
            held = self.entities.family(entity)
        elif name == "uuid" or (name == "identifier" and entity.kind == MODEL):
            held = entity.key
        elif name == "identifier":
            held = self.entities.identifier(entity)
        return held if isinstance(held, list) else [] if held is None else [held]

    def _may_have(self, entity: Entity, name: str) -> bool:
        """Whether a property can be empty here: an attribute only where the entity's family has it."""
        if self._attribute(name) is None or name == self.catalogue.identifier:
            return True
        own = self.entities.own(entity)
        in_family = self.catalogue.family_attributes(self.entities.family(entity))
        if own is None or entity.kind == PRODUCT:
            return name in in_family
        return name in own or any(
            name in (self.entities.own(above) or set()) for above in self.entities.ancestors(entity)
        )

    def _category_meets(self, entity: Entity, operator: str, value: Any) -> bool:
        have = {code.lower() for code in entity.data.get("categories") or ()}
        for above in self.entities.ancestors(entity):
            have |= {code.lower() for code in above.data.get("categories") or ()}
        if operator == "UNCLASSIFIED":
            return not have
        wanted = {str(code).lower() for code in value}
        if operator.endswith("CHILDREN"):
            wanted |= {code.lower() for code in self.catalogue.below(wanted)}
        if operator == "IN OR UNCLASSIFIED":
            return not have or bool(have & wanted)
        return bool(have & wanted) != operator.startswith("NOT")

    def _completeness_meets(self, entity: Entity, condition: Condition) -> bool:
        ratios = [
            item["data"]
            for item in completeness(self.entities, entity)
            if item["scope"] == condition.scope
            and (not condition.locales or item["locale"] in condition.locales)
            and condition.locale in (None, item["locale"])
        ]
        name, _, on_all = condition.operator.partition(" ON ")
        operator = _WORDS.get(name, name)
        if operator == "!=":
            return bool(ratios) and not all(ratio == condition.value for ratio in ratios)
        meets = [_compares([ratio], operator, condition.value) for ratio in ratios]
        return bool(meets) and (all(meets) if on_all else any(meets))


_WORDS = {
    "GREATER THAN": ">",
    "GREATER OR EQUALS THAN": ">=",
    "LOWER THAN": "<",
    "LOWER OR EQUALS THAN": "<=",
}


def check_structure(criteria: Criteria) -> None:
    """Raises ApiError 422 where a search does not name lists of operators and values."""
    for name, conditions in criteria.items():
        if not isinstance(conditions, list) or not conditions:
            shape = '{"%s":[{"operator": "my_operator", "value": "my_value"}]}' % name  # noqa: UP031
            raise unprocessable(f'Structure of filter "{name}" should respect this structure: {shape}')
        for condition in conditions:
            operator = condition.get("operator") if isinstance(condition, dict) else None
            if operator is None:
                raise unprocessable(f'Operator is missing for the property "{name}".')
            if not isinstance(operator, str):
                raise unprocessable(f'Operator has to be a string, "{php_type(operator)}" given.')


def _check_categories(catalogue: Catalogue, criteria: Criteria) -> None:
    named = [
        str(code).strip()
        for condition in criteria.get("categories", ())
        if isinstance(condition.get("value"), list)
        for code in condition["value"]
    ]
    missing = [code for code in named if catalogue.categories.find(code) is None]
    if missing:
        title, verb = ("Categories", "do") if len(missing) > 1 else ("Category", "does")
        raise unprocessable(f'{title} "{", ".join(missing)}" {verb} not exist.')


def _check_identifiers(conditions: Any) -> None:
    for condition in conditions:
        if condition["operator"] != "IN":
            continue
        value = condition.get("value")
        if value is None:
            raise unprocessable("The identifier filter can't contain null value")
        if not isinstance(value, list):
            raise unprocessable("The identifier filter value should be an array")
        if len({str(item) for item in value}) > IN_MAX:
            raise ApiError(
                400, f"The identifier filter can't contain more than {IN_MAX} product identifiers."
            )


def _check_locales(catalogue: Catalogue, criteria: Criteria, search_locale: str | None) -> None:
    named: dict[str, None] = {}
    for name, conditions in criteria.items():
        for condition in conditions:
            locale, locales = condition.get("locale"), condition.get("locales")
            if name == "completeness":
                if locales is not None and not isinstance(locales, list):
                    raise unprocessable('Property "completeness" expects an array with the key "locales".')
            elif locale is not None and not isinstance(locale, str):
                raise unprocessable(f'Property "{name}" expects a string with the key "locale".')
            elif locales is not None:
                raise unprocessable(f'Property "{name}" expects an array with the key "locale".')
            named.update(
                dict.fromkeys(str(code) for code in [*(locales or ()), *([locale] if locale else ())])
            )
    if search_locale is not None:
        named[search_locale] = None
    check_active_locales(catalogue, list(named))


def check_active_locales(catalogue: Catalogue, codes: list[str]) -> None:
    """Raises ApiError 422 for locales that are unknown or not activated."""
    missing = [code for code in codes if not catalogue.is_active(code)]
    if len(missing) == 1:
        raise unprocessable(f'Locale "{missing[0]}" does not exist or is not activated.')
    if missing:
        raise unprocessable(f'Locales "{", ".join(missing)}" do not exist or are not activated.')


def _check_strings(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise _expects(name, "an array", value)
    if not all(isinstance(item, str) for item in value):
        raise unprocessable(f'Property "{name}" expects an array of strings as data.')


def _check_dates(condition: Condition) -> None:
    name, operator, value = condition.name, condition.operator, condition.value
    if operator == "SINCE LAST N DAYS":
        if isinstance(value, bool) or not isinstance(value, int):
            raise _expects(name, "an integer", value)
        return
    if operator == "SINCE LAST JOB":
        if not isinstance(value, str):
            raise _expects(name, "a string", value)
        raise unprocessable(
            f'Property "job_instance" expects a valid code. The job instance does not exist, "{value}" given.'
        )
    if operator in ("BETWEEN", "NOT BETWEEN"):
        if not isinstance(value, list):
            raise _expects(name, "an array", value)
        if len(value) != 2:
            raise unprocessable(
                f'Property "{name}" should contain 2 strings with the format "yyyy-mm-dd H:i:s".'
            )
    for date in value if isinstance(value, list) else [value]:
        if not isinstance(date, str) or not _DATE_FORMAT.fullmatch(date):
            raise unprocessable(
                f'Property "{name}" expects a string with the format "Y-m-d H:i:s" as data, "" given.'
            )


def _expects(name: str, what: str, value: Any) -> ApiError:
    return unprocessable(f'Property "{name}" expects {what} as data, "{php_type(value)}" given.')


def _unsupported(name: str, operator: str) -> ApiError:
    return unprocessable(
        f'Filter on property "{name}" is not supported or does not support operator "{operator}"'
    )


def _seconds(date: str) -> float:
    try:
        return datetime.strptime(date, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:  # a date such as 2020-02-31, which PHP would carry over into the next month
        return 0.0


def _date_meets(when: float, operator: str, value: Any, now: float) -> bool:
    when = float(int(when))
    if operator in ("EMPTY", "NOT EMPTY"):
        return operator == "NOT EMPTY"
    if operator == "SINCE LAST N DAYS":
        return bool(when > now - timedelta(days=1).total_seconds() * value)
    if operator in ("BETWEEN", "NOT BETWEEN"):
        first, last = map(_seconds, value)
        return (first <= when <= last) == (operator == "BETWEEN")
    return _compares([when], operator, _seconds(value))


def _compares(have: list[Any], operator: str, value: Any) -> bool:
    """Compares as the PIM's index does: without regard to case."""
    held = [item.lower() if isinstance(item, str) else item for item in have]
    if operator in ("IN", "NOT IN"):
        wanted = [item.lower() if isinstance(item, str) else item for item in value]
        return any(item in wanted for item in held) == (operator == "IN")
    value = value.lower() if isinstance(value, str) else value
    if operator in ("!=", "DOES NOT CONTAIN"):
        opposite = "=" if operator == "!=" else "CONTAINS"
        return bool(held) and not _compares(held, opposite, value)
    return any(_one_compares(item, operator, value) for item in held)


def _one_compares(item: Any, operator: str, value: Any) -> bool:
    if operator == "=":
        return bool(item == value)
    if operator == "CONTAINS":
        return str(value) in str(item)
    if operator == "STARTS WITH":
        return str(item).startswith(str(value))
    try:
        number, bound = float(item), float(value)
    except (TypeError, ValueError):
        return False
    return bool(
        {"<": number < bound, "<=": number <= bound, ">": number > bound, ">=": number >= bound}[operator]
    )
