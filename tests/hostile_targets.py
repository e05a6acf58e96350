"""Files made to be read wrong, or to eat the machine: each by its name, and whether it may be read at all."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from hostile_films import COLOUR, GREY, SIGNATURE, chunk, dicom, jpegs, png, png_of_rows, pngs, rows_of
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLosslessSV1

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"


def broken_pngs() -> Iterator[tuple[str, bytes]]:
    """PNGs of every kind whose checksums of chunks are right, but not what is in them: none may be read."""
    for name, data in pngs().items():
        parts = split(data)
        packed = b"".join(body for kind, body in parts if kind == b"IDAT")
        rows = zlib.decompress(packed)
        yield f"{name}, rows missing", join(parts, zlib.compress(rows[: len(rows) // 3]))
        yield f"{name}, the last byte missing", join(parts, zlib.compress(rows[:-1]))
        yield f"{name}, wrong checksum of rows", join(parts, packed[:-1] + bytes([packed[-1] ^ 1]))
        yield f"{name}, no checksum of rows", join(parts, packed[:-4])
        yield f"{name}, an unknown filter", join(parts, zlib.compress(b"\x07" + rows[1:]))
        yield f"{name}, no end", data[:-12]
        yield f"{name}, no rows", join(parts, b"")
        flipped = bytearray(data)
        flipped[data.index(b"IDAT") + 30] ^= 8
        yield f"{name}, a flipped bit", bytes(flipped)
    key, palette = chunk(b"tRNS", b"\0"), chunk(b"PLTE", bytes(300))
    yield "no palette", png(GREY, 3)
    yield "an empty palette", png(GREY, 3, extra=chunk(b"PLTE", b""))
    yield "a palette of a broken colour", png(GREY, 3, extra=chunk(b"PLTE", bytes(100)))
    yield "a colour out of the palette", png(GREY, 3, extra=palette)
    yield "two palettes", png(GREY // 4, 3, extra=palette * 2)
    yield "a cut key", png(GREY, 0, extra=key)
    yield "two headers", png(GREY, 0, extra=png(GREY, 0)[8:33])
    yield "an unknown critical chunk", png(GREY, 0, extra=chunk(b"ABCD", b""))
    for colour, bits in ((0, 3), (2, 4), (3, 16), (4, 2), (5, 8), (7, 8)):
        yield f"colour {colour} of {bits} bits", png_of_rows(rows_of(GREY), GREY.shape, colour, bits)
    plain = split(png(GREY, 0))
    yield "data in two places", joined(plain[:2] + [(b"tIME", bytes(7))] + plain[1:])
    yield "a million pixels wide", png_of_rows(b"", (40, 1_000_000), 6, 16)
    yield "data before the header", joined([plain[1], plain[0], plain[2]])
    for name, colour, pixels in (("grey", 0, GREY), ("RGB", 2, COLOUR)):
        parts, rows = split(png(pixels, colour)), rows_of(pixels)
        yield f"{name}, more rows than it says", join(parts, zlib.compress(rows + rows))
        yield f"{name}, bytes behind its rows", join(parts, zlib.compress(rows) + b"more")


def broken_jpegs() -> Iterator[tuple[str, bytes]]:
    """JPEGs that lack a part, but not the end marker; or that are of another kind: none may be read."""
    for name, data in jpegs().items():
        start = data.index(b"\xff\xda") + 2
        for share in (0.2, 0.6, 0.9, 0.97):
            at = start + int((len(data) - start - 2) * share)
            yield f"{name}, cut at {share}", data[:at].rstrip(b"\xff") + _EOI
            yield f"{name}, cut at {share} without an end", data[:at]
        yield f"{name}, without its last scan", data[: data.rindex(b"\xff\xda")] + _EOI
        if b"\xff\xd1" in data[start:]:
            first, second = data.index(b"\xff\xd0", start), data.index(b"\xff\xd1", start)
            yield f"{name}, a stretch missing", data[:first] + data[second:]
            yield f"{name}, a stretch empty", data[: first + 2] + data[second:]
            yield f"{name}, restart markers swapped", data[: first + 1] + b"\xd1" + data[first + 2 :]
    baseline = jpegs()["baseline"]
    frame = baseline.index(b"\xff\xc0")
    for kind in (0xC3, 0xC5, 0xC9, 0xCA, 0xF7):
        yield f"of kind {kind:x}", baseline[: frame + 1] + bytes([kind]) + baseline[frame + 2 :]
    yield "of 12 bits", baseline[: frame + 4] + b"\x0c" + baseline[frame + 5 :]
    yield "two frame headers that differ", baseline[:-2] + frame_header(8000, 8000) + _EOI


def eaters() -> Iterator[tuple[str, bytes, bool]]:
    """Name, bytes, and whether it is a film all the same: all are to end within the limits."""
    baseline, bomb = jpegs()["baseline"], zlib.compress(bytes(100_000_000), 9)
    half = len(baseline) - 2
    yield "jpeg 60 MB of fill bytes", _SOI + b"\xff" * 60_000_000 + baseline[2:], False
    yield "jpeg millions of comments", _SOI + b"\xff\xfe\0\2" * 15_000_000 + baseline[2:], False
    yield "jpeg large comments", _SOI + (b"\xff\xfe\xff\xff" + bytes(65_533)) * 900 + baseline[2:], True
    yield "jpeg stuffed bytes", baseline[:half] + b"\xff\0" * 30_000_000 + _EOI, True
    yield "jpeg a million restart markers", baseline[:half] + b"\xff\xd0" * 30_000_000 + _EOI, False
    yield "jpeg fill bytes in its scan", baseline[:half] + b"\xff" * 60_000_000 + _EOI, False
    yield "jpeg EXIF of gigabytes", _SOI + exif_bomb() + baseline[2:], True
    yield "jpeg of 64 megapixels without data", large_jpeg(0xC0, 1), False
    yield "jpeg of 10 empty scans", large_jpeg(0xC2, 10), False
    yield "jpeg of 3,000 scans", large_jpeg(0xC2, 3000), False
    yield "jpeg colour in scans, 64 megapixels", large_jpeg(0xC0, 1, 3), False
    for kind, start in ((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")):
        yield f"png {kind.decode()} of gigabytes", png(GREY, 0, extra=chunk(kind, start + bomb) * 200), True
    raw = chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb)
    yield "png EXIF as texts of gigabytes", png(GREY, 0, extra=raw * 200), True
    exif = exif_bomb()[10:]
    yield "png EXIF of gigabytes", png(GREY, 0, extra=chunk(b"eXIf", exif)), True
    yield "png large texts", png(GREY, 0, extra=chunk(b"tEXt", b"a\0" + bytes(10_000_000)) * 6), True
    yield "png millions of chunks", png(GREY, 0, extra=chunk(b"tEXt", b"") * 5_000_000), False
    tiny = chunk(b"IDAT", b"")
    for kind, name in ((0, "grey"), (2, "RGB")):
        pixels = COLOUR if kind else GREY
        film = png(pixels, kind)
        at = film.index(b"IDAT") - 4
        yield f"png {name}, millions of data chunks", film[:at] + tiny * 5_000_000 + film[at:], False
        parts = split(film)
        packer = zlib.compressobj(9)
        rows = b"".join([packer.compress(rows_of(pixels)), *[packer.compress(bytes(2**24))] * 256])
        yield f"png {name}, gigabytes of rows", join(parts, rows + packer.flush()), False
    yield "png of 64 megapixels without rows", png_of_rows(b"", (8000, 8000), 6, 16), False
    yield "png of 64 megapixels, one row", png_of_rows(bytes(64_001), (8000, 8000), 6, 16), False


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG: kind and body."""
    chunks, at = [], len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def join(parts: list[tuple[bytes, bytes]], packed: bytes) -> bytes:
    """The chunks with other data, as a PNG."""
    others = [part for part in parts if part[0] != b"IDAT"]
    return joined([*others[:-1], (b"IDAT", packed), others[-1]])


