"""From sourced figures to the instance folders `us-japan` and `rare-earths`."""
