"""The text of a PDF as a search finds it, by way of the fonts that are embedded in it."""

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
_TOKEN = re.compile(
    rb"/(?P<font>\S+)\s+[\d.]+\s+Tf|\[(?P<shown>(?:\((?:\\.|[^\\)])*\)|[^\](])*)\]\s*TJ|(?P<ends>\bET\b)",
    re.DOTALL,
)
_STRING = re.compile(rb"\(((?:\\.|[^\\)])*)\)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r"}
_RANGE = re.compile(rb"<([0-9a-f]+)> <[0-9a-f]+> \[([^\]]*)\]")


def pdf_texts(pdf: bytes) -> list[list[str]]:
    """The texts of each page, in the order in which they are drawn. Fails for a font that is not embedded."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {name: _letters(objects, body) for name, body in _fonts(objects).items()}
    pages = [body for body in objects.values() if re.search(rb"/Type /Page\b", body)]
    return [_texts(_stream(objects[_ref(body, b"Contents")]), fonts) for body in pages]


def _fonts(objects: dict[int, bytes]) -> dict[bytes, bytes]:
    """The dictionary of each font by its name in the pages."""
    [names] = {_ref(body, b"Font") for body in objects.values() if re.search(rb"/Font \d+ 0 R", body)}
    found = re.findall(rb"/(\S+) (\d+) 0 R", objects[names])
    return {name: objects[int(number)] for name, number in found}


def _letters(objects: dict[int, bytes], font: bytes) -> dict[int, str]:
    """What each code of a font stands for."""
    [child] = re.findall(rb"/DescendantFonts \[ (\d+) 0 R \]", font)
    descriptor = objects[_ref(objects[int(child)], b"FontDescriptor")]
    assert len(_stream(objects[_ref(descriptor, b"FontFile2")])) > 1000
    letters: dict[int, str] = {}
    for first, texts in _RANGE.findall(_stream(objects[_ref(font, b"ToUnicode")])):
        for place, text in enumerate(re.findall(rb"<([0-9a-f]*)>", texts)):
            letters[int(first, 16) + place] = bytes.fromhex(text.decode()).decode("utf-16be")
    return letters


def _texts(content: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    found, text, font = [], "", dict[int, str]()
    for token in _TOKEN.finditer(content):
        if token["font"]:
            font = fonts[token["font"]]
        elif token["shown"]:
            codes = b"".join(map(_unescaped, _STRING.findall(token["shown"])))
            text += "".join(font[int.from_bytes(codes[at : at + 2])] for at in range(0, len(codes), 2))
        elif text:
            found.append(text)
            text = ""
    return found


def _unescaped(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), text, flags=re.DOTALL)


def _stream(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"/FlateDecode" in body[: found.start()] else found[1]


def _ref(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    assert found
    return int(found[1])
