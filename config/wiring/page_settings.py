"""What every page outside of the console may load, and where its forms lead.

``config/settings.py`` takes it over; one answer may be let out further
(``config/kernel/headers.py``).
"""

from csp.constants import NONE, SELF

CONTENT_SECURITY_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}
