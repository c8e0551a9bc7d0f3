"""The checks of open.weixin.qq.com for its page with the QR code.

The page itself isn't here: its view calls `read_request` first, and shows a `PageError` in WeChat's
words. Assumptions where WeChat documents nothing: an AppID that doesn't exist has the error number
of a missing one; a wrong `response_type` has none.

https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login
https://developers.weixin.qq.com/doc/oplatform/developers/troubleshooting/auth.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

from identity_sources.sandbox.world import is_sandbox_app_id

SCOPE = "snsapi_login"

_URL = re.compile(r"[!-~]+")  # visible ASCII: urlsplit silently drops line breaks


class PageError(Exception):
    """WeChat shows an error page with this `text`; `number` is None if none is documented."""

    def __init__(self, text: str, number: int | None = None) -> None:
        self.text = text
        self.number = number
        super().__init__(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class QrConnectRequest:
    """A valid request for the page."""

    app_id: str
    redirect_uri: str
    state: str

    def confirmed(self, code: str) -> str:
        """Return the redirect after the person has confirmed."""
        return self._back({"code": code, "state": self.state})

    def refused(self) -> str:
        """Return WeChat's former redirect after the person refused."""
        return self._back({"state": self.state})

    def _back(self, parameters: dict[str, str]) -> str:
        # As WeChat's page does it: at the end, even after a fragment.
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(parameters)}"


def read_request(query: Mapping[str, str], *, registered_host: str) -> QrConnectRequest:
    """Check the parameters; raises `PageError`.

    `registered_host` is the website's 授权回调域: one host name; any port and path is allowed.
    """
    app_id, redirect_uri = query.get("appid", ""), query.get("redirect_uri", "")
    if not is_sandbox_app_id(app_id):
        raise PageError("AppID 参数错误", 10012)
    if not redirect_uri:
        raise PageError("redirect_uri 参数错误", 10011)
    if not _leads_to(registered_host, redirect_uri):
        raise PageError("redirect_uri 参数错误", 10003)
    if query.get("response_type") != "code":
        raise PageError("response_type 参数错误")
    if query.get("scope") != SCOPE:
        raise PageError("Scope 参数错误或没有 Scope 权限", 10005)
    return QrConnectRequest(app_id=app_id, redirect_uri=redirect_uri, state=query.get("state", ""))


def _leads_to(host: str, url: str) -> bool:
    parts = _split(url)
    # In https://evil.example\@host/ urlsplit finds the host behind the @, browsers before it.
    if parts is None or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return False
    return parts.hostname == host.lower()


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url) if _URL.fullmatch(url) else None
    except ValueError:
        return None
