"""What people write about a run: tags and a note, in a file of its own in the run's folder. No torch."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic_core import from_json, to_json

from xlite.errors import RunError
from xlite.files import read_whole, write_atomic
from xlite.text import counted

ANNOTATION_FILE = "annotation.json"
MOST_TAGS, LONGEST_TAG, LONGEST_NOTE = 20, 40, 10_000


@dataclass(frozen=True)
class Annotation:
    """Tags, each once and in the order given, and a note; both may be empty."""

    tags: tuple[str, ...] = ()
    note: str = ""


def read_annotation(folder: Path) -> Annotation:
    """What was written about the run of a folder; empty if nothing was. RunError if the file is damaged."""
    path = folder / ANNOTATION_FILE
    try:
        values = from_json(read_whole(path))
        tags, note = values["tags"], values["note"]
        if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
            raise ValueError("its tags are not a list of texts")
        if not isinstance(note, str):
            raise ValueError("its note is not text")
        return Annotation(checked_tags(tags), _checked_note(note))
    except FileNotFoundError:
        return Annotation()
    except (OSError, ValueError, KeyError, TypeError, RunError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise RunError(
            f"tags and note of run {folder.name!r} cannot be read from {path} ({reason:.200}): "
            "write them anew"
        ) from error


def annotate(folder: Path, tags: Iterable[str] | None = None, note: str | None = None) -> Annotation:
    """Replaces the tags, the note or both of a run, and returns what it has then; None leaves what is there.

    The file is replaced whole, so of two who write at once the last one wins. What is damaged is written
    anew. RunError for what cannot be a tag or a note.
    """
    try:
        found = read_annotation(folder)
    except RunError:
        found = Annotation()
    if tags is not None:
        found = replace(found, tags=checked_tags(tags))
    if note is not None:
        found = replace(found, note=_checked_note(note))
    content = to_json({"tags": found.tags, "note": found.note}, indent=1)
    write_atomic(folder / ANNOTATION_FILE, content + b"\n")
    return found


def tags_of(text: str) -> tuple[str, ...]:
    """The tags of a text with commas between them, as one types them."""
    return checked_tags(text.split(","))


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags without blanks around them and empty ones, each once; RunError if they cannot be tags."""
    given = tuple(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags))))
    for tag in given:
        if "," in tag or not tag.isprintable() or len(tag) > LONGEST_TAG:
            raise RunError(
                f"{tag!r:.80} cannot be a tag: use up to {LONGEST_TAG} characters that can be printed, "
                "and no comma"
            )
    if len(given) > MOST_TAGS:
        raise RunError(f"a run has up to {MOST_TAGS} tags, and here are {len(given)}")
    return given


def _checked_note(note: str) -> str:
    """The note without blanks around it; RunError if it is too long or no text."""
    text = note.strip()
    if len(text) > LONGEST_NOTE:
        raise RunError(
            f"a note has up to {counted(LONGEST_NOTE, 'character')}, and this one has {len(text):,}"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RunError("the note is not text in UTF-8: write it with other characters") from error
    return text
