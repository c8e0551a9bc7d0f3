"""An OpenID provider for WeChat: ``application``, and ``python app.py setup``."""

import os
import sys
from pathlib import Path

from django.core.wsgi import get_wsgi_application

sys.path.append(str(Path(__file__).resolve().parent.parent / "shared"))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
application = get_wsgi_application()


if __name__ == "__main__":
    from preparing import prepare
    from setting_up import run

    run(prepare)
