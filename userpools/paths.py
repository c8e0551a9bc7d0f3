"""A pool's identifier in a URL."""

from config.words import IDENTIFIER_MAX_LENGTH


class PoolIdentifierConverter:
    """Match what may be a pool's identifier, so that nothing else reaches the database."""

    regex = f"[a-z0-9-]{{1,{IDENTIFIER_MAX_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
