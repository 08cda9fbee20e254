//  events.c: the commands event and trace: what comes without having been asked for.

#include "cli/incoming.h"
#include "cli/json.h"
#include "cli/run.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    EVENT_KEYS = 4
};

//  virsh's names for events, the verbs behind them, and which of the arguments are shown.
typedef struct {
    const char *name, *verb;
    const char *kind;             //  of a device event; NULL: any
    const char *keys[EVENT_KEYS]; //  NULL: none
    const char *unit;
    bool all; //  the others that it has are shown too, a line each
} event_row_t;

static const event_row_t event_rows[] = {
    { "lifecycle", "domain.lifecycle", NULL, { "event_text", "detail_text" }, "", false },
    { "reboot", "domain.reboot", NULL, { NULL }, "", false },
    { "rtc-change", "domain.rtc_change", NULL, { "offset" }, "", false },
    { "watchdog", "domain.watchdog", NULL, { "action" }, "", false },
    { "io-error", "domain.io_error", NULL, { "path", "device", "action" }, "", false },
    { "io-error-reason",
      "domain.io_error",
      NULL,
      { "path", "device", "action", "reason" },
      "",
      false },
    { "graphics", "domain.graphics", NULL, { "phase" }, "", false },
    { "tray-change", "domain.tray", NULL, { "device", "tray" }, "", false },
    { "disk-change", "domain.disk_change", NULL, { "device", "path", "reason" }, "", false },
    { "memory-failure",
      "domain.memory_failure",
      NULL,
      { "recipient", "action", "action_required", "recursive" },
      "",
      false },
    { "pm-wakeup", "domain.pm", "wakeup", { NULL }, "", false },
    { "pm-suspend", "domain.pm", "suspend", { NULL }, "", false },
    { "pm-suspend-disk", "domain.pm", "suspend-disk", { NULL }, "", false },
    { "balloon-change", "domain.balloon", NULL, { "memory_kib" }, "KiB", false },
    { "device-added", "domain.device", "added", { "device" }, "", false },
    { "device-removed", "domain.device", "removed", { "device" }, "", false },
    { "device-removal-failed", "domain.device", "removal-failed", { "device" }, "", false },
    { "memory-device-size-change",
      "domain.memory_device_size",
      NULL,
      { "device", "memory_kib" },
      "KiB",
      false },
    { "migration-iteration", "domain.migration_iteration", NULL, { "iteration" }, "", false },
    { "job-completed", "domain.job_completed", NULL, { "kind", "outcome" }, "", true },
    { "block-job", "domain.block_job", NULL, { "type_text", "path", "status_text" }, "", false },
    { "block-job-2",
      "domain.block_job",
      NULL,
      { "type_text", "device", "status_text" },
      "",
      false },
    { "block-threshold",
      "domain.block_threshold",
      NULL,
      { "device", "path", "threshold", "excess" },
      "",
      false },
    { "agent-lifecycle", "domain.agent", NULL, { "state_text", "reason_text" }, "", false },
    { "monitor", "domain.monitor", NULL, { "responding" }, "", false },
    { "tunable", "domain.tunable", NULL, { NULL }, "", true },
    { "metadata-change", "domain.metadata", NULL, { "type", "uri" }, "", false },
};

//  Those of net-event.
static const event_row_t network_rows[] = {
    { "lifecycle", "network.lifecycle", NULL, { "event_text" }, "", false },
};

//  Those of nodedev-event.
static const event_row_t device_rows[] = {
    { "lifecycle", "nodedev.lifecycle", NULL, { "event_text" }, "", false },
    { "update", "nodedev.update", NULL, { NULL }, "", false },
};

//  What one of the commands can show.
typedef struct {
    const char *command;
    const event_row_t *rows;
    size_t count;
    const char *noun;
} event_table_t;

static const event_table_t event_tables[] = {
    { "event", event_rows, sizeof event_rows / sizeof *event_rows, "domain" },
    { "net-event", network_rows, sizeof network_rows / sizeof *network_rows, "network" },
    { "nodedev-event", device_rows, sizeof device_rows / sizeof *device_rows, "node device" },
};

