"""From sourced figures to the folders `us-japan`, `us-japan-one-form` and `rare-earths`."""
