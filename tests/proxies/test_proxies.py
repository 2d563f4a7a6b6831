"""The command behind real proxies: docs/proxies.md says what each of them does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from akeneo_media_cli.sandbox import parse_faults

from ..e2e.conftest import Bench, Bencher, Done, bench, catalogue, jpeg
from ..e2e.many import check_all, many, wait_for_uploads
from . import servers
from .servers import Relay, apache, caddy, free_port, haproxy, nginx, squid, varnish

pytestmark = pytest.mark.slow

__all__ = ["bench"]


def port_of(b: Bench) -> int:
    found = urlsplit(b.sandbox.url).port
    assert found is not None
    return found


def at(url: str) -> dict[str, str]:
    return {"AKENEO_URL": url}


def ended(b: Bench, process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=110)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err, json.loads((b.folder / "report.json").read_text("utf-8")))


@pytest.mark.parametrize("status", ["200", "302", "404", "503"])
def test_a_maintenance_page_of_nginx_blames_no_row(bench: Bencher, tmp_path: Path, status: str) -> None:
    b = bench(save_time=0.02)
    (tmp_path / "maint.html").write_text("<html><title>Back soon</title></html>")
    with Relay(port_of(b)) as relay:
        page = "http://status.example/" if status == "302" else "/maint.html"
        rules = f"""error_page 502 504 ={status} {page};
            location = /maint.html {{ root {tmp_path}; internal; }}
            location / {{ proxy_pass http://127.0.0.1:{relay.port}; }}"""
        if status == "503":
            rules = f"""error_page 502 504 = @down;
                location @down {{ return 503; }}
                location / {{ proxy_pass http://127.0.0.1:{relay.port}; }}"""
        with nginx(tmp_path, rules) as url:
            manifest = many(b, 60)
            process = b.start("upload", manifest, "--retries", "1", "--report", "report.json", env=at(url))
            wait_for_uploads(b, 12, process)
            relay.cut()
            done = ended(b, process)
            assert done.status == 5, done.err
            assert set(done.statuses()) == {"total", "uploaded", "pending"}, done.kinds()
            relay.restore()
            last = b.upload(manifest, env=at(url))
            assert last.status == 0, last.err
    check_all(b, 60)
    assert b.sandbox.stats()["duplicates"] <= 4, "what was in flight when it stopped"


def test_a_rate_limit_of_nginx_fails_no_row(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    rules = f"location / {{ limit_req zone=one burst=5; proxy_pass {b.sandbox.url}; }}"
    zone = "limit_req_zone $binary_remote_addr zone=one:1m rate=10r/s;"
    with nginx(tmp_path, rules, zone) as url:
        done = b.upload(many(b, 80), env=at(url))
    assert done.status == 0, done.err
    check_all(b, 80)


ODD = ["50%", "100%25", "a/b", ".", "..", "a;b+c"]


def test_odd_codes_behind_apache(bench: Bencher, tmp_path: Path) -> None:
    """With `AllowEncodedSlashes NoDecode` its answer to `%25` is 400; answers are lost on the way."""
    own = catalogue(0)
    own["products"] = [{"identifier": code, "family": "shoes"} for code in ODD]
    b = bench(own, faults=parse_faults(["reset-late=0.5"]), seed=5)
    lines = ["product,attribute,file"]
    for number, code in enumerate(ODD):
        lines += [f"{code},picture_{n},{b.file(f'{number}-{n}.jpg', jpeg(f'{number}-{n}'))}" for n in (1, 2)]
    rules = f"AllowEncodedSlashes NoDecode\nProxyPass / {b.sandbox.url}/"
    with apache(tmp_path, rules) as url:
        done = b.upload(b.manifest(lines), env=at(url))
    assert done.status == 0, done.err
    assert len(b.held()) == 2 * len(ODD)
    assert b.sandbox.stats()["duplicates"] == 0


def test_a_save_that_outlasts_apache_is_not_sent_again(bench: Bencher, tmp_path: Path) -> None:
    """Its answer is 502 then, and the PIM goes on."""
    b = bench(save_time=5.0)
    rules = f"ProxyTimeout 4\nProxyPass / {b.sandbox.url}/ connectiontimeout=2 timeout=4"
    manifest = b.manifest(["product,attribute,file", f"p-1,picture_1,{b.file('a.jpg', jpeg(1))}"])
    with apache(tmp_path, rules) as url:
        done = b.upload(manifest, env=at(url))
    assert done.status == 0, done.err
    assert b.sandbox.stats()["media_files"] == 1


def blames_no_row(b: Bench, url: str, rows: int) -> None:
    """Every row is uploaded or pending, most are uploaded, and none is sent twice.

    A row that is the last one can stay pending: its upload follows a read that succeeded, and where requests
    go to two upstreams in turn, the next one is for the other.
    """
    done = b.upload(many(b, rows), env=at(url))
    statuses = done.statuses()
    assert done.status == (5 if "pending" in statuses else 0), done.err
    assert set(statuses) <= {"total", "uploaded", "pending"}, done.kinds()
    assert statuses["uploaded"] >= rows // 2
    assert len(b.held()) == statuses["uploaded"]
    assert b.sandbox.stats()["duplicates"] == 0


def test_one_of_two_upstreams_of_haproxy_is_dead(bench: Bencher, tmp_path: Path) -> None:
    """Every second call is 503, look-ups and uploads alike."""
    b = bench()
    upstreams = f"  server up 127.0.0.1:{port_of(b)}\n  server down 127.0.0.1:{free_port()}"
    with haproxy(tmp_path, upstreams, "  retries 0") as url:
        blames_no_row(b, url, 12)


def test_one_of_two_upstreams_of_nginx_is_dead(bench: Bencher, tmp_path: Path) -> None:
    """Every second call is 502, look-ups and uploads alike."""
    b = bench()
    upstreams = f"""upstream pim {{
        server 127.0.0.1:{port_of(b)} max_fails=0; server 127.0.0.1:{free_port()} max_fails=0;
    }}"""
    rules = "location / { proxy_next_upstream off; proxy_pass http://pim; }"
    with nginx(tmp_path, rules, upstreams) as url:
        blames_no_row(b, url, 12)


def test_a_size_limit_of_caddy(bench: Bencher, tmp_path: Path) -> None:
    """It answers 502, or cuts the connection; smaller files pass."""
    b = bench()
    lines = ["product,attribute,file", f"p-1,picture_1,{b.file('large.jpg', jpeg(11, 3_000_000))}"]
    lines += [f"p-{n},picture_1,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(2, 12)]
    site = f" request_body {{\n  max_size 1MB\n }}\n reverse_proxy {b.sandbox.url}"
    with caddy(tmp_path, site) as url:
        done = b.upload(b.manifest(lines), env=at(url))
    assert done.status == 1, done.err
    assert done.statuses() == {"total": 11, "uploaded": 10, "failed": 1}
    large = done.item(2)
    assert large["error"]["kind"] == "body_too_large"
    assert large["attempts"] <= 2
    assert "2.0 kB" in large["error"]["message"] + large["error"]["hint"], "which sizes passed"


def test_a_save_that_outlasts_varnish_is_not_sent_again(bench: Bencher, tmp_path: Path) -> None:
    """Its answer is 503 then, and the PIM goes on."""
    b = bench(save_time=5.0)
    manifest = b.manifest(["product,attribute,file", f"p-1,picture_1,{b.file('a.jpg', jpeg(1))}"])
    with varnish(tmp_path, port_of(b), "2s") as url:
        done = b.upload(manifest, env=at(url))
    assert done.status == 0, done.err
    assert b.sandbox.stats()["media_files"] == 1


def test_a_size_limit_of_nginx(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    lines = ["product,attribute,file", f"p-1,picture_1,{b.file('large.jpg', jpeg(11, 3_000_000))}"]
    rules = f"client_max_body_size 1m; location / {{ proxy_pass {b.sandbox.url}; }}"
    with nginx(tmp_path, rules) as url:
        done = b.upload(b.manifest(lines), env=at(url))
    assert done.status == 1
    assert done.item(2)["error"]["kind"] == "body_too_large"
    assert done.item(2)["attempts"] == 1


def test_http_basic_of_apache(bench: Bencher, tmp_path: Path) -> None:
    """The Authorization header cannot hold both, whatever is tried (docs/proxies.md)."""
    b = bench()
    # "secret", hashed by `openssl passwd -apr1 -salt akeneo12 secret`.
    (tmp_path / "users").write_text("staging:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    rules = f"""ProxyPass / {b.sandbox.url}/
        <Location />
          AuthType Basic
          AuthName Staging
          AuthBasicProvider file
          AuthUserFile {tmp_path}/users
          Require valid-user
        </Location>"""
    with apache(tmp_path, rules) as url:
        done = b.run("check", env=at(url), report=False)
    assert done.status == 4, done.err
    assert "HTTP Basic" in done.out + done.err
    assert "Check AKENEO_URL" not in done.out + done.err


class TestSquid:
    def test_uploads_go_through(self, bench: Bencher, tmp_path: Path) -> None:
        b = bench()
        with squid(tmp_path, "http_access allow all") as url:
            done = b.upload(many(b, 20), env={"HTTP_PROXY": url, "NO_PROXY": "", "http_proxy": url})
        assert done.status == 0, done.err
        check_all(b, 20)

    def test_a_password_is_wanted(self, bench: Bencher, tmp_path: Path) -> None:
        b = bench()
        helper = tmp_path / "nobody"
        helper.write_text("#!/bin/sh\nwhile read line; do echo ERR; done\n")
        helper.chmod(0o755)
        rules = f"""auth_param basic program {helper}
            auth_param basic children 1
            acl known proxy_auth REQUIRED
            http_access allow known"""
        with squid(tmp_path, rules) as url:
            done = b.run("check", env={"HTTP_PROXY": url, "http_proxy": url, "NO_PROXY": ""}, report=False)
        shown = done.out + done.err
        assert done.status == 2, shown
        assert "407" in shown and "HTTP_PROXY" in shown

    def test_the_pim_is_down_behind_it(self, bench: Bencher, tmp_path: Path) -> None:
        b = bench()
        nowhere = f"https://127.0.0.1:{servers.free_port()}"
        with squid(tmp_path, "http_access allow all") as url:
            environ = {**at(nowhere), "HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": ""}
            done = b.run("check", env=environ, report=False)
        shown = done.out + done.err
        assert done.status == 5, shown
        assert "503" in shown and "OSError" not in shown

    def test_https_is_written_where_the_proxy_speaks_none(self, bench: Bencher, tmp_path: Path) -> None:
        b = bench()
        with squid(tmp_path, "http_access allow all") as url:
            wrong = url.replace("http://", "https://")
            environ = {
                **at("https://pim.example"),
                "HTTPS_PROXY": wrong,
                "https_proxy": wrong,
                "NO_PROXY": "",
            }
            done = b.run("check", env=environ, report=False)
        shown = done.out + done.err
        assert done.status == 2, shown
        assert "does not speak TLS" in shown and "HTTPS_PROXY" in shown
