/* Starting a process without the runtime's own child handling, which would reap behind our back. */
#include "addon.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPAWN_SETPGID = 1, SPAWN_SETSID = 2 };

METHOD(sys_spawn) {
  size_t fd_count;
  const char *file = arg_string(c, 0);
  char **argv = arg_strings(c, 1), **envp = arg_strings(c, 2);
  const char *cwd = arg_optional_string(c, 3);
  int *fds = arg_ints(c, 4, &fd_count);
  int options = (int)arg_int(c, 5);
  if (c->failed) return NULL;
  int *high = call_alloc(c, fd_count * sizeof *high);
  if (!high) return NULL;

  int error = 0;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  /* Copies above all targets first: a target may be the source of a later one. */
  for (size_t i = 0; i < fd_count; i++) high[i] = -1;
  for (size_t i = 0; i < fd_count && !error; i++) {
    if (fds[i] < 0) {
      error = posix_spawn_file_actions_addopen(&actions, (int)i, "/dev/null", O_RDWR, 0);
      continue;
    }
    high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, (int)fd_count + 64);
    error = high[i] < 0 ? errno : posix_spawn_file_actions_adddup2(&actions, high[i], (int)i);
  }
  if (cwd && !error) error = posix_spawn_file_actions_addchdir_np(&actions, cwd);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  if (options & SPAWN_SETPGID) flags |= POSIX_SPAWN_SETPGROUP;
  if (options & SPAWN_SETSID) flags |= POSIX_SPAWN_SETSID;
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, flags);
  pid_t pid = -1;
  if (!error) error = posix_spawnp(&pid, file, &actions, &attributes, argv, envp);
  for (size_t i = 0; i < fd_count; i++)
    if (high[i] >= 0) close(high[i]);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error ? throw_errno(c, error, "spawn", file, NULL) : result_int(c, pid);
}

/* waitNow(pid): the wait status of a child that has ended, -1 while it has not. */
METHOD(sys_wait_now) {
  pid_t pid = (pid_t)arg_int(c, 0);
  if (c->failed) return NULL;
  int status;
  pid_t ended;
  do ended = waitpid(pid, &status, WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended < 0) return throw_errno(c, errno, "waitpid", NULL, NULL);
  return result_int(c, ended == 0 ? -1 : status);
}

void register_spawn(napi_env env, napi_value exports) {
  export_method(env, exports, "spawn", sys_spawn);
  export_method(env, exports, "waitNow", sys_wait_now);
}
