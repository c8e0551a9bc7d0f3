"""How the console shows whether WeChat accepts a source's settings."""

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from identity_sources.complaints import complaints_about
from identity_sources.models import IdentitySource
from userpools.console.display import ago


def failing_sign() -> SafeString:
    """Return the label next to a failing source's name."""
    return render_to_string("console/failing.html")


def health_of(source: IdentitySource) -> dict[str, Any]:
    """Return the panel of a source's page: since when it fails, and each complaint."""
    return {
        "failing_since": ago(source.failing_since) if source.failing_since else "",
        "complaints": [
            (complaint, ago(complaint.since), ago(complaint.last_at))
            for complaint in complaints_about(source, now=timezone.now())
        ],
    }
