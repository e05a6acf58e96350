"""Many films to files: which they are (`films`), what is read of them (`pipeline`) and what is written."""
