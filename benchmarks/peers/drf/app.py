"""The hand-written login of a mini program: ``application``, and ``python app.py setup``."""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.wsgi import get_wsgi_application

sys.path.append(str(Path(__file__).resolve().parent.parent / "shared"))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
application = get_wsgi_application()


def prepare() -> dict[str, Any]:
    """Nothing has to be made: people come by themselves."""
    return {"login": {"path": "/login", "fields": {}}}


if __name__ == "__main__":
    from setting_up import run

    run(prepare)
