"""A server as the client sees it: where it is, what its answers mean, and its errors told apart."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from doxa.records import DoxaError

BASE_URL_VARIABLES = ("DOXA_BASE_URL", "OPENAI_BASE_URL")

# What servers call a refusal for the content of the question, in their codes and in their words.
POLICY_CODE = re.compile(r"content.?(filter|policy)|responsibleai|data_inspection|moderation|safety", re.I)
POLICY_WORDS = re.compile(
    r"content (management |filter|usage )?polic|content filter|requires moderation|was flagged|been flagged|"
    r"safety system|inappropriate content|usage polic(y|ies)",
    re.I,
)
QUOTA = re.compile(
    r"insufficient.?(quota|balance|credit|funds)|billing|payment.?required|exceeded your current quota", re.I
)


class ServerFailed(DoxaError):
    """No answer after every retry. The item is recorded as failed, and a resumed run asks it again."""


class Unreachable(ServerFailed):
    """Nobody answers at the base URL, or nobody does any more: the run stops."""

    fatal = True


class AccessDenied(DoxaError):
    """401 or 403 (`status`): the key is missing, wrong, or not enough."""

    fatal = True

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class QuotaUsedUp(DoxaError):
    """The account is used up, or the server asks to wait longer than we do: the run stops."""

    fatal = True


class NotFound(DoxaError):
    """404 or 405: the server has no such model, or no such route."""

    fatal = True


class NotAnApi(DoxaError):
    """What answers at the base URL is a web page, a redirect, or something else that is no API."""

    fatal = True


class Declined(DoxaError):
    """The server declined the question for its content; `generate` gives it as a reply that finished by "refusal"."""


class BadRequest(DoxaError):
    """The server will not take this request (400, 413, 422); asking again would not help.

    said       the server's words; parameter: the field that it names, if any
    """

    def __init__(self, message: str, *, said: str = "", parameter: str | None = None) -> None:
        super().__init__(message)
        self.said = said
        self.parameter = parameter

    def names(self, parameter: str) -> bool:
        """Whether the refusal is about this field of the request."""
        if self.parameter is not None:
            return self.parameter.rsplit(".", 1)[-1] == parameter
        return re.search(rf"\b{re.escape(parameter)}\b", self.said) is not None


class Transient(Exception):
    """An attempt that may be repeated.

    crowded  the server has too much to do: fewer requests in flight
    limited  a rate limit: waited for, not counted as a failure
    wait_s   how long the server asks to wait; None: it does not say
    """

    def __init__(
        self, cause: str, *, crowded: bool = False, limited: bool = False, wait_s: float | None = None
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.crowded = crowded
        self.limited = limited
        self.wait_s = wait_s


@dataclass(frozen=True)
class Complaint:
    """What an error body says: the server's words, its codes, and the parameter that it names."""

    message: str = ""
    code: str = ""
    parameter: str | None = None

    @property
    def about_content(self) -> bool:
        return bool(POLICY_CODE.search(self.code) or POLICY_WORDS.search(self.message))


