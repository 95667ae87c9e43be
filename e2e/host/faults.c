// Preloaded into the daemons under test: chosen system calls fail with chosen errors, so many times. What is chosen
// lies in a file that all processes share (int64 each): the group of calls, how many are still to fail.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

// In the order of faults.ts.
enum { NONE, ACCEPT, SOCKET, CONNECT, OPEN, PIPE, INOTIFY, SPAWN, WRITE, SYNC, CHANGE, LOOKUP, STAT, LIST };
static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOSPC};

struct control { int64_t group, left; };
static struct control *control;
static pid_t self;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULTS_CONTROL");
  char exe[4096];
  // The daemons themselves, not the shells that become them, nor what they start.
  ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (path == NULL || length < 5 || memcmp(exe + length - 5, "/node", 5) != 0) return;
  self = getpid();
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) control = at;
}

// The error that this call fails with; 0 when it goes through.
static int fault(int group) {
  if (control == NULL || __atomic_load_n(&control->group, __ATOMIC_SEQ_CST) != group || getpid() != self) return 0;
  int64_t left = __atomic_fetch_sub(&control->left, 1, __ATOMIC_SEQ_CST);
  return left > 0 ? errors[left % 4] : 0;
}

#define REAL(name) static __typeof__(name) *real; if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define FAIL(group) do { int error = fault(group); if (error != 0) { errno = error; return -1; } } while (0)

int accept(int fd, struct sockaddr *a, socklen_t *l) { REAL(accept); FAIL(ACCEPT); return real(fd, a, l); }
int accept4(int fd, struct sockaddr *a, socklen_t *l, int f) { REAL(accept4); FAIL(ACCEPT); return real(fd, a, l, f); }
int socket(int d, int t, int p) { REAL(socket); FAIL(SOCKET); return real(d, t, p); }
int socketpair(int d, int t, int p, int v[2]) { REAL(socketpair); FAIL(SOCKET); return real(d, t, p, v); }
int connect(int fd, const struct sockaddr *a, socklen_t l) { REAL(connect); FAIL(CONNECT); return real(fd, a, l); }
int pipe2(int fds[2], int flags) { REAL(pipe2); FAIL(PIPE); return real(fds, flags); }
int eventfd(unsigned int v, int flags) { REAL(eventfd); FAIL(PIPE); return real(v, flags); }
int inotify_init1(int flags) { REAL(inotify_init1); FAIL(INOTIFY); return real(flags); }
int inotify_add_watch(int fd, const char *p, uint32_t m) { REAL(inotify_add_watch); FAIL(INOTIFY); return real(fd, p, m); }
int fsync(int fd) { REAL(fsync); FAIL(SYNC); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); FAIL(SYNC); return real(fd); }
int ftruncate(int fd, off_t l) { REAL(ftruncate); FAIL(CHANGE); return real(fd, l); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); FAIL(CHANGE); return real(p, m); }
int rename(const char *a, const char *b) { REAL(rename); FAIL(CHANGE); return real(a, b); }
int link(const char *a, const char *b) { REAL(link); FAIL(CHANGE); return real(a, b); }
int getsockopt(int fd, int l, int o, void *v, socklen_t *n) { REAL(getsockopt); FAIL(LOOKUP); return real(fd, l, o, v, n); }
int getsockname(int fd, struct sockaddr *a, socklen_t *l) { REAL(getsockname); FAIL(LOOKUP); return real(fd, a, l); }
int statx(int d, const char *restrict p, int f, unsigned int m, struct statx *restrict s) { REAL(statx); FAIL(STAT); return real(d, p, f, m, s); }
DIR *opendir(const char *p) { REAL(opendir); int error = fault(LIST); if (error != 0) { errno = error; return NULL; } return real(p); }
int scandir(const char *restrict p, struct dirent ***restrict l, int (*s)(const struct dirent *), int (*c)(const struct dirent **, const struct dirent **)) { REAL(scandir); FAIL(LIST); return real(p, l, s, c); }

int posix_spawnp(pid_t *restrict pid, const char *restrict f, const posix_spawn_file_actions_t *restrict a, const posix_spawnattr_t *restrict t, char *const v[restrict], char *const e[restrict]) {
  REAL(posix_spawnp);
  int error = fault(SPAWN);
  return error != 0 ? error : real(pid, f, a, t, v, e);
}

#define OPENED(name, group, call, ...) \
  va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
  REAL(name); FAIL(group); return call
int open(const char *p, int flags, ...) { OPENED(open, OPEN, real(p, flags, mode)); }
int open64(const char *p, int flags, ...) { OPENED(open64, OPEN, real(p, flags, mode)); }
int openat(int d, const char *p, int flags, ...) { OPENED(openat, OPEN, real(d, p, flags, mode)); }
int openat64(int d, const char *p, int flags, ...) { OPENED(openat64, OPEN, real(d, p, flags, mode)); }

// Files only: what wakes an event loop cannot fail.
static int on_disk(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}
#define FAIL_ON_DISK(fd) do { if (control != NULL && control->group == WRITE && on_disk(fd)) FAIL(WRITE); } while (0)
ssize_t write(int fd, const void *b, size_t n) { REAL(write); FAIL_ON_DISK(fd); return real(fd, b, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { REAL(pwrite); FAIL_ON_DISK(fd); return real(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(pwrite64); FAIL_ON_DISK(fd); return real(fd, b, n, o); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(writev); FAIL_ON_DISK(fd); return real(fd, v, n); }
