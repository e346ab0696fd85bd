"""Helpline: the system behind a fostering helpline. ARCHITECTURE.md follows one message through."""
