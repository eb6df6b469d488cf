"""Instances of any size with invented figures that are shaped like real ones."""
