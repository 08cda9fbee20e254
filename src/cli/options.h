//  options.h: the arguments of one command, as virsh takes them: "start web1 --paused",
//  "start --paused --domain web1" and "start --domain=web1 --paused" are the same. An option that
//  has a value may be given by its position; a flag is --name. "--" ends the options.

#ifndef TROUPE_OPTIONS_H
#define TROUPE_OPTIONS_H

#include "cli/command.h"
#include "util/text.h"

enum {
    OPTIONS_MAX = 256,
    ARG_REST = 0x100,  //  takes all words that are no options, joined by spaces
    ARG_NAMED = 0x200, //  never by its position
    ARG_MANY = 0x400,  //  may be given several times; options->given has each
    ARG_WORDS =
        0x800 //  with ARG_MANY: once it began, all words are its own, whatever they begin with
};

struct options {
    const command_t *command;
    size_t count;
    struct {
        const verb_arg_t *arg;
        char *text; //  NULL for a flag
    } given[OPTIONS_MAX];
};

//  Of COUNT words; options that are not the command's may be global ones. ERR is one of usage.
options_t *options_parse (cli_t *cli, const command_t *command, size_t count,
                          const char *const *words, error_t *err);
void options_destroy (options_t **self_p);
DEFINE_AUTO (options_t, options_destroy)

//  By the argument's name in the table.
const char *options_str (const options_t *self, const char *name); //  NULL if absent
bool options_flag (const options_t *self, const char *name);
uint64_t options_u64 (const options_t *self, const char *name, uint64_t otherwise);

//  The arguments for the command's verb; reads the files that XML arguments name ("-": stdin).
//  NULL and ERR when one can't be read.
troupe_args_t *options_args (const options_t *self, error_t *err);

//  The text of the file PATH ("-": stdin); the caller frees it. NULL and ERR when it can't be read.
char *options_read_file (const char *path, error_t *err);
//  The same as argument NAME. -1 and ERR when it can't be read.
int options_add_file (troupe_args_t *args, const char *name, const char *path, error_t *err);

//  The option's name on the command line: dashes for underscores, "file" for a document. The
//  caller frees the result.
char *option_name (const verb_arg_t *arg);

#endif
