"""TIFF, WebP and DICOM files that lie of their size or hold far too much: as `hostile_targets.eaters`."""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from hostile_films import DEEP, GREY, dataset, dicom, jpegs, saved_dicom, tiffs, webps
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

Entry = tuple[int, int, Sequence[int] | bytes]
"""Tag, type and values of an entry of a TIFF."""
_BYTE, _SHORT, _LONG, _OPAQUE = 1, 3, 4, 7
_PACKED = {_BYTE: "B", _SHORT: "H", _LONG: "I", _OPAQUE: "B"}
_SIDE = 8000  # px: the largest square that is read
_PLAIN, _LZW, _JPEG, _DEFLATE, _PACKBITS = 1, 5, 7, 8, 32773


def tiff(entries: Sequence[Entry], body: bytes, following: int = 0) -> bytes:
    """A TIFF in little endian: `body` at byte 8, then the directory, whose values lie behind it."""
    at = 8 + len(body) + len(body) % 2
    behind = at + 2 + 12 * len(entries) + 4
    lines, values = [], b""
    for tag, kind, given in entries:
        value = given if isinstance(given, bytes) else struct.pack(f"<{len(given)}{_PACKED[kind]}", *given)
        count = len(value) // struct.calcsize(f"={_PACKED[kind]}")
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place, values = struct.pack("<I", behind + len(values)), values + value
        lines.append(struct.pack("<HHI", tag, kind, count) + place)
    head = b"II*\0" + struct.pack("<I", at) + body + bytes(len(body) % 2)
    return b"".join([head, struct.pack("<H", len(lines)), *lines, struct.pack("<I", following), values])


def film_entries(width: int, height: int, compression: int, more: Sequence[Entry]) -> list[Entry]:
    """The entries of a grey film: its own, and `more`, which say where its strips or tiles are."""
    own: list[Entry] = [
        *((256, _LONG, [width]), (257, _LONG, [height]), (258, _SHORT, [8])),
        *((259, _SHORT, [compression]), (262, _SHORT, [1]), (277, _SHORT, [1])),
    ]
    return sorted([*own, *more], key=lambda entry: entry[0])


def film(width: int, height: int, compression: int, more: Sequence[Entry], body: bytes) -> bytes:
    """A grey TIFF whose strips or tiles lie in `body`."""
    return tiff(film_entries(width, height, compression, more), body)


def strips(starts: Sequence[int], sizes: Sequence[int], rows: int) -> list[Entry]:
    return [(273, _LONG, starts), (278, _LONG, [rows]), (279, _LONG, sizes)]


def tiles(starts: Sequence[int], sizes: Sequence[int], side: int) -> list[Entry]:
    return [
        *((322, _LONG, [side]), (323, _LONG, [side])),
        *((324, _LONG, starts), (325, _LONG, sizes)),
    ]


