"""How the needs of a plan are assured: by what is held, converted, built and recycled."""
