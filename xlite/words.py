"""How counts are written wherever a person reads them."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 film`, `22,433 films`; a plural of another kind is given: `2 boxes`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def are(count: int) -> str:
    """The verb behind a count: `1 film is`, `2 films are`."""
    return "is" if count == 1 else "are"
