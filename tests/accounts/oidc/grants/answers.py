"""What the token endpoint answers word for word."""

from unittest.mock import ANY

INVALID_CODE = {
    "error": "invalid_grant",
    "error_description": (
        "The code is unknown, used, expired, or of another application, redirect_uri or "
        "code_verifier. Begin again at the authorization endpoint."
    ),
    "request_id": ANY,
}
