"""Whether what stands behind a code or token still does: session, user, application, method."""

from accounts.models import Session, User
from applications.offers import still_offers


def is_current(session: Session) -> bool:
    """Tell whether a session may give new tokens, with its user and application at hand."""
    return (
        session.ended_at is None
        and session.user.status == User.Status.ACTIVE
        and session.application.enabled
        and still_offers(session.application, session.identity_source_id, session.way)
    )
