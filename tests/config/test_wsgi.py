"""What the server hands to Django with each request."""

import io
import os

from config import wsgi
from config.wsgi import application


def test_the_environment_of_the_process_does_not_reach_a_request(db, monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD_OF_THE_SHELL", "hunter2")
    monkeypatch.setenv("SERVER_PORT", "8000")
    # As if the process had been started with these.
    monkeypatch.setattr(wsgi, "ENVIRONMENT", wsgi.environment())
    environ = {
        **os.environ,
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/healthz",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }

    body = b"".join(application(environ, lambda _status, _headers: None))

    assert body == b'{"status": "alive"}'
    assert "SOME_PASSWORD_OF_THE_SHELL" not in environ
    assert "SECRET_KEY" not in environ
    assert (environ["PATH_INFO"], environ["SERVER_PORT"]) == ("/healthz", "8000")
