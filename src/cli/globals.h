//  globals.h: the options that every command has.

#ifndef TROUPE_GLOBALS_H
#define TROUPE_GLOBALS_H

#include "cli/cli.h"

#include <stddef.h>

typedef struct {
    const char *name;
    char letter;         //  0: none
    const char *value;   //  what its value is called; NULL: a flag
    const char *choices; //  of the value, or NULL
    const char *help;
} global_option_t;

extern const global_option_t global_options[]; //  name NULL at the end

//  Is the word at AT a global option? Then it is applied to CLI, and the number of words that it
//  took is returned (1 or 2). 0: it is none. -1 and ERR: its value is missing or wrong.
int globals_take (cli_t *cli, size_t count, const char *const *words, size_t at, error_t *err);

#endif
