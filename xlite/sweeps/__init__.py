"""Studies of many runs: the three phases of the design document and any other search. Imports no torch."""
