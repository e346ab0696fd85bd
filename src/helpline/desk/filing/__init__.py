"""The file of a case: which tables, which columns, in what words, and how they are read."""
