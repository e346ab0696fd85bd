"""Decisions: facts and a time in, a plain value out. They load, store and send nothing."""
