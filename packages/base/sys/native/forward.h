/* Forwards TCP connections and UDP datagrams to other addresses, on threads of its own. */
#ifndef LONGSHORE_FORWARD_H
#define LONGSHORE_FORWARD_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* How long listeners rest that found no free descriptor. */
#define FORWARD_PAUSE_MS 100

struct worker;

/* First member of everything that is freed by forward_bury. */
struct buried { struct buried *next; };

/* What epoll tells about: a descriptor and who handles it. Closed is fd < 0. */
struct watched {
  int fd;
  void (*ready)(struct watched *, uint32_t events);
};

/* A port that is forwarded. It lives in its worker, whose lock guards it. */
struct port {
  struct buried grave;
  struct watched listener;
  struct worker *worker;
  struct port *next;
  int id;
  struct sockaddr_storage target;
  socklen_t target_size;
  int64_t idle_ns;            /* of UDP flows */
  struct udp_flow **buckets;  /* UDP only */
};

/* A thread with its descriptors. What is closed while the lock is held is freed when no event can name it any more. */
struct worker {
  pthread_mutex_t lock;
  int epoll_fd;
  bool started;
  struct port *ports;
  struct tcp_flow *tcp_flows;
  struct tcp_flow *unfinished; /* have more to carry than one turn allows */
  struct buried *graves;
  int64_t paused_until; /* no descriptor was free for a connection: listeners wait */
};

int64_t forward_now(void);
int forward_watch(struct worker *w, struct watched *what, uint32_t events);
void forward_unwatch(struct watched *what);
void forward_bury(struct worker *w, struct buried *what);
/* Picks who carries the next connection. */
struct worker *forward_next_worker(void);

void tcp_accept(struct watched *listener, uint32_t events);
void tcp_continue(struct worker *w);
void tcp_end(struct worker *w, int port_id);

int udp_listen(struct port *p);
void udp_receive(struct watched *listener, uint32_t events);
void udp_expire(struct port *p);
void udp_end(struct port *p);

#endif
