#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define BUCKETS 1024
#define BATCH 64
#define DATAGRAM_MAX 65536

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* What one client sends to one of the host's addresses, and the container's answers to it. */
struct udp_flow {
  struct buried grave;
  struct watched watched; /* a socket connected to the container */
  struct port *port;
  struct udp_flow *next; /* in its bucket */
  int64_t last;
  struct sockaddr_storage client;
  socklen_t client_size;
  union control own; /* the address that the client knows: answers come from there */
  size_t own_size;
};

/* One at a time is carried by each thread. */
static _Thread_local uint8_t buffer[DATAGRAM_MAX];

int udp_listen(struct port *p) {
  int on = 1;
  bool v6 = false;
  struct sockaddr_storage own;
  socklen_t size = sizeof own;
  if (getsockname(p->listener.fd, (struct sockaddr *)&own, &size)) return errno;
  v6 = own.ss_family == AF_INET6;
  if (setsockopt(p->listener.fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on)) return errno;
  p->buckets = calloc(BUCKETS, sizeof *p->buckets);
  return p->buckets ? 0 : ENOMEM;
}

static unsigned bucket_of(const struct sockaddr_storage *client, socklen_t size) {
  uint32_t hash = 2166136261u;
  for (socklen_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)client)[i]) * 16777619u;
  return hash % BUCKETS;
}

static void flow_end(struct udp_flow **link) {
  struct udp_flow *f = *link;
  *link = f->next;
  forward_unwatch(&f->watched);
  forward_bury(f->port->worker, &f->grave);
}

static void answers_ready(struct watched *s, uint32_t events) {
  (void)events;
  struct udp_flow *f = (struct udp_flow *)((char *)s - offsetof(struct udp_flow, watched));
  for (int i = 0; i < BATCH; i++) {
    ssize_t n = recv(s->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    /* That nobody listens in the container is told here: somebody may soon. */
    if (n < 0 && errno != EAGAIN) continue;
    if (n < 0) return;
    f->last = forward_now();
    struct iovec data = {.iov_base = buffer, .iov_len = (size_t)n};
    struct msghdr m = {.msg_name = &f->client, .msg_namelen = f->client_size, .msg_iov = &data, .msg_iovlen = 1, .msg_control = &f->own, .msg_controllen = f->own_size};
    (void)!sendmsg(f->port->listener.fd, &m, MSG_DONTWAIT);
  }
}

/* Keeps the address from what came with a datagram; the device is left to routing. */
static void remember_own(struct udp_flow *f, struct msghdr *m) {
  struct cmsghdr *h = CMSG_FIRSTHDR(m);
  if (!h || (h->cmsg_type != IP_PKTINFO && h->cmsg_type != IPV6_PKTINFO)) return;
  f->own_size = m->msg_controllen < sizeof f->own ? m->msg_controllen : sizeof f->own;
  memcpy(&f->own, m->msg_control, f->own_size);
  if (h->cmsg_level == IPPROTO_IP) {
    struct in_pktinfo *info = (void *)CMSG_DATA(&f->own.header);
    info->ipi_ifindex = 0;
    info->ipi_spec_dst = info->ipi_addr;
  } else {
    struct in6_pktinfo *info = (void *)CMSG_DATA(&f->own.header);
    if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr)) info->ipi6_ifindex = 0;
  }
}

static struct udp_flow *flow_begin(struct port *p, struct msghdr *m) {
  struct udp_flow *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->port = p;
  f->client_size = m->msg_namelen;
  memcpy(&f->client, m->msg_name, m->msg_namelen);
  remember_own(f, m);
  f->watched = (struct watched){.fd = socket(p->target.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .ready = answers_ready};
  if (f->watched.fd < 0 || connect(f->watched.fd, (struct sockaddr *)&p->target, p->target_size) || forward_watch(p->worker, &f->watched, EPOLLIN)) {
    forward_unwatch(&f->watched);
    free(f);
    return NULL;
  }
  unsigned bucket = bucket_of(&f->client, f->client_size);
  f->next = p->buckets[bucket];
  p->buckets[bucket] = f;
  return f;
}

/* A client that sends to two addresses of the host has two flows. */
static struct udp_flow *flow_find(struct port *p, struct msghdr *m) {
  struct udp_flow probe = {.own_size = 0};
  remember_own(&probe, m);
  for (struct udp_flow *f = p->buckets[bucket_of(m->msg_name, m->msg_namelen)]; f; f = f->next)
    if (f->client_size == m->msg_namelen && !memcmp(&f->client, m->msg_name, m->msg_namelen) && f->own_size == probe.own_size && !memcmp(&f->own, &probe.own, f->own_size)) return f;
  return NULL;
}

void udp_receive(struct watched *listener, uint32_t events) {
  (void)events;
  struct port *p = (struct port *)((char *)listener - offsetof(struct port, listener));
  for (int i = 0; i < BATCH; i++) {
    struct sockaddr_storage client;
    memset(&client, 0, sizeof client);
    union control control = {.bytes = {0}};
    struct iovec data = {.iov_base = buffer, .iov_len = sizeof buffer};
    struct msghdr m = {.msg_name = &client, .msg_namelen = sizeof client, .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(listener->fd, &m, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) continue;
    if (n < 0) return;
    struct udp_flow *f = flow_find(p, &m);
    if (!f && !(f = flow_begin(p, &m))) continue;
    f->last = forward_now();
    (void)!send(f->watched.fd, buffer, (size_t)n, MSG_DONTWAIT);
  }
}

void udp_expire(struct port *p) {
  int64_t now = forward_now();
  for (unsigned i = 0; i < BUCKETS; i++)
    for (struct udp_flow **link = &p->buckets[i]; *link;)
      if (now - (*link)->last > p->idle_ns) flow_end(link);
      else link = &(*link)->next;
}

void udp_end(struct port *p) {
  for (unsigned i = 0; i < BUCKETS; i++)
    while (p->buckets[i]) flow_end(&p->buckets[i]);
  free(p->buckets);
  p->buckets = NULL;
}
