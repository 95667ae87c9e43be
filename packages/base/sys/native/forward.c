/* Threads that forward ports. JavaScript starts and ends ports; no byte and no event passes through it. */
#include "addon.h"
#include "forward.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 4
#define EVENTS 64
/* How often flows without datagrams are looked for. */
#define SWEEP_MS 5000

static struct worker workers[WORKERS_MAX];
static int worker_count, last_id;
static _Atomic unsigned turn;

int64_t forward_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int forward_watch(struct worker *w, struct watched *what, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = what};
  return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, what->fd, &e) ? errno : 0;
}

void forward_unwatch(struct watched *what) {
  if (what->fd >= 0) close(what->fd);
  what->fd = -1;
}

void forward_bury(struct worker *w, struct buried *what) {
  what->next = w->graves;
  w->graves = what;
}

struct worker *forward_next_worker(void) { return &workers[turn++ % (unsigned)worker_count]; }

static void resume(struct worker *w) {
  w->paused_until = 0;
  for (struct port *p = w->ports; p; p = p->next)
    if (!p->buckets) forward_watch(w, &p->listener, EPOLLIN); /* EEXIST for those that never rested */
}

static void *forward_main(void *data) {
  struct worker *w = data;
  int64_t swept = forward_now();
  int wait = -1;
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(w->epoll_fd, events, EVENTS, wait);
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < n; i++) {
      struct watched *what = events[i].data.ptr;
      if (what->fd >= 0) what->ready(what, events[i].events);
    }
    tcp_continue(w);
    int64_t now = forward_now();
    bool flows = false;
    for (struct port *p = w->ports; p; p = p->next) {
      if (p->buckets && now - swept > (int64_t)SWEEP_MS * 1000000) udp_expire(p);
      flows |= p->buckets != NULL;
    }
    if (now - swept > (int64_t)SWEEP_MS * 1000000) swept = now;
    if (w->paused_until && now >= w->paused_until) resume(w);
    wait = w->unfinished ? 0 : w->paused_until ? FORWARD_PAUSE_MS : flows ? SWEEP_MS : -1;
    struct buried *dead = w->graves;
    w->graves = NULL;
    pthread_mutex_unlock(&w->lock);
    for (struct buried *next; dead; dead = next) {
      next = dead->next;
      free(dead);
    }
  }
  return NULL;
}

static int start_workers(void) {
  if (worker_count) return 0;
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  int count = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (int)cores;
  signal(SIGPIPE, SIG_IGN);
  int error = 0;
  for (int i = 0; i < count && !error; i++) {
    struct worker *w = &workers[i];
    if (w->started) continue;
    pthread_mutex_init(&w->lock, NULL);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    error = w->epoll_fd < 0 ? errno : start_thread(forward_main, w, 256 << 10, 0);
    w->started = !error;
    if (error && w->epoll_fd >= 0) close(w->epoll_fd);
  }
  if (!error) worker_count = count;
  return error;
}

static int target_of(struct port *p, const char *address, int port) {
  struct sockaddr_in *in = (void *)&p->target;
  struct sockaddr_in6 *in6 = (void *)&p->target;
  if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    p->target_size = sizeof *in;
    return 0;
  }
  if (inet_pton(AF_INET6, address, &in6->sin6_addr) != 1) return EINVAL;
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons((uint16_t)port);
  p->target_size = sizeof *in6;
  return 0;
}

/* forward(fd, address, port, idle ms): the bound socket becomes the forwarder's own, also when it fails; gives an id. */
METHOD(sys_forward) {
  int fd = (int)arg_int(c, 0);
  const char *address = arg_string(c, 1);
  int to = (int)arg_int(c, 2);
  int64_t idle = arg_int(c, 3);
  if (c->failed) return NULL;
  struct port *p = calloc(1, sizeof *p);
  int type = 0, error = p ? 0 : ENOMEM;
  socklen_t size = sizeof type;
  const char *failed = "forward";
  if (!error && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size)) error = errno;
  if (!error && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)) error = errno;
  if (!error) error = target_of(p, address, to);
  if (!error) error = start_workers();
  if (!error) {
    p->listener.fd = fd;
    p->id = ++last_id;
    p->idle_ns = idle * 1000000;
    /* All TCP listeners have one thread: whoever gives connections to others takes its own lock first. */
    p->worker = type == SOCK_STREAM ? &workers[0] : forward_next_worker();
    p->listener.ready = type == SOCK_STREAM ? tcp_accept : udp_receive;
    failed = "listen";
    if (type == SOCK_STREAM) error = listen(fd, 4096) ? errno : 0;
    else error = udp_listen(p);
  }
  if (!error) {
    struct worker *w = p->worker;
    pthread_mutex_lock(&w->lock);
    error = forward_watch(w, &p->listener, EPOLLIN);
    if (!error) {
      p->next = w->ports;
      w->ports = p;
    }
    pthread_mutex_unlock(&w->lock);
  }
  if (!error) return result_int(c, p->id);
  close(fd);
  if (p) free(p->buckets);
  free(p);
  return throw_errno(c, error, failed, NULL, NULL);
}

/* forwardEnd(id): the port is free when it returns, and its connections are closed. */
METHOD(sys_forward_end) {
  int id = (int)arg_int(c, 0);
  if (c->failed) return NULL;
  for (int i = 0; i < worker_count; i++) {
    struct worker *w = &workers[i];
    pthread_mutex_lock(&w->lock);
    struct port **link = &w->ports;
    while (*link && (*link)->id != id) link = &(*link)->next;
    struct port *p = *link;
    if (p) {
      *link = p->next;
      forward_unwatch(&p->listener);
      if (p->buckets) udp_end(p);
      forward_bury(w, &p->grave);
    }
    tcp_end(w, id);
    pthread_mutex_unlock(&w->lock);
  }
  return NULL;
}

void register_forward(napi_env env, napi_value exports) {
  export_method(env, exports, "forward", sys_forward);
  export_method(env, exports, "forwardEnd", sys_forward_end);
}
