"""The sections of a report, each a function from a `View` to blocks of a document."""
