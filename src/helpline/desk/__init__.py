"""What the helpline does: functions of a session and a time that never commit. Called by the edges."""
