//  cli.h: what every command of the command line gets: the connection, and how to answer.
//
//  A command returns 0, or -1 with ERR, which main prints as "error: ..." on stderr. What people
//  read goes to stdout as text; with --output json, one JSON document does.

#ifndef TROUPE_CLI_H
#define TROUPE_CLI_H

#include "troupe.h"
#include "util/auto.h"
#include "util/error.h"

#include <stdio.h>

DEFINE_AUTO (troupe_t, troupe_close)
DEFINE_AUTO (troupe_args_t, troupe_args_destroy)
DEFINE_AUTO (troupe_message_t, troupe_message_destroy)

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2
};

//  Of a key that is given: the protocol's 128, less what number_key adds to it.
#define CLI_MAX_KEY 116

typedef struct cli cli_t;

//  What happens once if a call lasts as long.
typedef struct {
    int64_t after_ms; //  0: it did happen
    void (*ring) (cli_t *cli, const void *arg);
    const void *arg;
} cli_alarm_t;

struct cli {
    const char *root, *connect; //  as given; NULL: the default endpoint
    bool read_only, quiet, json, no_start;
    const char *command;   //  that is being run, for errors; NULL: none
    int timeout_ms;        //  0: the defaults
    const char *key;       //  of the calls that change something; NULL: none
    unsigned keyed;        //  how many there were
    bool patient;          //  the present call may take very long
    const char *watched;   //  the domain whose job is shown meanwhile; NULL: none
    const char *abortable; //  the domain whose job Ctrl+C aborts; NULL: it ends the command
    cli_alarm_t *alarm;    //  of the present call; NULL: none
    bool version, help;    //  asked for instead of a command
    bool usage;            //  the last error is one of usage
    int status;            //  of a command that did what it should: that of what it ran
    bool shell;            //  reading commands, one after another
    bool quit;             //  of the shell
    char *endpoint;        //  NULL until it was needed
    troupe_t *troupe;
};

void cli_close (cli_t *self);

//  The daemon's endpoint, made from the options. NULL and ERR when it can't be.
const char *cli_endpoint (cli_t *self, error_t *err);
//  The folder of our keys, for connections to other hosts. The caller frees it; NULL and ERR.
char *cli_keys (const cli_t *self, error_t *err);
//  Connects, unless that is done; an ordinary user's session daemon is started if none runs.
int cli_connect (cli_t *self, error_t *err);

//  Calls VERB and waits for its reply, showing on a terminal that it does. ARGS may be NULL. NULL
//  and ERR: the daemon's error, or that there is none. The caller owns the result.
troupe_message_t *cli_call (cli_t *self, const char *verb, const troupe_args_t *args, error_t *err);
//  The same for a verb whose only argument is a domain.
troupe_message_t *cli_call_domain (cli_t *self, const char *verb, const char *domain, error_t *err);

//  ERR of a command line that can't be meant so: exit status 2. Returns -1.
int cli_usage (cli_t *self, error_t *err, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
//  Copies the library's error. Returns -1.
int cli_failed (const troupe_error_t *from, error_t *err);
//  The same of the daemon's answer to VERB, in the words of the command. Returns -1.
int cli_refused (const cli_t *self, const char *verb, const troupe_error_t *from, error_t *err);

//  A line for people: nothing with --quiet or --output json.
void cli_say (const cli_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
//  Prints VALUE as the JSON document and is true, if JSON is asked for.
bool cli_json (const cli_t *self, const troupe_value_t *value);

//  One command and its arguments. The exit status; errors were printed.
int cli_run (cli_t *self, int argc, const char *const *argv);
//  Commands and their arguments, parted by semicolons or newlines, and quoted as for a shell. The
//  exit status of the last one that was run, LAST if there is none.
int cli_run_text (cli_t *self, const char *text, int last);
//  Reads commands from stdin until its end, or quit. The last one's exit status.
int cli_shell (cli_t *self);

//  Starts the user's daemon and waits until it listens at ENDPOINT.
int session_start (const char *endpoint, error_t *err);

#endif
