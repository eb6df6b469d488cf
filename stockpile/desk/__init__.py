"""The crisis desk: what to release this month, from a plan and what has been observed."""
