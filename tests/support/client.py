"""A browser and a program that send requests to the server in this process."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from userpools.models import Operator

LOGIN_URL = "/api/v1/login/wechat-mini-program"


class GuardedClient(Client):
    """Django's client, which also checks that no answer contains forbidden values."""

    def request(self, **environ: Any) -> HttpResponse:
        response = super().request(**environ)
        if response.get("Content-Type", "").startswith("application/json"):
            self._guard(response)
        return response

    @staticmethod
    def _guard(response: HttpResponse) -> None:
        body = json.loads(response.content)
        assert b"Traceback" not in response.content
        assert b"session_key" not in response.content
        assert response["X-Request-ID"]
        if isinstance(body, dict) and ("access_token" in body or "error" in body):
            assert response["Cache-Control"] == "no-store"
        if isinstance(body, dict) and "error" in body:
            assert body["error_description"]
            assert body["request_id"] == response["X-Request-ID"]


def signed_in(operator: Operator) -> GuardedClient:
    """A browser in which the operator has signed in."""
    client = GuardedClient()
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    return client
