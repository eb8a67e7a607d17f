"""Logins, certificates and proxies: the password goes where the user meant it, as he meant it, and nowhere else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync.credentials import Secret
from calsync.errors import ConfigError, LoginError, UnreachableError
from calsync.targets.caldav import CaldavTarget
from calsync.targets.davtrust import Trust
from tests import internet as net
from tests.internet import Internet
from tests.scripted import Asked, Reply, Script, Scripted, multistatus, response, serve
from tests.targets.contract import event

PASSWORD = "zinnober-quartz-otter"
LISTING = multistatus(response("/cal/a.ics", '<D:getetag>"1"</D:getetag><D:resourcetype/>'))
DIGEST = 'Digest realm="x", nonce="1", qop="auth", algorithm=MD5'

Open = Callable[..., CaldavTarget]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens targets with a login, and closes them in the end."""
    targets: list[CaldavTarget] = []

    def open_target(**settings: Any) -> CaldavTarget:
        login = {"username": "alice", "password": Secret(PASSWORD), "calendar": "/cal/"}
        targets.append(CaldavTarget(**{**login, **settings}))
        return targets[-1]

    yield open_target
    for target in targets:
        target.close()


@pytest.fixture
def server() -> Iterator[Scripted]:
    with serve(lambda _: LISTING) as scripted:
        yield scripted


@pytest.fixture
def internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Scripted) -> Iterator[Internet]:
    """dav.example.org over TLS is our server."""
    with net.opened(tmp_path, monkeypatch, {"dav.example.org:443": server.port}) as internet:
        yield internet


def wants(scheme: str, challenge: str) -> Script:
    """A script that lists for this kind of login alone."""

    def script(asked: Asked) -> Reply:
        if asked.headers.get("authorization", "").startswith(scheme):
            return Reply(201) if asked.method == "PUT" else LISTING
        return Reply(401, "", {"WWW-Authenticate": challenge})

    return script


def logins(server: Scripted) -> list[str]:
    """The first word of what was sent as the login, request by request."""
    return [asked.headers.get("authorization", "none").split()[0] for asked in server.asked]


# Passwords and tokens


def test_a_password_goes_as_basic_with_the_first_request(server: Scripted, opened: Open) -> None:
    server.script = wants("Basic", "Basic realm=x")
    assert opened(url=server.url).listing().whole
    assert logins(server) == ["Basic"]


def test_where_the_server_asks_for_digest_alone_it_gets_it_from_then_on(server: Scripted, opened: Open) -> None:
    server.script = wants("Digest", DIGEST)
    target = opened(url=server.url)
    target.listing()
    target.create("x.ics", event("x"))
    assert logins(server) == ["Basic", "Digest", "Digest"]
    assert target.requests == len(server.asked)


def test_with_digest_the_password_is_never_sent(server: Scripted, opened: Open) -> None:
    server.script = wants("Digest", DIGEST)
    opened(url=server.url, auth="digest").listing()
    assert logins(server) == ["none", "Digest"]


def test_with_basic_nothing_else_is_tried_and_the_error_says_what_would_do(server: Scripted, opened: Open) -> None:
    server.script = wants("Digest", DIGEST)
    with pytest.raises(LoginError, match="auth: digest"):
        opened(url=server.url, auth="basic").listing()
    assert logins(server) == ["Basic"]


@pytest.mark.parametrize("auth", ["basic", "digest", None])
def test_a_refused_password_is_sent_no_second_time(server: Scripted, opened: Open, auth: Any) -> None:
    server.script = wants("nothing", f"{DIGEST}, Basic realm=x")
    with pytest.raises(LoginError, match="Check the user name and the password") as caught:
        opened(url=server.url, auth=auth).listing()
    assert len([login for login in logins(server) if login != "none"]) == 1
    assert PASSWORD not in str(caught.value)


def test_a_token_that_has_run_out_is_fetched_anew_once_also_for_a_write(server: Scripted, opened: Open) -> None:
    fresh = iter([Secret("second"), Secret("third")])
    server.script = wants("Bearer second", "Bearer error=invalid_token")
    target = opened(url=server.url, username=None, password=Secret("first"), auth="bearer", renew=lambda: next(fresh))
    assert target.create("x.ics", event("x")).href == "/cal/x.ics"
    target.listing()
    assert [asked.headers["authorization"] for asked in server.asked] == [
        "Bearer first",
        "Bearer second",
        "Bearer second",
    ]
    assert server.asked[1].body == server.asked[0].body


