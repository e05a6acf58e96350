"""How counts are written wherever a person reads them."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 film`, `22,433 films`; a plural of another kind is given: `2 boxes`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
