// An RP2040 in npm's rp2040js: `node js_board.mjs RP2040JS ROM FLASH`, its USB serial line on stdin and stdout; the end of stdin is the end of
// its power, when the flash file is written. Each half second the board's own time in seconds goes to stderr.
import { readFileSync, writeFileSync } from 'node:fs';

const [library, rom, flash] = process.argv.slice(2);
const { ConsoleLogger, LogLevel, Simulator, USBCDC } = await import(library);

const simulator = new Simulator();
const chip = simulator.rp2040;
chip.logger = new ConsoleLogger(LogLevel.Error);
chip.loadBootrom(new Uint32Array(Uint8Array.from(readFileSync(rom)).buffer));
chip.flash.set(readFileSync(flash));

// It has no model of the flash chip's commands, so the boot ROM's functions that give them (RP2040 datasheet, 2.8.3.1.3, names in its table at
// 0x14) become a BKPT and a return, and what they do is done here.
const FLASH = { IF: 0, EX: 1, FC: 2, CX: 3, RE: 4, RP: 5 };
const [BKPT, BX_LR] = [0xbe00, 0x4770];
const words = new DataView(chip.bootrom.buffer);
for (let at = words.getUint16(0x14, true); words.getUint16(at, true); at += 4) {
  const code = FLASH[String.fromCharCode(words.getUint8(at), words.getUint8(at + 1))];
  if (code !== undefined) {
    const start = words.getUint16(at + 2, true) & ~1;
    words.setUint16(start, BKPT | code, true);
    words.setUint16(start + 2, BX_LR, true);
  }
}
chip.onBreak = (code) => {
  const [first, second, third] = chip.core.registers;
  if (code === FLASH.RE) chip.flash.fill(0xff, first, first + second);
  if (code === FLASH.RP) for (let i = 0; i < third; i++) chip.flash[first + i] &= chip.readUint8(second + i);
};

// Its own host answers each buffer that the board arms for receiving at once, so the board takes interrupts without end: answered when there is
// something to send.
const line = new USBCDC(chip.usbCtrl);
const typed = [];
let armed = 0;
const answer = () => {
  if (armed && typed.length) {
    const bytes = typed.splice(0, armed);
    armed = 0;
    chip.usbCtrl.endpointReadDone(line.outEndpoint, Uint8Array.from(bytes));
  }
};
const type = (bytes) => {
  for (const byte of bytes) typed.push(byte);
  answer();
};
chip.usbCtrl.onEndpointRead = (endpoint, size) => {
  if (endpoint === line.outEndpoint) {
    armed = size;
    answer();
  }
};
line.onSerialData = (bytes) => process.stdout.write(bytes);
line.onDeviceConnected = () => type(Buffer.from('\r'));
process.stdin.on('data', type);
process.stdin.on('end', () => {
  writeFileSync(flash, chip.flash.subarray(0, readFileSync(flash).length));
  process.exit(0);
});
setInterval(() => process.stderr.write(`${simulator.clock.nanos / 1e9}\n`), 500);

chip.core.PC = 0x10000000; // the second stage of the boot, at the start of flash
simulator.execute();
