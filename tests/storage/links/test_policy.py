"""Which links may be followed, and which addresses they may lead to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from akeneo_media_cli.errors import Failure, Kind, UsageError
from akeneo_media_cli.storage.links.policy import ForbiddenError, LinkOptions, LinkPolicy, system_addresses

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
    "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.0.192", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "::ffff:0:7f00:1", "::ffff:0:a9fe:a9fe",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "2001:db8::1",
]  # fmt: skip
PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "::ffff:0:808:808",
]


def policy(*hosts: str, addresses: Sequence[str] = ("8.8.8.8",), allow: bool = True) -> LinkPolicy:
    return LinkPolicy(LinkOptions(allow, hosts), lambda host, port: addresses)


def judged(judge: LinkPolicy, text: str) -> str:
    """Empty for a link that may be followed, else why not."""
    verdict = judge.judge(text)
    if isinstance(verdict, Failure):
        assert verdict.kind is Kind.LINK_REFUSED
        assert verdict.hint
        return verdict.message
    return ""


def test_links_are_followed_only_where_it_was_said() -> None:
    for text in ("https://h.example/a.jpg", "s3://bucket/a.jpg", "sftp://h.example/a.jpg"):
        assert "not followed by default" in judged(policy("h.example", allow=False), text)
        assert judged(policy("h.example"), text) == ""
    # Buckets and servers whose keys are known are asked with credentials: https is not.
    assert judged(policy(), "s3://bucket/a.jpg") == ""
    assert judged(policy(), "sftp://h.example/a.jpg") == ""
    assert judged(policy(), "https://h.example/a.jpg") == "links to h.example are not allowed"


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("cdn.example.com", ["cdn.example.com", "CDN.example.com.", "cdn.example.com:8443"], ["example.com"]),
        ("*.example.com", ["cdn.example.com", "a.b.example.com"], ["example.com", "badexample.com"]),
        ("*", ["anything.example"], []),
        ("cdn.example.com:8443", ["cdn.example.com:8443"], ["cdn.example.com", "cdn.example.com:1"]),
        ("Bücher.example", ["xn--bcher-kva.example", "bücher.example"], ["bucher.example"]),
        ("10.1.0.0/16", ["10.1.2.3", "10.1.9.9:80"], ["10.2.0.1", "h.example"]),
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.4"]),
        ("fd00::/8", ["[fd00::1]"], ["[fe80::1]"]),
        ("[fd00::1]", ["[fd00::1]:80"], ["[fd00::2]"]),
        ("8.8.8.8", ["8.8.8.8"], ["8.8.4.4"]),
        ("10.1.2.3:8443", ["10.1.2.3:8443"], ["10.1.2.3", "10.1.2.3:80", "10.1.2.4:8443"]),
        ("[fd00::1]:8443", ["[fd00::1]:8443"], ["[fd00::1]", "[fd00::2]:8443"]),
        ("cdn.example.com:443", ["cdn.example.com", "cdn.example.com:443"], ["cdn.example.com:80"]),
        ("*.example.com:443", ["cdn.example.com"], ["cdn.example.com:8443"]),
        ("localhost", ["localhost", "localhost:8443"], ["127.0.0.1", "[::1]", "h.localhost"]),
        ("localhost:8443", ["localhost:8443"], ["localhost", "localhost:1", "127.0.0.1:8443"]),
    ],
)
def test_hosts_are_named_in_several_ways(pattern: str, yes: list[str], no: list[str]) -> None:
    judge = policy(pattern)
    for host in yes:
        assert judged(judge, f"https://{host}/a.jpg") == ""
    for host in no:
        assert judged(judge, f"https://{host}/a.jpg")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a b",
        "h:port",
        "https://h/",
        "*.*.h",
        "h/24",
        "me@h",
        "*:x",
        "h:",
        "h:\u0663",
        f"h:{'9' * 5000}",
        "10.0.0.0/8:443",
    ],
)
def test_what_names_no_host_is_told(pattern: str) -> None:
    with pytest.raises(UsageError, match="is not a host"):
        policy(pattern)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_not_asked(address: str) -> None:
    for judge in (policy("*", addresses=[address]), policy("*", addresses=["8.8.8.8", address])):
        with pytest.raises(ForbiddenError, match="not public"):
            judge.addresses("h.example", 443)
    host = f"[{address}]" if ":" in address else address
    if "%" not in address:
        assert "not public" in judged(policy("*"), f"https://{host}/a.jpg")
        assert "not public" in judged(policy("*"), f"sftp://{host}/a.jpg")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert policy("*", addresses=[address]).addresses("h.example", 443) == [address]


def test_a_network_of_ones_own_is_asked_when_it_is_named() -> None:
    judge = policy("img.corp", "10.0.0.0/8", addresses=["10.1.2.3"])
    assert judge.addresses("img.corp", 443) == ["10.1.2.3"]
    assert judged(judge, "https://img.corp/a.jpg") == ""
    assert "not allowed" in judged(judge, "https://other.corp/a.jpg")
    with pytest.raises(ForbiddenError):
        policy("img.corp", "10.0.0.0/8", addresses=["169.254.169.254"]).addresses("img.corp", 443)
    with pytest.raises(ForbiddenError):
        # Spelled as another address, it is another address.
        policy("img.corp", "10.0.0.0/8", addresses=["::ffff:10.1.2.3"]).addresses("img.corp", 443)


def test_a_port_that_is_not_told_is_the_schemes_own() -> None:
    assert judged(policy("h.example:80"), "http://h.example/a.jpg") == ""
    assert judged(policy("h.example:80"), "https://h.example/a.jpg") != ""
    assert judged(policy("h.example:443"), "http://h.example/a.jpg") != ""
    assert judged(policy("10.1.2.3:22"), "sftp://10.1.2.3/a.jpg") == ""
    assert "on port 2222" in judged(policy("10.1.2.3:22"), "sftp://10.1.2.3:2222/a.jpg")


def test_another_port_is_told_as_such() -> None:
    verdict = policy("h.example:8443").judge("https://h.example/a.jpg")
    assert isinstance(verdict, Failure)
    assert verdict.message == "links to h.example, port 443, are not allowed"
    assert verdict.hint.endswith("--remote-host h.example:443")
    verdict = policy("10.1.2.3:8443").judge("https://10.1.2.3/a.jpg")
    assert isinstance(verdict, Failure)
    assert verdict.message.endswith("not contacted on port 443")
    assert verdict.hint.endswith("--remote-host 10.1.2.3:443")


def test_localhost_is_this_machine_by_its_name() -> None:
    judge = policy("localhost", "h.example", addresses=["::1", "127.0.0.1"])
    assert judge.addresses("localhost", 80) == ["::1", "127.0.0.1"]
    assert judged(judge, "http://localhost:8000/a.jpg") == ""
    with pytest.raises(ForbiddenError):
        # Another name may be anybody's.
        judge.addresses("h.example", 80)
    with pytest.raises(ForbiddenError):
        policy("*", addresses=["127.0.0.1"]).addresses("localhost", 80)
    with pytest.raises(ForbiddenError):
        policy("localhost", addresses=["10.0.0.1"]).addresses("localhost", 80)


@pytest.mark.parametrize(
    ("hosts", "host", "address"),
    [
        (["localhost:8443"], "localhost", "127.0.0.1"),
        (["localhost:8443"], "localhost", "::1"),
        (["h.example", "10.1.2.3:8443"], "h.example", "10.1.2.3"),
        (["h.example", "[fd00::1]:8443"], "h.example", "fd00::1"),
    ],
)
def test_a_port_of_ones_own_opens_no_other(hosts: list[str], host: str, address: str) -> None:
    judge = policy(*hosts, addresses=[address])
    assert judge.addresses(host, 8443) == [address]
    for port in (80, 443, 6379):
        with pytest.raises(ForbiddenError):
            judge.addresses(host, port)


def test_a_host_without_address() -> None:
    with pytest.raises(OSError, match="has no address"):
        policy("*", addresses=[]).addresses("h.example", 443)
    with pytest.raises(ForbiddenError):
        policy("*", addresses=["nonsense"]).addresses("h.example", 443)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
def test_odd_spellings_of_an_address_lead_where_they_lead(host: str) -> None:
    judge = LinkPolicy(LinkOptions(True, ["*"]))
    assert judged(judge, f"https://{host}/a.jpg") == ""
    with pytest.raises(ForbiddenError, match=r"127\.0\.0\.1"):
        judge.addresses(host, 443)


def test_the_system_is_asked_for_addresses() -> None:
    assert set(system_addresses("localhost", 80)) & {"127.0.0.1", "::1"}
