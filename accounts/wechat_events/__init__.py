"""What WeChat tells by itself, at ``/wechat/{pool}/{source}/events``.

``views`` verifies a push, ``receiving`` takes each event once, ``handlers`` do what it asks for.
Only events in safe mode are proven WeChat's; those in plain mode are recorded and change nothing.
"""
