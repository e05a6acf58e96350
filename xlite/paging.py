"""Long lists in pages, which count from 1."""


def page_count(rows: int, size: int) -> int:
    """How many pages of `size` rows so many fill; none fill a page too."""
    return max(-(-rows // size), 1)


def page(number: int, size: int) -> slice:
    """Which rows are on a page."""
    return slice((number - 1) * size, number * size)
