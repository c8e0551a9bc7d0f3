"""Somebody at the door: whom WeChat named, how they came, and what they ask for."""

from dataclasses import dataclass, replace
from typing import Self

from accounts.login import phones
from accounts.login.exchange import WeChatIdentity
from accounts.login.trail import Trail
from applications.models import LoginMethod
from identity_sources.models import IdentitySource


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What is known of an attempt once WeChat has said who it is."""

    method: LoginMethod
    identity: WeChatIdentity
    scope: tuple[str, ...]
    trail: Trail
    phone: phones.Answer | None = None

    @property
    def source(self) -> IdentitySource:
        """The identity source they came from."""
        return self.method.identity_source

    @property
    def may_match_by_phone(self) -> bool:
        """Whether a stranger may turn out to be somebody with the same phone number."""
        return self.source.association == IdentitySource.Association.FIELD

    @property
    def may_have_an_account(self) -> bool:
        """Whether a stranger may turn out to be somebody, by their number or by a proof."""
        return self.source.association != IdentitySource.Association.NONE

    def with_phone(self, phone_code: str) -> Self:
        """Ask WeChat for the phone number as well."""
        answer = phones.ask_wechat(self.source, self.identity.openid, phone_code, self.trail)
        return replace(self, phone=answer)
