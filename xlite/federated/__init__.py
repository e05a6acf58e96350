"""Federated learning: clients that keep their films, a server that averages, and Flower between them."""