static const event_table_t *table_of (const options_t *options)
{
    for (size_t i = 1; i < sizeof event_tables / sizeof *event_tables; i++)
        if (strcmp (options->command->name, event_tables[i].command) == 0)
            return &event_tables[i];
    return &event_tables[0];
}

//  --- event ------------------------------------------------------------------------------------

static int list_events (const cli_t *cli, const event_table_t *table)
{
    if (cli->json)
        putchar ('[');
    for (size_t i = 0; i < table->count; i++) {
        if (cli->json) {
            fputs (i > 0 ? ",\n  " : "\n  ", stdout);
            json_text (stdout, table->rows[i].name);
        } else
            puts (table->rows[i].name);
    }
    if (cli->json)
        puts ("\n]");
    return 0;
}

static const char *verb_of_event (const event_table_t *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp (table->rows[i].name, name) == 0)
            return table->rows[i].verb;
    return NULL;
}

//  The row that WANTED names (NULL: the first) of those that are about the message.
static const event_row_t *row_of (const event_table_t *table, const troupe_message_t *message,
                                  const char *wanted)
{
    const char *kind = troupe_get_str (troupe_message_value (message), "event");
    for (size_t i = 0; i < table->count; i++)
        if (strcmp (table->rows[i].verb, troupe_message_verb (message)) == 0 &&
            (!table->rows[i].kind || text_equals (table->rows[i].kind, kind)) &&
            (!wanted || strcmp (table->rows[i].name, wanted) == 0))
            return &table->rows[i];
    return NULL;
}

//  How far we are in the events of one daemon.
typedef struct {
    char epoch[64]; //  "": not known yet
    uint64_t seq;   //  of the last event
} place_t;

static void add_all_verbs (troupe_args_t *args, const event_table_t *table)
{
    auto(strings_t) all = strings_new ();
    for (size_t i = 0; i < table->count; i++)
        strings_add (all, table->rows[i].verb);
    troupe_args_strs (args, "verbs", strings_list (all), all->count);
}

static troupe_args_t *subscription (const options_t *options, const place_t *place)
{
    troupe_args_t *args = troupe_args_new ();
    const char *domain = options_str (options, "domain"), *event = options_str (options, "event");
    const event_table_t *table = table_of (options);
    const char *verb = event ? verb_of_event (table, event) : NULL;
    const char *network = options_str (options, "network");
    if (domain)
        troupe_args_str (args, "domain", domain);
    if (network)
        troupe_args_str (args, "network", network);
    if (verb)
        troupe_args_strs (args, "verbs", &verb, 1);
    else if (table != &event_tables[0])
        add_all_verbs (args, table); //  else those of domains would come, too
    if (*place->epoch) {
        troupe_args_str (args, "epoch", place->epoch);
        troupe_args_u64 (args, "since", place->seq);
    }
    return args;
}

//  What the daemon answered to that. False: events since our place are lost.
static bool take_place (place_t *place, const troupe_message_t *reply)
{
    const troupe_value_t *value = troupe_message_value (reply);
    const char *epoch = troupe_get_str (value, "epoch");
    bool complete = troupe_get_bool (value, "complete", false);
    if (!complete || !*place->epoch)
        place->seq = troupe_get_u64 (value, "seq", 0);
    snprintf (place->epoch, sizeof place->epoch, "%s", epoch ? epoch : "");
    return complete;
}

static void print_timestamp (void)
{
    struct timespec now;
    struct tm parts;
    char text[64];
    clock_gettime (CLOCK_REALTIME, &now);
    gmtime_r (&now.tv_sec, &parts);
    strftime (text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    printf ("%s.%03d+0000: ", text, (int) (now.tv_nsec / 1000000));
}

static void print_detail (const troupe_value_t *value)
{
    if (troupe_type (value) == TROUPE_INT)
        printf (" %" PRId64, troupe_i64 (value, 0));
    else if (troupe_type (value) == TROUPE_BOOL)
        printf (" %s", troupe_bool (value, false) ? "yes" : "no");
    else if (troupe_str (value))
        printf (" %s", troupe_str (value));
}

static bool is_shown (const event_row_t *row, const char *key)
{
    static const char *const common[] = { "uuid", "name", "id", "seq", "verb", "by" };
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strcmp (common[i], key) == 0)
            return true;
    for (size_t i = 0; i < EVENT_KEYS && row->keys[i]; i++)
        if (strcmp (row->keys[i], key) == 0)
            return true;
    return false;
}

