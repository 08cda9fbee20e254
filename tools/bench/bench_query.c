//  bench_query: what a state query costs through the native API, against a bare ZeroMQ echo over
//  ipc in the same run.
//
//      bench_query              serves itself: the real gateway with 1,000 domains' snapshots
//      bench_query ENDPOINT DOMAIN     asks a running daemon
//
//  Prints the median and the 99th percentile of calls one by one, and calls a second of 8 clients
//  that keep 64 on their way each.

#include "actors/config.h"
#include "actors/runtime/switchboard.h"
#include "actors/gateway/zap.h"
#include "actors/gateway/zmq_gateway.h"
#include "util/text.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <zmq.h>

enum {
    DOMAINS = 1000,
    CALLS = 20000,
    CLIENTS = 8,
    WINDOW = 64,
    SECONDS = 3,
    ECHO_BYTES = 120 //  about what an answer to domain.state has
};

static void die (const char *what)
{
    fprintf (stderr, "bench_query: %s: %s\n", what, zmq_strerror (errno));
    exit (1);
}

static double now_us (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec * 1e6 + (double) now.tv_nsec / 1e3;
}

//  The servers, each a process of its own.

static void serve_echo (const char *endpoint)
{
    void *socket = zmq_socket (zmq_ctx_new (), ZMQ_ROUTER);
    if (zmq_bind (socket, endpoint) == -1)
        die (endpoint);
    char answer[ECHO_BYTES] = { 0 };
    for (;;) {
        zmq_msg_t id, body;
        zmq_msg_init (&id);
        zmq_msg_init (&body);
        zmq_msg_recv (&id, socket, 0);
        zmq_msg_recv (&body, socket, 0);
        zmq_msg_send (&id, socket, ZMQ_SNDMORE);
        zmq_send (socket, answer, sizeof answer, 0);
        zmq_msg_close (&body);
    }
}

static void publish (actor_t *self, unsigned number)
{
    char topic[MSG_ADDRESS_MAX], name[32];
    snprintf (topic, sizeof topic, "domain/aaaaaaaa-0000-4000-8000-%012u", number);
    snprintf (name, sizeof name, "guest-%04u", number);
    auto(msg_t) event = msg_event ("snapshot");
    pack_t *pack = msg_args (event);
    pack_key_str (pack, "name", name);
    pack_key_i64 (pack, "id", number + 1);
    pack_key_i64 (pack, "state", 1);
    pack_key_i64 (pack, "reason", 1);
    actor_publish (self, topic, &event);
}

static void started (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self, (void) arg;
    error_t err;
    if (msg_failed (reply, &err)) {
        fprintf (stderr, "bench_query: %s\n", err.message);
        exit (1);
    }
}

static int root_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) err;
    for (unsigned i = 0; i < DOMAINS; i++)
        publish (self, i);
    msg_t *none = msg_request ("start"), *start = msg_request ("start");
    config_pack (config_of (args), msg_args (start));
    actor_spawn (self, "zap", &zap_class, &none, true, 5000, started, NULL);
    actor_spawn (self, GATEWAY_ADDRESS, &zmq_gateway_class, &start, true, 5000, started, NULL);
    return 0;
}

static const actor_class_t root_class = { .kind = "root", .start = root_start };

static void serve_gateway (const char *folder)
{
    error_t err;
    config_t config = { .paths = paths_new (PATHS_ROOT, folder, &err) };
    switchboard_t *board = switchboard_new (0, &err);
    msg_t *args = msg_request ("start");
    config_pack (&config, msg_args (args));
    if (!config.paths || paths_create (config.paths, &err) || !board ||
        switchboard_run (board, "root", &root_class, &args, &err))
        fprintf (stderr, "bench_query: %s\n", err.message);
    exit (1);
}

//  Clients.

typedef struct {
    const char *endpoint;
    const char *request; //  bytes
    size_t size;
    uint64_t calls; //  done
} load_t;

static void *connect_to (void *context, const char *endpoint)
{
    int none = 0, wait_ms = 10000;
    void *socket = zmq_socket (context, ZMQ_DEALER);
    zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    if (zmq_connect (socket, endpoint) == -1)
        die (endpoint);
    return socket;
}

static void send_request (void *socket, const load_t *load)
{
    if (zmq_send (socket, load->request, load->size, 0) == -1)
        die ("send");
}

