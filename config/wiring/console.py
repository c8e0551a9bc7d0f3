"""The console's frame: its sidebar and overview (``UNFOLD`` refers to these functions)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.merging.review import open_conflicts
from accounts.overview import overview_of
from userpools.console.display import ago
from userpools.console.place import operator_of, place_of, pools_of
from userpools.console.site import console_url
from userpools.models import Operator, UserPool

MOST_COUNTED = 100


def pool_name(request: HttpRequest) -> str:
    """Return the sidebar's title, the pool's name."""
    pool = place_of(request).pool
    return pool.name if pool else "Unionpass"


def pool_identifier(request: HttpRequest) -> str:
    """Return the subtitle, the pool's identifier in URLs and tokens."""
    pool = place_of(request).pool
    return pool.identifier if pool else _("No user pool chosen")


def pool_picker(request: HttpRequest) -> list[dict[str, Any]]:
    """List the operator's pools, and the page that creates others."""
    if not isinstance(request.user, Operator):
        return []
    pools = [
        {"title": pool.name, "link": console_url(pool), "icon": "group_work"}
        for pool in pools_of(request.user)
    ]
    if request.user.is_superuser:
        pools.append({"title": _("New user pool"), "link": "/console/pools/add/", "icon": "add"})
    return pools


def environment(request: HttpRequest) -> tuple[str, str] | None:
    """Mark an installation that has the sandbox."""
    return (_("Sandbox"), "warning") if settings.WECHAT_SANDBOX else None


def favicon(request: HttpRequest) -> str:
    """Return the address of the icon."""
    return static("unionpass/icon.svg")


def stylesheet(request: HttpRequest) -> str:
    """Return the address of the styles that unfold lacks."""
    return static("unionpass/console.css")


def script(request: HttpRequest) -> str:
    """Return the address of the script for copy buttons."""
    return static("unionpass/copy.js")


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the pool's overview shows."""
    place = place_of(request)
    facts = overview_of(place.require_pool(), now=timezone.now())
    latest = [(event, ago(event.occurred_at)) for event in facts.events]
    failing = [(one, ago(one.since)) for one in facts.failing]
    return {
        **context,
        "overview": facts,
        "latest": latest,
        "failing": failing,
        "may_change": place.may_change,
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar of the pool; outside of pools only the pages about all pools."""
    pool = place_of(request).pool
    groups = [_daily(request, pool), _settings(request, pool)] if pool else []
    if operator_of(request).is_superuser:
        groups.append(_installation(request))
    return groups


def _daily(request: HttpRequest, pool: UserPool) -> dict[str, Any]:
    applications = reverse("admin:applications_application_changelist")
    sources = reverse("admin:identity_sources_identitysource_changelist")
    overview_page = reverse("admin:index")
    return {
        "items": [
            {
                **_item(request, _("Overview"), "dashboard", overview_page),
                "active": request.path == overview_page,
            },
            _item(request, _("Applications"), "apps", applications),
            _item(request, _("Identity sources"), "key", sources),
            _item(request, _("Users"), "group", reverse("admin:accounts_user_changelist")),
            _item(
                request,
                _("Login events"),
                "history",
                reverse("admin:accounts_loginevent_changelist"),
            ),
            _review(request, pool),
        ]
    }


def _review(request: HttpRequest, pool: UserPool) -> dict[str, Any]:
    page = reverse("admin:accounts_conflict_changelist")
    # The exact number above a hundred isn't needed, and counting it would slow every page.
    waiting = open_conflicts(pool)[:MOST_COUNTED].count()
    count = str(waiting) if waiting < MOST_COUNTED else f"{MOST_COUNTED - 1}+"
    badge = {"badge": count, "badge_variant": "warning"} if waiting else {}
    return {**_item(request, _("Review"), "compare_arrows", page), **badge}


def _settings(request: HttpRequest, pool: UserPool) -> dict[str, Any]:
    own_page = reverse("admin:userpools_userpool_change", args=[pool.pk])
    keys = reverse("admin:userpools_signingkey_changelist")
    operators = reverse("admin:userpools_membership_changelist")
    return {
        "title": _("Settings"),
        "separator": True,
        "items": [
            _item(request, _("Pool"), "tune", own_page),
            _item(request, _("Keys"), "vpn_key", keys),
            _item(request, _("Operators"), "badge", operators),
        ],
    }


def _installation(request: HttpRequest) -> dict[str, Any]:
    return {
        "title": _("Installation"),
        "separator": True,
        "items": [
            _item(request, _("User pools"), "group_work", "/console/pools/"),
            _item(request, _("Operator accounts"), "shield_person", "/console/operator-accounts/"),
        ],
    }


def _item(request: HttpRequest, title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link, "active": request.path.startswith(link)}
