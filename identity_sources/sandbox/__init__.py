"""An emulated WeChat: people with phones, and the server calls that a login needs.

The sandbox behaves as WeChat was observed to behave, including its peculiarities, so that a client
that works here also works with WeChat. It never imports the project's WeChat client, nor is it
imported by it: an emulator that shares code with its client shares its mistakes.

Conformance
-----------
Implemented, with WeChat's headers, encodings, error codes, single use and lifetimes:

- `wx.login` codes and `GET /sns/jscode2session`;
- phone number codes and `POST /wxa/business/getuserphonenumber`;
- `GET /sns/oauth2/access_token` for the codes of websites, official accounts and mobile apps;
- the checks of `/connect/qrconnect` and its redirects (the host program serves the page);
- `POST /cgi-bin/stable_token` and `GET /cgi-bin/token`, two separate families of tokens;
- people with ids derived per application, a blocked person (40226), unbound applications;
- pushes of events, signed and encrypted in every mode, on request (`POST /sandbox/push`);
- scripted refusals and faults: latency, lost connections, damaged and foreign answers.

Assumptions where WeChat documents nothing: a used code that has expired answers 40029, not 40163;
a phone code sent with another person's OpenID answers 40003 and is used up; a well-formed token
that was never issued answers 40001, a malformed one 40014; an unknown path answers 40066; a
foreign `phoneNumber` is country code and number without a plus sign; WeChat's day for quotas
begins at midnight in Beijing; a blocked person can't confirm the login of a website; an application
that isn't bound gets no UnionID as a website either, though WeChat binds all of those.

Not implemented: issuing codes of official accounts and mobile apps, `/sns/oauth2/refresh_token`,
`/sns/auth`, `/sns/userinfo`, QR codes and links, `checksession` and `resetusersessionkey`,
encrypted open data, frozen or banned applications and IP whitelists as states (script 40243, 50002
or 40164 instead), quotas per minute, request signing.

Sources: the vendor's pages named in each module (https://developers.weixin.qq.com, read in copies
of 2026-07-30) and this project's WeChat reference, section 11.
"""

from identity_sources.sandbox.emulator import Sandbox
from identity_sources.sandbox.exceptions import (
    BlockedError,
    InvalidFieldError,
    PhoneUnavailableError,
)
from identity_sources.sandbox.faults import Fault, FaultKind
from identity_sources.sandbox.messages import SandboxAnswer, SandboxRequest
from identity_sources.sandbox.store import MemoryStore, Store
from identity_sources.sandbox.world import (
    PEOPLE,
    Person,
    is_sandbox_app_id,
    is_sandbox_identity,
    may_be_live_app_id,
    may_be_live_identity,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)

__all__ = [
    "PEOPLE",
    "BlockedError",
    "Fault",
    "FaultKind",
    "InvalidFieldError",
    "MemoryStore",
    "Person",
    "PhoneUnavailableError",
    "Sandbox",
    "SandboxAnswer",
    "SandboxRequest",
    "Store",
    "is_sandbox_app_id",
    "is_sandbox_identity",
    "may_be_live_app_id",
    "may_be_live_identity",
    "openid_of",
    "sandbox_app_secret",
    "unionid_of",
]
