// The memory that a board's VM thread and the main thread share: pins, clockwork, and the mailbox for answers.
// One SharedArrayBuffer a board; everything is an Int32 word except the mailbox's bytes.

export const WORD = {
  READY: 0, // 1 when the answer to the VM's one outstanding request is in place
  STATUS: 1, // the answer: a number >= 0, or -errno
  LENGTH: 2, // bytes of the answer in the mailbox
  WDT_MS: 3, // watchdog time-out, 0 while not armed
  WDT_FED: 4, // clock() when it was last fed
  WIFI: 5, // 1 while the access point is in reach
};
export const PINS = 48, PIN_WORDS = 4, PIN_BASE = 16, ADC_BASE = PIN_BASE + PINS * PIN_WORDS;
export const PIN = { MODE: 0, OUT: 1, DRIVEN: 2, PULL: 3 };
export const MODE = { NONE: -1, IN: 0, OUT: 1, OPEN_DRAIN: 2 };
export const PULL = { NONE: 0, UP: 1, DOWN: 2 };
export const MAILBOX_BYTES = 16 * 1024;
const MAILBOX = 2048;

/** Words and mailbox of a board's shared memory. */
export const views = (shared) => ({ words: new Int32Array(shared, 0, MAILBOX / 4), mailbox: new Uint8Array(shared, MAILBOX, MAILBOX_BYTES) });

/** Shared memory of a board just powered: pins floating, access point in reach. */
export function makeShared() {
  const shared = new SharedArrayBuffer(MAILBOX + MAILBOX_BYTES);
  const { words } = views(shared);
  words[WORD.WIFI] = 1;
  for (let pin = 0; pin < PINS; pin++) words[PIN_BASE + pin * PIN_WORDS + PIN.DRIVEN] = -1;
  resetPins(words);
  return shared;
}

/** What a reset does: pins become inputs again, the watchdog is off; what drives them from outside stays. */
export function resetPins(words) {
  words[WORD.WDT_MS] = 0;
  for (let pin = 0; pin < PINS; pin++) {
    const at = PIN_BASE + pin * PIN_WORDS;
    words[at + PIN.MODE] = MODE.NONE;
    words[at + PIN.OUT] = 0;
    words[at + PIN.PULL] = PULL.NONE;
  }
}

/** Level at a pin: what the board drives, else what the world drives, else its pull resistor, else 0. */
export function level(words, pin) {
  const at = PIN_BASE + pin * PIN_WORDS, mode = words[at + PIN.MODE], out = words[at + PIN.OUT];
  if (mode === MODE.OUT || (mode === MODE.OPEN_DRAIN && out === 0)) return out;
  const driven = Atomics.load(words, at + PIN.DRIVEN);
  if (driven >= 0) return driven;
  return words[at + PIN.PULL] === PULL.UP || mode === MODE.OPEN_DRAIN ? 1 : 0;
}

/** Milliseconds of a clock that both threads share, wrapping after 12 days. */
export const clock = () => Math.trunc(performance.timeOrigin + performance.now()) & 0x3fffffff;
