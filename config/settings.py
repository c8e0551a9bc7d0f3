"""Django settings, read only from the environment. docs/settings.md lists every variable."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.kernel import logs
from config.kernel.encryption import parse_keys
from config.wiring import environment, page_settings, server

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Secrets ---------------------------------------------------------------------------------
SECRET_KEY = environment.required_secret(
    "SECRET_KEY",
    "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
)
ENCRYPTION_KEYS = parse_keys(
    environment.required_secret(
        "ENCRYPTION_KEYS",
        "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'",
    )
)

# --- Where we are ----------------------------------------------------------------------------
DEBUG = environment.switch("DEBUG", default=False)
BIND = environment.address("BIND", "127.0.0.1:8000")
THREADS_PER_WORKER = server.THREADS_PER_WORKER
WEB_CONCURRENCY = environment.positive_integer("WEB_CONCURRENCY", os.cpu_count() or 1)
PUBLIC_URL = environment.base_url("PUBLIC_URL", f"http://{BIND}")
_public = urlsplit(PUBLIC_URL)
_public_host = _public.hostname or ""
_on_loopback = environment.is_loopback(_public_host)
# A Host header has brackets around an IPv6 address.
_named_host = f"[{_public_host}]" if ":" in _public_host else _public_host
ALLOWED_HOSTS = environment.words(
    "ALLOWED_HOSTS",
    [_named_host, "localhost", "127.0.0.1", "[::1]"] if _on_loopback else [_named_host],
)
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES")

# --- WeChat ----------------------------------------------------------------------------------
WECHAT_API_URL = environment.base_url("WECHAT_API_URL", "https://api.weixin.qq.com")
WECHAT_OPEN_URL = environment.base_url("WECHAT_OPEN_URL", "https://open.weixin.qq.com")
WECHAT_TIMEOUT_SECONDS = environment.positive_number("WECHAT_TIMEOUT_SECONDS", 5)
WECHAT_PROXY_URL = environment.proxy_url("WECHAT_PROXY_URL")
WECHAT_SANDBOX = environment.switch("WECHAT_SANDBOX", default=False)
if WECHAT_SANDBOX and not (
    _on_loopback and environment.is_loopback(BIND.rpartition(":")[0].strip("[]"))
):
    raise ImproperlyConfigured(
        "WECHAT_SANDBOX lets anybody log in as a made-up person, so it works on this machine "
        "only. Set WECHAT_SANDBOX=off, or point PUBLIC_URL and BIND at 127.0.0.1."
    )

# --- Throttles, of refused attempts ----------------------------------------------------------
THROTTLE_LOGIN_PER_ADDRESS = environment.rate("THROTTLE_LOGIN_PER_ADDRESS", "60/min")
THROTTLE_LOGIN_PER_APPLICATION = environment.rate("THROTTLE_LOGIN_PER_APPLICATION", "600/min")

# --- People ----------------------------------------------------------------------------------
# A number that was verified longer ago may have a new owner.
PHONE_PROOF_DAYS = environment.positive_integer("PHONE_PROOF_DAYS", 180)
# Between closing an account and erasing its personal data.
CLOSED_ACCOUNT_GRACE_DAYS = environment.positive_integer("CLOSED_ACCOUNT_GRACE_DAYS", 30)

# --- Logout notices --------------------------------------------------------------------------
LOGOUT_COURIER = environment.switch("LOGOUT_COURIER", default=True)

# --- E-mail ----------------------------------------------------------------------------------
_email = environment.email()
SENDS_EMAIL = bool(_email)
EMAIL_BACKEND = _email.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or None
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", f"unionpass@{_public_host}")

# --- Django ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "userpools.console.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config",
    "userpools",
    "identity_sources",
    "applications",
    "accounts",
]
MIDDLEWARE = [
    "config.wiring.middleware.RequestIdMiddleware",
    "config.wiring.middleware.ProbeMiddleware",
    "config.wiring.middleware.TrustedProxyMiddleware",
    "config.wiring.middleware.HostMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.wiring.middleware.BodyLengthMiddleware",
    # What follows is for people's browsers: requests of programs end here.
    "config.wiring.middleware.ProgramsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "userpools.console.middleware.ConsoleMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.wiring.urls"
CONSOLE_URLCONF = "config.wiring.console_urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_USER_MODEL = "userpools.Operator"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_TABLE = "unionpass_cache"
CACHE_URL = environment.text("CACHE_URL")
if CACHE_URL and urlsplit(CACHE_URL).scheme not in {"redis", "rediss"}:
    raise ImproperlyConfigured(
        "CACHE_URL must be redis://host:6379/0 (or rediss://…); leave it empty for the database."
    )
_shared_cache = (
    {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        # Without these a Redis that doesn't answer would block every login for ever.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
    if CACHE_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": CACHE_TABLE,
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
)
CACHES = {
    "default": _shared_cache,
    # The sandbox stores its codes separately, as WeChat does.
    "sandbox": {**_shared_cache, "KEY_PREFIX": "sandbox"},
}

# --- Console ---------------------------------------------------------------------------------
UNFOLD = page_settings.UNFOLD
CONSOLE_CONTENT_SECURITY_POLICY = page_settings.CONSOLE_CONTENT_SECURITY_POLICY
LOGIN_URL = LOGOUT_REDIRECT_URL = "/console/login/"
LOGIN_REDIRECT_URL = "/console/"
# Wrong passwords are counted by address; axes stores no more than it needs.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_CLIENT_IP_CALLABLE = "userpools.console.sign_in.caller"
AXES_LOCKOUT_TEMPLATE = "pages/locked_out.html"
# A correct password resets nothing: the owner of an account could guess others' for ever.
AXES_RESET_ON_SUCCESS = False
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
AXES_ALLOWED_CORS_ORIGINS = PUBLIC_URL

# --- Languages and time ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files ----------------------------------------------------------------------------
# Absolute: the console's pages are mounted below each pool, static files aren't.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Security --------------------------------------------------------------------------------
_https = _public.scheme == "https"
SILENCED_SYSTEM_CHECKS = [
    # HSTS for this host only: neither for its siblings, nor for browsers' preload lists.
    "security.W005",
    "security.W021",
    # Whether to redirect follows from PUBLIC_URL and TRUSTED_PROXIES; see unionpass.W002.
    "security.W008",
    # Django's warnings about plain http; only loopback gets this far without https.
    *([] if _https else ["security.W004", "security.W012", "security.W016"]),
]
# Without a trusted proxy it is unknown whether a request came by https, and the redirect would
# loop.
SECURE_SSL_REDIRECT = _https and bool(TRUSTED_PROXIES)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_NAME = "unionpass_operator"
SESSION_COOKIE_AGE = 12 * 3600  # a working day: operators sign in again each morning
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = _https, True, "Lax"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# Enough for every JSON body and form; a larger one is answered 413 before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
CONTENT_SECURITY_POLICY = {"DIRECTIVES": page_settings.CONTENT_SECURITY_POLICY}

# --- Programs --------------------------------------------------------------------------------
# Everything that isn't a page: the REST API, the provider without its pages, WeChat's events.
PROGRAMS_REGEX = r"/(?:api/v1/|wechat/|\.well-known/|oidc/[a-z0-9-]+/(?!(?:authorize|logout)\Z))"
# The origins of browsers: applications/cors.py; discovery and JWKS answer all origins themselves.
CORS_URLS_REGEX = (
    r"/(?:oidc/(?P<pool>[a-z0-9-]+)/(?:token|userinfo|revoke|par)|api/v1/me(?:/.*)?)\Z"
)
CORS_ALLOW_HEADERS = ["authorization", "content-type"]
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CORS_EXPOSE_HEADERS = ["Retry-After", "WWW-Authenticate"]
CORS_PREFLIGHT_MAX_AGE = 600

# --- REST ------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["config.wiring.api.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.wiring.api.error_answer",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.wiring.api.OneRenderer",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Unionpass",
    "DESCRIPTION": "Log people in with WeChat and get standard tokens.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVERS": [{"url": PUBLIC_URL}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Logs ------------------------------------------------------------------------------------
LOGGING = logs.CONFIGURATION
