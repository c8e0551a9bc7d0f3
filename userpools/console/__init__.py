"""The console's frame, on ``django.contrib.admin``: one site, whose pages are of one pool each.

::

    apps.py         makes the site Django's own, so that apps register as usual, in their admin.py
    middleware.py   /console/{pool}/…: mounts the pages there, so that every link stays in the pool
    place.py        in which pool a request is, and by which role
    sign_in.py      how operators sign in
    site.py         who may enter, and the addresses of the pages
    display.py      how it shows what several pages show
    model_admin.py  what the pages of a pool's rows have in common: nothing of another pool shows
"""
