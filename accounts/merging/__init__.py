"""Merging two users who are one person.

::

    merge.py       who may be merged, and what moves
    undo.py        undoes a merge
    conflicts.py   holds for review what no rule may decide
    review.py      an operator's decisions about conflicts
    comparison.py  two users side by side, and what merging them would do
"""
