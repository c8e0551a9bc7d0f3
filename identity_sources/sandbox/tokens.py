"""Application access tokens: the two families of WeChat, each with its own rules of replacement.

https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getaccesstoken
https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken

The tokens of a family form a chain of numbered generations. A generation is claimed with
`store.add`, so concurrent callers agree on every link without a lock, and each link has the time
when its predecessor ends. Only the quota of forced refreshes is counted.
"""

import hashlib
import math
import re
import secrets
from dataclasses import asdict, dataclass

from identity_sources.sandbox.exceptions import RefusedError
from identity_sources.sandbox.store import Clock, Store

TOKEN_TTL_SECONDS = 7200
OVERLAP_SECONDS = 300
FORCED_REFRESHES_PER_DAY = 20
FORCED_REFRESH_GAP_SECONDS = 30

_PLAIN = "token"
_STABLE = "stable_token"
_DAY_SECONDS = 86_400
_BEIJING_OFFSET_SECONDS = 8 * 3600
# Expired tokens are kept for a day, to distinguish them (42001) from invented ones (40001).
_KEPT_SECONDS = TOKEN_TTL_SECONDS + _DAY_SECONDS
_WELL_FORMED = re.compile(r"[0-9]{2}_[A-Za-z0-9_-]{100,200}")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One link of a chain; times are Unix seconds.

    `retires_previous_at` is None if the predecessor keeps its own expiry.
    """

    text: str
    app_id: str
    family: str
    generation: int
    issued_at: float
    retires_previous_at: float | None

    @property
    def expires_at(self) -> float:
        return self.issued_at + TOKEN_TTL_SECONDS

    def expires_in(self, now: float) -> int:
        """Return the remaining seconds, rounded up: 7200 for a new token."""
        return math.ceil(TOKEN_TTL_SECONDS - (now - self.issued_at))

    def may_be_kept(self, now: float) -> bool:
        """Tell whether the last 300 s have not begun yet."""
        return now <= self.expires_at - OVERLAP_SECONDS

    def has_retired_previous(self, now: float) -> bool:
        return self.retires_previous_at is not None and now >= self.retires_previous_at


class Tokens:
    """Issues tokens and verifies them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def mint_plain(self, app_id: str) -> AccessToken:
        """Return a new token of `/cgi-bin/token`; its predecessor expires 300 s later."""
        return self._mint(_PLAIN, app_id, retires_previous_after=OVERLAP_SECONDS)

    def stable(self, app_id: str, *, force_refresh: bool) -> AccessToken:
        """Return the application's stable token, a new one in the last 300 s of its life.

        `force_refresh` issues a new token and ends the predecessor at once, unless the last forced
        one was within 30 s: then it does nothing. The 21st of a day is refused (45009).
        """
        if force_refresh and self._may_force(app_id):
            return self._mint(_STABLE, app_id, retires_previous_after=0)
        generation, current = self._newest(_STABLE, app_id)
        while current is None or not current.may_be_kept(self._clock()):
            # If another call created the next generation, its token is used.
            self._claim(_STABLE, app_id, generation + 1, retires_previous_after=None)
            generation, current = self._newest(_STABLE, app_id)
        return current

    def app_id_of(self, token: str) -> str:
        """Return the application of a token of either family.

        Refused with 41001 (missing), 40014 (malformed), 40001 (never issued, or replaced) and
        42001 (expired).
        """
        if not token:
            raise RefusedError(41001)
        if not _WELL_FORMED.fullmatch(token):
            raise RefusedError(40014)
        found = self._find(token)
        if found is None:
            raise RefusedError(40001)
        now = self._clock()
        if now >= found.expires_at:
            raise RefusedError(42001)
        successor = self._link(found.family, found.app_id, found.generation + 1)
        if successor is not None and successor.has_retired_previous(now):
            raise RefusedError(40001)
        return found.app_id

    def _find(self, token: str) -> AccessToken | None:
        place = self._store.get(_text_key(token))
        return None if place is None else self._link(*place)

    def _mint(self, family: str, app_id: str, *, retires_previous_after: float) -> AccessToken:
        minted = None
        while minted is None:
            generation, _ = self._newest(family, app_id)
            minted = self._claim(
                family, app_id, generation + 1, retires_previous_after=retires_previous_after
            )
        return minted

    def _claim(
        self, family: str, app_id: str, generation: int, *, retires_previous_after: float | None
    ) -> AccessToken | None:
        now = self._clock()
        retires_at = None if retires_previous_after is None else now + retires_previous_after
        minted = AccessToken(token_text(), app_id, family, generation, now, retires_at)
        # The token can be looked up before it is returned to anybody.
        self._store.set(_text_key(minted.text), (family, app_id, generation), _KEPT_SECONDS)
        link = asdict(minted)
        if not self._store.add(_link_key(family, app_id, generation), link, _KEPT_SECONDS):
            return None
        self._store.set(_newest_key(family, app_id), generation, None)
        return minted

    def _newest(self, family: str, app_id: str) -> tuple[int, AccessToken | None]:
        generation: int = self._store.get(_newest_key(family, app_id)) or 0
        newest = self._link(family, app_id, generation)
        while (later := self._link(family, app_id, generation + 1)) is not None:
            generation, newest = generation + 1, later
        return generation, newest

    def _link(self, family: str, app_id: str, generation: int) -> AccessToken | None:
        entry = self._store.get(_link_key(family, app_id, generation))
        return None if entry is None else AccessToken(**entry)

    def _may_force(self, app_id: str) -> bool:
        gap = f"wxsandbox:forced:{app_id}"
        if not self._store.add(gap, 1, FORCED_REFRESH_GAP_SECONDS):
            return False
        day = int((self._clock() + _BEIJING_OFFSET_SECONDS) // _DAY_SECONDS)
        places = (f"{gap}:{day}:{place}" for place in range(FORCED_REFRESHES_PER_DAY))
        if not any(self._store.add(place, 1, _DAY_SECONDS) for place in places):
            raise RefusedError(45009)
        return True


def token_text() -> str:
    """Return two digits, an underscore and 110 to 157 characters in all, as in the samples."""
    return f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(99)}"


def _text_key(token: str) -> str:
    return f"wxsandbox:token:{hashlib.sha256(token.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _link_key(family: str, app_id: str, generation: int) -> str:
    return f"wxsandbox:{family}:{app_id}:{generation}"


def _newest_key(family: str, app_id: str) -> str:
    return f"wxsandbox:{family}:{app_id}:newest"
