"""Settings that all peers share, read from the environment and as production wants them.

Each thread keeps its connection to the database, without a check of its health, and the driver
prepares statements: the fastest that Django offers.
"""

import os
from typing import Any

import environ

env = environ.Env()

# Every peer serves the loopback interface for the minutes of a measurement.
SECRET_KEY = "measurements-have-no-secrets-0123456789-0123456789"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
USE_TZ = True
LOGGING_CONFIG = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# libpq takes the host from PGHOST if there is none.
_database: dict[str, Any] = dict(env.db("DATABASE_URL"))
_database["CONN_MAX_AGE"] = None
_database["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 3}
DATABASES = {"default": _database}

WECHAT_API_URL = os.environ["WECHAT_API_URL"]
WECHAT_APP_ID = os.environ["WECHAT_APP_ID"]
WECHAT_APP_SECRET = os.environ["WECHAT_APP_SECRET"]
