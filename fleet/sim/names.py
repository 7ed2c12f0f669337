"""Respells the device's names for the board: words that firmware knows cost no heap there, a new name stays in it for ever.

MicroPython interns every name of a module that is loaded (20 bytes or so with its place in the table) and never frees it, not even when the
module is dropped. So, in what a board gets, each name of ours that no text mentions becomes a word of `KNOWN`, or a short one where
those are used up. Lines stay where they are; ``python -m fleet.sim.names WORD`` says which names a word in a traceback may stand for.

Names that no unit (a source file, or those whose classes inherit from each other) uses both share a word, unless both are of one module's
dictionary, and a parameter means nothing outside its unit; only what is set on another's object has a word of its own. Kept as they are: names that
strings spell (or begin, with a ``_`` at the end: dispatch by name), names of modules, what main.py uses, and whatever firmware's
own objects might be asked for.
"""

import ast
import builtins
import functools
import io
import itertools
import keyword
import string
import sys
import tokenize

# Names that are in the ROM of every port: of built-in types and core modules. Where one isn't, it costs what any name costs.
KNOWN = """
_asyncio _build _exc_context _exc_handler _io_queue _mpy _path _promote_to_task _Remove _run _task_queue a2b_base64 abs abs_tol acos acosh
acquire active add addr4 addressof AF_INET align all any AP_IF append appendleft args argv ARRAY array asin asinh atan atan2 atanh aw b2a_base64
BF_LEN BF_POS BFINT16 BFINT32 BFINT8 BFUINT16 BFUINT32 BFUINT8 BIG_ENDIAN bin binascii blit bool bound_method buffer buffering builtins bytearray
bytearray_at bytecode byteorder bytes bytes_at BytesIO calcsize callable cancel ceil center channel chdir choice chr classmethod clear closure
cmath collect collections compile complex cond config const copy copysign CORE_TEMP coro cos cosh count country crc32 create_task cur_task
current_task datetime decode deepsleep deflate DeflateIO degrees delattr deleter deque dest dict dict_view difference difference_update digest
dir disable disable_irq discard divmod doc dt dump dumps e EACCES EADDRINUSE EAGAIN EALREADY EBADF ECONNABORTED ECONNREFUSED ECONNRESET EEXIST
EHOSTUNREACH EINPROGRESS EINVAL EIO EISDIR ellipse Ellipsis enable enable_irq encode endswith ENOBUFS ENODEV ENOENT ENOMEM ENOTCONN enumerate
EOPNOTSUPP EPERM erf erfc errno ERROR errorcode ETIMEDOUT eval Event exc exc_type exec execfile exit exp expm1 extend fabs factorial feed FileIO
fill fill_rect filter find flags float FLOAT32 FLOAT64 floor flush fmod format framebuf FrameBuffer FrameBuffer1 freq frexp from_bytes fromhex
fromkeys frozenset gamma gc generator get get_event_loop getaddrinfo getattr getcwd getrandbits getter getvalue globals gmtime group GS2_HMSB
GS4_HMSB GS8 gw4 GZIP hard hasattr hash hashlib heap_lock heap_unlock heapify heappop heappush heapq help hex hexlify high hline host id idle
IF_STA ifconfig ilistdir imag implementation index indices inf input insert INT int INT16 INT32 INT64 INT8 intersection intersection_update io
IOBase ioctl ipconfig ipoll IPPROTO_TCP is_set isalpha isclose isdigit isdisjoint isenabled isfinite isinf isinstance islower isnan isspace
issubclass issubset issuperset isupper items iter join json kbd_intr keepends keys ldexp len lgamma libc_ver lightsleep list listdir little
LITTLE_ENDIAN load loads locals localtime Lock log log10 log2 LONG LONGLONG Loop lower lstrip machine main makefile map match math max maxsize
md5 mem_alloc mem_free mem_info memoryview message micropython min mkdir mkfs mktime modf modify module modules MONO_HLSB MONO_HMSB MONO_VLSB
mount MVLSB namedtuple nan NATIVE network new_event_loop newline next NoneType NotImplemented object oct off OK open OPEN_DRAIN opt_level ord
OrderedDict os pack pack_into partition path peek pend_throw ph_key phase pi platform pm PM_NONE PM_PERFORMANCE PM_POWERSAVE polar POLLERR
POLLHUP POLLIN POLLOUT poly pop popitem popleft pow print print_exception property ps1 ps2 PTR PULL_DOWN PULL_UP pystack_use python_compiler
qstr_info queue_read radians randint random randrange range RAW re read_u16 readblocks readline readlines readonly real rect recv rel_tol release
remove rename replace repr reset reset_cause return_exceptions reverse reversed rfind RGB565 rindex RingIO rmdir round rpartition rsplit rssi
rstrip rwb schedule scroll search seed seek select send sendall sep separators set setattr setblocking setdefault setsockopt setter settimeout
sgen sha256 SHORT sin single SingletonGenerator sinh sizeof sleep sleep_ms sleep_us slice SO_REUSEADDR SOCK_DGRAM SOCK_STREAM soft_reset
SOL_SOCKET sort sorted split splitlines sqrt STA_IF stack_use startswith stat STAT_CONNECT_FAIL STAT_CONNECTING STAT_GOT_IP STAT_IDLE
STAT_NO_AP_FOUND STAT_WRONG_PASSWORD state staticmethod status statvfs stderr stdin stdout stop str StringIO strip struct sub sum super
symmetric_difference symmetric_difference_update sys sz tan tanh Task TaskQueue tau tb TCP_NODELAY tell TextIOWrapper ThreadSafeFlag threshold
ticks ticks_add ticks_cpu ticks_diff ticks_ms ticks_us time time_ns timeout to_bytes toggle trunc tuple txpower type uctypes UINT UINT16 UINT32
UINT64 UINT8 uio ULONG ULONGLONG umount uname unhexlify uniform union unique_id unlink unpack unpack_from unregister uos update upper urandom
USHORT usys utime values version version_info vfs vline VOID wait_for wait_for_ms waiter waiting wbits WLAN writeblocks zip ZLIB
""".split()

