"""The commands of the command line, one module each: ``add`` declares it, ``run`` runs it.

Heavy imports stand inside ``run``: ``--help`` and ``validate`` must start fast.
"""
