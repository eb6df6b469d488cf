"""Many solves at once: variants of instances, one folder for each, and one table of all."""
