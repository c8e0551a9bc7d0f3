"""The console's pages of applications.

::

    applications.py    the list, the page of one with its tabs of redirect URIs, and what is shown
above it
    forms.py           a new application, and what can be changed of one
    login_control.py   the social login toggles
    integration.py     the tab with the snippets
    client_secrets.py  a new client secret, shown once
"""

from applications.admin.applications import ApplicationAdmin

__all__ = ["ApplicationAdmin"]
