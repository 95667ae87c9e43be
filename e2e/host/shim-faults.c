// Starts a shim whose system calls can be made to fail: what is compiled by Bun goes past libc, so nothing preloaded
// sees its calls. A filter stops the chosen calls, and a process that stays behind lets them through or answers with an
// error. What is to fail lies in a file (int64 each): the group of calls, how many are still to fail.
// Compiled with SHIM, the shim's path, and CONTROL, that file's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// In the order of shim-faults.ts.
enum { NONE, OPEN, SOCKET, DESCRIPTOR, SPAWN, WRITE, CHANGE, STAT, LIST, SPLICE, WATCH, MOUNT };
static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOSPC};

static const struct { int call, group; } calls[] = {
  {__NR_openat, OPEN}, {__NR_openat2, OPEN},
  {__NR_socket, SOCKET}, {__NR_socketpair, SOCKET}, {__NR_connect, SOCKET}, {__NR_accept4, SOCKET}, {__NR_accept, SOCKET},
  {__NR_sendmsg, SOCKET},
  {__NR_pipe2, DESCRIPTOR}, {__NR_eventfd2, DESCRIPTOR}, {__NR_epoll_create1, DESCRIPTOR}, {__NR_timerfd_create, DESCRIPTOR},
  {__NR_memfd_create, DESCRIPTOR}, {__NR_dup, DESCRIPTOR}, {__NR_dup3, DESCRIPTOR}, {__NR_fcntl, DESCRIPTOR},
  {__NR_pidfd_open, DESCRIPTOR},
  {__NR_clone, SPAWN}, {__NR_clone3, SPAWN},
  {__NR_write, WRITE}, {__NR_pwrite64, WRITE}, {__NR_writev, WRITE},
  {__NR_mkdirat, CHANGE}, {__NR_renameat, CHANGE}, {__NR_renameat2, CHANGE}, {__NR_linkat, CHANGE}, {__NR_unlinkat, CHANGE},
  {__NR_ftruncate, CHANGE}, {__NR_fchown, CHANGE},
  {__NR_newfstatat, STAT}, {__NR_statx, STAT}, {__NR_fstat, STAT}, {__NR_readlinkat, STAT}, {__NR_faccessat, STAT},
  {__NR_getdents64, LIST},
  {__NR_splice, SPLICE}, {__NR_tee, SPLICE}, {__NR_vmsplice, SPLICE},
  {__NR_epoll_ctl, WATCH}, {__NR_inotify_init1, WATCH}, {__NR_inotify_add_watch, WATCH},
  {__NR_mount, MOUNT}, {__NR_umount2, MOUNT}, {__NR_open_tree, MOUNT}, {__NR_move_mount, MOUNT}, {__NR_fsopen, MOUNT}, {__NR_fsmount, MOUNT},
#ifdef __x86_64__
  {__NR_open, OPEN}, {__NR_pipe, DESCRIPTOR}, {__NR_dup2, DESCRIPTOR}, {__NR_fork, SPAWN}, {__NR_vfork, SPAWN},
  {__NR_mkdir, CHANGE}, {__NR_rename, CHANGE}, {__NR_link, CHANGE}, {__NR_unlink, CHANGE}, {__NR_rmdir, CHANGE},
  {__NR_stat, STAT}, {__NR_lstat, STAT}, {__NR_readlink, STAT}, {__NR_access, STAT},
#endif
};
enum { COUNT = sizeof calls / sizeof *calls };

static int group_of(int call) {
  for (int i = 0; i < COUNT; i++)
    if (calls[i].call == call) return calls[i].group;
  return NONE;
}

// Whether the caller is a shim, not what it has started: that inherits the filter.
static int is_shim(pid_t pid) {
  char path[64], exe[4096];
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  ssize_t length = readlink(path, exe, sizeof exe - 1);
  if (length < 0) return 0;
  exe[length] = 0;
  return strcmp(exe, SHIM) == 0;
}

// Files only: what wakes an event loop cannot fail.
static int on_disk(pid_t pid, int fd) {
  char path[64];
  struct stat st;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

// Threads are the business of the shim's JavaScript engine, which does not start without them.
static int starts_process(const struct seccomp_notif *asked) {
  uint64_t flags = asked->data.args[0];
  if (asked->data.nr == __NR_clone3) {
    struct iovec here = {&flags, sizeof flags}, there = {(void *)asked->data.args[0], sizeof flags};
    if (process_vm_readv((pid_t)asked->pid, &here, 1, &there, 1, 0) != (ssize_t)sizeof flags) return 0;
  }
  return (asked->data.nr != __NR_clone && asked->data.nr != __NR_clone3) || !(flags & CLONE_THREAD);
}

static void watch(int listener) {
  int control = open(CONTROL, O_RDWR | O_CLOEXEC);
  volatile int64_t *armed = control < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
  for (struct pollfd fd = {listener, POLLIN, 0};;) {
    if (poll(&fd, 1, -1) < 0 && errno != EINTR) return;
    if (fd.revents & (POLLHUP | POLLERR)) return; // nobody is left that has the filter
    if (!(fd.revents & POLLIN)) continue;
    struct seccomp_notif asked;
    memset(&asked, 0, sizeof asked);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) continue;
    struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    int group = group_of(asked.data.nr), fd_number = (int)asked.data.args[0], command = (int)asked.data.args[1];
    int fits = armed != MAP_FAILED && armed[0] == group && armed[1] > 0 && is_shim((pid_t)asked.pid);
    if (fits && group == WRITE) fits = on_disk((pid_t)asked.pid, fd_number);
    if (fits && group == SPAWN) fits = starts_process(&asked);
    if (fits && asked.data.nr == __NR_fcntl) fits = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    if (fits) {
      int64_t left = __atomic_fetch_sub((int64_t *)&armed[1], 1, __ATOMIC_SEQ_CST);
      if (left > 0) answer.flags = 0, answer.error = -errors[left % 4];
    }
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

static int filter(void) {
  struct sock_filter code[COUNT + 6];
  int at = 0;
  code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
#ifdef __x86_64__
  code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, COUNT + 1);
#else
  code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_AARCH64, 0, COUNT + 1);
#endif
  code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < COUNT; i++)
    code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].call, (unsigned char)(COUNT - i), 0);
  code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  struct sock_fprog program = {(unsigned short)at, code};
  return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

int main(int argc, char **argv) {
  (void)argc;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return 125;
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } space;
  char byte = 0;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
  pid_t child = fork();
  if (child == 0) {
    // Nobody's child, and without a descriptor that somebody waits for the end of.
    if (fork() != 0) _exit(0);
    setsid();
    if (recvmsg(pair[0], &message, MSG_CMSG_CLOEXEC) != 1) _exit(1);
    int listener;
    memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
    int kept = fcntl(listener, F_DUPFD_CLOEXEC, 1000);
    syscall(__NR_close_range, 0, 999, 0);
    prctl(PR_SET_NAME, "shim-faults");
    watch(kept);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  int listener = filter();
  if (listener < 0) return 125;
  memset(&space, 0, sizeof space);
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof listener), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(head), &listener, sizeof listener);
  // Not by sendmsg, which the filter would stop before anybody listens.
  struct mmsghdr one = {.msg_hdr = message};
  if (syscall(__NR_sendmmsg, pair[1], &one, 1, 0) != 1) return 125;
  close(listener);
  execv(SHIM, argv);
  return 125;
}
