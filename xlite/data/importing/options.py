"""The options of an import that errors name, each with what its field is called on the Explore page."""

from xlite.errors import Option

NAME = Option("--name", "Name of the new folder")
LABEL = Option("--label", "Labels")
NAMES = Option("--labels", "What a film has, in words")
UNCERTAIN = Option("--uncertain", "An uncertain label counts as")
BLANK = Option("--blank", "blank means")
COLUMNS = {
    "image": Option("--image", "Files of the films"),
    "patient": Option("--patient", "Patients"),
    "view": Option("--view", "Views"),
    "age": Option("--age", "Ages"),
    "sex": Option("--sex", "Sexes"),
    "part": Option("--part", "Train, val or test"),
}
"""By what a column says of a film."""
