"""WeChat's message push: messages and events of official accounts and mini programs.

The package has no state: the caller stores which pushes were processed. WeChat repeats a push that
isn't answered within 5 s, and anybody who has seen one may repeat it within the 10 minutes that a
signature is accepted. The modules:

- `keys`: the token and EncodingAESKey of an endpoint, and the signatures made with them
- `encryption`: decrypting the Encrypt part of safe mode
- `bodies`: XML or JSON to fields
- `reading`: a whole request to a `Push`, and the check of a URL
- `refusals`: the only exception of the package

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
