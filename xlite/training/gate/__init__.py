"""How the gate network of `xlite.guards` is trained: `python -m xlite.cli.gate --help`."""
