// Preloaded into the daemons under test: at a chosen call it takes the power away from the disk, or
// ends the process. Control and counting lie in a file that all processes share (three int64).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

// linux/fs/ext4/ext4.h: the file system stops at once, and its journal is not written out.
#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

enum { MODE_CUT = 1, MODE_KILL = 2, MODE_KILL_ANYWHERE = 3 };
struct control { int64_t mode, target, count; };

static struct control *control;
static dev_t disk;
static const char *prefix;
static pid_t self;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("POWER_CUT_CONTROL");
  struct stat st;
  char exe[4096];
  // The daemon itself, not the shell that becomes it, nor what it starts.
  ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (length < 5 || memcmp(exe + length - 5, "/node", 5) != 0) return;
  unsetenv("LD_PRELOAD");
  self = getpid();
  prefix = getenv("POWER_CUT_DISK");
  if (path == NULL || prefix == NULL || stat(prefix, &st) != 0) return;
  disk = st.st_dev;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) control = at;
}

static void count(int64_t mode) {
  // A child between fork and exec is not the daemon.
  if (getpid() != self) return;
  if (__atomic_load_n(&control->mode, __ATOMIC_SEQ_CST) != mode) return;
  if (__atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST) != control->target) return;
  if (mode != MODE_CUT) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  uint32_t flags = EXT4_GOING_FLAGS_NOLOGFLUSH;
  int fd = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ioctl(fd, EXT4_IOC_SHUTDOWN, &flags) != 0) perror("power cut");
  if (fd >= 0) close(fd);
}

static void anywhere(void) {
  if (control != NULL) count(MODE_KILL_ANYWHERE);
}

static void at_fd(int fd, int64_t mode) {
  struct stat st;
  if (mode == MODE_KILL) anywhere();
  if (control != NULL && fstat(fd, &st) == 0 && st.st_dev == disk) count(mode);
}

static void at_path(int dir, const char *path) {
  if (control == NULL || path == NULL) return;
  if (path[0] != '/' && dir != AT_FDCWD) return at_fd(dir, MODE_KILL);
  anywhere();
  if (strncmp(path, prefix, strlen(prefix)) == 0) count(MODE_KILL);
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = dlsym(RTLD_NEXT, #name)
#define BOTH(fd) (at_fd(fd, MODE_CUT), at_fd(fd, MODE_KILL))

int fsync(int fd) { REAL(fsync); BOTH(fd); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); BOTH(fd); return real(fd); }
int syncfs(int fd) { REAL(syncfs); BOTH(fd); return real(fd); }

ssize_t write(int fd, const void *b, size_t n) { REAL(write); at_fd(fd, MODE_KILL); return real(fd, b, n); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(pwrite64); at_fd(fd, MODE_KILL); return real(fd, b, n, o); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(writev); at_fd(fd, MODE_KILL); return real(fd, v, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); at_fd(fd, MODE_KILL); return real(fd, n); }
int rename(const char *a, const char *b) { REAL(rename); at_path(AT_FDCWD, b); return real(a, b); }
int unlink(const char *p) { REAL(unlink); at_path(AT_FDCWD, p); return real(p); }
int unlinkat(int d, const char *p, int f) { REAL(unlinkat); at_path(d, p); return real(d, p, f); }
int rmdir(const char *p) { REAL(rmdir); at_path(AT_FDCWD, p); return real(p); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); at_path(AT_FDCWD, p); return real(p, m); }
int symlink(const char *t, const char *p) { REAL(symlink); at_path(AT_FDCWD, p); return real(t, p); }

ssize_t send(int fd, const void *b, size_t n, int f) { REAL(send); anywhere(); return real(fd, b, n, f); }
ssize_t sendto(int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l) { REAL(sendto); anywhere(); return real(fd, b, n, f, a, l); }
ssize_t sendmsg(int fd, const struct msghdr *m, int f) { REAL(sendmsg); anywhere(); return real(fd, m, f); }
int mount(const char *s, const char *t, const char *y, unsigned long f, const void *d) { REAL(mount); anywhere(); return real(s, t, y, f, d); }
int umount2(const char *t, int f) { REAL(umount2); anywhere(); return real(t, f); }
int unshare(int f) { REAL(unshare); anywhere(); return real(f); }
int setns(int fd, int t) { REAL(setns); anywhere(); return real(fd, t); }

static mode_t mode_of(int flags, va_list args) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; }
#define OPEN(name) \
  int name(const char *p, int flags, ...) { \
    REAL(name); \
    va_list args; \
    va_start(args, flags); \
    mode_t mode = mode_of(flags, args); \
    va_end(args); \
    if (flags & O_CREAT) at_path(AT_FDCWD, p); \
    return real(p, flags, mode); \
  }
OPEN(open)
OPEN(open64)
