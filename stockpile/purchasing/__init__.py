"""The buying calendar: from the stocks of today to those of a plan, quarter by quarter."""
