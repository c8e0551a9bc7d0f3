"""How secrets of clients are hashed."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher

FAST = "hashing.FastHasher"


class FastHasher(PBKDF2PasswordHasher):
    """One round, for secrets that are long and random.

    django-oauth-toolkit hashes secrets as Django does passwords unless told otherwise: a million
    rounds for each request of a client, some tenths of a second.
    """

    algorithm = "fast_pbkdf2"
    iterations = 1
