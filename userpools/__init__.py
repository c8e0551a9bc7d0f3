"""User pools, the tenants: their signing keys and their operators.

::

    models.py        pools, signing keys, the operators' roles
    pools.py         finds a pool by its identifier, and creates one
    keys.py          a pool's signing keys: created, published, cached
    key_rotation.py  staged rotation of signing keys
    console/         the console's frame
    admin.py         the console's pages of pools and operators
"""