class Server:
    """One model at one base URL. Knows the key, and never shows it.

    raises  DoxaError: no base URL, one that is none, one with a secret in it; no key for a server that is not local
    """

    def __init__(self, model: str, base_url: str | None, key_variable: str | None) -> None:
        self.model = model
        self.base_url = _base_url(base_url)
        self.key_variable = key_variable
        self.local = _is_loopback(urlsplit(self.base_url).hostname or "")
        self.listed: tuple[str, ...] = ()
        self._key = self._read_key()

    def __repr__(self) -> str:
        return f"Server({self.model!r}, {self.base_url!r})"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request; they hold the key, so they are never shown."""
        common = {"Content-Type": "application/json", "User-Agent": "doxa"}
        return common | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def clean(self, text: str, limit: int = 400) -> str:
        """A server's words, fit to be shown: without the key, without half-hidden keys, on one line, not endless."""
        if self._key:
            text = text.replace(self._key, "***")
        text = " ".join(re.sub(r"\S*\*{3,}\S*", "***", text).split())
        return text if len(text) <= limit else text[:limit] + "..."

    def _read_key(self) -> str:
        if self.key_variable is None:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key and not self.local:
            raise DoxaError(
                f"no key for {self.base_url}: the environment variable {self.key_variable} is not set. "
                "Set it, name another one with api_key_env (--api-key-env), or, where the server asks for none, "
                "set it to 'none'."
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise DoxaError(
                f"the environment variable {self.key_variable} does not hold a key: there are blanks or characters "
                "in it that no key has. Set it again."
            )
        return key

    def judge(self, route: str, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The JSON object of a good answer; every other answer raises what it means.

        raises  Transient: may be repeated; any other error of this file: must not be
        """
        if 300 <= status < 400:
            place = self.clean(headers.get("Location", "another place"))
            raise NotAnApi(f"{self.base_url} redirects /{route} to {place}. Use that server's base URL instead.")
        if status < 300:
            data = self._read(route, status, body)
            if not data.get("error") or data.get("choices"):
                return data
            # Some gateways wrap the error of the server behind them into a 200.
            code = data["error"].get("code") if isinstance(data["error"], dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
        self._raise(route, status, headers, body)

    def _read(self, route: str, status: int, body: bytes) -> dict[str, Any]:
        try:
            data = json.loads(body)
        except ValueError:
            data = None
        if isinstance(data, dict):
            return data
        if data is None and body.lstrip()[:1] in (b"", b"{"):
            raise Transient("truncated body")
        raise self._no_api(route, status, body)

    def _raise(self, route: str, status: int, headers: Mapping[str, str], body: bytes) -> NoReturn:
        said = complaint(body)
        words = self.clean(said.message)
        quoted = f" It says: {words}" if words and not _is_html(body) else ""
        where = f"{self.base_url}/{route}"
        if status == 402 or (status == 429 and QUOTA.search(f"{said.code} {said.message}")):
            raise QuotaUsedUp(
                f"{where} answered {status}: the account is used up.{quoted} The same command resumes the run."
            )
        if status == 429 or status == 408 or status == 425 or status >= 500:
            crowded = status in (429, 503, 529)
            raise Transient(str(status), crowded=crowded, limited=status == 429, wait_s=retry_after(headers))
        if said.about_content and status != 401:
            raise Declined(f"{self.base_url} declined the question: {words or status}")
        if status in (401, 403):
            trouble = self._key_trouble() + (quoted if status == 403 else "")
            raise AccessDenied(f"{where} answered {status}: {trouble}", status=status)
        if _is_html(body):
            raise self._no_api(route, status, body)
        if status in (404, 405):
            raise NotFound(self._not_found(where, status, quoted))
        message = f"{where} answered {status} for {self.model!r}.{quoted or ' It gives no reason.'}"
        full = self.clean(f"{said.code} {said.message}", limit=4000)
        raise BadRequest(message, said=full, parameter=said.parameter)

    def _key_trouble(self) -> str:
        if self.key_variable is None:
            return "it wants a key. Name the environment variable that holds one with api_key_env (--api-key-env)."
        if not self._key:
            return f"it wants a key. Set the environment variable {self.key_variable}."
        return (
            f"the key in the environment variable {self.key_variable} is not accepted for {self.model!r}. "
            "Is it a key of this server, still valid, and allowed to use this model?"
        )

    def _not_found(self, where: str, status: int, quoted: str) -> str:
        shown = ", ".join(self.listed[:8]) + (f" and {len(self.listed) - 8} more" if len(self.listed) > 8 else "")
        offers = f" The server lists: {shown}." if self.listed else ""
        return (
            f"{where} answered {status}: there is no model {self.model!r}, or no such route.{quoted}{offers} "
            "Check the model's name and the base URL (does it end in /v1?)."
        )

    def _no_api(self, route: str, status: int, body: bytes) -> NotAnApi:
        what = "a web page" if _is_html(body) else f"{self.clean(body[:80].decode(errors='replace'))!r}"
        return NotAnApi(
            f"{self.base_url}/{route} answered {status} with {what}, not with an API's JSON: "
            "is the base URL right (does it end in /v1)?"
        )


def complaint(body: bytes) -> Complaint:
    """Read an error body in any of the usual shapes: OpenAI's, FastAPI's, a bare message, or text."""
    try:
        data = json.loads(body)
    except ValueError:
        return Complaint(body[:2000].decode(errors="replace"))
    error = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(error, str):
        return Complaint(error)
    if not isinstance(error, dict):
        return Complaint(str(error))
    detail = error.get("message") or error.get("detail") or ""
    inner, meta = (error[k] if isinstance(error.get(k), dict) else {} for k in ("innererror", "metadata"))
    codes = [error.get("code"), error.get("type"), inner.get("code"), "moderation" if meta.get("reasons") else None]
    if isinstance(detail, list):  # FastAPI: one entry for each field that does not fit
        first = next((d for d in detail if isinstance(d, dict)), {})
        words = "; ".join(
            f"{'.'.join(map(str, d.get('loc', ())))}: {d.get('msg')}" for d in detail if isinstance(d, dict)
        )
        return Complaint(words, str(first.get("type", "")), str(first["loc"][-1]) if first.get("loc") else None)
    parameter = error.get("param")
    return Complaint(str(detail), " ".join(str(c) for c in codes if c), str(parameter) if parameter else None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for: a number, or an HTTP date (counted from the server's own Date)."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    then = _timestamp(value)
    if then is None:
        return None
    now = _timestamp(headers.get("Date", ""))
    return max(0.0, then - (time.time() if now is None else now))


def _timestamp(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _base_url(given: str | None) -> str:
    """The base URL, checked and without a trailing slash or route. Never echoes user names, passwords or queries."""
    url = given or next((os.environ[v] for v in BASE_URL_VARIABLES if os.environ.get(v)), None)
    if url is None:
        raise DoxaError(
            "no base URL: which server is to be asked? Give --base-url (e.g. http://127.0.0.1:8000/v1 or "
            "https://api.openai.com/v1), or set DOXA_BASE_URL or OPENAI_BASE_URL."
        )
    try:
        parts = urlsplit(url.strip())
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        shown = repr(url) if "@" not in url and "?" not in url else "this one"
        raise DoxaError(
            f"a base URL starts with http:// or https:// and names a host (http://127.0.0.1:8000/v1); {shown} does not"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise DoxaError(
            f"the base URL for {parts.hostname} holds a user name, a password, a query or a fragment; it becomes "
            "part of what is stored, so give it without, and put the key into the environment."
        )
    path = re.sub(r"/(chat/completions|completions|models)?/*$", "", parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_html(body: bytes) -> bool:
    return bool(re.match(rb"\s*(<!doctype html|<html|<head|<\?xml|<!--)", body[:200], re.I))
