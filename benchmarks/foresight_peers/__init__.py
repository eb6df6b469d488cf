"""Other ways to solve the foresight model: one module for each package.

Each has a function ``solve`` that takes the model of one material month by month and returns its
optimum [USD/year] and the moment at which the model stood, before anything was solved.
"""
