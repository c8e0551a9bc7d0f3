"""Django's PostgreSQL backend, whose pool checks only connections that were idle."""
