"""Long lists in pages."""

from xlite.paging import page, page_count


def test_a_list_in_pages() -> None:
    assert [page_count(rows, 5) for rows in (0, 1, 5, 6, 24)] == [1, 1, 1, 2, 5]
    rows = list(range(24))
    pages = [rows[page(number, 5)] for number in range(1, 6)]
    assert sum(pages, []) == rows and [len(one) for one in pages] == [5, 5, 5, 5, 4]
    assert rows[:0][page(1, 5)] == []