def deflated_zeros(count: int, head: bytes = b"", bits: int = 15) -> bytes:
    """`head` and `count` zeros, a multiple of 16 MB, deflated without ever being in memory."""
    packer, piece = zlib.compressobj(9, zlib.DEFLATED, bits), bytes(2**24)
    pieces = [packer.compress(head), *(packer.compress(piece) for _ in range(count // 2**24))]
    return b"".join([*pieces, packer.flush()])


def tiff_bombs() -> Iterator[tuple[str, bytes, bool]]:
    """Name, bytes, and whether it is a film all the same."""
    blank = zlib.compress(bytes(_SIDE * _SIDE), 9)
    giant = [*strips([8], [len(blank)], 2**31)]
    yield "tiff of gigapixels", film(100_000, 100_000, _DEFLATE, giant, blank), False
    yield "tiff of no pixels", film(0, 0, _DEFLATE, giant, blank), False
    whole = strips([8], [len(blank)], _SIDE)
    yield "tiff of 64 blank megapixels", film(_SIDE, _SIDE, _DEFLATE, whole, blank), True
    bomb = deflated_zeros(2**30)
    more = strips([8], [len(bomb)], 40)
    yield "tiff a strip of a gigabyte", film(56, 40, _DEFLATE, more, bomb), False
    for name, compression, body in (
        ("LZW", _LZW, b"\x80\x00\x20\x50\x38" * 20),
        ("packbits", _PACKBITS, b"\x81\0" * 20),
        ("JPEG", _JPEG, jpegs()["baseline"]),
        ("uncompressed", _PLAIN, bytes(100)),
    ):
        more = strips([8], [len(body)], _SIDE)
        data = film(_SIDE, _SIDE, compression, more, body)
        yield f"tiff of 64 megapixels, {name}, next to nothing in it", data, False
    packbits = b"\x81\0" * (_SIDE * _SIDE // 128)
    more = strips([8], [len(packbits)], _SIDE)
    yield (
        "tiff of 64 megapixels in packbits",
        film(_SIDE, _SIDE, _PACKBITS, more, packbits),
        True,
    )
    row = zlib.compress(bytes(_SIDE), 9)
    more = strips([8] * _SIDE, [len(row)] * _SIDE, 1)
    yield "tiff 8,000 strips that are one", film(_SIDE, _SIDE, _DEFLATE, more, row), True
    thin = zlib.compress(bytes(32), 9)
    more = strips([8] * 1_000_000, [len(thin)] * 1_000_000, 1)
    yield (
        "tiff a million strips that are one",
        film(32, 1_000_000, _DEFLATE, more, thin),
        False,
    )
    tile = zlib.compress(bytes(256), 9)
    more = tiles([8] * 250_000, [len(tile)] * 250_000, 16)
    yield (
        "tiff 250,000 tiles that are one",
        film(_SIDE, _SIDE, _DEFLATE, more, tile),
        False,
    )
    more = tiles([8], [len(tile)], 2**31)
    yield "tiff a tile of gigapixels", film(56, 40, _DEFLATE, more, tile), False
    more = [*whole, (284, _SHORT, [2])]
    yield "tiff planes that are not there", film(_SIDE, _SIDE, _DEFLATE, more, blank), True
    more = strips([2**32 - 100], [200], 40)
    yield "tiff a strip beyond its end", film(56, 40, _PLAIN, more, bytes(300)), False
    yield from tiff_directory_bombs()


def tiff_directory_bombs() -> Iterator[tuple[str, bytes, bool]]:
    """Directories that are long, endless, or whose entries hold far too much."""
    pixels = strips([8], [GREY.size], GREY.shape[0])
    entries = film_entries(GREY.shape[1], GREY.shape[0], _PLAIN, pixels)
    body = GREY.tobytes()
    plain = tiff(entries, body)
    for name, tag in (
        ("ICC profile", 34675),
        ("EXIF", 34665),
        ("XMP", 700),
        ("text", 270),
        ("unknown", 65000),
    ):
        extra: Entry = (tag, _OPAQUE, bytes(60_000_000))
        yield f"tiff {name} of 60 MB", tiff(sorted([*entries, extra], key=lambda entry: entry[0]), body), True
    beyond = (34675, _OPAQUE, 2**31)
    yield "tiff ICC profile beyond its end", _with_entry(entries, body, *beyond), True
    own = film_entries(56, 40, _PLAIN, pixels)
    doubled = [*own, *[(273, _LONG, b"")] * 65_000]
    yield "tiff one entry 65,000 times, 4 MB each", _shared(doubled, body, 2**20), False
    many = [
        (tag, _BYTE, b"") for tag in (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317)
    ]
    yield "tiff 14 entries of four million numbers", _shared(many, body, 2**22), False
    at = struct.unpack_from("<I", plain, 4)[0]
    thumbnail = (254, _LONG, [1])
    endless = tiff([thumbnail, *entries], body, following=at)
    yield "tiff a directory that follows itself", endless, False
    chain = bytearray(plain)
    link = at + 2 + 12 * len(entries)
    for _ in range(100_000):
        start = len(chain)
        struct.pack_into("<I", chain, link, start)
        chain += struct.pack("<HHHII", 1, 254, 4, 1, 1) + bytes(4)
        link = len(chain) - 4
    yield "tiff 100,000 directories", bytes(chain), False
    long = bytearray(plain)
    link = at + 2 + 12 * len(entries)
    for _ in range(15):
        struct.pack_into("<I", long, link, len(long))
        long += struct.pack("<H", 65_535) + struct.pack("<HHII", 254, 4, 1, 1) * 65_535 + bytes(4)
        link = len(long) - 4
    yield "tiff 15 directories of 65,535 entries", bytes(long), True


def _with_entry(entries: Sequence[Entry], body: bytes, tag: int, kind: int, count: int) -> bytes:
    """A film with an entry whose count lies."""
    data = bytearray(tiff([*entries, (tag, kind, bytes(5))], body))
    at = data.index(struct.pack("<HHI", tag, kind, 5))
    struct.pack_into("<I", data, at + 4, count)
    return bytes(data)


def _shared(entries: Sequence[Entry], body: bytes, count: int) -> bytes:
    """A film whose entries without a value all have the same `count` numbers, which lie behind it."""
    film = bytearray(tiff(entries, body))
    (at,) = struct.unpack_from("<I", film, 4)
    for number, (_, kind, value) in enumerate(entries):
        if value == b"":
            struct.pack_into("<HII", film, at + 2 + 12 * number + 2, kind, count, len(film))
    return bytes(film) + b"\1" * (count * 4)


def webp_bombs() -> Iterator[tuple[str, bytes, bool]]:
    """Name, bytes, and whether it is a film all the same."""
    lossy, lossless = (chunks_of(webps()[name]) for name in ("lossy", "lossless"))
    height, width = GREY.shape
    exif = b"MM\0*\0\0\0\x08" + struct.pack(">H", 5_000)
    exif += b"".join(struct.pack(">HHII", 0x9000 + n, 7, 65_000, 8) for n in range(5_000)) + bytes(4)
    for name, kind, flag, body in (
        ("ICC profile of 60 MB", b"ICCP", 0x20, bytes(60_000_000)),
        ("EXIF of 60 MB", b"EXIF", 0x08, bytes(60_000_000)),
        ("EXIF of gigabytes", b"EXIF", 0x08, exif),
        ("XMP of 60 MB", b"XMP ", 0x04, b"<" * 60_000_000),
        ("unknown chunk of 60 MB", b"abcd", 0, bytes(60_000_000)),
    ):
        yield f"webp {name}", riff([extended(width, height, flag), *lossy, (kind, body)]), True
    yield "webp a header of gigapixels", riff([extended(2**24, 2**24), *lossy]), False
    yield "webp a header of another size", riff([extended(width + 1, height), *lossy]), False
    yield "webp a header that says animated", riff([extended(width, height, 2), *lossy]), False
    frame = bytes(6) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3] + bytes(4)
    frames = [(b"ANMF", frame + chunk(*lossy[0]))] * 5_000
    animated = [extended(width, height, 2), (b"ANIM", bytes(6)), *frames]
    yield "webp an animation of 5,000 frames", riff(animated), False
    yield "webp frames without an animation", riff([extended(width, height), *frames[:900]]), False
    yield "webp millions of chunks", riff([*lossy, *[(b"abcd", b"")] * 5_000_000]), False
    yield "webp two pictures", riff([*lossy, *lossy]), False
    yield "webp lossy and lossless", riff([*lossy, *lossless]), False
    body = lossy[0][1]
    for side in (_SIDE, 16_383):
        lying = body[:6] + struct.pack("<HH", side, side) + body[10:]
        yield f"webp {side:,} px lossy, next to nothing in it", riff([(b"VP8 ", lying)]), False
        sides = struct.pack("<I", side - 1 | (side - 1) << 14)
        body_lossless = lossless[0][1][:1] + sides + lossless[0][1][5:]
        yield f"webp {side:,} px lossless, next to nothing in it", riff([(b"VP8L", body_lossless)]), False
    for name, options in (
        ("lossless", {"lossless": True, "method": 0}),
        ("lossy", {"quality": 1, "method": 0}),
    ):
        buffer = io.BytesIO()
        Image.new("RGB", (7000, 7000)).save(buffer, "WEBP", **options)
        yield f"webp 49 blank megapixels, {name}", buffer.getvalue(), True
    alpha = b"\1" + np.random.default_rng(0).bytes(300)
    beside = [extended(width, height, 0x10), (b"ALPH", alpha), *lossy]
    yield "webp alpha of a broken stream", riff(beside), False
    for size in (0, 2**32 - 2):
        whole = bytearray(webps()["lossy"])
        struct.pack_into("<I", whole, 4, size)
        yield f"webp that says it has {size:,} bytes", bytes(whole), False


def extended(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    sides = b"".join(struct.pack("<I", (side - 1) % 2**24)[:3] for side in (width, height))
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def riff(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP" + b"".join(chunk(*part) for part in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a small WebP."""
    found, at = [], 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def dicom_bombs() -> Iterator[tuple[str, bytes, bool]]:
    """Name, bytes, and whether it is a film all the same."""
    pixels = DEEP.tobytes()
    yield "dicom of 65,535 px, next to nothing in it", dicom(pixels, Rows=65_535, Columns=65_535), False
    yield "dicom of 8,000 px, next to nothing in it", dicom(pixels, Rows=_SIDE, Columns=_SIDE), False
    yield "dicom of a billion frames", dicom(pixels, NumberOfFrames=10**9), False
    yield "dicom of 65,535 samples a pixel", dicom(pixels, SamplesPerPixel=65_535), False
    run = b"\x81\0" * (_SIDE * _SIDE // 128)
    rle = struct.pack("<16I", 1, 64, *[0] * 14) + run
    large = {"Rows": _SIDE, "Columns": _SIDE}
    yield "dicom RLE of 64 megapixels", dicom(encapsulate([rle]), RLELossless, 8, **large), True
    lying = struct.pack("<16I", 15, *[2**32 - 1] * 15) + run[:100]
    yield "dicom RLE whose segments lie", dicom(encapsulate([lying]), RLELossless, 8, **large), False
    more = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 10_000_000
    yield "dicom RLE of gigabytes for a small film", dicom(encapsulate([more]), RLELossless, 8), False
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    fragments = item * 5_000_000 + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    yield "dicom millions of fragments", dicom(fragments, JPEGBaseline8Bit, 8), False
    film = dataset(pixels, ExplicitVRLittleEndian, 12)
    film.add_new(0x00091010, "OB", bytes(60_000_000))
    yield "dicom a private element of 60 MB", saved_dicom(film), True
    starts = b"\x28\0\x10\x30SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    ends = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    plain = dicom(pixels)
    at = plain.index(b"\xe0\x7f\x10\0")
    yield "dicom sequences 5,000 deep", plain[:at] + starts * 5_000 + ends * 5_000 + plain[at:], False
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [30_000, 0, 16], list(range(30_000))
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    yield "dicom 200 tables", dicom(pixels, VOILUTSequence=[table] * 200), True
    stream = b"\xff\x4f\xff\x51" + struct.pack(
        ">HHIIIIIIIIH", 41, 0, *[2**31] * 2, 0, 0, *[2**31] * 2, 0, 0, 1
    )
    yield "dicom JPEG 2000 of gigapixels", dicom(encapsulate([stream + bytes(99)]), JPEG2000Lossless), False
    whole = dicom(pixels)
    at = whole.index(b"\x08\0\x16\0UI")  # behind the file meta information
    syntax = DeflatedExplicitVRLittleEndian.encode()
    short = whole.replace(ExplicitVRLittleEndian.encode().ljust(20, b"\0"), syntax[:20].ljust(20, b"\0"), 1)
    body = deflated_zeros(2**30, whole[at:], -15)
    yield "dicom deflated to a gigabyte", short[:at] + body, False


def bombs() -> Iterator[tuple[str, bytes, bool]]:
    """All of them."""
    assert tiffs() and webps()
    yield from tiff_bombs()
    yield from webp_bombs()
    yield from dicom_bombs()
