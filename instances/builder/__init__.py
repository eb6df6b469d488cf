"""From sourced figures to the instance folders `us-japan`, `us-japan-chain` and `rare-earths`."""
