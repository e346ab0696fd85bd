"""What the helpline does: functions of a session and a time. They never commit; edges call them."""
