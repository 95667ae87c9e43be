/* File system calls that Node lacks. */
#include "addon.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

METHOD(sys_mknod) {
  const char *path = arg_string(c, 0);
  mode_t mode = (mode_t)arg_int(c, 1);
  unsigned major_number = (unsigned)arg_int(c, 2), minor_number = (unsigned)arg_int(c, 3);
  if (c->failed) return NULL;
  return mknod(path, mode, makedev(major_number, minor_number)) ? throw_errno(c, errno, "mknod", path, NULL) : NULL;
}

METHOD(sys_mkfifo) {
  const char *path = arg_string(c, 0);
  mode_t mode = (mode_t)arg_int(c, 1);
  if (c->failed) return NULL;
  return mkfifo(path, mode) ? throw_errno(c, errno, "mkfifo", path, NULL) : NULL;
}

static struct timespec timespec_of(int64_t nanoseconds) {
  int64_t s = nanoseconds / 1000000000, ns = nanoseconds % 1000000000;
  if (ns < 0) s--, ns += 1000000000;
  return (struct timespec){.tv_sec = s, .tv_nsec = ns};
}

METHOD(sys_lutimes) {
  const char *path = arg_string(c, 0);
  struct timespec times[2] = {timespec_of((int64_t)arg_bigint(c, 1)), timespec_of((int64_t)arg_bigint(c, 2))};
  if (c->failed) return NULL;
  return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) ? throw_errno(c, errno, "utimensat", path, NULL) : NULL;
}

METHOD(sys_openat2) {
  struct { uint64_t flags, mode, resolve; } how = {0};
  int directory = (int)arg_int(c, 0);
  const char *path = arg_string(c, 1);
  how.flags = (uint64_t)arg_int(c, 2) | O_CLOEXEC;
  how.mode = (uint64_t)arg_int(c, 3);
  how.resolve = (uint64_t)arg_int(c, 4);
  if (c->failed) return NULL;
  long fd;
  int tries = 0;
  /* EAGAIN: a rename raced with the walk */
  do fd = syscall(437 /* openat2 */, directory, path, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 1000)));
  return fd < 0 ? throw_errno(c, errno, "openat2", path, NULL) : result_int(c, fd);
}

METHOD(sys_renameat2) {
  const char *from = arg_string(c, 0), *to = arg_string(c, 1);
  unsigned flags = (unsigned)arg_int(c, 2);
  if (c->failed) return NULL;
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags) ? throw_errno(c, errno, "renameat2", from, to) : NULL;
}

METHOD(sys_flock) {
  int fd = (int)arg_int(c, 0), operation = (int)arg_int(c, 1), rc;
  if (c->failed) return NULL;
  do rc = flock(fd, operation);
  while (rc && errno == EINTR);
  return rc ? throw_errno(c, errno, "flock", NULL, NULL) : NULL;
}

METHOD(sys_fallocate) {
  int fd = (int)arg_int(c, 0), mode = (int)arg_int(c, 1), rc;
  off_t offset = arg_int(c, 2), length = arg_int(c, 3);
  if (c->failed) return NULL;
  do rc = fallocate(fd, mode, offset, length);
  while (rc && errno == EINTR);
  return rc ? throw_errno(c, errno, "fallocate", NULL, NULL) : NULL;
}

METHOD(sys_syncfs) {
  int fd = (int)arg_int(c, 0);
  if (c->failed) return NULL;
  return syncfs(fd) ? throw_errno(c, errno, "syncfs", NULL, NULL) : NULL;
}

/* One allocation: the path, its end, and what is written. */
struct aside {
  size_t length;
  const char *data;
  char path[];
};

static void *aside_main(void *data) {
  struct aside *aside = data;
  int fd = open(aside->path, O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    ssize_t written = write(fd, aside->data, aside->length);
    (void)written;
    close(fd);
  }
  free(aside);
  return NULL;
}

/* writeAside(path, text): on a thread that nobody waits for, whose outcome nobody learns. */
METHOD(sys_write_aside) {
  const char *path = arg_string(c, 0), *text = arg_string(c, 1);
  if (c->failed) return NULL;
  size_t path_size = strlen(path) + 1, length = strlen(text);
  struct aside *aside = malloc(sizeof *aside + path_size + length);
  if (!aside) return throw_errno(c, ENOMEM, "malloc", NULL, NULL);
  aside->length = length;
  aside->data = memcpy(aside->path + path_size, text, length);
  memcpy(aside->path, path, path_size);
  int error = start_thread(aside_main, aside, 64 << 10, 0);
  if (!error) return NULL;
  free(aside);
  return throw_errno(c, error, "pthread_create", path, NULL);
}

void register_fs(napi_env env, napi_value exports) {
  export_method(env, exports, "mknod", sys_mknod);
  export_method(env, exports, "mkfifo", sys_mkfifo);
  export_method(env, exports, "lutimes", sys_lutimes);
  export_method(env, exports, "openat2", sys_openat2);
  export_method(env, exports, "renameat2", sys_renameat2);
  export_method(env, exports, "flock", sys_flock);
  export_method(env, exports, "fallocate", sys_fallocate);
  export_method(env, exports, "syncfs", sys_syncfs);
  export_method(env, exports, "writeAside", sys_write_aside);
}