static void receive_answer (void *socket)
{
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    if (zmq_msg_recv (&frame, socket, 0) == -1)
        die ("no answer");
    zmq_msg_close (&frame);
}

static void *pipeline (void *arg)
{
    load_t *load = arg;
    void *context = zmq_ctx_new ();
    void *socket = connect_to (context, load->endpoint);
    double until = now_us () + SECONDS * 1e6;
    for (int i = 0; i < WINDOW; i++)
        send_request (socket, load);
    while (now_us () < until) {
        for (int i = 0; i < WINDOW / 2; i++)
            receive_answer (socket);
        for (int i = 0; i < WINDOW / 2; i++)
            send_request (socket, load);
        load->calls += WINDOW / 2;
    }
    zmq_close (socket);
    zmq_ctx_term (context);
    return NULL;
}

static double throughput (const load_t *load)
{
    pthread_t threads[CLIENTS];
    load_t loads[CLIENTS];
    uint64_t calls = 0;
    double start = now_us ();
    for (int i = 0; i < CLIENTS; i++) {
        loads[i] = *load;
        if (pthread_create (&threads[i], NULL, pipeline, &loads[i]))
            die ("thread");
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join (threads[i], NULL);
        calls += loads[i].calls;
    }
    return (double) calls / ((now_us () - start) / 1e6);
}

static int compare (const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;
    return left < right ? -1 : left > right;
}

static void latency (const load_t *load, double *median, double *p99)
{
    double *took = memory_new (CALLS, sizeof *took);
    void *context = zmq_ctx_new ();
    void *socket = connect_to (context, load->endpoint);
    for (int i = -1000; i < CALLS; i++) {
        double start = now_us ();
        send_request (socket, load);
        receive_answer (socket);
        if (i >= 0)
            took[i] = now_us () - start;
    }
    zmq_close (socket);
    zmq_ctx_term (context);
    qsort (took, CALLS, sizeof *took, compare);
    *median = took[CALLS / 2];
    *p99 = took[CALLS - CALLS / 100];
    free (took);
}

static double measure (const char *what, const char *endpoint, const pack_t *request)
{
    load_t load = { endpoint, request->bytes, request->size, 0 };
    double median, p99;
    latency (&load, &median, &p99);
    double rate = throughput (&load);
    printf ("%-24s median %6.1f us   p99 %7.1f us   %8.0f calls/s (%d clients)\n", what, median,
            p99, rate, CLIENTS);
    return median;
}

static void pack_query (pack_t *pack, const char *verb, const char *domain)
{
    pack_init (pack);
    pack_map (pack);
    pack_key_u64 (pack, "id", 1);
    pack_key_str (pack, "kind", "request");
    pack_key_str (pack, "verb", verb);
    pack_key_map (pack, "args");
    if (domain)
        pack_key_str (pack, "domain", domain);
    pack_end (pack);
    pack_end (pack);
}

static pid_t start (void (*serve) (const char *), const char *argument)
{
    pid_t pid = fork ();
    if (pid == -1)
        die ("fork");
    if (pid == 0)
        serve (argument);
    return pid;
}

static void stop (pid_t pid)
{
    if (pid <= 0)
        return;
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
}

int main (int argc, char **argv)
{
    char folder[] = "/tmp/troupe-bench-XXXXXX";
    if (!mkdtemp (folder))
        die ("mkdtemp");
    autofree char *echo = text_format ("ipc://%s/echo", folder);
    autofree char *own = text_format ("ipc://%s/run/troupe/troupe.sock", folder);
    const char *endpoint = argc == 3 ? argv[1] : own;
    const char *domain = argc == 3 ? argv[2] : "guest-0500";
    pid_t echo_pid = start (serve_echo, echo);
    pid_t gateway_pid = argc == 3 ? 0 : start (serve_gateway, folder);
    usleep (300000);
    pack_t state, list, ping;
    pack_query (&state, "domain.state", domain);
    pack_query (&list, "domain.list", NULL);
    pack_query (&ping, "session.ping", NULL);
    double bare = measure ("bare echo", echo, &state);
    double query = measure ("domain.state", endpoint, &state);
    measure ("session.ping", endpoint, &ping);
    measure ("domain.list", endpoint, &list);
    printf ("domain.state / bare echo: %.2f\n", query / bare);
    stop (echo_pid);
    stop (gateway_pid);
    autofree char *clean = text_format ("rm -rf %s", folder);
    return system (clean) == 0 ? 0 : 1;
}
