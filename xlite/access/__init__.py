"""Who may reach a server of this machine: its addresses, its names, its password."""
