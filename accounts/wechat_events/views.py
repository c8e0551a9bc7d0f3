"""The endpoint whose address is entered in WeChat's console as the URL of message push."""

from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.wechat_events.receiving import receive
from config.kernel.database import one_or_none
from config.kernel.errors import DomainError
from config.kernel.headers import NO_STORE
from identity_sources.models import IdentitySource
from identity_sources.push_keys import push_keys_of
from identity_sources.wechat.push import PushRefused, read_push, read_url_check

# After any other answer, or none within 5 s, WeChat sends the same push again.
TAKEN = "success"

_STATUSES = {
    "unreadable": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_SENTENCES = {
    "bad_signature": "It isn't signed with this source's token.",
    "stale": "Its timestamp is more than 10 minutes off.",
    "undecryptable": "It isn't encrypted with this source's EncodingAESKey.",
    "foreign_app": "It is for another AppID.",
    "unreadable": "Its body is neither XML nor JSON.",
    "too_large": "Its body is too large.",
}


class PushNotTaken(DomainError):
    """A push, or a check of the URL, that isn't from WeChat for this source."""

    code = "push_refused"
    status = HTTPStatus.FORBIDDEN

    def __init__(self, refusal: PushRefused) -> None:
        super().__init__(_SENTENCES[refusal.reason], extra={"reason": refusal.reason})
        self.status = _STATUSES.get(refusal.reason, self.status)


@extend_schema(exclude=True)
class WeChatEventsView(APIView):
    """Message push, for official accounts and mini programs.

    Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    """

    def get(self, request: Request, pool: str, source: str) -> HttpResponse:
        """Answer WeChat's URL check."""
        now = timezone.now()
        keys = push_keys_of(_source(pool, source), now=now)
        try:
            echo = read_url_check(request.GET.dict(), keys=keys, now=now.timestamp())
        except PushRefused as refusal:
            raise PushNotTaken(refusal) from None
        return HttpResponse(echo, content_type="text/plain; charset=utf-8", headers=NO_STORE)

    def post(self, request: Request, pool: str, source: str) -> HttpResponse:
        """Receive a push."""
        now = timezone.now()
        found = _source(pool, source)
        try:
            push = read_push(
                request.GET.dict(),
                request._request.body,  # noqa: SLF001  DRF's request.data is parsed
                keys=push_keys_of(found, now=now),
                app_id=found.app_id,
                now=now.timestamp(),
            )
        except PushRefused as refusal:
            raise PushNotTaken(refusal) from None
        receive(found, push, now=now)
        return HttpResponse(TAKEN, content_type="text/plain", headers=NO_STORE)


def _source(pool: str, source: str) -> IdentitySource:
    """Return the source, in use or archived: what people withdraw at WeChat applies to both."""
    found = one_or_none(IdentitySource.objects.filter(pool__identifier=pool, identifier=source))
    if found is None:
        raise Http404
    return found
