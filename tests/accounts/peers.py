"""What the tests of other products' mistakes share."""

from tests.support import builders

SECOND = builders.SECOND_MINI_APP_ID
LINKED = "/api/v1/me/linked-accounts"
BIND = "/api/v1/login/bind"
PHONE = "+8613800138001"


def switch(acme, **fields):
    for name, value in fields.items():
        setattr(acme.source, name, value)
    acme.source.save()
