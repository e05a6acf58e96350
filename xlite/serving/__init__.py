"""Films of many askers at once, read by one model: what a server needs, without a server."""