static void print_others (const troupe_value_t *args, const event_row_t *row)
{
    for (size_t i = 0; i < troupe_count (args); i++) {
        const char *key = troupe_key_at (args, i);
        if (is_shown (row, key) || troupe_type (troupe_get (args, key)) == TROUPE_NIL)
            continue;
        if (troupe_type (troupe_get (args, key)) == TROUPE_MAP) {
            print_others (troupe_get (args, key), row);
            continue;
        }
        printf ("\t%s:", key);
        print_detail (troupe_get (args, key));
        putchar ('\n');
    }
}

static void print_event (const char *noun, const troupe_message_t *message, const event_row_t *row)
{
    const troupe_value_t *args = troupe_message_value (message);
    const char *name = troupe_get_str (args, "name");
    printf ("event '%s' for %s '%s'%s", row ? row->name : troupe_message_verb (message), noun,
            name ? name : "-", row && row->keys[0] ? ":" : "");
    for (size_t i = 0; row && i < EVENT_KEYS && row->keys[i]; i++)
        print_detail (troupe_get (args, row->keys[i]));
    printf ("%s\n", row ? row->unit : "");
    if (row && row->all)
        print_others (args, row);
}

static void json_event (const troupe_message_t *message)
{
    fputs ("{\"verb\": ", stdout);
    json_text (stdout, troupe_message_verb (message));
    fputs (", \"args\": ", stdout);
    json_value (stdout, troupe_message_value (message), -1);
    puts ("}");
}

//  True if it was one that was asked for.
static bool show_event (const cli_t *cli, const options_t *options, const troupe_message_t *message)
{
    const char *wanted = options_str (options, "event");
    const event_row_t *row = row_of (table_of (options), message, wanted);
    const char *device = options_str (options, "device");
    const char *name = troupe_get_str (troupe_message_value (message), "name");
    if ((wanted && !row) || (device && !text_equals (device, name)))
        return false;
    if (cli->json) {
        json_event (message);
        return true;
    }
    if (options_flag (options, "timestamp"))
        print_timestamp ();
    print_event (table_of (options)->noun, message, row);
    return true;
}

//  Programs that read our output have to know it as well.
static void tell_back (const cli_t *cli, bool complete)
{
    if (cli->json && !complete)
        puts ("{\"verb\": \"event.gap\", \"args\": {}}");
    if (!cli->quiet)
        fprintf (stderr, "connected again: %s\n",
                 complete ? "no event is missing"
                          : "events may be missing; look at the state anew");
}

//  Notices of the library: after a restart of the daemon we subscribe again.
static int handle_notice (cli_t *cli, const options_t *options, const place_t *place,
                          const troupe_message_t *message, error_t *err)
{
    if (strcmp (troupe_message_verb (message), TROUPE_LOST) == 0) {
        if (!cli->quiet)
            fprintf (stderr, "the connection was lost; waiting for the daemon\n");
        return 0;
    }
    troupe_error_t failure;
    auto(troupe_args_t) args = subscription (options, place);
    if (troupe_send (cli->troupe, "event.subscribe", args, NULL, &failure))
        return 0;
    return failure.code == TROUPE_ERROR_NO_CONNECT ? 0 : cli_failed (&failure, err);
}

//  1 if it was an event that counts, 0 if not, or -1.
static int handle_message (cli_t *cli, const options_t *options, place_t *place,
                           const troupe_message_t *message, error_t *err)
{
    troupe_error_t failure;
    const troupe_value_t *args = troupe_message_value (message);
    if (troupe_message_kind (message) == TROUPE_EVENT) {
        place->seq = troupe_get_u64 (args, "seq", place->seq);
        return show_event (cli, options, message);
    }
    if (troupe_message_kind (message) == TROUPE_NOTICE)
        return handle_notice (cli, options, place, message, err);
    //  The answer to subscribing again; when the connection went too, the next notice comes.
    if (!troupe_message_failed (message, &failure))
        tell_back (cli, take_place (place, message));
    else if (failure.code != TROUPE_ERROR_NO_CONNECT)
        return cli_failed (&failure, err);
    return 0;
}

