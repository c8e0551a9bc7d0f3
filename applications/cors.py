"""Which programs in browsers may read answers: those at the origins of registered redirect URIs.

What they may read is decided by ``CORS_URLS_REGEX``: token, userinfo, revocation and pushed
requests of their own pool, and a person's own account. Nobody's cookies are taken along.
"""

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest


def allows_origin(sender: object, request: HttpRequest, **_: Any) -> bool:
    """Tell whether a program at the request's origin may read the answer at its path.

    A receiver of django-cors-headers' ``check_request_enabled``.
    """
    path = re.match(settings.CORS_URLS_REGEX, request.path_info)
    origin = request.headers.get("Origin")
    if path is None or not origin:
        return False
    # Asked for by name: the receiver is connected before there are models.
    redirect_uris = apps.get_model("applications", "RedirectURI").objects
    registered = redirect_uris.filter(origin=origin, application__enabled=True)
    if path["pool"]:
        registered = registered.filter(application__pool__identifier=path["pool"])
    try:
        return bool(registered.exists())
    except DatabaseError:
        # The request was answered already, if need be by a 503: that answer shall stay as it is.
        return False
