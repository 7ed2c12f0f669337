"""What the board itself runs while it is set up; sent by mpremote as text, so in MicroPython's dialect."""

# The agent arms the hardware watchdog, which nothing but a reset ends; a board that is being set up must not be reset by it. RP2 chips
# can clear its enable bit (RP2040 datasheet 4.7.6, through the alias that clears bits), an ESP32 gives it a day.
DISARM = """
import os, sys
try:
    os.stat("/main.py")
    if sys.platform == "rp2":
        import machine
        machine.mem32[0x400DB000 if "RP2350" in sys.implementation._machine else 0x4005B000] = 1 << 30
    elif sys.platform == "esp32":
        from machine import WDT
        WDT(timeout=86400000)
except OSError:
    print("no agent")
"""

# Prints one line of facts: JSON.
FACTS = DISARM + """
import sys, os, gc, json, machine
gc.collect()
i = sys.implementation
s = os.statvfs("/")
try:
    import network
    n = True
except ImportError:
    n = False
def has(p):
    try:
        os.stat(p)
        return True
    except OSError:
        return False
print("facts " + json.dumps({"name": i.name, "version": ".".join(str(n) for n in i.version[:3]), "machine": getattr(i, "_machine", "?"),
    "mpy": getattr(i, "_mpy", 0), "platform": sys.platform, "free_heap": gc.mem_free(), "free_flash": s[0] * s[3], "wifi": n,
    "id": "".join("%02x" % b for b in machine.unique_id()),
    "agent": has("/main.py"), "identity": has("/cfg/identity.cbor")}))
"""

# The agent must not start while its files change, and its watchdog must not bite: its starter is put aside.
PARK = DISARM + """
try:
    os.rename("/main.py", "/main.off")
except OSError as e:
    if e.errno != 2:
        raise
"""

# Reads /remote/index, lines "path size sha256-hex offset", and the files' bytes from /remote/bundle. Files that are right already
# are skipped, the others written under another name, hashed as they lie in flash, and renamed. Prints a line per file, and one for each 16 KiB
# that are there. Reads are few and large: over mpremote's mount each is a round trip, and readline makes one per byte.
INSTALL = """
import os, hashlib, gc, binascii
buf = bytearray(2048)
view = memoryview(buf)
def digest(path):
    h = hashlib.sha256()
    try:
        with open(path, "rb") as f:
            n = f.readinto(buf)
            while n:
                h.update(view[:n])
                n = f.readinto(buf)
    except OSError:
        return None
    return binascii.hexlify(h.digest()).decode()
def folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as e:
            if e.errno != 17: raise
        at = path.find("/", at + 1)
src = open("/remote/bundle", "rb")
with open("/remote/index", "rb") as f:
    index = f.read().decode().split("\\n")
for line in index:
    path, size, want, offset = line.split()
    size = int(size)
    at = int(offset)
    if digest(path) == want:
        print("same", path)
        print("at", at + size)
        continue
    src.seek(at)
    folders(path)
    with open(path + ".new", "wb") as f:
        while size:
            n = src.readinto(view[:min(size, 2048)])
            if not n: raise OSError("bundle")
            f.write(view[:n])
            size -= n
            at += n
            if not size or at % 16384 < n: print("at", at)
    if digest(path + ".new") != want: raise OSError("flash " + path)
    os.rename(path + ".new", path)
    print("wrote", path)
    gc.collect()
src.close()
print("installed")
"""

# Prints the names of the networks in reach, one line of JSON.
SCAN = """
import network, json
w = network.WLAN(network.STA_IF)
w.active(True)
print("networks " + json.dumps(sorted({n[0].decode() for n in w.scan() if n[0]})))
"""
