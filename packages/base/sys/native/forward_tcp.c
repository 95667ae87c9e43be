#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What a pipe holds, and how often a connection fills it before others have their turn. */
#define PIPE_BYTES (256 << 10)
#define ROUNDS 16
#define ACCEPTS 64
/* As Go's net package has it on every connection, so as docker-proxy has it. */
#define KEEPALIVE_SECONDS 15

/* One end of a connection, and what flows from it to the other. */
struct side {
  struct watched watched;
  int pipe[2];    /* made with the first byte */
  size_t pending; /* bytes in the pipe */
  bool ended;     /* nothing more comes from here */
  bool passed_on; /* and the other end knows */
};

struct tcp_flow {
  struct buried grave;
  struct worker *worker;
  struct tcp_flow *next, **link;
  struct tcp_flow *next_unfinished;
  int port_id;
  bool connecting, closed, queued;
  struct side sides[2]; /* client, container */
};

enum progress { WAITS, MORE, BROKEN };

static void close_pipe(struct side *s) {
  for (int i = 0; i < 2; i++)
    if (s->pipe[i] >= 0) close(s->pipe[i]);
  s->pipe[0] = s->pipe[1] = -1;
}

static void flow_close(struct tcp_flow *f, bool reset) {
  if (f->closed) return;
  f->closed = true;
  *f->link = f->next;
  if (f->next) f->next->link = f->link;
  for (int i = 0; i < 2; i++) {
    struct side *s = &f->sides[i];
    close_pipe(s);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (reset && s->watched.fd >= 0) setsockopt(s->watched.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    forward_unwatch(&s->watched);
  }
  /* In the list of the unfinished it is still named: that list buries it. */
  if (!f->queued) forward_bury(f->worker, &f->grave);
}

static enum progress pump(struct side *from, struct side *to) {
  for (int round = 0; round < ROUNDS;) {
    if (from->pending == 0 && from->ended) {
      if (!from->passed_on) shutdown(to->watched.fd, SHUT_WR);
      from->passed_on = true;
      close_pipe(from);
      return WAITS;
    }
    if (from->pending == 0) {
      if (from->pipe[0] < 0) {
        if (pipe2(from->pipe, O_CLOEXEC | O_NONBLOCK)) return BROKEN;
        fcntl(from->pipe[0], F_SETPIPE_SZ, PIPE_BYTES);
      }
      ssize_t n = splice(from->watched.fd, NULL, from->pipe[1], NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno == EAGAIN ? WAITS : BROKEN;
      from->ended = n == 0;
      from->pending = (size_t)n;
      continue;
    }
    ssize_t n = splice(from->pipe[0], NULL, to->watched.fd, NULL, from->pending, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return WAITS;
    if (n < 0) {
      /* Nobody takes more, but there may be an answer on its way back. */
      shutdown(from->watched.fd, SHUT_RD);
      from->pending = 0;
      from->ended = true;
      continue;
    }
    from->pending -= (size_t)n;
    round++;
  }
  return MORE;
}

static void flow_carry(struct tcp_flow *f) {
  struct side *client = &f->sides[0], *container = &f->sides[1];
  enum progress in = pump(client, container);
  enum progress out = in == BROKEN ? BROKEN : pump(container, client);
  if (in == BROKEN || out == BROKEN) return flow_close(f, true);
  if (client->passed_on && container->passed_on) return flow_close(f, false);
  if ((in == MORE || out == MORE) && !f->queued) {
    f->queued = true;
    f->next_unfinished = f->worker->unfinished;
    f->worker->unfinished = f;
  }
}

void tcp_continue(struct worker *w) {
  struct tcp_flow *f = w->unfinished;
  w->unfinished = NULL;
  for (struct tcp_flow *next; f; f = next) {
    next = f->next_unfinished;
    f->queued = false;
    if (f->closed) forward_bury(w, &f->grave);
    else flow_carry(f);
  }
}

static void flow_ready(struct tcp_flow *f, uint32_t events, bool container) {
  if (f->closed) return;
  if (f->connecting) {
    /* The client's bytes wait in its socket until there is somebody to take them. */
    if (!container) return;
    int error = 0;
    socklen_t size = sizeof error;
    if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
    if (getsockopt(f->sides[1].watched.fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) return flow_close(f, false);
    f->connecting = false;
  }
  if (!f->queued) flow_carry(f);
}

static void client_ready(struct watched *s, uint32_t events) {
  flow_ready((struct tcp_flow *)((char *)s - offsetof(struct tcp_flow, sides[0].watched)), events, false);
}

static void container_ready(struct watched *s, uint32_t events) {
  flow_ready((struct tcp_flow *)((char *)s - offsetof(struct tcp_flow, sides[1].watched)), events, true);
}

static void prepare(int fd) {
  int on = 1, seconds = KEEPALIVE_SECONDS;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

/* Takes the client's descriptor. */
static void flow_begin(struct worker *w, const struct port *p, int client) {
  struct tcp_flow *f = calloc(1, sizeof *f);
  int container = f ? socket(p->target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
  if (container < 0) {
    free(f);
    close(client);
    return;
  }
  prepare(client);
  prepare(container);
  *f = (struct tcp_flow){.worker = w, .port_id = p->id, .connecting = true, .next = w->tcp_flows, .link = &w->tcp_flows};
  for (int i = 0; i < 2; i++) {
    struct side *s = &f->sides[i];
    s->pipe[0] = s->pipe[1] = -1;
    s->watched = (struct watched){.fd = i ? container : client, .ready = i ? container_ready : client_ready};
  }
  if (f->next) f->next->link = &f->next;
  w->tcp_flows = f;
  bool refused = connect(container, (const struct sockaddr *)&p->target, p->target_size) && errno != EINPROGRESS;
  uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  if (refused || forward_watch(w, &f->sides[0].watched, events) || forward_watch(w, &f->sides[1].watched, events)) flow_close(f, false);
}

void tcp_accept(struct watched *listener, uint32_t events) {
  (void)events;
  struct port *p = (struct port *)((char *)listener - offsetof(struct port, listener));
  for (int i = 0; i < ACCEPTS; i++) {
    int client = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (client < 0 && errno != EAGAIN) {
      epoll_ctl(p->worker->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
      p->worker->paused_until = forward_now() + (int64_t)FORWARD_PAUSE_MS * 1000000;
    }
    if (client < 0) return;
    struct worker *w = forward_next_worker();
    if (w != p->worker) pthread_mutex_lock(&w->lock);
    flow_begin(w, p, client);
    if (w != p->worker) pthread_mutex_unlock(&w->lock);
  }
}

void tcp_end(struct worker *w, int port_id) {
  for (struct tcp_flow *f = w->tcp_flows, *next; f; f = next) {
    next = f->next;
    if (f->port_id == port_id) flow_close(f, false);
  }
}
