// A folder of the host as a file system of the VM: every call goes straight to node:fs, so files survive the VM
// and a rename over an existing file is one rename(2), as atomic as littlefs makes it on a board.
// Not copied: littlefs keeps the old contents until close; here a write is seen at once (the harsher rule when power fails).

import fs from "node:fs";
import path from "node:path";

const BLOCK = 4096; // littlefs block on RP2040 and ESP32, bytes
const S_IFDIR = 0o040000, S_IFREG = 0o100000;
const O_ACCMODE = 3, O_APPEND = 1024;

// Emscripten raises WASI numbers from its own code; boards speak Linux/newlib numbers.
const LINUX_FROM_WASI = new Map([
  [2, 13], [8, 9], [10, 16], [20, 17], [28, 22], [29, 5], [31, 21], [32, 40], [33, 24], [41, 24],
  [44, 2], [51, 28], [54, 20], [55, 39], [63, 1], [69, 30], [70, 29], [75, 18],
]);
const WASI_FROM_NAME = {
  EACCES: 2, EBADF: 8, EBUSY: 10, EEXIST: 20, EINVAL: 28, EIO: 29, EISDIR: 31, EMFILE: 33, ENOENT: 44,
  ENOSPC: 51, ENOTDIR: 54, ENOTEMPTY: 55, EPERM: 63, EROFS: 69, EXDEV: 75,
};

/** Make `FS` report Linux errno values to the VM. Call once, after every mount. */
export function speakLinuxErrno(FS) {
  for (const name of ["open", "stat", "lstat", "fstat", "rename", "unlink", "rmdir", "mkdir", "mknod", "readdir", "chdir", "read", "write", "close",
    "truncate", "ftruncate", "llseek", "statfs", "getStreamChecked"]) {
    const original = FS[name];
    FS[name] = function (...args) {
      try {
        return original.apply(FS, args);
      } catch (error) {
        if (error instanceof FS.ErrnoError && !error.linux) {
          error.linux = true;
          error.errno = LINUX_FROM_WASI.get(error.errno) ?? error.errno;
        }
        throw error;
      }
    };
  }
}

/** Bytes that the files under `folder` take on a flash of whole blocks, folders one block each. */
export function usedBytes(folder) {
  let total = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    total += entry.isDirectory() ? BLOCK + usedBytes(full) : Math.ceil(fs.statSync(full).size / BLOCK) * BLOCK;
  }
  return total;
}

/** The mountable file system: `FS.mount(hostFs(FS), {root: folder, capacity: bytes | 0}, where)`. Capacity 0 has no limit. */
export function hostFs(FS) {
  const guard = (work) => {
    try {
      return work();
    } catch (error) {
      if (!error.code) throw error;
      throw new FS.ErrnoError(WASI_FROM_NAME[error.code] ?? 29);
    }
  };
  const realPath = (node) => {
    const parts = [];
    for (let at = node; at.parent !== at; at = at.parent) parts.push(at.name);
    return path.join(node.mount.opts.root, ...parts.reverse());
  };
  const makeNode = (parent, name, stat) => {
    const mode = stat.isDirectory() ? S_IFDIR | 0o777 : S_IFREG | 0o666;
    const node = FS.createNode(parent, name, mode, 0);
    node.node_ops = nodeOps;
    node.stream_ops = streamOps;
    return node;
  };
  const room = (node, extra) => {
    const { capacity, root } = node.mount.opts;
    if (capacity && extra > 0 && usedBytes(root) + Math.ceil(extra / BLOCK) * BLOCK > capacity) throw new FS.ErrnoError(51);
  };
  const nodeOps = {
    getattr(node) {
      const stat = guard(() => fs.statSync(realPath(node)));
      const size = stat.isDirectory() ? 0 : stat.size;
      return {
        dev: 1, ino: node.id, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size, blksize: BLOCK,
        blocks: Math.ceil(size / BLOCK), atime: stat.atime, mtime: stat.mtime, ctime: stat.ctime,
      };
    },
    setattr(node, attr) {
      if (attr.size !== undefined) guard(() => fs.truncateSync(realPath(node), attr.size));
    },
    lookup(parent, name) {
      return makeNode(parent, name, guard(() => fs.statSync(path.join(realPath(parent), name))));
    },
    mknod(parent, name, mode) {
      room(parent, BLOCK);
      const full = path.join(realPath(parent), name);
      guard(() => ((mode & S_IFDIR) ? fs.mkdirSync(full) : fs.closeSync(fs.openSync(full, "w"))));
      return makeNode(parent, name, fs.statSync(full));
    },
    rename(node, folder, name) {
      const target = path.join(realPath(folder), name);
      guard(() => fs.renameSync(realPath(node), target));
      try {
        FS.hashRemoveNode(FS.lookupNode(folder, name)); // the node of the file that was replaced, where one is cached
      } finally {
        node.name = name;
      }
    },
    unlink: (parent, name) => guard(() => fs.unlinkSync(path.join(realPath(parent), name))),
    rmdir: (parent, name) => guard(() => fs.rmdirSync(path.join(realPath(parent), name))),
    readdir: (node) => [".", "..", ...guard(() => fs.readdirSync(realPath(node)))],
    statfs(root) {
      const capacity = FS.hostCapacity || (1 << 30), free = Math.max(0, capacity - usedBytes(root));
      const blocks = Math.floor(capacity / BLOCK), bfree = Math.floor(free / BLOCK);
      return { bsize: BLOCK, frsize: BLOCK, blocks, bfree, bavail: bfree };
    },
  };
  const streamOps = {
    open(stream) {
      const access = stream.flags & O_ACCMODE;
      stream.nfd = guard(() => fs.openSync(realPath(stream.node), access === 0 ? "r" : "r+"));
    },
    close: (stream) => guard(() => fs.closeSync(stream.nfd)),
    fsync: (stream) => guard(() => fs.fsyncSync(stream.nfd)),
    read: (stream, buffer, offset, length, position) =>
      length ? guard(() => fs.readSync(stream.nfd, buffer, offset, length, position)) : 0,
    write(stream, buffer, offset, length, position) {
      const size = guard(() => fs.fstatSync(stream.nfd)).size;
      const blocks = (bytes) => Math.ceil(bytes / BLOCK) * BLOCK;
      room(stream.node, blocks(position + length) - Math.max(blocks(size), BLOCK));
      return guard(() => fs.writeSync(stream.nfd, buffer, offset, length, stream.flags & O_APPEND ? size : position));
    },
    llseek(stream, offset, whence) {
      const base = [0, stream.position, whence === 2 ? guard(() => fs.fstatSync(stream.nfd)).size : 0][whence];
      if (base + offset < 0) throw new FS.ErrnoError(28);
      return base + offset;
    },
  };
  return {
    mount(mount) {
      const node = makeNode(null, "/", fs.statSync(mount.opts.root));
      node.mount = mount;
      if (mount.opts.capacity) FS.hostCapacity = mount.opts.capacity;
      return node;
    },
  };
}
