// One MicroPython VM in this JS realm, made to behave like a board's: no frozen extras, Linux errno, a garbage collector
// that can run while Python runs, files from host folders.
//
// Why a collector of our own: this port never collects while Python code is on the stack (it cannot see WebAssembly
// locals), so a `while True` program would grow for ever. Its frames live on the port's "pystack", which the collector
// does scan, so collecting is safe wherever no C function holds the only reference to an object. We therefore collect
// only when Python asks (gc.collect, time.sleep, poll); the one known unsafe place is inside an `__init__` that was
// called with arguments: do not collect or sleep there.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { hostFs, speakLinuxErrno } from "./hostfs.mjs";

const STATIC_BYTES = 512 * 1024; // where the VM's own variables lie, below its stack and heap
// Depth of Python calls, in words of the port's own stack: 448 allow 26 plain calls, 1024 would allow 62. Official firmware on an RP2040
// allows 27.
const STACK_WORDS = Number(process.env.WASMFLEET_STACK_WORDS ?? 448);
// Where the heap begins, at least: the collector takes any word that looks like an address for one, and low addresses look like small
// numbers, of which slot code is full; a board's RAM lies high. (Memory that nobody touches costs the host nothing.)
const HEAP_ABOVE = 32 * 1024 * 1024;
const PORT = "@micropython/micropython-webassembly-pyscript";

/** Compile the port once; the result may be handed to any number of workers. */
export function compilePort(nodeModules) {
  return new WebAssembly.Module(fs.readFileSync(path.join(nodeModules, PORT, "micropython.wasm")));
}

async function load(options, wasm) {
  const { loadMicroPython } = await import(pathToFileURL(path.join(options.nodeModules, PORT, "micropython.mjs")));
  const original = WebAssembly.instantiate;
  let memory;
  WebAssembly.instantiate = async (_binary, imports) => {
    const instance = await original(wasm, imports);
    memory = instance.exports.memory;
    const { malloc, mp_js_init } = instance.exports;
    const init = (...sizes) => { malloc(HEAP_ABOVE); return mp_js_init(...sizes); };
    return { instance: { exports: { ...instance.exports, mp_js_init: init } }, module: wasm };
  };
  try {
    const mp = await loadMicroPython({ heapsize: options.heapBytes, pystack: STACK_WORDS, stdout: options.print, stderr: options.print });
    return { mp, memory };
  } finally {
    WebAssembly.instantiate = original;
  }
}

/** Address of the VM's call-depth counter, found by watching it: 0 outside, 1 in Python, 2 in Python called by JS called by Python. */
function findDepthCell(mp, memory) {
  const seen = [], words = () => new Int32Array(memory.buffer.slice(0, STATIC_BYTES));
  mp.registerJsModule("_probe", { look: () => { seen.push(words()); return 0; }, call: (f) => f() });
  seen.push(words());
  mp.runPython(["import _probe as p", "p.look()", "p.call(lambda: p.look())", "p.call(lambda: p.call(lambda: p.look()))", "p.look()", "del p"].join("\n"));
  seen.push(words());
  const wanted = [0, 1, 2, 3, 1, 0], found = [];
  for (let i = 0; i < seen[0].length; i++) if (wanted.every((depth, k) => seen[k][i] === depth)) found.push(i);
  if (found.length !== 1) throw new Error(`the VM's call-depth counter was not found (${found.length} candidates): another build of the port?`);
  return found[0];
}

/** `collect()`: what the VM would do at its next top-level call, done now. */
function makeCollector(mp, memory) {
  const cell = findDepthCell(mp, memory);
  mp.runPython("def _nothing(): pass");
  const nothing = mp.globals.get("_nothing");
  return () => {
    const depth = new Int32Array(memory.buffer)[cell];
    new Int32Array(memory.buffer)[cell] = 0;
    nothing();
    new Int32Array(memory.buffer)[cell] = depth;
    return 0;
  };
}

function mount(mp, at, root, capacity = 0) {
  mp.FS.mkdir(at);
  mp.FS.mount(hostFs(mp.FS), { root, capacity }, at);
}

/** 0, or the errno with which `work` failed in the VM's file system. */
function errno(FS, work) {
  try {
    work();
    return 0;
  } catch (error) {
    if (error instanceof FS.ErrnoError) return error.errno;
    throw error;
  }
}

/** Text of an error that `runPython` threw: MicroPython's traceback, or the JS message. */
export const traceback = (error) => String(error.message ?? error).trimEnd();

/**
 * A VM whose `/` is the folder options.flash, with options.rom (our shims) first in its path.
 * options: {nodeModules, wasm, heapBytes, print(line), flash, flashBytes, rom, modules: {name: object}}
 * Returns {run(code), bytes(addr, length) -> Uint8Array of VM memory, collect()}.
 */
export async function makeVm(options) {
  const { mp, memory } = await load(options, options.wasm ?? compilePort(options.nodeModules));
  const vm = {
    run: (code) => mp.runPython(code),
    bytes: (address, length) => new Uint8Array(memory.buffer, address >>> 0, length),
    collect: makeCollector(mp, memory),
  };
  const modules = options.modules?.(vm) ?? {};
  mount(mp, "/flash", options.flash, options.flashBytes);
  mount(mp, "/rom", options.rom);
  speakLinuxErrno(mp.FS);
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const sleep = (ms) => { if (ms > 0) Atomics.wait(clock, 0, 0, ms); return 0; };
  const random = (address, length) => { globalThis.crypto.getRandomValues(vm.bytes(address, length)); return 0; };
  const rename = (from, to) => errno(mp.FS, () => mp.FS.rename("/flash" + from, "/flash" + to));
  mp.registerJsModule("_vm", { collect: vm.collect, random, rename, sleep, heap: options.heapBytes, memory: () => memory.buffer.byteLength });
  for (const [name, object] of Object.entries(modules)) mp.registerJsModule(name, object);
  vm.run(fs.readFileSync(path.join(options.rom, "_boot.py"), "utf8"));
  return vm;
}
