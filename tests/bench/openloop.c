/* An open-loop HTTP load generator: requests leave at a constant rate whether or not earlier ones have been answered,
 * and a request's time counts from when it was due, also while it waits for a free connection (no coordinated omission).
 *
 *   openloop PORT RATE CONNECTIONS REQUESTS RECORD [PATIENCE]
 *
 * REQUESTS holds ready HTTP/1.1 requests, each after a line with its length. RECORD receives a line per request:
 * due (ns, clock of the day), answered (ns, 0 when never), status (0 when never), the first 36 characters of the answer's
 * "id". One JSON line on standard output sums up. Connections to 127.0.0.1 are opened before the first request is due
 * and kept; one that breaks is opened again. PATIENCE is how long the last answers are waited for, in seconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 65536 };

struct request { char *text; size_t length; int64_t due, answered; int status; char id[37]; };
struct connection { int fd, busy; size_t sent, filled; long request; char in[ROOM + 1]; };

static struct request *requests;
static struct connection *connections;
static long count, next_due, next_sent, answered, broken;
static int width, port, poller, patience_s = 10;

static void fail(const char *why) { perror(why); exit(1); }

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void read_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t length, room = 0;
    if (!file) fail(path);
    while (fscanf(file, "%zu", &length) == 1 && fgetc(file) == '\n') {
        if ((size_t)count == room && !(requests = realloc(requests, (room = room ? room * 2 : 1024) * sizeof *requests)))
            fail("memory");
        struct request *one = &requests[count++];
        memset(one, 0, sizeof *one);
        strcpy(one->id, "-");
        one->length = length;
        if (!(one->text = malloc(length)) || fread(one->text, 1, length, file) != length) fail("requests");
    }
    fclose(file);
}

static void open_connection(struct connection *it) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    it->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (it->fd < 0) fail("socket");
    setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(it->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail("connect");
    it->busy = 0;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.ptr = it};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, it->fd, &event)) fail("epoll");
}

/* The request that was on its way has an unknown fate; it stays without an answer. */
static void give_up(struct connection *it) {
    if (it->busy) broken++;
    close(it->fd);
    open_connection(it);
}

static int send_more(struct connection *it) {
    struct request *one = &requests[it->request];
    while (it->sent < one->length) {
        ssize_t put = send(it->fd, one->text + it->sent, one->length - it->sent, MSG_NOSIGNAL);
        if (put < 0) return errno == EAGAIN || errno == ENOTCONN;
        it->sent += (size_t)put;
    }
    return 1;
}

static void hand_out(void) {
    for (int i = 0; i < width && next_sent < next_due; i++) {
        struct connection *it = &connections[i];
        if (it->busy) continue;
        it->busy = 1;
        it->sent = it->filled = 0;
        it->request = next_sent++;
        if (!send_more(it)) give_up(it);
    }
}

/* 1 when a whole answer is there, 0 when more must come, -1 when it is no answer we understand. */
static int whole(struct connection *it) {
    it->in[it->filled] = 0;
    char *end = strstr(it->in, "\r\n\r\n");
    if (!end) return it->filled < ROOM ? 0 : -1;
    char *length = strcasestr(it->in, "\r\ncontent-length:");
    if (!length || length > end) return -1;
    size_t expected = (size_t)(end + 4 - it->in) + strtoul(length + 17, NULL, 10);
    if (expected > ROOM) return -1;
    if (it->filled < expected) return 0;
    struct request *one = &requests[it->request];
    one->answered = now(CLOCK_REALTIME);
    one->status = atoi(it->in + 9);
    if (!strncmp(end + 4, "{\"id\":\"", 7)) snprintf(one->id, sizeof one->id, "%.36s", end + 11);
    return 1;
}

static void read_answer(struct connection *it) {
    for (;;) {
        ssize_t got = recv(it->fd, it->in + it->filled, ROOM - it->filled, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) { give_up(it); return; }
        it->filled += (size_t)got;
        int state = it->busy ? whole(it) : -1;
        if (state < 0) { give_up(it); return; }
        if (state) { answered++; it->busy = 0; it->filled = 0; }
    }
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sum_up(double seconds) {
    static const double shares[] = {0.5, 0.9, 0.99, 0.999, 1};
    static const char *names[] = {"p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"};
    double *times = malloc((size_t)(count ? count : 1) * sizeof *times);
    long known = 0, good = 0;
    for (long i = 0; i < count; i++) {
        if (requests[i].status) times[known++] = (double)(requests[i].answered - requests[i].due) / 1e6;
        good += requests[i].status / 100 == 2;
    }
    qsort(times, (size_t)known, sizeof *times, by_time);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"requests\":%ld,\"good\":%ld,\"refused\":%ld,\"unanswered\":%ld,\"broken\":%ld,\"seconds\":%.3f,\"cpu_s\":%.3f",
           count, good, known - good, count - known, broken, seconds,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    for (int i = 0; i < 5 && known; i++) {
        long rank = (long)(shares[i] * (double)known + 0.999999) - 1;
        printf(",\"%s\":%.3f", names[i], times[rank < 0 ? 0 : rank >= known ? known - 1 : rank]);
    }
    puts("}");
    free(times);
}

static void run(double rate) {
    struct epoll_event events[64];
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int64_t step = (int64_t)(1e9 / rate), start = now(CLOCK_MONOTONIC) + 300000000LL, last;
    int64_t offset = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (timer < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event)) fail("timer");
    for (long i = 0; i < count; i++) requests[i].due = start + i * step + offset;
    last = start + count * step + patience_s * 1000000000LL;
    while (answered + broken < count && now(CLOCK_MONOTONIC) < last) {
        int64_t due = next_due < count ? start + next_due * step : last;
        struct itimerspec at = {.it_value = {due / 1000000000LL, due % 1000000000LL}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
        int ready = epoll_wait(poller, events, 64, 1000);
        for (int i = 0; i < ready; i++) {
            struct connection *it = events[i].data.ptr;
            uint64_t ticks;
            if (!it) { if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) fail("timer"); continue; }
            if (it->busy && (events[i].events & EPOLLOUT) && !send_more(it)) { give_up(it); continue; }
            if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) read_answer(it);
        }
        while (next_due < count && start + next_due * step <= now(CLOCK_MONOTONIC)) next_due++;
        hand_out();
    }
    sum_up((double)(now(CLOCK_MONOTONIC) - start) / 1e9);
}

int main(int words, char **word) {
    if (words != 6 && words != 7) { fprintf(stderr, "openloop PORT RATE CONNECTIONS REQUESTS RECORD [PATIENCE]\n"); return 2; }
    if (words == 7) patience_s = atoi(word[6]);
    port = atoi(word[1]);
    width = atoi(word[3]);
    read_requests(word[4]);
    poller = epoll_create1(0);
    connections = calloc((size_t)width, sizeof *connections);
    if (poller < 0 || !connections) fail("start");
    for (int i = 0; i < width; i++) open_connection(&connections[i]);
    run(atof(word[2]));
    FILE *record = fopen(word[5], "w");
    if (!record) fail(word[5]);
    for (long i = 0; i < count; i++)
        fprintf(record, "%lld %lld %d %s\n", (long long)requests[i].due, (long long)requests[i].answered, requests[i].status, requests[i].id);
    return fclose(record) != 0;
}
