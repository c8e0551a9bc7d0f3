"""The floor: a bare Django view with the ingredients of a login and nothing else.

One call to WeChat through a keep-alive requests session, one SELECT, one transaction with an
upsert of the linked account, an event row and a refresh-token row, two ES256 signatures. No checks,
no throttle, no audit, no DRF, no middleware.

    python -m benchmarks.floor

makes its tables; granian serves ``benchmarks.floor:application``. It takes DATABASE_URL,
WECHAT_API_URL, FLOOR_APP and FLOOR_SECRET from the environment.
"""

import base64
import hashlib
import json
import os
import secrets
import time
import uuid
from urllib.parse import urlsplit

import django
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings
from django.http import HttpRequest
from requests.adapters import HTTPAdapter

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    MIDDLEWARE=[],
    INSTALLED_APPS=[],
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path[1:],
            "USER": url.username,
            "PASSWORD": url.password or "",
            "HOST": url.hostname,
            "PORT": url.port or 5432,
            "CONN_MAX_AGE": None,
            "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3},
        }
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - once Django is set up
from django.db import connection, transaction  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

KEY = ec.generate_private_key(ec.SECP256R1())

SESSION = requests.Session()
SESSION.trust_env = False
SESSION.mount("http://", HTTPAdapter(pool_connections=4, pool_maxsize=256))
URL = os.environ["WECHAT_API_URL"] + "/sns/jscode2session"
APP, SECRET = os.environ["FLOOR_APP"], os.environ["FLOOR_SECRET"]

SCHEMA = """
create table if not exists floor_user(
    id uuid primary key, created_at timestamptz not null default now());
create table if not exists floor_linked(
    source int not null, openid text not null, unionid text, user_id uuid not null,
    last_at timestamptz, primary key (source, openid));
create index if not exists floor_union on floor_linked(unionid);
create table if not exists floor_event(
    id bigserial primary key, at timestamptz not null default now(), user_id uuid, outcome text,
    detail jsonb);
create table if not exists floor_refresh(
    hash bytea primary key, user_id uuid not null, expires_at timestamptz not null);
"""
FIND = "select user_id from floor_linked where source = 1 and openid = %s"
NEW_USER = "insert into floor_user(id) values (%s)"
LINK = (
    "insert into floor_linked(source, openid, unionid, user_id, last_at)"
    " values (1, %s, %s, %s, now())"
    " on conflict (source, openid) do update set last_at = now() returning user_id"
)
EVENT = "insert into floor_event(user_id, outcome, detail) values (%s, 'ok', %s)"
REFRESH = "insert into floor_refresh values (%s, %s, now() + interval '30 days')"


def b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def sign(claims: dict[str, str | int]) -> str:
    body = b64(b'{"alg":"ES256","kid":"k"}') + b"." + b64(json.dumps(claims).encode())
    r, s = decode_dss_signature(KEY.sign(body, ec.ECDSA(hashes.SHA256())))
    return (body + b"." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()


def login(request: HttpRequest) -> JsonResponse:
    code = json.loads(request.body)["code"]
    query = {"appid": APP, "secret": SECRET, "js_code": code, "grant_type": "authorization_code"}
    answer = SESSION.get(URL, params=query, timeout=(1, 5)).json()
    refresh, now = secrets.token_urlsafe(32), int(time.time())
    user = store(answer["openid"], answer.get("unionid"), refresh)
    base: dict[str, str | int] = {
        "iss": "https://id.example.com/oidc/p",
        "sub": user,
        "aud": "app",
        "iat": now,
        "exp": now + 7200,
    }
    return JsonResponse(
        {
            "access_token": sign(base | {"scope": "openid"}),
            "id_token": sign(base),
            "refresh_token": refresh,
            "expires_in": 7200,
        }
    )


def store(openid: str, unionid: str | None, refresh: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [openid])
        row = cursor.fetchone()
        user = row[0] if row else uuid.uuid4()
        with transaction.atomic():
            if not row:
                cursor.execute(NEW_USER, [user])
            cursor.execute(LINK, [openid, unionid, user])
            stored = str(cursor.fetchone()[0])
            cursor.execute(EVENT, [stored, '{"ip": "127.0.0.1"}'])
            digest = hashlib.sha256(refresh.encode()).digest()
            cursor.execute(REFRESH, [digest, stored])
    return stored


urlpatterns = [path("login", login), path("healthz", lambda _request: JsonResponse({}))]

if __name__ == "__main__":
    with connection.cursor() as schema:
        schema.execute(SCHEMA)
else:
    application = get_wsgi_application()
