"""The one file that an agent is: what a board's main.py loads its modules from, where they lie.

A head of 8 bytes: ``WFAG``, version and sub-version of the bytecode, the CPU that it is for (0: any), how many members there are. Then 32 bytes
for each member, sorted: its name, padded with zeros to 28, and the place of its first byte in the file, 4 bytes, low byte first. Then what
they hold, in the same order. How long a member is, is for its reader to know: bytecode says so itself. The
second letter of a module's name is ``_``: by that main.py tells without a look that a module of firmware is not here.
"""

MAGIC = b"WFAG"
HEAD, ROW, NAME = 8, 32, 28


def pack(files):
    """The archive of {name: bytes}; ValueError for what it cannot hold."""
    heads = [data[1:3] for name, data in files.items() if name.endswith(".mpy")]
    version, flags = heads[0][0], max(head[1] for head in heads)
    names = sorted(files, key=str.encode)
    if len(names) > 255 or any(len(name.encode()) > NAME or (name.endswith(".mpy") and name[1] != "_") for name in names):
        raise ValueError(f"more than 255 members, a name of more than {NAME} bytes, or a module's without _")
    table, data = bytearray(), bytearray()
    for name in names:
        place = HEAD + ROW * len(names) + len(data)
        table += name.encode().ljust(NAME, b"\0") + place.to_bytes(4, "little")
        data += files[name]
    return MAGIC + bytes((version, flags & 3, flags >> 2, len(names))) + bytes(table + data)


def unpack(data):
    """{name: bytes} of an archive; ValueError if it is none."""
    rows = [data[HEAD + ROW * i : HEAD + ROW * (i + 1)] for i in range(data[7] if len(data) > 7 else 0)]
    places = [int.from_bytes(row[NAME:], "little") for row in rows] + [len(data)]
    names = [row[:NAME].rstrip(b"\0").decode("ascii", "replace") for row in rows]
    whole = places[0] == HEAD + ROW * len(rows) and places == sorted(places) and names == sorted(set(names))
    if data[:4] != MAGIC or not rows or not whole:
        raise ValueError("not an archive")
    return {name: bytes(data[places[i] : places[i + 1]]) for i, name in enumerate(names)}
