"""Config as code: what `apply` reads from a YAML file, and what `export` prints.

::

    problems.py    errors of a file, with line and key, never with a secret
    reading.py     YAML or JSON → plain values, and the line of each
    schema.py      the shape of each object (serializers)
    entries.py     the file's objects, each with its path, those values that are valid, and the
                   list of everything that is wrong
    state.py       what the database holds, in the same form; what `apply` wrote last, as
                   digests: the console's changes show
    planning.py    file against database → plan; planning_fields.py field by field,
                   planning_applications.py for redirect URIs, login methods and secrets
    plan.py        the plan, and its output
    applying.py    the plan → database, in one transaction
    exporting.py   database → YAML
"""