def joined(parts: list[tuple[bytes, bytes]]) -> bytes:
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in parts)


def frame_header(width: int, height: int, kind: int = 0xC0, components: int = 1) -> bytes:
    head = struct.pack(">BBHBHHB", 0xFF, kind, 8 + 3 * components, 8, height, width, components)
    return head + b"".join(bytes([name, 0x11, 0]) for name in range(1, components + 1))


def large_jpeg(kind: int, scans: int, components: int = 1) -> bytes:
    """A JPEG of 64 megapixels whose scans hold next to nothing."""
    tables = b"".join(
        jpegs()["baseline"][start : start + 2 + length] for start, length in tables_of(jpegs()["baseline"])
    )
    header = struct.pack(">HHB", 0xFFDA, 6 + 2 * components, components)
    names = b"".join(bytes([name, 0]) for name in range(1, components + 1))
    spectrum = b"\0\x3f\0" if kind == 0xC0 else b"\0\0\0"
    scan = header + names + spectrum + bytes(20)
    return _SOI + tables + frame_header(8000, 8000, kind, components) + scan * scans + _EOI


def tables_of(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the tables of a JPEG lie: start and length."""
    at = 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] in (0xC4, 0xDB):
            yield at, length
        at += 2 + length


def exif_bomb() -> bytes:
    """An EXIF segment of 5,000 entries that each point to all of it: 325 MB for who reads them."""
    entries = b"".join(struct.pack(">HHII", 0x9000 + n, 7, 65_000, 8) for n in range(5_000))
    body = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 5_000) + entries + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def large_films() -> Iterator[tuple[str, bytes]]:
    """Valid films of 64 megapixels, of the kinds that take the most memory."""
    tile = np.tile(GREY, (200, 143))[:8000, :8000]
    deep = tile.astype(np.uint16) * 257
    yield "large RGB, 16 bits", large_png(np.dstack([deep] * 3), 2, 16)
    yield "large RGBA, 16 bits", large_png(np.dstack([deep] * 4), 6, 16)
    yield "large RGBA", large_png(np.dstack([tile] * 4), 6)
    extra = chunk(b"PLTE", bytes(range(256)) * 3) + chunk(b"tRNS", bytes(range(256)))
    yield "large palette with transparency", png(tile, 3, extra=extra)
    yield "large interlaced", png(tile, 0, interlaced=True)
    yield "large interlaced, 16 bits", png(deep, 0, 16, interlaced=True)
    yield "large lossless JPEG in DICOM", large_lossless_jpeg()


def large_lossless_jpeg() -> bytes:
    """Noise of 20 million samples in lossless JPEG in DICOM, which takes its decoder longest."""
    side = 4472
    noise = np.random.default_rng(0).bytes(2 * side**2).replace(b"\xff", b"\xfe")
    # Sixteen codes of four bits, for differences of 0 to 15 bits: any data is samples.
    table = bytes.fromhex("ffc40023 00 00000010 000000000000000000000000") + bytes(range(16))
    header = frame_header(side, side, 0xC3).replace(b"\x08", b"\x10", 1)  # 16 bits
    scan = bytes.fromhex("ffda0008010100010000")
    stream = _SOI + table + header + scan + noise + _EOI
    return dicom(encapsulate([stream]), JPEGLosslessSV1, 16, Rows=side, Columns=side)


def large_png(pixels: np.ndarray, colour: int, bits: int = 8) -> bytes:
    """As `png` does, a row at a time."""
    packer = zlib.compressobj(1)
    stored = (b"\0" + row.astype(">u2" if bits == 16 else np.uint8).tobytes() for row in pixels)
    packed = b"".join([*map(packer.compress, stored), packer.flush()])
    return join(split(png_of_rows(b"", pixels.shape, colour, bits)), packed)
