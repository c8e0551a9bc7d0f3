"""wechatpy's client of the mini program, at another address than WeChat's own."""

from django.conf import settings
from requests.adapters import HTTPAdapter
from wechatpy.client import WeChatClient
from wechatpy.client.api import WeChatWxa

# As many connections are kept as a worker has threads; requests keeps 10 unless told.
CONNECTIONS = 32


class Wxa(WeChatWxa):
    """The calls about mini programs."""

    API_BASE_URL = f"{settings.WECHAT_API_URL}/"


class Client(WeChatClient):
    """A client that keeps its connections."""

    wxa = Wxa()


def make_client() -> Client:
    """Return the one client of this process.

    wechatpy adds an access token to every call and fetches one unless it has one, though
    ``code2session`` needs none: any text saves that call.
    """
    client = Client(
        settings.WECHAT_APP_ID,
        settings.WECHAT_APP_SECRET,
        access_token="not-needed",  # noqa: S106 - what it says
        timeout=5,
    )
    client._http.mount(  # noqa: SLF001 - wechatpy has no other way
        settings.WECHAT_API_URL, HTTPAdapter(pool_maxsize=CONNECTIONS)
    )
    return client


client = make_client()
