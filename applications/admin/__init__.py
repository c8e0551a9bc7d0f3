"""The console's pages of applications.

::

    applications.py    the list, the forms, and what stands above them
    login_control.py   the social login toggles
    redirect_uris.py   where web applications take their answer
    integration.py     the tab with the snippet
    client_secrets.py  a new client secret, shown once
"""

from applications.admin.applications import ApplicationAdmin

__all__ = ["ApplicationAdmin"]
