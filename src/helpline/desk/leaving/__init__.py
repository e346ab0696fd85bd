"""A council's contract ends: everything of that council as files, and nothing of another's."""
