"""Why boards would refuse a module, each in one sentence that says what to change where it was built."""

from mpwasm import explain

# Feature -> (what it is, how to build without it).
AVOID = {
    "simd128": ("SIMD", "-mno-simd128 (clang, Zig), -C target-feature=-simd128 (Rust), no --enable simd (AssemblyScript)"),
    "threads": ("threads and shared memory", "-mno-atomics and no -pthread (clang, Zig), no --enable threads (AssemblyScript)"),
    "exception-handling": ("exceptions", "-fno-exceptions or -fno-wasm-exceptions (clang), panic=abort (Rust)"),
    "tail-call": ("tail calls", "-mno-tail-call (clang, Zig), -C target-feature=-tail-call (Rust)"),
    "gc": ("garbage-collected types", "a compiler that targets linear memory (clang, Zig, Rust, TinyGo, AssemblyScript)"),
    "memory64": ("64-bit memory", "the target wasm32 instead of wasm64"),
    "multimemory": ("several memories", "-mno-multimemory (clang, Zig) and a single memory"),
    "wide-arithmetic": ("wide arithmetic", "-mno-wide-arithmetic (clang, Zig)"),
    "unknown": ("instructions of a proposal we do not know", "-mcpu=generic (clang, Zig), -C target-cpu=generic (Rust)"),
}

# Import module, or the beginning of a name of it -> what it is and what to build instead.
STRANGERS = (
    ("gojs", "", "TinyGo's browser target: build with -target=wasip1 or -target=wasm-unknown"),
    ("wasi_unstable", "", "WASI's preview 0: build with a toolchain since 2020, for wasm32-wasi or wasm32-wasip1"),
    ("wasi:", "", "WASI preview 2: build for wasm32-wasip1"),
    ("wbg", "", "wasm-bindgen, which needs a browser: build for wasm32-wasip1 or wasm32-unknown-unknown without it"),
    ("__wbindgen", "", "wasm-bindgen, which needs a browser: build for wasm32-wasip1 or wasm32-unknown-unknown without it"),
    ("env", "emscripten_", "Emscripten's JavaScript: build with -sSTANDALONE_WASM, or with clang or Zig"),
    ("env", "__syscall", "Emscripten's JavaScript: build with -sSTANDALONE_WASM, or with clang or Zig"),
    ("env", "invoke_", "Emscripten's JavaScript: build with -sSTANDALONE_WASM -fno-exceptions"),
    ("env", "subscribe_interrupt", "WARDuino's interrupts, which boards here do not have: read the pin instead"),
)
_COMPONENT = b"\0asm\x0d\0\x01\0"


def for_load(error, found, data):
    """Why a module does not load: a dict of ``reason``, ``sentence``, ``offset``, ``function`` and, where one is to blame, ``feature``."""
    refusal = {"reason": type(error).__name__.lower(), "offset": error.offset if error.offset >= 0 else None, "feature": None}
    if data[:8] == _COMPONENT:
        return {**refusal, "function": None, "sentence": "It is a component (WASI preview 2), not a module: build for wasm32-wasip1."}
    if error.code == 1:
        return {**refusal, "function": None, "sentence": "It is no WebAssembly module: it does not begin with the bytes 00 61 73 6d."}
    blamed = min((name for name in found.features if name in AVOID), key=found.features.get, default=None)
    at = found.features[blamed] if blamed else error.offset
    function = found.function_at(at) if blamed or error.function < 0 else error.function
    place = (f" in {found.label(function)}" if function is not None else "") + (f" at byte {at}" if at is not None and at >= 0 else "")
    refusal.update(offset=at if at is not None and at >= 0 else None, function=None if function is None else found.label(function), feature=blamed)
    if blamed:
        what, flag = AVOID[blamed]
        return {**refusal, "sentence": f"It uses {what} ({blamed}){place}, which boards do not have: build with {flag}."}
    words = explain.SENTENCES.get(error.code, f"error {error.code}")
    detail = f": {explain.describe(error)}" if error.detail is not None else ""
    return {**refusal, "sentence": f"It does not load: {words}{detail}{place}."}


def for_import(where, name, kind, spelt):
    """Why an import can't be given."""
    refusal = {"reason": "unlinkable", "offset": None, "function": None, "feature": None}
    if kind != "function":
        flag = {"memory": ": link without --import-memory (clang, Zig), compile without --importMemory (AssemblyScript)"}.get(kind, "")
        return {**refusal, "sentence": f"It imports the {kind} {where}.{name}, but boards give functions only{flag}."}
    for module, beginning, advice in STRANGERS:
        if where.startswith(module) and name.startswith(beginning):
            return {**refusal, "sentence": f"It imports {where}.{name}, which is of {advice}."}
    return {**refusal, "sentence": f"It imports {where}.{name} {spelt}, which boards do not have: docs/host-functions.md lists what they do."}


def for_type(error):
    """Why an import of another type can't be given."""
    sentence = f"It imports a function with another type than boards have: {error.detail}."
    return {"reason": "unlinkable", "offset": None, "function": None, "feature": None, "sentence": sentence}
