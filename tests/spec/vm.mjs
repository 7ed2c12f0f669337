// Runs files of the official suite in one MicroPython VM: node vm.mjs NODE_MODULES FLASH FILE...
// Prints [file, counts, failures] as one JSON line for each, after an RS character.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeVm, traceback } from "../../fleet/sim/js/vm.mjs";

const [nodeModules, flash, ...names] = process.argv.slice(2);
const rom = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../fleet/sim/board_lib");
const print = (line) => process.stdout.write(line + "\n");
const vm = await makeVm({ nodeModules, flash, rom, heapBytes: 64 * 1024 * 1024, print });
vm.run("import gc, json\nfrom runner import Script");
for (const name of names) {
  try {
    vm.run(`s = Script('/suite', '${name}')\ns.run()\nprint('\\x1e' + json.dumps(['${name}', s.counts, s.failures]))\ns = None\ngc.collect()`);
  } catch (error) {
    print("\x1e" + JSON.stringify([name, {}, [[0, "file", traceback(error)]]]));
  }
}
