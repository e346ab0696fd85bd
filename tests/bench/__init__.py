"""Speed, measured: `make bench`. Each file measures one thing against a baseline of the same run
and asserts nothing about time; figures.py knows the aims and prints the table."""
