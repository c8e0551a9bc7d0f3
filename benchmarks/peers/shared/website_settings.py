"""Settings of a website where people log in by WeChat's QR code, as django-allauth documents them.

Sessions are in the database, which is Django's default. What a person sees between the website and
WeChat ("Continue?") is left out, and so are django-allauth's limits, which count by the address:
in a measurement everybody has the same one.
"""

from common_settings import *

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "weixin",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        # Without DEBUG, Django keeps compiled templates in memory.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "weixin_login"
LOGIN_REDIRECT_URL = "/profile"

ACCOUNT_EMAIL_VERIFICATION = "none"  # WeChat tells no e-mail address
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_RATE_LIMITS = False
SOCIALACCOUNT_ADAPTER = "weixin.adapter.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "weixin": {
        "APPS": [{"client_id": WECHAT_APP_ID, "secret": WECHAT_APP_SECRET, "key": ""}],
        "AUTHORIZE_URL": f"{WECHAT_API_URL}/connect/qrconnect",
    }
}
