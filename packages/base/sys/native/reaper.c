/* The only waiter in the process: orphans and own children alike, told to JavaScript by pid. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "relay.h"

static struct source wakeup = {.fd = -1};
static struct sigaction previous;

static void on_sigchld(int signal) {
  (void)signal;
  int error = errno;
  uint64_t one = 1;
  (void)!write(wakeup.fd, &one, sizeof one);
  errno = error;
}

static void reap(struct source *s, uint32_t events) {
  (void)events;
  uint64_t count;
  (void)!read(s->fd, &count, sizeof count);
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    relay_post(EVENT_EXIT, pid, code, (double)now.tv_sec, (double)now.tv_nsec, NULL, 0);
  }
}

int reaper_open(void) {
  source_init(&wakeup, eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), reap, NULL);
  return wakeup.fd < 0 ? errno : 0;
}

void reaper_start(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_sigchld;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, &previous);
  source_want(&wakeup, EPOLLIN);
}

void reaper_stop(void) {
  sigaction(SIGCHLD, &previous, NULL);
  source_close(&wakeup);
}
