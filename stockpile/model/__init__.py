"""Linear and mixed-integer models: as arrays for speed, in Pyomo for reading and export."""
