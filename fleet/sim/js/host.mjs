// Hosts simulated boards in one Node process: JSON lines on stdin command them, JSON lines on stdout tell what they do.
// Usage: node host.mjs NODE_MODULES. When stdin ends, every board loses its power and the process ends.

import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { compilePort } from "./vm.mjs";
import { ADC_BASE, clock, level, makeShared, PIN, PIN_BASE, PIN_WORDS, resetPins, views, WORD } from "./shared.mjs";
import { Sockets } from "./sockets.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const nodeModules = process.argv[2];
const wasm = compilePort(nodeModules);
const boards = new Map();
const tell = (message) => process.stdout.write(JSON.stringify(message) + "\n");

class Board {
  constructor(name) {
    this.name = name;
    this.shared = makeShared();
    Object.assign(this, views(this.shared));
    this.worker = null;
    this.sockets = null;
    this.turn = Promise.resolve(); // power changes happen one after the other
  }

  tell(event, more) {
    tell({ board: this.name, event, ...more });
  }

  answer(status, bytes) {
    this.words[WORD.STATUS] = status;
    this.words[WORD.LENGTH] = bytes?.length ?? 0;
    if (bytes) this.mailbox.set(bytes);
    Atomics.store(this.words, WORD.READY, 1);
    Atomics.notify(this.words, WORD.READY);
  }

  async powerOn(cause) {
    const { options } = this;
    resetPins(this.words);
    this.sockets = new Sockets((status, bytes) => this.answer(status, bytes), options.redirect ?? null);
    this.sockets.setOnline(this.words[WORD.WIFI] === 1);
    const worker = new Worker(path.join(here, "worker.mjs"), {
      workerData: { ...options, shared: this.shared, cause, nodeModules, wasm, rom: path.join(here, "../board_lib") },
      resourceLimits: { stackSizeMb: 4 }, stdout: false, stderr: false,
    });
    this.worker = worker;
    worker.on("message", (message) => { if (this.worker === worker) this.hear(message); });
    worker.on("error", (error) => { this.tell("console", { line: `the board's thread died: ${String(error.message).slice(0, 2000)}` }); this.tell("died"); });
    this.watch = setInterval(() => this.checkWatchdog(), 100);
    this.watch.unref();
  }

  async powerOff() {
    const { worker } = this;
    this.worker = null;
    clearInterval(this.watch);
    this.sockets?.drop();
    await worker?.terminate();
    resetPins(this.words);
  }

  hear({ request, event, ...more }) {
    if (request) return this.sockets.request(request);
    if (event === "reset") return this.restart(more.cause);
    this.tell(event, more);
  }

  restart(cause) {
    this.turn = this.turn.then(async () => {
      if (!this.worker) return;
      this.tell("reset", { cause });
      await this.powerOff();
      await this.powerOn(cause);
    });
    return this.turn;
  }

  checkWatchdog() {
    const limit = this.words[WORD.WDT_MS];
    if (limit && ((clock() - this.words[WORD.WDT_FED]) & 0x3fffffff) > limit) {
      this.words[WORD.WDT_MS] = 0;
      this.restart("watchdog");
    }
  }
}

const commands = {
  async start(board, { options }) {
    board.options = options;
    board.turn = board.turn.then(() => (board.worker ? undefined : board.powerOn("power")));
    await board.turn;
  },
  async stop(board) {
    board.turn = board.turn.then(() => board.powerOff());
    await board.turn;
    board.tell("stopped");
  },
  reset: (board) => board.restart("hard"),
  drive_pin(board, { pin, value }) {
    Atomics.store(board.words, PIN_BASE + pin * PIN_WORDS + PIN.DRIVEN, value);
  },
  drive_adc(board, { pin, value }) {
    Atomics.store(board.words, ADC_BASE + pin, value);
  },
  wifi(board, { up }) {
    Atomics.store(board.words, WORD.WIFI, up ? 1 : 0);
    board.sockets?.setOnline(up);
  },
  pin: (board, { pin }) => level(board.words, pin),
};

async function obey(line) {
  const command = JSON.parse(line);
  try {
    if (!boards.has(command.board)) boards.set(command.board, new Board(command.board));
    const value = await commands[command.cmd](boards.get(command.board), command);
    tell({ re: command.id, value: value ?? null });
  } catch (error) {
    tell({ re: command.id, error: String(error.message).slice(0, 2000) });
  }
}

process.on("uncaughtException", (error) => {
  tell({ event: "host-error", error: `${String(error.message).slice(0, 2000)}\n${String(error.stack).split("\n").slice(-5).join("\n").slice(0, 2000)}` });
  process.exit(1);
});
process.on("SIGINT", () => {}); // Ctrl-C in a terminal goes to the whole group; our parent decides when boards end
readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
tell({ event: "ready" });
