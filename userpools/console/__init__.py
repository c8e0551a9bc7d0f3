"""The console's frame, on ``django.contrib.admin``: one site, with pages of one pool each.

::

    apps.py         makes it Django's default site, so that apps register in their admin.py
    middleware.py   /console/{pool}/…: mounts the pages there, so that every link stays in the pool
    place.py        a request's pool and the operator's role in it
    sign_in.py      how operators sign in
    site.py         access, and the URLs of the pages
    display.py      formatting that several pages use
    model_admin.py  base classes of the pages: only rows of the pool
"""