static int event_loop (cli_t *cli, const options_t *options, place_t *place, error_t *err)
{
    auto_signals signals;
    signals_open (&signals);
    int count = 0;
    bool loop = options_flag (options, "loop");
    came_t came = CAME_MESSAGE;
    for (int64_t until = incoming_end (options); came == CAME_MESSAGE && (count == 0 || loop);) {
        auto(troupe_message_t) message = NULL;
        came = incoming_next (cli, &signals, until, &message);
        int counts = message ? handle_message (cli, options, place, message, err) : 0;
        if (counts < 0)
            return -1;
        count += counts;
    }
    if (came == CAME_END && count == 0)
        return error_set (err, ERR_OPERATION_TIMEOUT, "event: none came in %s s",
                          options_str (options, "timeout"));
    cli_say (cli, "events received: %d\n", count);
    return 0;
}

int run_event (cli_t *cli, const options_t *options, error_t *err)
{
    const char *event = options_str (options, "event");
    if (options_flag (options, "list"))
        return list_events (cli, table_of (options));
    if (event && options_flag (options, "all"))
        return cli_usage (cli, err, "event: --all does not go with --event");
    if (!event && !options_flag (options, "all"))
        return cli_usage (cli, err, "event: --event or --all is missing; --list shows the events");
    if (event && !verb_of_event (table_of (options), event))
        return cli_usage (cli, err, "event: there is no event '%s'; --list shows them", event);
    place_t place = { .seq = 0 };
    auto(troupe_args_t) args = subscription (options, &place);
    auto(troupe_message_t) reply = cli_call (cli, "event.subscribe", args, err);
    if (!reply)
        return -1;
    take_place (&place, reply);
    int rc = event_loop (cli, options, &place, err);
    //  In a shell the connection lives on.
    error_t ignored;
    auto(troupe_message_t) over =
        cli->shell ? cli_call (cli, "event.unsubscribe", NULL, &ignored) : NULL;
    return rc;
}

//  --- trace ------------------------------------------------------------------------------------

static void print_trace (const cli_t *cli, const troupe_value_t *hop)
{
    if (cli->json) {
        json_print_line (stdout, hop);
        return;
    }
    const char *kind = troupe_get_str (hop, "kind"), *verb = troupe_get_str (hop, "verb");
    const char *from = troupe_get_str (hop, "from"), *to = troupe_get_str (hop, "to");
    uint64_t time_us = troupe_get_u64 (hop, "time_us", 0);
    printf ("%" PRIu64 ".%06" PRIu64 " %-8s %s -> %s %s id %" PRIu64 " (%" PRIu64 " bytes)\n",
            time_us / 1000000, time_us % 1000000, kind ? kind : "", from ? from : "", to ? to : "",
            verb ? verb : "", troupe_get_u64 (hop, "id", 0), troupe_get_u64 (hop, "bytes", 0));
}

static int trace_loop (cli_t *cli, const options_t *options, error_t *err)
{
    auto_signals signals;
    signals_open (&signals);
    uint64_t limit = options_u64 (options, "count", UINT64_MAX);
    came_t came = CAME_MESSAGE;
    for (int64_t until = incoming_end (options); came == CAME_MESSAGE && limit > 0;) {
        auto(troupe_message_t) message = NULL;
        came = incoming_next (cli, &signals, until, &message);
        const char *verb = message ? troupe_message_verb (message) : "";
        if (strcmp (verb, TROUPE_LOST) == 0)
            return error_set (err, ERR_NO_CONNECT, "trace: the daemon ended");
        if (strcmp (verb, "trace") != 0)
            continue;
        print_trace (cli, troupe_message_value (message));
        limit--;
    }
    return 0;
}

int run_trace (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, "host.trace", NULL, err);
    if (!reply || trace_loop (cli, options, err))
        return -1;
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_bool (args, "enable", false);
    auto(troupe_message_t) over = cli_call (cli, "host.trace", args, err);
    return over ? 0 : -1;
}
