// A board: one VM in its own thread. It runs boot.py and main.py as the firmware would, and blocks wherever the firmware
// would block, by waiting on shared memory for the main thread's answer.

import fs from "node:fs";
import path from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { makeVm, traceback } from "./vm.mjs";
import { ADC_BASE, clock, level, MODE, PIN, PIN_BASE, PIN_WORDS, PINS, views, WORD } from "./shared.mjs";

const { words, mailbox } = views(workerData.shared);
const say = (event, more = {}) => parentPort.postMessage({ event, ...more });
const print = (line) => say("console", { line });

/** Ask the main thread and wait for its answer: a number. */
function ask(request) {
  Atomics.store(words, WORD.READY, 0);
  parentPort.postMessage({ request });
  while (Atomics.load(words, WORD.READY) === 0) Atomics.wait(words, WORD.READY, 0);
  return words[WORD.STATUS];
}

/** End this VM: the main thread takes the thread down, so this never returns. */
function end(event, more) {
  say(event, more);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function setPin(pin, word, value) {
  const before = level(words, pin);
  words[PIN_BASE + pin * PIN_WORDS + word] = value;
  const after = level(words, pin), mode = words[PIN_BASE + pin * PIN_WORDS + PIN.MODE];
  if (mode === MODE.OUT && (after !== before || word === PIN.MODE)) say("pin", { pin, value: after, t: Date.now() });
  return 0;
}

/** What the Python shims call; everything crosses as numbers, text, or addresses in the VM's memory. */
const boardModule = (vm) => ({
  pins: PINS,
  uid: (address) => { vm.bytes(address, 8).set(Buffer.from(workerData.uid, "hex")); return 8; },
  cause: workerData.cause,
  pin_mode: (pin, mode) => setPin(pin, PIN.MODE, mode),
  pin_pull: (pin, pull) => setPin(pin, PIN.PULL, pull),
  pin_out: (pin, value) => setPin(pin, PIN.OUT, value),
  pin_in: (pin) => level(words, pin),
  adc: (pin) => Atomics.load(words, ADC_BASE + pin),
  wifi: () => Atomics.load(words, WORD.WIFI),
  watchdog: (ms) => { words[WORD.WDT_FED] = clock(); words[WORD.WDT_MS] = ms; return 0; },
  feed: () => { words[WORD.WDT_FED] = clock(); return 0; },
  reset: (cause) => end("reset", { cause }),
  open: (fd) => ask({ op: "open", fd }),
  resolve: (host) => (ask({ op: "resolve", host }) < 0 ? "" : Buffer.from(mailbox.slice(0, words[WORD.LENGTH])).toString()),
  connect: (fd, host, port, ms) => ask({ op: "connect", fd, host, port, ms }),
  send: (fd, address, count, ms) => ask({ op: "send", fd, bytes: vm.bytes(address, Math.min(count, mailbox.length)).slice(), ms }),
  recv(fd, address, count, ms) {
    const got = ask({ op: "recv", fd, count: Math.min(count, mailbox.length), ms });
    if (got > 0) vm.bytes(address, got).set(mailbox.subarray(0, got));
    return got;
  },
  poll(address, count, ms) {
    const table = vm.bytes(address, count * 3); // a socket each: number (2 bytes, low first), wanted events, replaced by found ones
    const fds = [], masks = [];
    for (let i = 0; i < count; i++) { fds.push(table[3 * i] | (table[3 * i + 1] << 8)); masks.push(table[3 * i + 2]); }
    const ready = ask({ op: "poll", fds, masks, ms });
    const after = vm.bytes(address, count * 3);
    for (let i = 0; i < count; i++) after[3 * i + 2] = mailbox[i];
    return ready;
  },
  close: (fd) => ask({ op: "close", fd }),
});

/** Run one file of the flash as `__main__`; returns false when it ended in an error, after printing the traceback. */
function runFile(vm, name) {
  if (!fs.existsSync(path.join(workerData.flash, name))) return true;
  try {
    vm.run(`exec(compile(open("/${name}").read(), "${name}", "exec"))`);
    return true;
  } catch (error) {
    if (error.type === "SystemExit") end("reset", { cause: "soft" });
    traceback(error).split("\n").filter((line) => !line.includes('File "<stdin>", line 1, in <module>')).forEach(print);
    return false;
  }
}

const vm = await makeVm({
  nodeModules: workerData.nodeModules, wasm: workerData.wasm, heapBytes: workerData.heapBytes, print, flash: workerData.flash,
  flashBytes: workerData.flashBytes, rom: workerData.rom, modules: (made) => ({ _board: boardModule(made) }),
});
say("booted", { cause: workerData.cause });
const well = runFile(vm, "boot.py") && runFile(vm, "main.py");
say("halted", { well }); // the firmware would show its prompt and wait; so does this thread, asleep
parentPort.on("message", () => {});
