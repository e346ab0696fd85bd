"""Everything that can be asked over HTTP: app.py is its table of contents."""
