"""A pytest plugin that sets the environment which the settings are read from.

Loaded before Django's settings are. Whatever the developer's shell sets is put aside, except
``DATABASE_URL``, which chooses the database of the run (tests/postgres.py).
"""

import base64
import os

_ENCRYPTION_KEY = base64.urlsafe_b64encode(b"a key that only the tests may us").decode()

_SETTINGS = {
    "SECRET_KEY": "a-secret-key-that-only-the-tests-use-0123456789",
    "ENCRYPTION_KEYS": _ENCRYPTION_KEY,
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "WECHAT_SANDBOX": "on",
    "LOGOUT_COURIER": "off",
}
_CLEARED = (
    "DEBUG",
    "BIND",
    "CACHE_URL",
    "TRUSTED_PROXIES",
    "THROTTLE_LOGIN_PER_ADDRESS",
    "THROTTLE_LOGIN_PER_APPLICATION",
    "WECHAT_API_URL",
    "WECHAT_OPEN_URL",
    "WECHAT_PROXY_URL",
    "WECHAT_TIMEOUT_SECONDS",
    "WEB_CONCURRENCY",
)

for _name in (*_SETTINGS, *_CLEARED):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ.update(_SETTINGS)