# What the interpreter looks up on objects of ours, and what peripherals, sockets and files of firmware are asked for.
FOREIGN = """
args value errno strerror send throw close read readinto readline readlines write flush seek tell ioctl open stat mount umount ilistdir remove rename
mkdir rmdir statvfs key default reverse sep end file encoding errors byteorder signed irq init deinit on off high low toggle mode pull drive alt
freq duty duty_u16 duty_ns pulse_width read_u16 read_uv scan start stop writeto writevto readfrom readfrom_into readfrom_mem readfrom_mem_into
writeto_mem write_readinto sendbreak txdone feed callback period counter memory datetime now active connect disconnect isconnected status
ifconfig ipconfig config register unregister modify poll ipoll bind listen accept recv recv_into recvfrom sendto sendall setblocking settimeout
setsockopt fileno makefile getaddrinfo wrap_socket hostname country bytes addr addrsize buf id sda scl timeout baudrate polarity phase bits
firstbit sck mosi miso tx rx parity trigger handler hard tick_hz pin atten width duration length
cadata verify_mode server_hostname do_handshake_on_connect _machine
""".split()


_OURS = "mpwasm/"  # other files only use names


def tokens(source):
    """The tokens of `source` (str)."""
    return tokenize.generate_tokens(io.StringIO(source).readline)


def words_in(source):
    """The names that occur in `source`."""
    return {token.string for token in tokens(source) if token.type == tokenize.NAME}


def spelt(text):
    """The identifiers that a text constant spells: itself, dashes read as underscores, or the words of a table."""
    return {word.replace("-", "_") for word in (text.split() if "\n" in text else [text])}


