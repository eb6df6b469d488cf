"""Who pays what, and who owes what: splits of a joint cost and rules for sharing in an emergency.

Pure functions on the yearly costs of plans that were solved elsewhere. The sections of
``docs/cooperation.md`` say which split to use when.

===================== ==========================================================================
module                one idea each
===================== ==========================================================================
``game``              what every coalition of participants would pay
``shapley``           everybody pays the mean of what joining adds, over all orders of joining
``bargaining``        everybody saves the same, or by agreed weights
``proportional``      everybody saves in proportion to a key, such as the value of consumption
``core``              does any coalition pay less on its own, and by how much at least
``payments``          side payments that turn costs borne into a split, and ticket prices
``emergency_sharing`` who owes and who receives material in a disruption, by treaty
===================== ==========================================================================
"""
