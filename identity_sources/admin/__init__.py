"""The console's pages of identity sources: list, forms and actions."""

from identity_sources.admin.sources import IdentitySourceAdmin

__all__ = ["IdentitySourceAdmin"]
