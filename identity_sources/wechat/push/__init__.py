"""Read what WeChat pushes: messages and events of official accounts and mini programs alike.

Nothing here keeps state: whoever calls it remembers which pushes were handled already. WeChat
sends a push again if it isn't answered within 5 s, and anybody who has seen one may repeat it
within the 10 minutes that a signature is taken for fresh. Where things are:

- `keys`: the token and EncodingAESKey of an endpoint, and the signatures made with them
- `encryption`: the Encrypt part of safe mode, decrypted
- `bodies`: XML or JSON to fields
- `reading`: a whole request to a `Push`, and the check of a URL
- `refusals`: the one exception that any of it raises

Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

from identity_sources.wechat.push.keys import PushKey, new_push_key, signature_is_right
from identity_sources.wechat.push.reading import Push, read_push, read_url_check
from identity_sources.wechat.push.refusals import PushRefused

__all__ = [
    "Push",
    "PushKey",
    "PushRefused",
    "new_push_key",
    "read_push",
    "read_url_check",
    "signature_is_right",
]
