"""Links as text: what they lead to, and what of them may be shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from akeneo_media_cli.link import Link, LinkError, hidden, is_link, link_name, parse, presentable, shown


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://cdn.example.com/a/b.jpg", Link("https", "cdn.example.com", None, "/a/b.jpg")),
        ("HTTPS://CDN.Example.com.:8443/A", Link("https", "cdn.example.com", 8443, "/A")),
        ("http://h/a b.jpg?q=x y#part", Link("http", "h", None, "/a%20b.jpg", "q=x%20y")),
        ("https://h", Link("https", "h", None, "/")),
        ("https://h?x=1", Link("https", "h", None, "/", "x=1")),
        ("https://[2001:db8::1]:8/a", Link("https", "2001:db8::1", 8, "/a")),
        ("https://bücher.example/ü", Link("https", "xn--bcher-kva.example", None, "/%C3%BC")),
        ("s3://bucket/a#b?c d.jpg", Link("s3", "bucket", None, "/a#b?c d.jpg")),
        ("gcs://bucket/a", Link("gs", "bucket", None, "/a")),
        ("sftp://me@h:2222/ä b?.jpg", Link("sftp", "h", 2222, "/ä b?.jpg", user="me")),
    ],
)
def test_a_link_is_taken_apart(text: str, link: Link) -> None:
    assert is_link(text)
    assert parse(text) == link
    # What is asked for is what was looked at.
    assert parse(link.url) == link


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://me:word@h/a", "must not contain a user name or password"),
        ("https://token@h/a", "must not contain a user name or password"),
        ("sftp://me:word@h/a", "must not contain a user name or password"),
        ("s3://key:secret@bucket/a", "must not contain credentials"),
        ("https:///a", "no host"),
        ("https://h:port/a", "malformed"),
        ("https://h:99999/a", "malformed"),
        ("https://[::1/a", "malformed"),
        ("https://a_b c/a", "malformed"),
        ("https://good.example\\@evil.example/a", "backslashes"),
        ("https://h/a\r\nX: y", "control characters"),
        ("https://h/\udc80", "control characters"),
        ("ftp://h/a", "ftp:// links are not supported"),
        ("data://x", "data:// links are not supported"),
        ("s3://bucket", "no file in it"),
        ("s3://bucket/", "no file in it"),
        ("s3:///key", "has no bucket"),
        ("https://-x/", "malformed"),
        ("a/b.jpg", "not a link"),
    ],
)
def test_what_is_no_link_is_told(text: str, why: str) -> None:
    with pytest.raises(LinkError, match=why):
        parse(text)
    assert link_name(text) == ""


@pytest.mark.parametrize("path", ["a/b.jpg", "/a/b.jpg", "C:\\a.jpg", "C://a.jpg", "a:b", "://x", "1a://x"])
def test_paths_are_no_links(path: str) -> None:
    assert not is_link(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://h/a/caf%C3%A9.jpg?x=1", "café.jpg"),
        ("https://h/a/", ""),
        ("https://h", ""),
        ("https://h/a%2Fb.jpg", "a/b.jpg"),
        ("https://h/%ff.jpg", "\ufffd.jpg"),
        ("s3://b/a/50%25.jpg", "50%25.jpg"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(text: str, name: str) -> None:
    assert parse(text).name == name


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("https://h/a.jpg?w=100&fmt=webp", "https://h/a.jpg?w=100&fmt=webp"),
        ("https://h/a.jpg?w=1&X-Amz-Signature=ab&x-goog-credential=c", None),
        ("https://h/a?sig=ab&se=2026&sp=r", "https://h/a?sig=***&se=***&sp=r"),
        ("https://h/a?id=0123456789abcdef0", "https://h/a?id=***"),
        ("https://h/a?0123456789abcdef0123456789", "https://h/a?***"),
        ("https://h/a?%74oken=x", "https://h/a?%74oken=***"),
        ("https://me:word@h/a", "https://***@h/a"),
        ("https://me:wo/rd@h/a", "https://***"),
        ("https://me:11/rd@h/a", "https://***"),
        ("https://me:11?rd@h/a", "https://***"),
        ("https://h/a https://me:word@h/b?sig=x", "https://h/a https://***@h/b?sig=***"),
        ("https://h/a?w=1;sig=x", "https://h/a?w=***"),
        ("https://h/a@2x.png", "https://h/a@2x.png"),
        ("ftp://me:word@h/a?token=x", "ftp://***@h/a?token=***"),
        ("sftp://me@h/a", "sftp://me@h/a"),
        ("sftp://me:word@h/a", "sftp://***@h/a"),
        ("s3://key:secret@b/a", "s3://***@b/a"),
        ("s3://b/a?token=b", "s3://b/a?token=b"),
        ("https://h/a#token=abc", "https://h/a"),
    ],
)
def test_secrets_of_links_are_not_shown(text: str, visible: str | None) -> None:
    if visible is None:
        visible = "https://h/a.jpg?w=1&X-Amz-Signature=***&x-goog-credential=***"
    assert shown(text.partition("#")[0] if text.startswith("http") else text) == visible
    assert presentable(text)[0] == visible


def test_only_a_link_with_a_secret_has_more_than_is_shown() -> None:
    assert presentable("https://h/a.jpg?w=100#top") == ("https://h/a.jpg?w=100", "")
    assert presentable("https://h/a?sig=1#top") == ("https://h/a?sig=***", "https://h/a?sig=1")


@pytest.mark.parametrize(
    "text",
    [
        " https://h/a.jpg?sig=Zq1",
        "https://h/a.jpg?sig=Zq1 ",
        "\u200bhttps://h/a.jpg?sig=Zq1",
        "ht\u200btps://h/a.jpg?sig=Zq1",
        "https:/\u200b/h/a.jpg?sig=Zq1",
        "https ://h/a.jpg?sig=Zq1",
        "https:// h/a.jpg?sig=Zq1",
        "http:/h/a.jpg?sig=Zq1",
        "http:h/a.jpg?sig=Zq1",
        "https//h/a.jpg?sig=Zq1",
        "https;//h/a.jpg?sig=Zq1",
        "https\uff1a//h/a.jpg?sig=Zq1",
        "https:\\\\h\\a.jpg?sig=Zq1",
        " https:///h/a.jpg#Zq1",
        "//h/a.jpg?sig=Zq1",
        "'//h/a.jpg?sig=Zq1'",
        "//me:Zq1@h/a.jpg",
        "<http://h/a.jpg?sig=Zq1>",
        '"http://h/a.jpg?sig=Zq1"',
        "url:http://h/a.jpg?sig=Zq1",
        "file=https://h/{season}.jpg?X-Amz-Signature=Zq1",
        "sub/https:/h/a.jpg?sig=Zq1",
        "https%3A%2F%2Fh%2Fa.jpg%3Fsig%3DZq1",
        " https://me:Zq1@h/a.jpg",
        " https://me:11/Zq1@h/a.jpg",
        "https ://me:11/Zq1@h/a.jpg",
        "sftp:/me:Zq1@h/a.jpg",
        "https://me:Zq1@h/a.jpg",
    ],
)
def test_what_looks_like_a_link_is_hidden_like_one(text: str) -> None:
    visible = hidden(text)
    assert "Zq1" not in visible
    assert "***" in visible
    assert hidden(visible) == visible


@pytest.mark.parametrize(
    "path",
    [
        "a.jpg", "a?token=b.jpg", "a#1.jpg", "dir/a@2x.png", "//srv/share/a@2x.png", "//?/C:/a.jpg",
        "50%25.jpg", "https/a.jpg?x", "C:\\a#1.jpg", "https://h/a@2x.png", " https://h/a.jpg",
        "//srv/a.jpg?w=1",
    ],
)  # fmt: skip
def test_what_holds_no_secret_is_shown_whole(path: str) -> None:
    assert hidden(path) == path


SECRET = st.text("abcdefghijklmnop0123456789+/=%-_.~", min_size=24, max_size=80).map(lambda t: f"Zq{t}")


@pytest.mark.fuzz
@given(
    secret=SECRET,
    name=st.sampled_from(["sig", "X-Amz-Signature", "token", "anything", "x-y", ""]),
    head=st.sampled_from(["https://h/a.jpg", "http://h", "https://h:1/", "HTTPS://[::1]/x", "ftp://h/a"]),
    others=st.lists(st.sampled_from(["w=1", "h", "a=b=c", "", "x=", "&"]), max_size=3),
    where=st.integers(0, 3),
)
def test_a_long_value_never_shows(secret: str, name: str, head: str, others: list[str], where: int) -> None:
    if not name:
        # As base64 has them: at the end, if at all.
        secret = f"{secret.replace('=', '_')}=="
    parameters = [*others[:where], f"{name}={secret}" if name else secret, *others[where:]]
    visible, whole = presentable(f"{head}?{'&'.join(parameters)}")
    assert "Zq" not in visible
    assert secret in whole


@pytest.mark.fuzz
@given(user=SECRET, word=SECRET, scheme=st.sampled_from(["https", "http", "s3", "gs", "sftp", "ftp", "x"]))
def test_a_password_never_shows(user: str, word: str, scheme: str) -> None:
    visible, _ = presentable(f"{scheme}://{quote(user, safe='')}:{quote(word, safe='')}@h/a.jpg")
    assert "Zq" not in visible


@pytest.mark.fuzz
@given(
    scheme=st.sampled_from(["https", "http", "sftp", "s3"]),
    gaps=st.tuples(*[st.sampled_from(["", " ", "\u200b", "\u00a0", "\ufeff"])] * 4),
    around=st.sampled_from(["", " ", '"', "'", "<", "(", "url: ", "file=", "- ", "\u200b"]),
    slashes=st.sampled_from(["/", "//", "///"]),
    secret=SECRET,
)
def test_a_mistyped_link_shows_nothing_either(
    scheme: str, gaps: tuple[str, str, str, str], around: str, slashes: str, secret: str
) -> None:
    a, b, c, d = gaps
    visible = hidden(f"{around}{scheme}{a}:{b}{slashes}{c}h/a.jpg{d}?sig={secret}")
    # What stores call their objects may have question marks.
    if not visible.startswith("s"):
        assert "Zq" not in visible


@pytest.mark.fuzz
@given(st.text(max_size=80))
def test_what_is_hidden_stays_hidden(text: str) -> None:
    visible = hidden(text)
    assert visible == text or "***" in visible or is_link(text)
    for scheme in ("https:/", "//", " https://", "sftp ://"):
        hidden(f"{scheme}{text}")


@pytest.mark.fuzz
@given(st.text(max_size=80))
@example("\ud800")
@example("[::")
@example("h:٣/")
def test_any_text_is_a_link_or_told_why_not(rest: str) -> None:
    for scheme in ("https", "s3", "sftp", "nfs"):
        text = f"{scheme}://{rest}"
        shown(text)
        try:
            link = parse(text)
        except LinkError as error:
            assert str(error)
        else:
            assert parse(link.url) == link
