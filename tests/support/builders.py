"""Creates valid rows; each test changes what it is about."""

from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from joserfc.jwk import ECKey, RSAKey

from accounts.models import LinkedAccount, User
from applications.models import Application, ClientSecret, LoginMethod
from applications.rules import ways_in
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import sandbox_app_secret
from userpools.keys import active_key, generate_private_key
from userpools.models import Membership, Operator, SigningKey, UserPool

MINI_APP_ID = "wxsandbox000000001"
SECOND_MINI_APP_ID = "wxsandbox000000002"
UNBOUND_APP_ID = "wxsandboxf00000001"
"""The AppID of a mini program without an Open Platform account: it gets no UnionID."""
LIVE_APP_ID = "wx0123456789abcdef"
LIVE_APP_SECRET = "0123456789abcdef0123456789abcdef"
OPERATOR_PASSWORD = "a password of an operator's"
MEMBERS_PASSWORD = "a password of a member's"
CLIENT_SECRET = "a client secret of more than 32 characters"


@cache
def _private_key(identifier: str, algorithm: str) -> ECKey | RSAKey:
    # Generating RSA keys is slow; one for each pool's name is enough.
    return generate_private_key(algorithm)


def make_pool(identifier: str = "acme", *, rsa: bool = False, **fields: Any) -> UserPool:
    """A pool that signs with ES256; with ``rsa`` it has a key for RS256, too, as real ones do."""
    pool = UserPool.objects.create(identifier=identifier, name=identifier.title(), **fields)
    algorithms = SigningKey.Algorithm if rsa else [SigningKey.Algorithm.ES256]
    for algorithm in algorithms:
        active_key(pool, algorithm, _private_key(identifier, algorithm)).save(force_insert=True)
    return pool


def make_source(pool: UserPool, **fields: Any) -> IdentitySource:
    app_id = fields.pop("app_id", MINI_APP_ID)
    live = fields.get("mode") == IdentitySource.Mode.LIVE
    app_secret = fields.pop("app_secret", None)
    source = IdentitySource(
        **{
            "pool": pool,
            "identifier": f"{pool.identifier}-mini",
            "type": IdentitySource.Type.WECHAT_MINI_PROGRAM,
            "display_name": "Mini program",
            "app_id": app_id,
            "mode": IdentitySource.Mode.SANDBOX,
        }
        | fields
    )
    default_secret = LIVE_APP_SECRET if live else sandbox_app_secret(app_id)
    source.set_app_secret(app_secret or default_secret, now=timezone.now())
    source.save(force_insert=True)
    return source


def make_application(pool: UserPool, **fields: Any) -> Application:
    secret = fields.pop("client_secret", None)
    if secret:
        fields["client_authentication"] = Application.ClientAuthentication.CLIENT_SECRET
    application = Application.objects.create(
        **{
            "pool": pool,
            "client_id": f"{pool.identifier}-shop",
            "name": "Shop",
            "type": "mini_program",
        }
        | fields
    )
    if secret:
        ClientSecret.for_application(application, secret).save(force_insert=True)
    return application


def offer(application: Application, source: IdentitySource, **fields: Any) -> LoginMethod:
    way = fields.pop("way", None) or ways_in(source.type, application.type)[0]
    return LoginMethod.objects.create(
        pool=application.pool, application=application, identity_source=source, way=way, **fields
    )


def make_user(pool: UserPool, **fields: Any) -> User:
    return User.objects.create(pool=pool, **fields)


def make_member(pool: UserPool, email: str = "ann@example.com", **fields: Any) -> User:
    """A user with a verified address and a password, and without WeChat."""
    return make_user(
        pool,
        **{
            "email": email,
            "email_verified_at": timezone.now(),
            "password": make_password(MEMBERS_PASSWORD),
        }
        | fields,
    )


def link_openid(
    user: User, openid: str, *, app_id: str = LIVE_APP_ID, unionid: str = "", **fields: Any
) -> LinkedAccount:
    """Give the user an OpenID, last seen a day ago."""
    return _link(user, kind="openid", app_id=app_id, openid=openid, unionid=unionid, **fields)


def link_unionid(user: User, unionid: str, **fields: Any) -> LinkedAccount:
    """Give the user a UnionID, last seen a day ago."""
    return _link(user, kind="unionid", unionid=unionid, **fields)


def _link(user: User, **fields: Any) -> LinkedAccount:
    yesterday = timezone.now() - timedelta(days=1)
    seen = {"first_seen_at": yesterday, "last_seen_at": yesterday}
    return LinkedAccount.objects.create(**{"pool": user.pool, "user": user} | seen | fields)


def wx_login(person: str = "alice", app_id: str = MINI_APP_ID) -> str:
    """Return the code of ``wx.login`` on this person's phone."""
    return sandbox().wx_login(app_id, person)


def get_phone_number(person: str = "alice", app_id: str = MINI_APP_ID) -> str:
    """Return the code of the getPhoneNumber button on this person's phone."""
    return sandbox().get_phone_number(app_id, person)


def make_operator(
    username: str, pool: UserPool | None = None, *, role: str = "admin", **fields: Any
) -> Operator:
    """An operator with a role in the pool; without a pool, one without any role."""
    operator = Operator.objects.create_user(username, password=OPERATOR_PASSWORD, **fields)
    if pool:
        Membership.objects.create(pool=pool, operator=operator, role=role)
    return operator
