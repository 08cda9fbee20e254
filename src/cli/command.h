//  command.h: the commands. A verb that names a command is one, by itself; commands.def adds what
//  is composed of several verbs, has its own output, or says something when it is done. Every verb
//  can also be called by its own name, as in "troupe session.ping".

#ifndef TROUPE_COMMAND_H
#define TROUPE_COMMAND_H

#include "cli/cli.h"
#include "msg/verbs.h"

typedef struct command command_t;
typedef struct options options_t;
typedef int (command_fn) (cli_t *cli, const options_t *options, error_t *err);

struct command {
    const char *name;
    const char *group;         //  "domain", "host", "events", "shell"
    const char *verb_name;     //  NULL: composed
    const verb_arg_t *options; //  besides those of the verb; name NULL at the end
    command_fn *run;           //  NULL: calls the verb and shows its result
    const char *done;          //  said afterwards: {name} is the domain's name, {file} an option
    const char *help;          //  one line; NULL: the verb's
    const char *about;         //  more words for "help COMMAND", or NULL
    const verb_t *verb;        //  filled in by command_find and command_at
};

typedef struct {
    const char *name, *title;
} command_group_t;

extern const command_group_t command_groups[]; //  name NULL at the end

//  False: there is no such command.
bool command_find (const char *name, command_t *command);
//  All commands in the order of help: false after the last.
bool command_at (size_t index, command_t *command);
//  The command's options: first the verb's arguments, then its own. NULL after the last.
const verb_arg_t *command_arg (const command_t *self, size_t index);
const char *command_help (const command_t *self);

#endif
