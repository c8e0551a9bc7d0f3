"""What connects the apps to a server; no app imports it.

::

    environment.py    readers of environment variables, for config/settings.py
    page_settings.py  content security policies, and the console's appearance
    checks.py         system checks of settings
    server.py         starts Granian
    middleware.py     what every request passes: its ID, health checks, proxies, hosts, bodies
    urls.py           the addresses of the server
    console_urls.py   the addresses of the console
    console.py        the console's sidebar and overview
    pages.py          the welcome page, and the error page
    api.py            REST: reads bodies, answers errors
    openapi.py        our serializer fields in the OpenAPI schema
    translatable.py   collects every translatable string
    translations.py   the Chinese catalogue: collected, compiled, checked
"""
