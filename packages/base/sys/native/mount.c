/* Mounts. */
#include "addon.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

struct mount_task {
  const char *workdir, *source, *target, *type, *data;
  unsigned long flags;
};

/* Relative paths inside `data` count from workdir. Only this thread leaves the shared cwd. */
static int mount_in_workdir(void *data) {
  struct mount_task *t = data;
  if (unshare(CLONE_FS) || chdir(t->workdir)) return errno;
  return mount(t->source, t->target, t->type, t->flags, t->data) ? errno : 0;
}

METHOD(sys_mount) {
  struct mount_task t = {
      .source = arg_string(c, 0),
      .target = arg_string(c, 1),
      .type = arg_optional_string(c, 2),
      .flags = (unsigned long)arg_int(c, 3),
      .data = arg_optional_string(c, 4),
      .workdir = arg_optional_string(c, 5),
  };
  if (c->failed) return NULL;
  int error = t.workdir ? on_throwaway_thread(mount_in_workdir, &t) : mount(t.source, t.target, t.type, t.flags, t.data) ? errno : 0;
  return error ? throw_errno(c, error, "mount", t.source, t.target) : NULL;
}

METHOD(sys_umount) {
  const char *target = arg_string(c, 0);
  int flags = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  return umount2(target, flags) ? throw_errno(c, errno, "umount", target, NULL) : NULL;
}

/* Read-only for a whole tree needs mount_setattr (Linux 5.12); a bind remount reaches one mount only. */
METHOD(sys_mount_setattr) {
  struct { uint64_t set, clear, propagation, userns_fd; } attr = {0};
  const char *target = arg_string(c, 0);
  attr.set = (uint64_t)arg_int(c, 1);
  attr.clear = (uint64_t)arg_int(c, 2);
  attr.propagation = (uint64_t)arg_int(c, 3);
  bool recursive = arg_bool(c, 4);
  if (c->failed) return NULL;
  long rc = syscall(442 /* mount_setattr */, AT_FDCWD, target, recursive ? AT_RECURSIVE : 0, &attr, sizeof attr);
  return rc ? throw_errno(c, errno, "mount_setattr", target, NULL) : NULL;
}

void register_mount(napi_env env, napi_value exports) {
  export_method(env, exports, "mount", sys_mount);
  export_method(env, exports, "umount", sys_umount);
  export_method(env, exports, "mountSetattr", sys_mount_setattr);
}