class _Survey(ast.NodeVisitor):
    """What one source defines and spells: `own` names, those of them that its module has (`top`), `texts` in strings, `bases` of its `classes`,
    `folded` constants that leave no name, other `constants`, `foreign` names it imports, what names of ours are called where they come from
    (`origins`), `parameters`, attributes it has `read`, and those it has `lent` to other objects."""

    def __init__(self, source, modules):
        self.modules = modules
        self.own, self.texts, self.bases, self.folded, self.classes, self.foreign = set(), set(), set(), set(), set(), set()
        self.parameters, self.read, self.lent, self.constants, self.origins = set(), set(), set(), set(), {}
        tree = ast.parse(source)
        self.outside = {each for body in ast.walk(tree) if isinstance(body, (ast.Module, ast.ClassDef)) for each in body.body}
        self.top = set().union(*map(_bound, tree.body))
        documented = [n for n in ast.walk(tree) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(n) is not None]
        self.documentation = {id(n.body[0].value) for n in documented}
        self.visit(tree)

    def visit_FunctionDef(self, node):
        self.own.add(node.name)
        self.parameters |= {a.arg for a in [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg] if a}
        self.generic_visit(node)

    def visit_Lambda(self, node):
        self.parameters |= {a.arg for a in node.args.args}
        self.generic_visit(node)

    def visit_ClassDef(self, node):
        self.own.add(node.name)
        self.classes.add(node.name)
        self.bases |= {base.id if isinstance(base, ast.Name) else base.attr for base in node.bases}
        self.generic_visit(node)

    def visit_Call(self, node):
        self.own |= {each.arg for each in node.keywords if each.arg}
        self.generic_visit(node)

    def visit_Import(self, node):
        self.own |= {alias.asname for alias in node.names if alias.asname and node in self.outside}
        self.foreign |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node):
        self.own |= {alias.asname for alias in node.names if alias.asname and node in self.outside}
        if node.module.startswith("mpwasm") or node.module in self.modules:
            self.origins.update({alias.asname or alias.name: alias.name for alias in node.names})
        else:
            self.foreign |= {alias.name for alias in node.names}

    def visit_Assign(self, node):
        """Assignments of module and class bodies; the locals of functions have no names on the board."""
        names = {target.id for target in node.targets if isinstance(target, ast.Name) and node in self.outside}
        folded = isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "const"
        self.folded |= {name for name in names if folded and name.startswith("_")}
        self.constants |= names - self.folded if folded else set()
        self.own |= names - self.folded
        self.generic_visit(node)

    def visit_Attribute(self, node):
        (self.own if isinstance(node.ctx, ast.Store) else self.read).add(node.attr)
        if isinstance(node.ctx, ast.Store) and getattr(node.value, "id", "") != "self":
            self.lent.add(node.attr)
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and id(node) not in self.documentation:
            self.texts |= spelt(node.value)


def joined(name, texts):
    """Whether `name` may be put together from one of `texts` that ends in an underscore: dispatch by name."""
    return any(text.endswith("_") and len(text) > 2 and name.startswith(text) for text in texts)


def _bound(statement):
    """The names that a statement of a module's body binds there."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name for alias in statement.names}
    if isinstance(statement, ast.Assign):
        return {node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return set().union(*[_bound(each) for each in ast.iter_child_nodes(statement) if isinstance(each, (ast.stmt, ast.ExceptHandler))])


def units(surveys):
    """{source: unit}: sources whose classes inherit from another's are one unit, named by one of them."""
    unit = {key: key for key in surveys}
    for key, survey in surveys.items():
        bases = {survey.origins.get(base, base) for base in survey.bases - survey.classes}
        for home in [each for each in surveys if bases & surveys[each].classes]:
            old, new = unit[key], unit[home]
            unit = {each: new if name == old else name for each, name in unit.items()}
    return unit


