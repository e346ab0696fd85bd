"""What happens by itself: jobs.py is its table of contents. Started by main, and by no page."""
