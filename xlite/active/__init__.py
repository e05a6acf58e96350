"""Active learning: which films to label next, and a study of what that is worth."""

from typing import Literal, get_args

Strategy = Literal["uncertainty", "disagreement", "diversity", "rarity", "random"]
"""By what films are ranked; `strategies.py` says how."""
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
Training = Literal["head", "run"]
"""What a study trains: logistic regressions on a model's features, or whole runs by its settings."""
