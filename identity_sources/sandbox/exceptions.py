"""Exceptions of the sandbox: WeChat's refusals, and misuse of the sandbox itself.

The texts are those seen in answers and in the vendor's error tables; real texts vary and a client
must never match on them.
https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
https://developers.weixin.qq.com/doc/channels/API/basics/commErrCode.html
"""

ERRMSGS = {
    -1: "system error",
    40001: (
        "invalid credential, access_token is invalid or not latest, could get access_token by "
        "getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r"
    ),
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40029: "invalid code",
    40066: "invalid url",
    40125: "invalid appsecret",
    40163: "code been used",
    40164: "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
    40226: "code blocked",
    40243: "appsecret is frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    42001: "access_token expired",
    43002: "require POST method",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    48001: "api unauthorized",
    48004: "api forbidden for irregularities, view detail on mp.weixin.qq.com",
    50002: "user limited",
}


class RefusedError(Exception):
    """WeChat refuses a call; becomes an answer with status 200 and this `errcode`."""

    def __init__(self, errcode: int, errmsg: str | None = None) -> None:
        self.errcode = errcode
        self.errmsg = ERRMSGS.get(errcode, "refused") if errmsg is None else errmsg
        super().__init__(f"{errcode} {self.errmsg}")


class InvalidFieldError(ValueError):
    """An invalid argument to the sandbox itself (not to WeChat); names the field."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(message)


class BlockedError(InvalidFieldError):
    """The person's WeChat is under risk control and gives this login no code.

    For `wx.login` it is documented that the exchange is refused (40226), for the page with the QR
    code nothing: the sandbox lets the phone refuse to confirm.
    """

    def __init__(self, person: str) -> None:
        super().__init__("person", f"{person} is blocked by risk control and can't confirm.")


class PhoneUnavailableError(Exception):
    """The phone gives no code; `err_msg` is what the mini program sees as `e.detail.errMsg`.

    https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/getPhoneNumber
    """

    def __init__(self) -> None:
        self.err_msg = "getPhoneNumber:fail user deny"
        super().__init__(self.err_msg)
