/*
 * What there is to be had of this machine: a server that computes nothing. For
 * each request of a fixed size it sends the beginning of that request back, as
 * long as a reply is. One thread, one epoll, one read and one write for what a
 * connection has sent.
 *
 *     echo REQUEST REPLY    sizes in bytes, REPLY <= REQUEST <= 4096
 *
 * Prints "echo ADDRESS" once it listens on a free port of the loopback.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 4096, ROOM = 256 << 10, EVENTS = 256 };

struct conn {
	int fd;
	size_t held; /* bytes of a request that is not whole yet */
	char request[LONGEST];
};

static size_t request_size, reply_size;
static char in[ROOM], out[ROOM];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) || listen(fd, 1024) || getsockname(fd, (struct sockaddr *)&a, &size))
		die("listen");
	printf("echo 127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void watch(int poll, int fd, void *what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = what };
	if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

static void welcome(int poll, int listener)
{
	int one = 1, fd = accept(listener, NULL, NULL);
	struct conn *c;
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!(c = calloc(1, sizeof *c)))
		die("calloc");
	c->fd = fd;
	watch(poll, fd, c);
}

/* answer reads once and writes the replies to what is whole. False: the peer is gone. */
static int answer(struct conn *c)
{
	size_t from = 0, used = 0, sent = 0, got;
	ssize_t n;
	memcpy(in, c->request, c->held);
	if ((n = read(c->fd, in + c->held, sizeof in - c->held)) <= 0)
		return 0;
	for (got = c->held + n; got - from >= request_size; from += request_size, used += reply_size)
		memcpy(out + used, in + from, reply_size);
	c->held = got - from;
	memcpy(c->request, in + from, c->held);
	for (; sent < used; sent += n)
		if ((n = write(c->fd, out + sent, used - sent)) <= 0)
			return 0;
	return 1;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	int listener, poll = epoll_create1(0);
	request_size = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	reply_size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	if (!reply_size || reply_size > request_size || request_size > LONGEST) {
		fprintf(stderr, "usage: echo REQUEST REPLY\n");
		return 2;
	}
	listener = listen_somewhere();
	watch(poll, listener, NULL);
	for (;;) {
		int n = epoll_wait(poll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (!c) {
				welcome(poll, listener);
			} else if (!answer(c)) {
				close(c->fd);
				free(c);
			}
		}
	}
}
