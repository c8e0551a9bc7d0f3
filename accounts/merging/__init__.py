"""Making one user of two: ``merge`` does it, ``undo`` takes it back.

``conflicts`` are held where no rule may decide, ``review`` is what an operator decides about them,
``comparison`` the two side by side.
"""
