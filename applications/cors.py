"""CORS: the origins of registered redirect URIs may read responses.

``CORS_URLS_REGEX`` decides which: token, userinfo, revocation and pushed requests of their own
pool, and a person's own account. Cookies are never included.
"""

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest


def allows_origin(sender: object, request: HttpRequest, **_: Any) -> bool:
    """Tell whether the request's origin may read the response at its path.

    A receiver of django-cors-headers' ``check_request_enabled``.
    """
    path = re.match(settings.CORS_URLS_REGEX, request.path_info)
    origin = request.headers.get("Origin")
    if path is None or not origin:
        return False
    # Looked up by name: the receiver is connected before the models are loaded.
    redirect_uris = apps.get_model("applications", "RedirectURI").objects
    registered = redirect_uris.filter(origin=origin, application__enabled=True)
    if path["pool"]:
        registered = registered.filter(application__pool__identifier=path["pool"])
    try:
        return bool(registered.exists())
    except DatabaseError:
        # The response exists already, possibly a 503, and mustn't change.
        return False
