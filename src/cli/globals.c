//  globals.c: the options that every command has.

#include "cli/globals.h"
#include "util/text.h"

#include <string.h>

const global_option_t global_options[] = {
    { "root", 0, "folder", NULL, "talk to the daemon that was started with this --root" },
    { "connect", 'c', "endpoint", NULL,
      "talk to the daemon at this endpoint (ipc://PATH, tcp://HOST:PORT, system, session)" },
    { "readonly", 'r', NULL, NULL, "only look: use the read-only socket" },
    { "output", 0, "form", "table|json", "table: for people; json: one document for programs" },
    { "quiet", 'q', NULL, NULL, "only what was asked for, no messages" },
    { "timeout", 0, "seconds", NULL, "how long to wait for the daemon" },
    { "call-key", 0, "key", NULL,
      "what this command changes is changed once, however often it is run with this key" },
    { "no-start", 0, NULL, NULL, "do not start a session daemon when none runs" },
    { "version", 'v', NULL, NULL, "print the version" },
    { "help", 'h', NULL, NULL, "help, of a command if one is given" },
    { NULL, 0, NULL, NULL, NULL }
};

//  Does WORD name SELF? *VALUE: what follows a '=' in it, or NULL.
static bool is_named (const global_option_t *self, const char *word, const char **value)
{
    *value = NULL;
    if (self->letter && word[0] == '-' && word[1] == self->letter && word[2] == 0)
        return true;
    if (!text_starts (word, "--") || !text_starts (word + 2, self->name))
        return false;
    const char *end = word + 2 + strlen (self->name);
    if (*end == '=')
        *value = end + 1;
    return *end == 0 || (*end == '=' && self->value);
}

static int set_timeout (cli_t *cli, const char *value, error_t *err)
{
    uint64_t seconds;
    if (!text_to_u64 (value, &seconds) || seconds == 0 || seconds > 86400)
        return cli_usage (cli, err, "--timeout '%s': it has to be a number of seconds, 1 to 86400",
                          value);
    cli->timeout_ms = (int) seconds * 1000;
    return 0;
}

static int set_key (cli_t *cli, const char *value, error_t *err)
{
    size_t size = strlen (value);
    for (const char *c = value; *c; c++)
        if (*c <= ' ' || *c > '~')
            size = 0;
    if (size == 0 || size > CLI_MAX_KEY)
        return cli_usage (cli, err,
                          "--call-key '%s': it has to be 1 to %d printable ASCII characters "
                          "without blanks",
                          value, CLI_MAX_KEY);
    cli->key = value;
    cli->keyed = 0;
    return 0;
}

static int set_value (cli_t *cli, const global_option_t *option, const char *value, error_t *err)
{
    if (strcmp (option->name, "root") == 0)
        cli->root = value;
    else if (strcmp (option->name, "connect") == 0)
        cli->connect = value;
    else if (strcmp (option->name, "timeout") == 0)
        return set_timeout (cli, value, err);
    else if (strcmp (option->name, "call-key") == 0)
        return set_key (cli, value, err);
    else if (strcmp (value, "json") == 0 || strcmp (value, "table") == 0)
        cli->json = strcmp (value, "json") == 0;
    else
        return cli_usage (cli, err, "--output '%s': it has to be table or json", value);
    return 0;
}

static void set_flag (cli_t *cli, const global_option_t *option)
{
    if (strcmp (option->name, "readonly") == 0)
        cli->read_only = true;
    else if (strcmp (option->name, "quiet") == 0)
        cli->quiet = true;
    else if (strcmp (option->name, "no-start") == 0)
        cli->no_start = true;
    else if (strcmp (option->name, "version") == 0)
        cli->version = true;
    else
        cli->help = true;
}

int globals_take (cli_t *cli, size_t count, const char *const *words, size_t at, error_t *err)
{
    for (const global_option_t *option = global_options; option->name; option++) {
        const char *value;
        if (!is_named (option, words[at], &value))
            continue;
        if (!option->value) {
            set_flag (cli, option);
            return 1;
        }
        int used = value ? 1 : 2;
        if (!value && at + 1 >= count)
            return cli_usage (cli, err, "--%s: its value, the %s, is missing", option->name,
                              option->value);
        return set_value (cli, option, value ? value : words[at + 1], err) ? -1 : used;
    }
    return 0;
}
