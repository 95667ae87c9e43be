export { receiveFd, resizePty, sendFd, unixListen } from "./console.ts";
export { AF, LOCK, MNT, MOUNT_ATTR, MS, O, RENAME, RESOLVE, S, SOCK } from "./constants.ts";
export { forwardTcp, forwardUdp, type ForwardAddress } from "./forward.ts";
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
} from "./fs.ts";
export { renderLogRecords, type LogRecordShow } from "./log-records.ts";
export { releaseFilePages } from "./memory.ts";
export { mountAll, unmountAll, unmountTree, type MountSpec } from "./mount-all.ts";
export { readMountInfo, type MountInfo } from "./mount-info.ts";
export { parseMountOptions, type ParsedMountOptions } from "./mount-options.ts";
export { mount, mountSetattr, umount } from "./mount.ts";
export { netlinkRequest } from "./netlink.ts";
export { takeServiceManager } from "./notify.ts";
export { createNetns, removeNetns, socketInNetns, type SocketInNetnsOptions, writeInNetns } from "./netns.ts";
export { openInRoot, openat2 } from "./open.ts";
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
} from "./process.ts";
export type { ChannelOptions, LogOptions, ProcessExit, RelayEvents } from "./relay-types.ts";
export { Relay } from "./relay.ts";
export { giveMemoryBackAtRest } from "./rest.ts";
export { Child, type ChildOptions } from "./child.ts";
export { spawn, type SpawnOptions } from "./spawn.ts";
export { renameAll, writeFileWhole, type WholeFileOptions } from "./write-file.ts";
export { lgetxattr, llistxattr, lremovexattr, lsetxattr } from "./xattr.ts";