class Speller:
    """The respelling of a set of files, {path: {source's name: text}}; `kept` are further names to leave alone."""

    def __init__(self, files, kept=()):
        sources = {(path, name): text for path, texts in files.items() for name, text in texts.items()}
        modules = {path.removesuffix(".py").removeprefix(_OURS).replace("/", ".") for path in files}
        surveys = {key: _Survey(text, modules) for key, text in sources.items()}
        used = {key: words_in(text) for key, text in sources.items()}
        every = set().union(*used.values())

        def union(what, within=""):
            return set().union(*[getattr(survey, what) for key, survey in surveys.items() if key[0].startswith(within)])

        texts, modules = union("texts"), {part for path in files for part in path.removesuffix(".py").split("/")}
        given = {*FOREIGN, *dir(builtins), *keyword.kwlist, *sys.stdlib_module_names, *_attributes(), *union("foreign")}
        barred = {"self", "cls", *kept, *texts, *modules, *given}
        self.hidden = union("parameters", _OURS) - union("own") - union("read")
        own = (union("own", _OURS) | self.hidden) - union("folded") - barred - set(KNOWN)
        own = {name for name in own if len(name) > 2 and not name.startswith("__") and not joined(name, texts)}
        self.unit = units(surveys)
        where = {name: {self.unit[key] for key in used if name in used[key]} for name in own}
        for key, survey in surveys.items():
            for name in survey.top & own:
                where[name].add(key[0])  # the module's dictionary
            for name in survey.constants & own:  # mpy-cross puts their value wherever the file has the word, a parameter's place too
                where[name] |= {self.unit[other] for other in surveys if other[0] == key[0]}
        spare = [word for word in _supply() if word not in every and word not in barred]
        lent = union("lent") - self.hidden
        self.shared = {name: spare.pop(0) for name in sorted(lent & own)}
        self.words = self._shared_out(sorted(own - lent, key=lambda name: (-len(where[name]), name)), where, spare)

    def _shared_out(self, own, where, spare):
        """{unit: {name: word}}: each name gets the first word that no other name has in any of the units where it is used."""
        places = {*self.unit.values(), *(path for path, _ in self.unit)}
        words, free = {place: {} for place in places}, {place: set(spare) for place in places}
        for name in own:
            units = [{unit} for unit in where[name]] if name in self.hidden else [where[name]]
            for group in units:
                word = next(word for word in spare if all(word in free[unit] for unit in group))
                for unit in group:
                    words[unit][name] = word
                    free[unit].discard(word)
        return words

    def spell(self, path, texts):
        """The text of the file `path`, of which `texts` are the sources, {name: text}, with names respelt, line for line."""
        return "\n".join([self._spell(text, self.words[self.unit[path, name]]) for name, text in texts.items()])

    def _spell(self, source, own):
        table = {**self.shared, **own}
        lines = source.splitlines(keepends=True)
        for token in reversed([token for token in tokens(source) if token.type == tokenize.NAME and token.string in table]):
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + table[token.string] + line[column + len(token.string) :]
        return "".join(lines)

    def meanings(self, word):
        """What `word` may stand for: [(unit: file and source, or (), name)]."""
        tables = {(): self.shared, **{unit: table for unit, table in self.words.items() if unit in self.unit.values()}}
        return [(unit, name) for unit, table in tables.items() for name, short in table.items() if short == word]


@functools.cache
def _attributes():
    """Names of the attributes of Python's own types."""
    types = (str, bytes, bytearray, list, dict, set, int, memoryview, tuple, Exception, type, io.RawIOBase, classmethod)
    return frozenset(itertools.chain.from_iterable(map(dir, types)))


def _supply():
    """Words to use, each once: known ones, then the shortest."""
    yield from KNOWN
    pairs = itertools.product(string.ascii_letters, string.ascii_letters + string.digits)
    yield from (word for word in map("".join, pairs) if word not in KNOWN)


def main(words):
    """Print what each word of a board's traceback may stand for."""
    from fleet.sim import image

    _, table = image.prepared()
    for word in words:
        for unit, name in table.meanings(word):
            print(word, name, *unit)


if __name__ == "__main__":
    main(sys.argv[1:])
