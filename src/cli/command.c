//  command.c: the table of commands, of commands.def and of the verb table.

#include "cli/run.h"

#include <string.h>

#define ARG(name, type, flags, choices, help)                                                      \
    {                                                                                              \
        name, type, flags, choices, help                                                           \
    }
#define OPTIONS_NONE no_options
#define OPTIONS(...) ((const verb_arg_t[]){ __VA_ARGS__, { NULL, TYPE_STR, 0, NULL, NULL } })
#define COMMAND(name, group, verb, options, run, done, help, about)                                \
    { name, group, verb, options, run, done, help, about, NULL },

static const verb_arg_t no_options[] = { { NULL, TYPE_STR, 0, NULL, NULL } };

static const command_t commands[] = {
#include "cli/commands.def"
};

enum {
    COMMAND_COUNT = sizeof commands / sizeof *commands
};

const command_group_t command_groups[] = { { "domain", "Domains" },
                                           { "snapshot", "Snapshots" },
                                           { "checkpoint", "Checkpoints" },
                                           { "network", "Networks" },
                                           { "nodedev", "Devices of the host" },
                                           { "host", "Host and daemon" },
                                           { "keys", "Keys of this host and of others" },
                                           { "events", "Events" },
                                           { "shell", "The command line itself" },
                                           { NULL, NULL } };

static const command_t *row_named (const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp (commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void fill_from_row (command_t *self, const command_t *row)
{
    *self = *row;
    self->verb = row->verb_name ? verb_find (row->verb_name) : NULL;
}

static void fill_from_verb (command_t *self, const verb_t *verb, const char *name)
{
    const char *group = strncmp (verb->name, "domain.", 7) == 0    ? "domain"
                        : strncmp (verb->name, "network.", 8) == 0 ? "network"
                        : strncmp (verb->name, "nodedev.", 8) == 0 ? "nodedev"
                                                                   : "host";
    *self = (command_t){
        .name = name, .group = group, .verb_name = verb->name, .options = OPTIONS_NONE, .verb = verb
    };
}

bool command_find (const char *name, command_t *command)
{
    const command_t *row = row_named (name);
    const verb_t *verb = row ? NULL : verb_of_command (name);
    if (!row && !verb)
        verb = verb_find (name);
    if (row)
        fill_from_row (command, row);
    else if (verb)
        fill_from_verb (command, verb, name);
    return row || verb;
}

bool command_at (size_t index, command_t *command)
{
    if (index < COMMAND_COUNT) {
        fill_from_row (command, &commands[index]);
        return true;
    }
    index -= COMMAND_COUNT;
    for (const verb_t *verb = verbs; verb->name; verb++)
        if (verb->command && !row_named (verb->command) && index-- == 0) {
            fill_from_verb (command, verb, verb->command);
            return true;
        }
    return false;
}

const verb_arg_t *command_arg (const command_t *self, size_t index)
{
    for (const verb_arg_t *arg = self->verb ? self->verb->args : NULL; arg && arg->name; arg++)
        if (index-- == 0)
            return arg;
    for (const verb_arg_t *arg = self->options; arg->name; arg++)
        if (index-- == 0)
            return arg;
    return NULL;
}

const char *command_help (const command_t *self)
{
    return self->help ? self->help : self->verb ? self->verb->help : "";
}
