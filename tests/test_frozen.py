"""Values are equal by type and fields, can be keys, and show what may be shown."""

from __future__ import annotations

from dataclasses import asdict, field, replace

from akeneo_media_cli.frozen import frozen


@frozen
class Size:
    width: int
    height: int = 1


@frozen
class Area(Size):
    unit: str = "px"


@frozen
class Other:
    width: int
    height: int = 1


@frozen
class Login:
    user: str
    secret: str = field(repr=False)
    seen: int = field(default=0, compare=False)
    roles: list[str] = field(default_factory=list)


def test_values_are_equal_by_type_and_fields() -> None:
    assert Size(2) == Size(2, 1)
    assert Size(2) != Size(3)
    others: list[object] = [Other(2), Area(2), (2, 1), None]
    assert Size(2) not in others
    assert Area(2, unit="mm") != Area(2)
    assert Login("a", "b", seen=1) == Login("a", "b", seen=2)
    assert Login("a", "b") != Login("a", "c")


def test_values_can_be_keys() -> None:
    assert {Size(2), Size(2, 1), Size(3), Other(2)} == {Size(2), Size(3), Other(2)}


def test_what_must_not_be_shown_is_not() -> None:
    assert repr(Area(2)) == "Area(width=2, height=1, unit='px')"
    assert repr(Login("a", "b")) == "Login(user='a', seen=0, roles=[])"


def test_values_are_dataclasses() -> None:
    assert replace(Area(2), height=4) == Area(2, 4)
    assert asdict(Size(2)) == {"width": 2, "height": 1}
    assert Login("a", "b").roles is not Login("a", "b").roles
    match Area(2, 3):
        case Area(width, height):
            assert (width, height) == (2, 3)
