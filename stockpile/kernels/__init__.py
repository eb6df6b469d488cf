"""Compiled loops: arrays in, arrays out, no objects but named tuples of arrays.

Shapes and meanings are those of :mod:`stockpile.needs` and :mod:`stockpile.simulate`. Everything
is double precision without reordering of sums, so a result does not depend on which candidates
are simulated together.
"""
