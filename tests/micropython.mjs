// Runs the functions test_* of one module in a fresh VM: node micropython.mjs NODE_MODULES FLASH MODULE [TEST...]
// Prints one JSON object a line, each after an RS character, so that stray output of a crash can be told apart. With WASMFLEET_ALOUD
// what the tests print goes to stderr too, as it is printed.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeVm, traceback } from "../fleet/sim/js/vm.mjs";

const [nodeModules, flash, module, ...names] = process.argv.slice(2);
const rom = path.join(path.dirname(fileURLToPath(import.meta.url)), "../fleet/sim/board_lib");
const say = (entry) => process.stdout.write("\x1e" + JSON.stringify(entry) + "\n");

let printed = [];
const print = (line) => {
  printed.push(line);
  if (process.env.WASMFLEET_ALOUD) process.stderr.write(line + "\n");
};

function attempt(test, code) {
  printed = [];
  const start = performance.now();
  let ok = true;
  try {
    vm.run(code);
  } catch (error) {
    ok = false;
    printed.push(traceback(error));
    if (error.name !== "PythonError") throw error;
  } finally {
    if (test) say({ test, ok, ms: Math.round(performance.now() - start), out: printed.join("\n") });
  }
  vm.run("import gc; gc.collect()");
  return ok;
}

const vm = await makeVm({ nodeModules, flash, rom, heapBytes: 240 * 1024, print });
vm.run("import sys; sys.path.insert(1, '/tests')");
let tests = names;
try {
  vm.run(`import ${module} as _module`);
  if (!tests.length) {
    printed = [];
    vm.run("for _name in dir(_module):\n    if _name.startswith('test_') and callable(getattr(_module, _name)): print(_name)");
    tests = printed.sort();
  }
  for (const test of tests) attempt(test, `_module.${test}()`);
} catch (error) {
  say({ test: `(import ${module})`, ok: false, ms: 0, out: [...printed, traceback(error)].join("\n") });
}
say({ end: true });
