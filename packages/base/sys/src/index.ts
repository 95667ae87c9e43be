export { receiveFd, resizePty, sendFd, unixListen } from "./relay/console.ts";
export { AF, LOCK, MNT, MOUNT_ATTR, MS, O, RENAME, RESOLVE, S, SOCK } from "./constants.ts";
export { forwardTcp, forwardUdp, type ForwardAddress } from "./net/forward.ts";
export {
  fallocate,
  flock,
  lutimes,
  major,
  minor,
  mkfifo,
  mknod,
  removeTree,
  renameat2,
  syncfs,
  writeAside,
} from "./fs/fs.ts";
export { renderLogRecords, type LogRecordShow } from "./relay/log-records.ts";
export { releaseFilePages } from "./process/memory.ts";
export { mountAll, unmountAll, unmountTree, type MountSpec } from "./mount/mount-all.ts";
export { mountPointsBelow, readMountInfo, type MountInfo } from "./mount/mount-info.ts";
export { parseMountOptions, type ParsedMountOptions } from "./mount/mount-options.ts";
export { mount, mountSetattr, umount } from "./mount/mount.ts";
export { netlinkRequest } from "./net/netlink.ts";
export { sendUnixDatagram } from "./net/unix-datagram.ts";
export { takeServiceManager } from "./process/notify.ts";
export { createNetns, removeNetns, socketInNetns, type SocketInNetnsOptions, writeInNetns } from "./net/netns.ts";
export { openInRoot, openat2 } from "./fs/open.ts";
export {
  dup,
  dup2,
  eventfd,
  hungUp,
  kill,
  peerCredentials,
  pipe,
  setChildSubreaper,
  unreadBytes,
  watchFile,
} from "./process/process.ts";
export type { ChannelOptions, LogOptions, ProcessExit, RelayEvents } from "./relay/relay-types.ts";
export { Relay } from "./relay/relay.ts";
export { releaseMemoryWhenIdle } from "./process/idle-memory.ts";
export { Child, type ChildOptions } from "./process/child.ts";
export { spawn, type SpawnOptions } from "./process/spawn.ts";
export { renameAll, writeFileWhole, type WholeFileOptions } from "./fs/write-file.ts";
export { lgetxattr, llistxattr, lremovexattr, lsetxattr } from "./fs/xattr.ts";
