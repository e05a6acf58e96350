"""The training of the network that finds the lungs, on phantoms, whose lungs are known."""
