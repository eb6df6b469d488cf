"""Why there is no plan, in the user's terms: what conflicts, and what would have to give."""