def test_a_token_refused_twice_is_an_error_that_names_the_command(server: Scripted, opened: Open) -> None:
    fresh = iter([Secret("second"), Secret("third")])
    server.script = wants("nothing", "Bearer")
    target = opened(url=server.url, username=None, password=Secret("first"), auth="bearer", renew=lambda: next(fresh))
    for _ in range(2):
        with pytest.raises(LoginError, match="token_command"):
            target.listing()
    assert [token.reveal() for token in fresh] == ["third"]


def test_eight_threads_with_an_old_token_fetch_one_new_one(server: Scripted, opened: Open) -> None:
    """All of them are refused before the first has a new token."""
    together = threading.Barrier(8)

    def script(asked: Asked) -> Reply:
        if asked.headers["authorization"] == "Bearer first":
            together.wait(20)
        return wants("Bearer second", "Bearer")(asked)

    server.script = script
    renewed: list[Secret] = []

    def renew() -> Secret:
        renewed.append(Secret("second"))
        return renewed[-1]

    target = opened(url=server.url, username=None, password=Secret("first"), auth="bearer", renew=renew)
    threads = [threading.Thread(target=target.create, args=(f"{n}.ics", event(str(n)))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(renewed) == 1
    assert len(server.asked) == 16


def test_a_server_that_takes_tokens_alone_is_told(server: Scripted, opened: Open) -> None:
    """Google."""
    server.script = wants("Bearer", 'Bearer realm="https://accounts.google.com/", error="invalid_token"')
    with pytest.raises(LoginError, match=r"Use caldav\.token_command"):
        opened(url=server.url).listing()


def test_a_login_that_is_wanted_and_not_there_is_told(server: Scripted, opened: Open) -> None:
    server.script = wants("Basic", "Basic realm=x")
    with pytest.raises(LoginError, match=r"Set caldav\.username"):
        opened(url=server.url, username=None, password=None).listing()
    with pytest.raises(ConfigError, match="whose password is it"):
        opened(url=server.url, username=None)


def test_a_netrc_is_never_read(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, internet: Internet
) -> None:
    """With a login and without, on loopback and elsewhere."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        "machine 127.0.0.1 login bob password from-netrc\nmachine dav.example.org login bob password from-netrc\n"
    )
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for url in (server.url, "https://dav.example.org/"):
        for login in ({}, {"username": None, "password": None}):
            opened(url=url, ca_file=internet.ca_file, **login).listing()
    assert logins(server) == ["Basic", "none", "Basic", "none"]
    assert len({asked.headers.get("authorization") for asked in server.asked}) == 2
    server.script = wants("nothing", "Basic realm=x")
    with pytest.raises(LoginError):
        opened(url="https://dav.example.org/", ca_file=internet.ca_file, username=None, password=None).listing()


# Without TLS


def test_plain_http_goes_out_only_if_the_user_insists(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch, internet: Internet
) -> None:
    monkeypatch.setenv("http_proxy", internet.url)
    internet.routes["dav.example.org"] = server.port
    with pytest.raises(ConfigError, match="allow_insecure"):
        opened(url="http://dav.example.org/")
    assert internet.asked == []
    assert opened(url="http://dav.example.org/", allow_insecure=True).listing().whole
    assert internet.asked == ["REPORT http://dav.example.org/cal/ HTTP/1.1"]


def test_a_server_with_tls_cannot_send_us_where_there_is_none(
    server: Scripted, opened: Open, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", internet.url)
    internet.routes["dav.example.org"] = server.port
    server.script = lambda _: Reply(302, "", {"Location": "http://dav.example.org/cal/"})
    with pytest.raises(UnreachableError, match="does not get your password"):
        opened(url="https://dav.example.org/", ca_file=internet.ca_file, allow_insecure=True).listing()
    assert len(server.asked) == 1


# Certificates


def test_a_certificate_of_an_unknown_ca_is_refused_before_the_password_is_sent(
    server: Scripted, opened: Open, internet: Internet
) -> None:
    port = internet.front(server.port)
    with pytest.raises(UnreachableError, match="not trusted"):
        opened(url=f"https://localhost:{port}/").listing()
    assert server.asked == []


def test_an_own_ca_is_trusted_where_the_config_names_it(server: Scripted, opened: Open, internet: Internet) -> None:
    port = internet.front(server.port)
    for host in ("localhost", "127.0.0.1"):
        assert opened(url=f"https://{host}:{port}/", ca_file=internet.ca_file).listing().whole


def test_a_ca_that_openssl_is_told_of_in_the_environment_is_trusted(
    server: Scripted, opened: Open, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(internet.ca_file))
    assert opened(url=f"https://localhost:{internet.front(server.port)}/").listing().whole


def test_where_openssl_names_no_file_the_distributions_bundle_is_taken(
    tmp_path: Path, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    bundles = [str(tmp_path / "none.pem"), str(internet.ca_file)]
    assert Trust().authorities(bundles)[0] == (ssl.get_default_verify_paths().cafile or str(internet.ca_file))
    assert Trust(ca_file=internet.ca_file).authorities([]) == (str(internet.ca_file), None)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert Trust().authorities(bundles) == (ssl.get_default_verify_paths().cafile, str(tmp_path))


def test_a_certificate_for_another_host_is_refused(server: Scripted, opened: Open, internet: Internet) -> None:
    internet.routes["dav.example.com:443"] = server.port
    with pytest.raises(UnreachableError, match="not trusted"):
        opened(url="https://dav.example.com/", ca_file=internet.ca_file).listing()
    assert server.asked == []


def test_a_client_certificate_is_shown_where_the_config_names_one(
    server: Scripted, opened: Open, internet: Internet, tmp_path: Path
) -> None:
    url = f"https://localhost:{internet.front(server.port, wants_certificate=True)}/"
    with pytest.raises(UnreachableError):
        opened(url=url, ca_file=internet.ca_file).listing()
    assert server.asked == []
    both = internet.certificate("alice")
    assert opened(url=url, ca_file=internet.ca_file, client_certificate=both).listing().whole
    key, certificates = tmp_path / "alice.key", tmp_path / "alice.crt"
    at = both.read_text().index("-----BEGIN CERTIFICATE")
    key.write_text(both.read_text()[:at])
    certificates.write_text(both.read_text()[at:])
    pair = {"client_certificate": certificates, "client_key": key}
    assert opened(url=url, ca_file=internet.ca_file, **pair).listing().whole


def test_certificates_that_cannot_be_used_are_told_before_anything_is_asked(opened: Open, tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for key in ("ca_file", "client_certificate"):
        for path, words in ((text, "no PEM file"), (tmp_path / "none.pem", "No such file")):
            with pytest.raises(ConfigError, match=rf"caldav\.{key}.*{words}"):
                opened(url="https://dav.example.org/", **{key: path})


# Proxies


def test_the_proxy_of_the_environment_is_used(server: Scripted, opened: Open, internet: Internet) -> None:
    assert opened(url="https://dav.example.org/", ca_file=internet.ca_file).listing().whole
    assert internet.asked == ["CONNECT dav.example.org:443 HTTP/1.1"]
    assert "proxy-authorization" not in server.asked[0].headers


@pytest.mark.parametrize("exempt", ["dav.example.org", ".example.org", "other.net,example.org", "*"])
def test_no_proxy_is_asked_for_hosts_that_need_none(
    opened: Open, internet: Internet, monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    monkeypatch.setenv("NO_PROXY", exempt)
    internet.routes["dav.example.org.invalid:443"] = 1
    with pytest.raises(UnreachableError):
        opened(url="https://dav.example.org/", ca_file=internet.ca_file, timeout=1.0).listing()
    assert internet.asked == []


def test_a_proxy_that_does_not_let_us_through_is_named_without_its_password(
    opened: Open, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://bob:{PASSWORD}@127.0.0.1:{internet.port}")
    with pytest.raises(UnreachableError, match=rf"The proxy 127\.0\.0\.1:{internet.port} .*HTTPS_PROXY") as caught:
        opened(url="https://elsewhere.example.org/").listing()
    assert PASSWORD not in str(caught.value)
