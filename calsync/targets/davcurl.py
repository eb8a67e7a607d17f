"""HTTP by libcurl: one request, one answer, over connections that are kept; the only import of pycurl.

What is asked goes out once: libcurl would send it again by itself where a kept connection turns out to be dead, and a
write whose answer was lost must not be sent again unseen. No redirect is followed, no .netrc read. Public face:
`Wire`, `Reply`, `WireError`.
"""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pycurl

from calsync.targets.davfault import Fault
from calsync.targets.davlogin import Credential
from calsync.targets.davtrust import Trust


class WireError(Exception):
    """There is no answer; `said` is what the library says of it, without a URL or a login."""

    def __init__(self, fault: Fault, said: str = "") -> None:
        super().__init__(said)
        self.fault = fault
        self.said = said


class Reply(NamedTuple):
    """An answer: its status, its headers (names in lower case; several of one name joined by commas), its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections that are kept for the next request. May be used by several threads: each has one of its own.

    `timeout`: so many seconds without a byte are silence. `sent` counts requests, with those that answer a challenge.
    """

    def __init__(self, *, timeout: float, trust: Trust) -> None:
        self._timeout = timeout
        self._trust = trust
        self._lock = threading.Lock()
        self._free: list[_Line] = []
        self.sent = 0

    def exchange(  # all that a request is made of
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], login: Credential | None, proxy: str
    ) -> Reply:
        """Send one request and give its answer; a redirect is one, and a refusal. `proxy` is "" for none.

        `url` is an encoded one. Raises WireError.
        """
        with self._lock:
            line = self._free.pop() if self._free else None
        line = line or _Line(self._timeout, self._trust)
        try:
            line.prepare(method, url, body, headers, proxy)
            line.log_in(login)
            return line.ask()
        except pycurl.error as error:
            raise WireError(*line.fault(*error.args)) from None
        except BaseException:
            line.spoilt = True
            raise
        finally:
            with self._lock:
                self.sent += line.sent
                if not line.spoilt:
                    self._free.append(line)

    def close(self) -> None:
        """Close the connections that nobody is using."""
        with self._lock:
            while self._free:
                self._free.pop().close()


