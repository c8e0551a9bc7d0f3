"""What `make bench` and `make profile` run; README.md says how to use them.

__main__.py    the command: what is measured in which order
settings.py    the command's options, and what they default to
programs.py    starts the server, the floor and the peers
database.py    the PostgreSQL of a run: databases, WAL, CPU time
processes.py   CPU time, memory and signals of a tree of processes
emulator.py    a program that answers as WeChat does
floor.py       the floor: a bare Django view with the ingredients of a login
load.py        the load generator, a process of its own
http1.py       HTTP/1.1 for the two of them
scenarios.py   what the load generator asks for: logins and the other doors
session.py     one run's programs, and a measurement of one of them
measuring.py   the groups of figures
figures.py     each figure with its limits, and what was measured
report.py      the table, the results' file and the comparison with the last one
machine.py     the machine and the versions that a result names
profiling.py   where the CPU time of a login goes, by room
"""
