"""Copies of the whole database, encrypted, and how one is brought back.

`making.make` writes one while the helpline runs, `restoring.verify` reads one back into a database
of its own, `restoring.restore` fills an empty database from one and holds back whatever it was
about to send. One format for SQLite and PostgreSQL. Nothing here opens a sealed value.
"""
