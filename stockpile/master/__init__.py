"""One plan for all materials: prices, column generation, and branching, with a certificate."""
