from xlite.pacs.uids import derived_uid


def test_the_same_words_have_the_same_uid_and_others_another() -> None:
    assert derived_uid("1.2.3", "model") == "2.25.188681835537642007363064718775445423101"
    assert (
        len({derived_uid("a", "bc"), derived_uid("ab", "c"), derived_uid("a", "bc", ""), derived_uid()}) == 4
    )
    assert all(len(derived_uid(str(number))) <= 44 for number in range(100))
