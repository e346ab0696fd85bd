"""What people may ask of what we keep about them, and what becomes of it: requests and their clock,
the file they are given, what is erased and when, whom else we told, and what went wrong.

Pages and the hourly tidying call these; nothing here commits, and nothing erases unless two people
have said so.
"""
