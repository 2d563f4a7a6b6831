"""Where settings come from, what is wrong with them, and that no secret is told on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.pim.address import is_this_machine, pim_url
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.settings import load_connection, option_environment, unknown_options

EXAMPLE = Path(__file__).parent.parent / ".env.example"
LOGIN = {
    "AKENEO_CLIENT_ID": "1_abc",
    "AKENEO_CLIENT_SECRET": "s3cret-of-client",
    "AKENEO_USERNAME": "uploader_1234",
    "AKENEO_PASSWORD": "s3cret-of-user",
}
FULL = {"AKENEO_URL": "https://pim.example.com", **LOGIN}
WHOLE = Connection(
    "https://pim.example.com", "1_abc", Secret("s3cret-of-client"), "uploader_1234", Secret("s3cret-of-user")
)


def problems(environ: dict[str, str], cwd: Path, env_file: Path | None = None) -> str:
    """What the user is told, and that the traceback tells no more."""
    with pytest.raises(UsageError) as caught:
        load_connection(environ, env_file, cwd=cwd)
    whole = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value)
    assert "s3cret" not in whole
    assert caught.value.exit_status is Exit.USAGE
    assert "--sandbox" in caught.value.hint
    return caught.value.message


class TestSources:
    def test_the_environment_alone(self, tmp_path: Path) -> None:
        assert load_connection(FULL, None, cwd=tmp_path) == WHOLE

    def test_env_file_alone(self, tmp_path: Path) -> None:
        text = "".join(f"{name}={value}\n" for name, value in FULL.items())
        (tmp_path / ".env").write_text(text)
        assert load_connection({}, None, cwd=tmp_path) == WHOLE
        (tmp_path / ".env").rename(tmp_path / "prod.env")
        assert load_connection({}, Path("prod.env"), cwd=tmp_path) == WHOLE

    def test_the_environment_goes_before_the_file_and_empty_is_none(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(
            "AKENEO_URL=https://staging.example.com\nAKENEO_PASSWORD=s3cret-of-user\n"
        )
        found = load_connection({**FULL, "AKENEO_PASSWORD": ""}, None, cwd=tmp_path)
        assert found == WHOLE

    def test_a_file_named_on_purpose_overrides_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "staging.env").write_text("AKENEO_URL=https://staging.example.com\n")
        found = load_connection(FULL, Path("staging.env"), cwd=tmp_path)
        assert (found.url, found.username) == ("https://staging.example.com", "uploader_1234")

    @pytest.mark.parametrize(
        "password", ["a$b${HOME}c", "p#q", "a=b=c", "  ", "söß€", "'", "x'y\"z", "your-self", " a "]
    )
    def test_odd_passwords_survive(self, tmp_path: Path, password: str) -> None:
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        (tmp_path / ".env").write_text(f"AKENEO_PASSWORD='{quoted}'\n", encoding="utf-8")
        rest = {name: value for name, value in FULL.items() if name != "AKENEO_PASSWORD"}
        assert load_connection(rest, None, cwd=tmp_path).password.reveal() == password
        assert (
            load_connection({**rest, "AKENEO_PASSWORD": password}, None, cwd=tmp_path).password.reveal()
            == password
        )
        (tmp_path / "secret").write_bytes(password.encode() + b"\r\n")
        found = load_connection({**rest, "AKENEO_PASSWORD_FILE": "secret"}, None, cwd=tmp_path)
        assert found.password.reveal() == password

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n"])
    def test_files_from_windows(self, tmp_path: Path, encoding: str, line_end: str) -> None:
        text = "".join(f"{name}={value}{line_end}" for name, value in FULL.items())
        (tmp_path / ".env").write_bytes(text.encode(encoding))
        assert load_connection({}, None, cwd=tmp_path) == WHOLE

    def test_a_folder_named_env_is_somebody_elses(self, tmp_path: Path) -> None:
        (tmp_path / ".env").mkdir()
        assert load_connection(FULL, None, cwd=tmp_path) == WHOLE
        assert "cannot be read: Is a directory" in problems(FULL, tmp_path, Path(".env"))

    def test_other_peoples_lines_in_the_file_do_not_matter(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("just some words\n'\nAKENEO_URL=https://pim.example.com\nLONELY\n")
        assert load_connection(LOGIN, None, cwd=tmp_path) == WHOLE

    @pytest.mark.parametrize(
        "line", ["AKENEO_PASSWORD 's3cret", 'AKENEO_PASSWORD="s3cret', "AKENEO_PASSWORD: s3cret"]
    )
    def test_a_line_that_cannot_be_read_is_told_without_its_text(self, tmp_path: Path, line: str) -> None:
        (tmp_path / ".env").write_text(f"A=1\n{line}\n")
        assert ".env, line 2, is not NAME=value" in problems(FULL, tmp_path)

    def test_a_file_that_cannot_be_had(self, tmp_path: Path) -> None:
        assert "prod.env cannot be read: No such file" in problems(FULL, tmp_path, Path("prod.env"))
        assert "cannot be read: no such name" in problems(FULL, tmp_path, Path("a\0b"))
        (tmp_path / "latin").write_bytes(b"AKENEO_PASSWORD=s3cret\xe9\n")
        assert "latin is not UTF-8 text" in problems(FULL, tmp_path, Path("latin"))
        (tmp_path / "nul").write_bytes(b"AKENEO_PASSWORD=s3cret\0\n")
        assert "nul is not UTF-8 text" in problems(FULL, tmp_path, Path("nul"))
        assert "larger than 1024 KiB" in problems(FULL, tmp_path, Path("/dev/zero"))


class TestSecretFiles:
    def test_each_variable_may_come_from_a_file(self, tmp_path: Path) -> None:
        environ = {}
        for name, value in FULL.items():
            (tmp_path / name).write_text(f"{value}\n")
            environ[f"{name}_FILE"] = str(tmp_path / name)
        assert load_connection(environ, None, cwd=Path("/")) == WHOLE

    def test_from_the_env_file_a_path_starts_at_its_folder(self, tmp_path: Path) -> None:
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / "pass").write_text("s3cret-of-user")
        (tmp_path / "conf" / "env").write_text("AKENEO_PASSWORD_FILE=pass")
        environ = {**FULL, "AKENEO_PASSWORD": ""}
        assert load_connection(environ, Path("conf/env"), cwd=tmp_path) == WHOLE

    def test_only_one_line_break_is_dropped(self, tmp_path: Path) -> None:
        (tmp_path / "pass").write_text("s3cret\n\n")
        environ = {**FULL, "AKENEO_PASSWORD": "", "AKENEO_PASSWORD_FILE": "pass"}
        assert load_connection(environ, None, cwd=tmp_path).password.reveal() == "s3cret\n"

    def test_a_pipe_is_read_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("s3cret-of-user\n",))
        writer.start()
        environ = {**FULL, "AKENEO_PASSWORD": "", "AKENEO_PASSWORD_FILE": "pipe"}
        assert load_connection(environ, None, cwd=tmp_path) == WHOLE
        writer.join()

    def test_what_is_wrong_with_one(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_text("\n")
        (tmp_path / "bytes").write_bytes(b"s3cret\xff")
        environ = {
            **FULL,
            "AKENEO_CLIENT_ID_FILE": "x",
            "AKENEO_CLIENT_SECRET": "",
            "AKENEO_CLIENT_SECRET_FILE": "missing",
            "AKENEO_USERNAME": "",
            "AKENEO_USERNAME_FILE": "empty",
            "AKENEO_PASSWORD": "",
            "AKENEO_PASSWORD_FILE": "bytes",
        }
        told = problems(environ, tmp_path)
        assert "AKENEO_CLIENT_ID and AKENEO_CLIENT_ID_FILE are both set in the environment: keep one" in told
        assert (
            f"the file of AKENEO_CLIENT_SECRET_FILE, {tmp_path}/missing, cannot be read: No such file" in told
        )
        assert f"the file of AKENEO_USERNAME_FILE, {tmp_path}/empty, is empty" in told
        assert f"the file of AKENEO_PASSWORD_FILE, {tmp_path}/bytes, is not UTF-8 text" in told
        assert "larger than 64 KiB" in problems(
            {**FULL, "AKENEO_PASSWORD": "", "AKENEO_PASSWORD_FILE": "/dev/zero"}, tmp_path
        )


class TestToken:
    TOKENED = Connection("https://pim.example.com", token=Secret("s3cretTOKEN"))

    def test_instead_of_the_four(self, tmp_path: Path) -> None:
        environ = {"AKENEO_URL": "https://pim.example.com", "AKENEO_TOKEN": " s3cretTOKEN\n"}
        assert load_connection(environ, None, cwd=tmp_path) == self.TOKENED
        assert load_connection({**FULL, **environ}, None, cwd=tmp_path) == self.TOKENED

    def test_a_login_in_the_environment_goes_before_a_token_in_the_file(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("AKENEO_TOKEN=s3cretTOKEN")
        assert load_connection(FULL, None, cwd=tmp_path) == WHOLE
        url = {"AKENEO_URL": "https://pim.example.com"}
        assert load_connection(url, None, cwd=tmp_path) == self.TOKENED

    @pytest.mark.parametrize("token", ["s3cret token", "s3cret\ntoken", "s3crét", "s3cret\x7f"])
    def test_what_cannot_be_one(self, tmp_path: Path, token: str) -> None:
        environ = {"AKENEO_URL": "https://pim.example.com", "AKENEO_TOKEN": token}
        assert "AKENEO_TOKEN has characters that no token has" in problems(environ, tmp_path)


class TestProblems:
    def test_all_are_told_at_once_each_with_its_cure(self, tmp_path: Path) -> None:
        told = problems({"AKENEO_PASSWORD": "s3cret", "AKENEO_ALLOW_HTTP": "perhaps"}, tmp_path)
        lines = told.splitlines()
        assert len(lines) == 6
        for name in ("AKENEO_URL", "AKENEO_CLIENT_ID", "AKENEO_CLIENT_SECRET", "AKENEO_USERNAME"):
            (line,) = (line for line in lines if f"{name} is missing: " in line)
            assert len(line.split("is missing: ")[1]) > 20
        assert "AKENEO_ALLOW_HTTP is neither 1 nor 0" in told

    def test_a_slip_in_a_name_is_seen(self, tmp_path: Path) -> None:
        environ = {**FULL, "AKENEO_CLIENT_ID": "", "AKENEO_CLIENTID": "1_abc"}
        assert "AKENEO_CLIENT_ID is missing (AKENEO_CLIENTID is set: is that a typo?)" in problems(
            environ, tmp_path
        )

    def test_the_example_as_it_stands_is_told_as_such(self, tmp_path: Path) -> None:
        told = problems({}, tmp_path, EXAMPLE)
        for name in FULL:
            assert f"{name} still has the example's value" in told
        assert "AKENEO_TOKEN still has" in problems({**FULL, "AKENEO_TOKEN": "ChangeMe"}, tmp_path)

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("AKENEO_CLIENT_SECRET", '"s3cret"', "has quotes around it that are part of the value"),
            ("AKENEO_USERNAME", " \t", "is blank"),
        ],
    )
    def test_values_that_cannot_be(self, tmp_path: Path, name: str, value: str, told: str) -> None:
        assert f"{name} {told}" in problems({**FULL, name: value}, tmp_path)


class TestAddress:
    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("https://my.cloud.akeneo.com", "https://my.cloud.akeneo.com"),
            (" https://My.Cloud.akeneo.com/ \n", "https://my.cloud.akeneo.com"),
            ("'https://my.cloud.akeneo.com'", "https://my.cloud.akeneo.com"),
            ('"https://my.cloud.akeneo.com/api/rest/v1/"', "https://my.cloud.akeneo.com"),
            ("https://shop.example/pim/api/rest/v1", "https://shop.example/pim"),
            ("https://shop.example//", "https://shop.example"),
            ("HTTPS://shop.example:443", "https://shop.example"),
            ("https://shop.example.:8443", "https://shop.example:8443"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:80/", "http://127.0.0.1"),
            ("http://127.200.3.4", "http://127.200.3.4"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://akeneo_pim", "https://akeneo_pim"),
            ("https://bücher.example", "https://bücher.example"),
        ],
    )
    def test_good_ones_are_put_into_one_form(self, text: str, url: str) -> None:
        assert pim_url(text, allow_http=False) == (url, [])
        assert pim_url(url, allow_http=False) == (url, [])

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("my.cloud.akeneo.com", "write https://my.cloud.akeneo.com"),
            ("localhost:8080/pim", "write https://localhost:8080/pim"),
            ("user:s3cret@my.cloud.akeneo.com", "is not an address"),
            ("https:/my.cloud.akeneo.com", "is not an address"),
            ("ftp://my.cloud.akeneo.com", "neither https:// nor http://"),
            ("https://", "has no host"),
            ("https:///path", "has no host"),
            ("https://a..b", "has no host"),
            ("https://-a", "has no host"),
            ("https://a,b", "has no host"),
            ("https://" + "a." * 200, "has no host"),
            ("https://" + "a" * 64, "has no host"),
            ("https://my.host:0", "has no host"),
            ("https://my.host:99999", "is not an address"),
            ("https://my.host:s3cret", "is not an address"),
            ("https://[::1", "is not an address"),
            ("https://[::g]", "no"),
            ("https://user:s3cret@my.host", "contains a user name or password"),
            ("https://@my.host", "contains a user name or password"),
            ("https://my.host/?token=s3cret", "has a ? or # part"),
            ("https://my.host/#/dashboard", "has a ? or # part"),
            ("https://my host", "has a space"),
            ("https://my.host\\pim", "backslash"),
            ("https://my.host\npim", "control character"),
            ("http://my.host", "AKENEO_ALLOW_HTTP=1"),
            ("http://127.0.0.1.example.com", "AKENEO_ALLOW_HTTP=1"),
            ("http://localhost.example.com", "AKENEO_ALLOW_HTTP=1"),
            ("http://0.0.0.0", "AKENEO_ALLOW_HTTP=1"),
            ("http://[fe80::1]", "AKENEO_ALLOW_HTTP=1"),
        ],
    )
    def test_bad_ones_are_told_with_their_cure_and_without_their_secrets(
        self, text: str, told: str, tmp_path: Path
    ) -> None:
        url, wrong = pim_url(text, allow_http=False)
        assert url == ""
        assert len(wrong) == 1
        assert told in wrong[0]
        assert f"AKENEO_URL {wrong[0]}" in problems({**FULL, "AKENEO_URL": text}, tmp_path)

    @pytest.mark.parametrize(("switch", "allowed"), [("1", True), ("TRUE", True), ("0", False), ("", False)])
    def test_plain_http_elsewhere_is_allowed_by_a_switch(
        self, tmp_path: Path, switch: str, allowed: bool
    ) -> None:
        environ = {**FULL, "AKENEO_URL": "http://my.host", "AKENEO_ALLOW_HTTP": switch}
        if allowed:
            assert load_connection(environ, None, cwd=tmp_path).url == "http://my.host"
        else:
            assert "AKENEO_ALLOW_HTTP=1" in problems(environ, tmp_path)

    def test_several_things_are_told_together(self) -> None:
        _, wrong = pim_url("ftp://u:p@your-pim.example?x", allow_http=False)
        assert len(wrong) == 4

    @given(st.text() | st.from_regex(r"https?://[^/]{0,20}(/.*)?"))
    def test_any_text_is_an_address_or_told(self, text: str) -> None:
        url, wrong = pim_url(text, allow_http=False)
        assert bool(url) != bool(wrong)
        assert not url.endswith("/")
        if url.startswith("http://"):
            assert is_this_machine(url.removeprefix("http://").split("/")[0].rsplit(":", 1)[0].strip("[]"))


class TestOptions:
    def test_from_the_environment_then_the_file(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(
            "AKENEO_MEDIA_RETRIES=9\nAKENEO_MEDIA_SKIP=none\nAKENEO_PASSWORD=s3cret\n"
        )
        environ = {
            "AKENEO_MEDIA_SKIP": "remote",
            "AKENEO_MEDIA_RETRIES": "",
            "HOME": "/",
            "AKENEO_MEDIA_X": "",
        }
        assert option_environment(environ, None, cwd=tmp_path) == {
            "AKENEO_MEDIA_SKIP": "remote",
            "AKENEO_MEDIA_RETRIES": "9",
        }

    def test_a_named_file_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"prod\.env cannot be read"):
            option_environment({}, Path("prod.env"), cwd=tmp_path)

    def test_an_unknown_name_is_warned_about_without_its_value(self) -> None:
        known = {"AKENEO_MEDIA_CONCURRENCY", "AKENEO_MEDIA_SKIP"}
        options = {
            "AKENEO_MEDIA_CONCURENCY": "s3cret",
            "AKENEO_MEDIA_SKIP": "none",
            "AKENEO_MEDIA_ZZZ": "1",
            "HOME": "/",
        }
        assert unknown_options(options, known) == [
            "Unknown option AKENEO_MEDIA_CONCURENCY; did you mean AKENEO_MEDIA_CONCURRENCY?",
            "Unknown option AKENEO_MEDIA_ZZZ",
        ]


def test_the_example_is_read_as_a_shell_user_expects(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert set(dotenv_values(EXAMPLE)) == set(FULL)
    # Every line that is commented out must be good when it is let in.
    (tmp_path / "all.env").write_text(
        "\n".join(line[1:] if line.startswith("#AKENEO") else line for line in text.splitlines())
    )
    let_in = dotenv_values(tmp_path / "all.env")
    assert {"AKENEO_TOKEN", "AKENEO_PASSWORD_FILE", "AKENEO_ALLOW_HTTP", "AKENEO_MEDIA_RETRIES"} <= set(
        let_in
    )
    assert "'p#ss \"word\"'" in text


def test_nothing_slow_is_loaded_for_settings() -> None:
    script = "import sys, akeneo_media_cli.settings; print({'requests', 'dotenv', 'rich'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"
