"""The content security policies of the pages, and the console's appearance.

``config/settings.py`` imports them; ``config/kernel/headers.py`` extends one response's policy.
"""

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

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
CONSOLE_CONTENT_SECURITY_POLICY = {
    **CONTENT_SECURITY_POLICY,
    # unfold's pages use Alpine, which evaluates their attributes.
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

UNFOLD = {
    "SITE_TITLE": "Unionpass",
    "SITE_HEADER": "config.wiring.console.pool_name",
    "SITE_SUBHEADER": "config.wiring.console.pool_identifier",
    "SITE_DROPDOWN": "config.wiring.console.pool_picker",
    "SITE_SYMBOL": "hub",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "config.wiring.console.favicon"},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.wiring.console.environment",
    "DASHBOARD_CALLBACK": "config.wiring.console.overview",
    "STYLES": ["config.wiring.console.stylesheet"],
    "SCRIPTS": ["config.wiring.console.script"],
    "LOGIN": {"form": "userpools.console.sign_in.SignInForm"},
    "COLORS": {
        # WeChat users expect green; this one has a contrast of 4.5 to 1 on white.
        "primary": {
            "50": "oklch(97.9% .021 166.1)",
            "100": "oklch(95% .052 163.1)",
            "200": "oklch(90.5% .093 164.2)",
            "300": "oklch(84.5% .143 165)",
            "400": "oklch(76.5% .177 163.2)",
            "500": "oklch(62% .14 162.5)",
            "600": "oklch(52% .118 163.2)",
            "700": "oklch(44.5% .1 165.6)",
            "800": "oklch(38.5% .085 166.9)",
            "900": "oklch(34% .072 168.9)",
            "950": "oklch(24% .05 172.6)",
        }
    },
    "SIDEBAR": {"navigation": "config.wiring.console.navigation"},
}
