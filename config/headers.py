"""Headers that several doors send."""

NO_STORE = {"Cache-Control": "no-store"}
