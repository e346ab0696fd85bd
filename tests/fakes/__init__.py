"""Providers that run on loopback, for the real client libraries to talk to.

Each is an async context manager with `.url` and `.sent`, remembers what was posted, and can be told
to misbehave: that is what tests/fakes/misbehaviour.py is for.
"""
