// The TCP sockets of one board, in the main thread: each request of the VM thread is answered at once, or when data,
// room, an error or its time-out comes. Numbers are Linux errno, as the firmware's lwIP reports them.

import net from "node:net";
import dns from "node:dns";

export const ERRNO = {
  EBADF: 9, EAGAIN: 11, EIO: 5, EISCONN: 106, ECONNABORTED: 103, ECONNRESET: 104, ENOTCONN: 107, ETIMEDOUT: 110, ECONNREFUSED: 111, EHOSTUNREACH: 113,
  EINPROGRESS: 115, EPIPE: 104, ENETUNREACH: 113, ENOTFOUND: 2,
};
const POLL = { IN: 1, OUT: 4, ERR: 8, HUP: 16 };
const RECEIVE_WINDOW = 8 * 1024, SEND_BUFFER = 8 * 1024; // bytes; lwIP on a Pico W: 8 x 1460 each way
const CONNECT_MS = 15000;

class Socket {
  constructor() {
    this.chunks = [];
    this.buffered = 0;
    this.ended = false;
    this.error = 0;
    this.connected = false;
    this.wire = null;
    this.waiting = null;
  }

  connect(target, changed) {
    this.wire = net.connect(target);
    this.wire.setNoDelay(true);
    this.wire.on("connect", () => { this.connected = true; changed(); });
    this.wire.on("data", (chunk) => {
      this.chunks.push(chunk);
      this.buffered += chunk.length;
      if (this.buffered > RECEIVE_WINDOW) this.wire.pause();
      changed();
    });
    this.wire.on("end", () => { this.ended = true; changed(); });
    this.wire.on("error", (error) => { this.error ||= ERRNO[error.code] ?? ERRNO.EIO; changed(); });
    this.wire.on("close", () => { this.ended = true; changed(); });
  }

  take(count) {
    const first = this.chunks[0], part = first.subarray(0, count);
    if (part.length === first.length) this.chunks.shift();
    else this.chunks[0] = first.subarray(part.length);
    this.buffered -= part.length;
    if (this.buffered <= RECEIVE_WINDOW / 2) this.wire.resume();
    return part;
  }

  room() {
    return this.connected && !this.error ? Math.max(0, SEND_BUFFER - this.wire.writableLength) : 0;
  }

  events() {
    let events = 0;
    if (this.buffered || this.ended) events |= POLL.IN;
    if (this.room()) events |= POLL.OUT;
    if (this.error) events |= POLL.ERR;
    if (this.ended && !this.buffered) events |= POLL.HUP;
    return events;
  }

  abort(error) {
    this.error ||= error;
    this.wire?.destroy();
  }
}

/** All sockets of a board; `answer(status, bytes)` puts an answer into the VM's mailbox. */
export class Sockets {
  constructor(answer, redirect) {
    this.answer = answer;
    this.redirect = redirect; // {host, port} where every connection ends, or null
    this.all = new Map();
    this.waiting = null; // {ready() -> [status, bytes] or null, timer}
    this.online = true;
  }

  /** Answer when `ready` says so, else with `late` after `ms` (< 0: never; 0: at once). */
  wait(ready, ms, late) {
    const now = ready();
    if (now || ms === 0) return this.answer(...(now ?? late));
    const timer = ms < 0 ? null : setTimeout(() => { this.waiting = null; this.answer(...late); }, ms);
    this.waiting = { ready, timer };
  }

  changed() {
    const now = this.waiting?.ready();
    if (!now) return;
    clearTimeout(this.waiting.timer);
    this.waiting = null;
    this.answer(...now);
  }

  request(request) {
    const handler = this[`on_${request.op}`];
    const socket = request.fd === undefined ? null : this.all.get(request.fd);
    if (request.fd !== undefined && !socket && request.op !== "open") return this.answer(-ERRNO.EBADF);
    handler.call(this, request, socket);
  }

  on_open({ fd }) {
    this.all.set(fd, new Socket());
    this.answer(0);
  }

  on_resolve({ host }) {
    if (!this.online) return this.answer(-2);
    if (this.redirect) return this.answer(0, Buffer.from(net.isIPv4(host) ? host : "10.0.0.1"));
    dns.lookup(host, { family: 4 }, (error, address) => (error ? this.answer(-2) : this.answer(0, Buffer.from(address))));
  }

  on_connect({ host, port, ms }, socket) {
    if (!this.online) return this.answer(-ERRNO.EHOSTUNREACH);
    if (socket.wire) return this.answer(-ERRNO.EISCONN);
    socket.connect(this.redirect ?? { host, port, family: 4 }, () => this.changed());
    const ready = () => (socket.error ? [-socket.error] : socket.connected ? [0] : null);
    this.wait(ready, ms < 0 ? CONNECT_MS : ms, [ms === 0 ? -ERRNO.EINPROGRESS : -ERRNO.ETIMEDOUT]);
  }

  on_send({ bytes, ms }, socket) {
    const ready = () => {
      if (socket.error) return [-socket.error];
      if (!socket.wire) return [-ERRNO.ENOTCONN];
      const count = Math.min(bytes.length, socket.room());
      if (!count && bytes.length) return null;
      socket.wire.write(Buffer.from(bytes.subarray(0, count)), () => this.changed());
      return [count];
    };
    this.wait(ready, ms, [ms === 0 ? -ERRNO.EAGAIN : -ERRNO.ETIMEDOUT]);
  }

  on_recv({ count, ms }, socket) {
    const ready = () => {
      if (socket.buffered) { const part = socket.take(count); return [part.length, part]; }
      if (socket.error) return [-socket.error];
      if (!socket.wire) return [-ERRNO.ENOTCONN];
      return socket.ended ? [0] : null;
    };
    this.wait(ready, ms, [ms === 0 ? -ERRNO.EAGAIN : -ERRNO.ETIMEDOUT]);
  }

  /** Events of several sockets: the answer is their bit sets, one byte each. */
  on_poll({ fds, masks, ms }) {
    const look = () => fds.map((fd, i) => (this.all.get(fd)?.events() ?? POLL.ERR) & (masks[i] | POLL.ERR | POLL.HUP));
    const ready = () => {
      const found = look();
      return found.some(Boolean) ? [found.filter(Boolean).length, Uint8Array.from(found)] : null;
    };
    this.wait(ready, ms, [0, new Uint8Array(fds.length)]);
  }

  on_close({ fd }, socket) {
    this.all.delete(fd);
    socket.wire?.end();
    socket.wire?.resume();
    this.answer(0);
  }

  setOnline(online) {
    this.online = online;
    if (!online) for (const socket of this.all.values()) socket.abort(ERRNO.ECONNABORTED);
    this.changed();
  }

  /** The board lost power or was reset: peers see the connection end with no goodbye of the application's. */
  drop() {
    this.answer = () => {}; // a late answer must not reach the VM that comes next
    clearTimeout(this.waiting?.timer);
    this.waiting = null;
    for (const socket of this.all.values()) socket.wire?.destroy();
    this.all.clear();
  }
}
