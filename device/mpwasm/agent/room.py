"""Memory that a restart gives: a heap full of small pieces is whole again; an ESP32's grows into all that the network and machine code need, and
never shrinks.

A restart begins a *life* that is for one thing, told by the note `room` on flash: MAKE an image before the network takes its share, UPDATE
without the guests, START what there is.
"""

import gc

from mpwasm.compat import const

MAKE = "make"
UPDATE = "update"
START = "start"

NETWORK_BYTES = const(12288)  # two TCP windows of that port, 5,760 B, and packets on their way
JOIN_BYTES = const(8192)  # what Wi-Fi takes besides when it joins, and a connection
_SHORT_BYTES = const(3072)  # a packet takes 1,600, and the heap never takes pieces of less than 2,048
_TASK_BYTES = const(512)  # what a thread takes besides its stack
_LOOK_MS = const(120000)
_AREA_BYTES = const(2064)  # what of a piece the heap needs for its own tables
_WORD = const(4)
_HALVINGS = const(20)
_LIVES = const(3)  # for one thing, if the power goes in those before
_MARK = const(8)
_MARKS = const(512)  # four for each slot that there may be
_PIN_WORDS = const(16)  # more than one block: an area of which only the first is used passes for empty


try:
    import esp32
except ImportError:  # found out once: a search on flash takes 5 ms
    esp32 = None


class Again(Exception):
    """Memory lacks now that a restart would give: what lacked, and the life that shall follow."""


def largest():
    """The largest free piece of executable memory in bytes; None where machine code lies in the heap."""
    if esp32 is None:
        return None
    return max([0] + [region[2] for region in esp32.idf_heap_info(esp32.HEAP_EXEC)])


def left():
    """The same in words, for the report."""
    free = largest()
    return "" if free is None else ", %d B left" % free


def wanted(error):
    """The bytes that a MemoryError names, 0 if it names none. Not by letters, each of which may want a new pool of names, 1.3 KB, now."""
    size = 0
    for byte in str(error).encode():
        if 48 <= byte < 58:
            size = 10 * size + byte - 48
    return size


def lacking(error):
    """What to say of a MemoryError if it was executable memory that lacked, else ""; the firmware copies code there from the heap."""
    free = largest()
    if free is None or wanted(error) <= free:
        return ""
    return "executable memory: wanted %d, free %d" % (wanted(error), free)


def hold(size=NETWORK_BYTES):
    """Keep what the network needs, or what is left of it, from the heap, which there grows into all that is free, by the stack of a thread that
    sleeps until the lock that is returned is released. None where there is nothing to keep it from, or too little left for a thread."""
    if largest() is None:
        return None
    from _thread import allocate_lock, stack_size, start_new_thread

    lock = allocate_lock()
    lock.acquire()
    stack_size(max(_WORD, min(size, unused() - _TASK_BYTES)))
    try:
        start_new_thread(lock.acquire, ())
        return lock
    except OSError:
        return None
    finally:
        stack_size(0)


def take(updater):
    """Work begins that lets the heap grow, and doesn't need the network."""
    if updater.life != MAKE:
        updater.held = updater.held or hold()


def give(updater):
    """It is over; what was held from the boot on is until the heap has grown."""
    if updater.held and updater.pin is not None:
        updater.held.release()
        updater.held = None


def unused():
    """The largest piece in bytes that the heap has not taken, and may take or the network use; 0 where it has all from the start."""
    if esp32 is None:
        return 0
    return max([region[2] for region in esp32.idf_heap_info(esp32.HEAP_DATA)])


def starved(updater):
    """MemoryError if there is no line, and too little left for a packet, where the heap may have taken it."""
    if updater.room and not (updater.link.ready or updater.held) and unused() < _SHORT_BYTES:
        raise MemoryError("the network has %d B" % unused())


def settle():
    """Let the heap grow by all that is not held; returns what keeps the firmware from giving that back.

    Else it grows when an update is in the middle of something, by all that there is, and the network stands still. An area is given back
    when nothing lies in it: a list does, of which `pop` halves the memory in place until it is short.
    """
    pins = [[]]
    try:
        while unused() > 2 * _AREA_BYTES:
            pins.append([None] * ((unused() - _AREA_BYTES) // _WORD))  # one that fits into the heap as it is makes it no larger
    except MemoryError:
        pins = pins[-1:]
    pin = pins[-1]
    del pin[_PIN_WORDS + _HALVINGS :]
    while len(pin) > _PIN_WORDS:
        pin.pop()
    return pin


def short(wanted):
    """What to say if the heap, grown by all that is not held, has not so many bytes free, else ""."""
    pin = settle()
    gc.collect()
    free = gc.mem_free() if hasattr(gc, "mem_free") else wanted
    return "" if pin is not None and free >= wanted else "heap: wanted %d, free %d" % (wanted, free)


def notes(updater):
    """The store, for a note that outlasts a restart."""
    from mpwasm.agent.store import Store

    return Store(updater.agent.root, updater.identity[2])


def again(updater, life, why):
    """Restart into `life`, which starts the `wanted` module of the updater first, if it is the only one: that is no fast death.

    A soft reset, which keeps the levels of pins, and Wi-Fi on an ESP32, frees the heap and executable memory; there, to MAKE takes what Wi-Fi
    has, too.
    """
    agent = updater.agent
    agent.log.note("restart: " + why)
    store = notes(updater)
    store.write("room", life.encode() + b" " + (b"" if len(updater.guests) > 1 else updater.wanted))
    if not agent.well:
        store.write("crashes", b"%d" % agent.crashes)
    import machine

    machine.reset() if esp32 and life == MAKE else machine.soft_reset()


def over(updater):
    """What a life was for is done, or was given up: another one, or the network. From then on the network is looked after now and then."""
    if updater.life == MAKE or updater.life == UPDATE:
        again(updater, START if updater.life == MAKE else "", "no more to do")
    if updater.pin is None:
        updater.life = ""
        updater.pin = ()
        give(updater)
    updater.ends = updater.board.uptime_ms() + _LOOK_MS
    try:
        starved(updater)
    except MemoryError as error:
        again(updater, START, str(error))


def retry(updater):
    """An update lacks memory: its order gets a life without guests, and others if the power went in that one; orders before it get none any more,
    so that sending them again restarts nothing."""
    store = notes(updater)
    tried = int(store.read("order") or b"0")
    last = _LIVES * (updater.order + 1) - 1
    if updater.life == UPDATE:
        store.write("order", b"%d" % max(tried, last))
    elif updater.order and tried < last:
        store.write("order", b"%d" % max(tried + 1, last - _LIVES + 1))
        again(updater, UPDATE, "an update lacks memory")


def mark(store, digest, vain=False):
    """Before a life to make an image, and after one in vain."""
    store.write("unmade", (store.read("unmade") + digest[:_MARK] * (_LIVES if vain else 1))[-_MARKS:])


def makeable(updater, digest):
    """Whether there may be a life to make the image of a module: none was in vain; one in which the power went is not."""
    return notes(updater).read("unmade").count(digest[:_MARK]) < _LIVES


def made(store, digest):
    """Its image is there: it may be swept, and made anew."""
    marks = store.read("unmade")
    if digest[:_MARK] in marks:
        store.write("unmade", marks.replace(digest[:_MARK], b""))
