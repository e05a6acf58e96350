"""Colours of the figures about data: on paper (the report) and on screen (the app), beside those of plots."""

INK = "#22313f"
MUTED = "#6b7a89"
LINE = "#d9dfe5"
MAIN = "#2f6690"
REST = "#b4c0cb"  # No Finding, and whatever is not the point of a figure
ACCENT = "#c8702a"
SEX = {"F": "#b0587a", "M": "#3f7cac"}
VIEW = {"AP": "#c8702a", "PA": "#2f6690"}
UNKNOWN = "#cacaca"  # cells of too few films
DIVERGING = ("#8c510a", "#dfc27d", "#f7f7f5", "#80b1d3", "#14507a")  # less often than by chance … more often

SCREEN_BOX = (227, 176, 91)  # RGB
SCREEN_DIVERGING = ("#a06a1f", "#655436", "#2c3640", "#2b6468", "#2c938b")
