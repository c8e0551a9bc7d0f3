"""The console's pages of identity sources: list and forms, and what is done with one source."""

from identity_sources.admin.sources import IdentitySourceAdmin

__all__ = ["IdentitySourceAdmin"]
