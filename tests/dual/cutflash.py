"""A flash whose power can be cut before, in the midst of, or after each operation: a stand-in for `os` and `open`, on both Pythons.

As on littlefs a rename is atomic, a folder must exist, and what was written counts from the flush or close on. Cut in the midst of an
operation, a flash is worse than littlefs promises: a file being written or truncated is left with half of its new bytes (*torn*). After
a cut nothing works until `power_on`; open files are gone with what they held.
"""

ENOENT = 2
EEXIST = 17
ENOTDIR = 20
ENOSPC = 28
ENOTEMPTY = 39
BLOCK = 4096
MODES = ("before", "during", "after")


def blocks(data):
    """Bytes that a file takes, in whole blocks."""
    return (len(data) + BLOCK - 1) // BLOCK * BLOCK


class PowerCut(BaseException):
    """The power is gone: not an Exception, so that no handler of the agent's sees it."""


class File:
    """An open file: reads and writes a copy; flush and close make the copy what the flash holds."""

    def __init__(self, flash, path, mode, data):
        self.flash = flash
        self.path = path
        self.data = data
        self.text = "b" not in mode
        self.writes = "w" in mode or "+" in mode
        self.at = 0
        self.dirty = False
        self.life = flash.life

    def __enter__(self):
        return self

    def __exit__(self, kind, *_rest):
        if kind is None or not issubclass(kind, PowerCut):
            self.close()

    def read(self, count=-1):
        """Bytes, or text."""
        end = len(self.data) if count < 0 else min(self.at + count, len(self.data))
        data = bytes(self.data[self.at : end])
        self.at = end
        return str(data, "utf-8") if self.text else data

    def readinto(self, buf):
        """How many bytes were put into `buf`."""
        count = min(len(buf), len(self.data) - self.at)
        buf[:count] = self.data[self.at : self.at + count]
        self.at += count
        return count

    def readline(self):
        """A line with its end, b"" after the last."""
        end = self.data.find(b"\n", self.at) + 1
        return self.read((end or len(self.data)) - self.at)

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def seek(self, at, whence=0):
        """To an offset from the start (0) or the end (2)."""
        self.at = at + (len(self.data) if whence == 2 else 0)

    def _current(self):
        if self.life != self.flash.life:
            raise PowerCut  # opened before the power went

    def _synced(self):
        self.flash.files[self.path] = bytes(self.data)
        self.dirty = False

    def _torn(self):
        self.flash.files[self.path] = bytes(self.data[: len(self.data) // 2])

    def write(self, data):
        """Put bytes, or text, at the current place."""
        self._current()
        data = data.encode() if self.text else bytes(data)
        if self.at > len(self.data):
            self.data.extend(bytes(self.at - len(self.data)))

        def put():
            self.data[self.at : self.at + len(data)] = data
            self.at += len(data)
            self.dirty = True
            if self.flash.used() + blocks(self.data) - blocks(self.flash.files[self.path]) > self.flash.capacity:
                raise OSError(ENOSPC)

        def torn():
            put()
            self._torn()

        self.flash.do("write", put, torn)
        return len(data)

    def flush(self):
        """Make what was written last."""
        self._current()
        if self.writes:
            self.flash.do("flush", self._synced, self._torn)

    def close(self):
        """Flush, and let go."""
        if self.writes:
            self._current()
            self.flash.do("close", self._synced, self._torn if self.dirty else None)
            self.writes = False


class Flash:
    """The files of a board: `files` {path: bytes} and `folders`. `log` names every operation that changes them, in order.

    `cut` is None, or (number of the operation, one of `MODES`): there the power goes.
    """

    def __init__(self, capacity=1 << 20):
        self.files = {}
        self.folders = {"/"}
        self.capacity = capacity
        self.log = []
        self.cut = None
        self.life = 0
        self.dead = False

    def power_on(self):
        """The power is back, and stays."""
        self.life += 1
        self.dead = False
        self.cut = None

    def do(self, name, effect, torn=None):
        """One operation: it may be the one at which the power goes; `torn` is what it leaves when cut in its midst (None: nothing)."""
        if self.dead:
            raise PowerCut
        number = len(self.log)
        self.log.append(name)
        mode = self.cut[1] if self.cut and self.cut[0] == number else None
        if mode == "during" and torn:
            torn()
        elif mode != "before" and mode != "during":
            effect()
        if mode:
            self.dead = True
            raise PowerCut

    def used(self):
        """Bytes in whole blocks."""
        return sum([blocks(data) for data in self.files.values()]) + BLOCK * len(self.folders)

    def below(self, folder):
        """{path from there: bytes} of the files in a folder, one that ends in a slash, and in those below."""
        return {path[len(folder) :]: self.files[path] for path in self.files if path.startswith(folder)}

    def parent(self, path):
        """The folder that `path` lies in; OSError if it isn't there."""
        folder = path.rsplit("/", 1)[0] or "/"
        if folder not in self.folders:
            raise OSError(ENOENT)
        return folder

    # -- what `os` and `open` are on a board

    def open(self, path, mode="r"):
        """As the built-in."""
        if "w" not in mode:
            if path not in self.files:
                raise OSError(ENOENT)
            return File(self, path, mode, bytearray(self.files[path]))
        self.parent(path)

        def create():
            self.files.setdefault(path, b"")

        def torn():
            self.files[path] = b""

        self.do("open", create, torn)
        return File(self, path, mode, bytearray())

    def stat(self, path):
        """(mode, …, size, …) as `os.stat`."""
        if path in self.folders:
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        if path not in self.files:
            raise OSError(ENOENT)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)

    def statvfs(self, path):
        """Block size and free blocks at their places in `os.statvfs`."""
        return (BLOCK, BLOCK, self.capacity // BLOCK, max(0, self.capacity - self.used()) // BLOCK, 0, 0, 0, 0, 0, 255)

    def listdir(self, path):
        """Names in a folder."""
        if path not in self.folders:
            raise OSError(ENOENT)
        start = path if path == "/" else path + "/"
        there = list(self.files) + list(self.folders)
        return sorted([name[len(start) :] for name in there if name.startswith(start) and name != start and "/" not in name[len(start) :]])

    def rename(self, old, new):
        """Atomic; an existing file gives way."""
        self.parent(new)
        if old not in self.files:
            raise OSError(ENOENT)

        def move():
            self.files[new] = self.files.pop(old)

        self.do("rename", move)

    def remove(self, path):
        """Remove a file."""
        if path not in self.files:
            raise OSError(ENOENT)
        self.do("remove", lambda: self.files.pop(path))

    def mkdir(self, path):
        """Make a folder."""
        self.parent(path)
        if path in self.folders:
            raise OSError(EEXIST)
        self.do("mkdir", lambda: self.folders.add(path))

    def rmdir(self, path):
        """Remove an empty folder."""
        if self.listdir(path):
            raise OSError(ENOTEMPTY)
        self.do("rmdir", lambda: self.folders.remove(path))
