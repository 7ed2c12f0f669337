"""Files written into the littlefs of a board whose flash is a file, while its power is off."""

BLOCK_BYTES = 4096
_LINE_BYTES = 32  # of MicroPython's VfsLfs2: what it reads, writes and looks ahead by


def write(flash, start, files):
    """Write {path: bytes} into the file system that begins at `start` of the file `flash` and ends with it; made anew if there is none."""
    from littlefs import LittleFS
    from littlefs.context import UserContext

    with open(flash, "r+b") as file:
        file.seek(start)
        held = UserContext(0)
        held.buffer = bytearray(file.read())
        system = LittleFS(
            context=held,
            block_size=BLOCK_BYTES,
            block_count=len(held.buffer) // BLOCK_BYTES,
            read_size=_LINE_BYTES,
            prog_size=_LINE_BYTES,
            lookahead_size=_LINE_BYTES,
        )
        for path, data in files.items():
            system.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
            with system.open(path, "wb") as entry:
                entry.write(data)
        file.seek(start)
        file.write(held.buffer)
