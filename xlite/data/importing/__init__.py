"""Data folders made of other data sets: tables in the NIH layout, boxes, lists, and links to the films.

`read_source` reads what lies in a source (`Found`), `Mapping` says which of its labels is which finding, and
`write_import` writes the folder. There is a module for each kind of data set.
"""
