"""The endpoint for events that WeChat pushes, at ``/wechat/{pool}/{source}/events``.

::

    urls.py       the address
    views.py      verifies a push
    receiving.py  handles each event once, however often WeChat sends it
    handlers.py   what is done about each event

Only events in safe mode are proven to come from WeChat. Those in plain mode are recorded and
change nothing.
"""
