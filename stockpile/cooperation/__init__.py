"""What acting together is worth, who pays what, and who owes what.

``docs/cooperation.md`` explains the figures and says which split to use when.

Pure functions on the yearly costs of plans that were solved elsewhere:

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

From an instance to the figures:

===================== ==========================================================================
``comparison``        puts the following together: :func:`stockpile.compare`
``worlds``            solves the worlds, and groups of participants, within one time limit
``costs_of_worlds``   what they cost, and who bears it
``meetings``          how often needs meet, from data only
``reasons``           what is saved by material, cut into parts, and a word for the largest
``game_of_worlds``    what every coalition would pay, and the splits
``tickets``           on which tonnes partners have a claim, and a side payment per tonne
``default``           what is lost if no partner releases anything
``obligations``       who owes and who receives in named disruptions
``comparison_tables`` columns of the tables
===================== ==========================================================================
"""