class _Line:
    """One of libcurl's handles, with the connection that it keeps, and the answer as it comes in."""

    def __init__(self, timeout: float, trust: Trust) -> None:
        self._timeout = timeout
        self._trust = trust
        self._curl = pycurl.Curl()
        self._multi = pycurl.CurlMulti()
        self._knows_authorities = False
        self._proxy = ""
        self._kept = -1
        self._began()
        self.spoilt = False
        """Whether it was left in the midst of something, and must not be used again."""
        for option, value in _FIXED:
            self._curl.setopt(option, value)
        self._curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(1000 * timeout)))
        self._curl.setopt(pycurl.HEADERFUNCTION, self._take_head)
        self._curl.setopt(pycurl.WRITEFUNCTION, self._take_body)
        self._curl.setopt(pycurl.PREREQFUNCTION, self._may_go)

    def _began(self) -> None:
        self.sent = self._answered = 0
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self._moved = time.monotonic()

    def prepare(self, method: str, url: str, body: bytes, headers: Mapping[str, str], proxy: str) -> None:
        """Set what the next request is, but for the login."""
        self._began()
        self._proxy = proxy
        curl = self._curl
        if url.startswith("https:") and not self._knows_authorities:
            self._trust_authorities()
        if body:
            curl.setopt(pycurl.POSTFIELDS, body)
        else:
            curl.setopt(pycurl.HTTPGET, 1)
        curl.setopt(pycurl.FRESH_CONNECT, self._is_closed())
        curl.setopt(pycurl.CUSTOMREQUEST, method)
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.PROXY, proxy)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        curl.setopt(pycurl.HTTPHEADER, [*lines, "Expect:"])  # no waiting for "100 Continue"

    def _is_closed(self) -> bool:
        """Whether the server has closed the connection that was kept: libcurl looks only at those of a second ago."""
        if self._kept < 0:
            return False
        poll = select.poll()
        poll.register(self._kept, select.POLLIN)
        return bool(poll.poll(0))

    def log_in(self, login: Credential | None) -> None:
        """Set the login of the next request; it may be another than before, but none comes after one."""
        if login is None:
            return
        curl = self._curl
        curl.setopt(pycurl.HTTPAUTH, _SCHEMES[login.scheme])
        if login.scheme == "bearer":
            curl.setopt(pycurl.XOAUTH2_BEARER, login.password.reveal().encode())
        else:
            curl.setopt(pycurl.USERNAME, (login.username or "").encode())
            curl.setopt(pycurl.PASSWORD, login.password.reveal().encode())

    def _trust_authorities(self) -> None:
        file, folder = self._trust.authorities()
        if file or folder:
            for option, path in ((pycurl.CAINFO, file), (pycurl.CAPATH, folder)):
                if path:
                    self._curl.setopt(option, path)
        else:  # macOS and Windows keep them in a store of their own
            self._curl.setopt(pycurl.SSL_OPTIONS, pycurl.SSLOPT_NATIVE_CA)
        if certificate := self._trust.client_certificate:
            self._curl.setopt(pycurl.SSLCERT, str(certificate))
            self._curl.setopt(pycurl.SSLKEY, str(self._trust.client_key or certificate))
        self._knows_authorities = True

    def ask(self) -> Reply:
        """Send what was prepared. Raises pycurl.error, and WireError for silence."""
        self._multi.add_handle(self._curl)
        try:
            while self._multi.perform()[1]:
                self._wait()
            _, _, failed = self._multi.info_read()
        finally:
            self._kept = self._curl.getinfo(pycurl.ACTIVESOCKET)
            self._multi.remove_handle(self._curl)
        if failed and not self._ended_with_its_connection(*failed[0][1:]):
            raise pycurl.error(*failed[0][1:])
        if not self._head or self._head[-1].strip():
            raise WireError(Fault.BROKEN)
        return Reply(self._curl.getinfo(pycurl.RESPONSE_CODE), _headers(self._head), b"".join(self._body))

    def _wait(self) -> None:
        """Until something comes, or libcurl wants to do something; in turns, so that signals are heard meanwhile."""
        left = self._moved + self._timeout - time.monotonic()
        if left <= 0:
            raise WireError(Fault.SILENCE)
        wanted = self._multi.timeout()
        self._multi.select(min(left, _TURN, wanted / 1000 if wanted >= 0 else _TURN))

    def _ended_with_its_connection(self, code: int, said: str) -> bool:
        """Whether an answer without a length is all there (RFC 9112 6.3): some servers end TLS without a goodbye."""
        told = _headers(self._head)
        is_open = bool(self._head) and "content-length" not in told and "transfer-encoding" not in told
        return is_open and code == pycurl.E_RECV_ERROR and "unexpected eof" in said

    def fault(self, code: int, said: str) -> tuple[Fault, str]:
        """What an error of libcurl's means."""
        tunnel = self._curl.getinfo(pycurl.HTTP_CONNECTCODE)
        is_at_proxy = tunnel // 100 not in (0, 2) or (self._proxy and code == pycurl.E_COULDNT_CONNECT)
        if is_at_proxy or code in (pycurl.E_COULDNT_RESOLVE_PROXY, _E_PROXY):
            return Fault.PROXY, said
        if code == pycurl.E_COULDNT_CONNECT:
            number = self._curl.getinfo(pycurl.OS_ERRNO)
            is_refused = number in (0, errno.ECONNREFUSED)
            return (Fault.REFUSED, "") if is_refused else (Fault.BROKEN, os.strerror(number))
        if code in _TLS_OR_LOST and (why := _tls_error(said)):
            return Fault.NO_TLS, why
        if code == pycurl.E_PEER_FAILED_VERIFICATION:
            return Fault.UNTRUSTED, said.rpartition("certificate problem: ")[2].removeprefix("SSL: ")
        return _FAULTS.get(code, Fault.GARBLED), said if code not in _FAULTS else ""

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()
        self._multi.close()

    # What libcurl calls.

    def _may_go(self, *_addresses: object) -> int:
        """Before a request is sent: a second time only where the first was answered, by a challenge."""
        if self.sent > self._answered:
            return _ABORT
        self.sent += 1
        self._moved = time.monotonic()
        return _GO

    def _take_head(self, line: bytes) -> None:
        self._moved = time.monotonic()
        if line.startswith(b"HTTP/"):
            self._answered += b" 1" not in line[:11]
            self._head.clear()
            self._body.clear()
        self._head.append(line)

    def _take_body(self, piece: bytes) -> None:
        self._moved = time.monotonic()
        self._body.append(piece)


_GO: int = pycurl.PREREQFUNC_OK
_ABORT: int = pycurl.PREREQFUNC_ABORT

_TURN = 0.5
"""So many seconds at most pass before Python may look at signals."""

_FIXED: tuple[tuple[int, int | str], ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.ACCEPT_ENCODING, ""),  # what comes compressed unasked is unpacked; the header says that none is wanted
    (pycurl.PATH_AS_IS, 1),
    (pycurl.NOPROXY, ""),
)

_SCHEMES = {"basic": pycurl.HTTPAUTH_BASIC, "digest": pycurl.HTTPAUTH_DIGEST, "bearer": 1 << 6}
"""pycurl has no name for CURLAUTH_BEARER."""

_E_PROXY = 97
"""Nor for CURLE_PROXY."""

_FAULTS = {
    pycurl.E_COULDNT_RESOLVE_HOST: Fault.UNKNOWN_HOST,
    pycurl.E_OPERATION_TIMEDOUT: Fault.SILENCE,
    pycurl.E_SSL_CONNECT_ERROR: Fault.BROKEN,
    pycurl.E_SEND_ERROR: Fault.BROKEN,
    pycurl.E_RECV_ERROR: Fault.BROKEN,
    pycurl.E_GOT_NOTHING: Fault.BROKEN,
    pycurl.E_PARTIAL_FILE: Fault.BROKEN,
    pycurl.E_ABORTED_BY_CALLBACK: Fault.BROKEN,
}

_TLS_OR_LOST = (pycurl.E_SSL_CONNECT_ERROR, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)


def _tls_error(said: str) -> str:
    """What OpenSSL holds against the other side, in its words; "" where the connection was merely lost."""
    why = said.rpartition("SSL routines:")[2].lstrip(":") if "SSL routines:" in said else ""
    return "" if "unexpected eof" in why else why


def _headers(lines: Iterable[bytes]) -> dict[str, str]:
    """The headers of the last answer, after its first line."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and not name.startswith("HTTP/"):
            key = name.strip().lower()
            found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found
