// Measures heap: node budget.mjs NODE_MODULES FLASH each|all MODULE... imports each module in order in one VM and prints, as
// JSON, the bytes that `gc.mem_alloc()` rose by at each, after a collection.
// Tables of interned names, of modules and of what is in a package grow when full, which would charge up to thousands of bytes to whichever module
// comes next; with "each" large ones are made first, so that figures are a module's own, and with "all" the sum is what a board would see.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeVm } from "../fleet/sim/js/vm.mjs";

const [nodeModules, flash, mode, ...modules] = process.argv.slice(2);
const rom = path.join(path.dirname(fileURLToPath(import.meta.url)), "../fleet/sim/board_lib");
let last = "";
const board = { pins: 48, cause: "power", wifi: () => 1 };
const vm = await makeVm({ nodeModules, flash, rom, heapBytes: 240 * 1024, print: (line) => { last = line; }, modules: () => ({ _board: board }) });
const used = () => {
  vm.run("import gc; gc.collect()");
  vm.run("import gc; print(gc.mem_alloc())");
  return Number(last);
};
vm.run("import sys; sys.path.insert(0, '/lib/mpwasm')"); // as the board's main.py does
// What the firmware has built in, and our simulation therefore must not count.
vm.run("import machine, network, socket, select, time, os, struct, hashlib, array, errno, io");
if (mode === "each") {
  vm.run("for i in range(2600): hasattr(0, 'name%d' % i)");
  const packages = [...new Set(modules.map((name) => name.slice(0, name.lastIndexOf("."))))].filter((name) => name.includes("mpwasm"));
  for (const name of packages.sort()) {
    vm.run(`import ${name}`);
    for (const change of ["setattr(p, 'name%d' % i, 0)", "delattr(p, 'name%d' % i)"]) vm.run(`p = ${name}\nfor i in range(80): ${change}`);
  }
  for (const change of ["sys.modules['name%d' % i] = 0", "sys.modules.pop('name%d' % i)"]) vm.run(`for i in range(200): ${change}`);
}
used();
const result = {};
for (const module of modules) {
  const before = used();
  try {
    vm.run(`import ${module}`);
    result[module] = used() - before;
  } catch (error) {
    result[module] = String(error.message).slice(-300);
  }
}
console.log(JSON.stringify(result));
