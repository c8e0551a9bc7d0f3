"""OpenID Connect Back-Channel Logout 1.0: applications hear that a session of theirs ended.

What is to be told stands in the database (`LogoutNotice`), written where sessions end. A thread of
each server process (`courier`) or a command brings it to the applications (`delivery`): at least
once, and for as long as a working day goes on if one doesn't take it.
"""
