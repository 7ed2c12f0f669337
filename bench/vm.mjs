// Runs one Python file in a fresh MicroPython VM: node vm.mjs NODE_MODULES FLASH HEAP_BYTES MODULE imports MODULE, whose
// printed lines come out as they are.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeVm, traceback } from "../fleet/sim/js/vm.mjs";

const [nodeModules, flash, heapBytes, module] = process.argv.slice(2);
const rom = path.join(path.dirname(fileURLToPath(import.meta.url)), "../fleet/sim/board_lib");
const print = (line) => process.stdout.write(line + "\n");
const vm = await makeVm({ nodeModules, flash, rom, heapBytes: Number(heapBytes), print });
try {
  vm.run(`import ${module}`);
} catch (error) {
  print(traceback(error));
  process.exitCode = 1;
}
