"""The sections of the EDA report, each a function from a survey to Markdown."""
