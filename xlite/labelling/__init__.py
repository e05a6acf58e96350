"""People who label films: a worklist, the log of their answers, who reads what next, and the labels of it."""
