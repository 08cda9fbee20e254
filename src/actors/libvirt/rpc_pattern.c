//  rpc_pattern.c: see rpc_pattern.h.

#include "actors/libvirt/rpc_pattern.h"

#include "util/text.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

struct rpc_pattern {
    char *name; //  NULL: it is a regular expression
    bool any_case;
    regex_t regex;
};

//  Of an expression before '+' glibc makes a second one, so of one within N of them 2^N.
#define REPEATS_MAX 4

static bool is_costly (const char *text)
{
    int repeats = 0;
    for (const char *c = text; *c; c++) {
        repeats += *c == '+';
        if (*c == '{' || (*c == '\\' && isdigit ((unsigned char) c[1])))
            return true;
    }
    return repeats > REPEATS_MAX;
}

static int compile (rpc_pattern_t *self, const char *text, error_t *err)
{
    char why[256];
    if (is_costly (text))
        return error_set (err, ERR_INVALID_ARG,
                          "not supported: the regular expression '%.64s' for names of events: "
                          "leave out '{', references like \\1, and more than %d times '+'",
                          text, REPEATS_MAX);
    int code =
        regcomp (&self->regex, text, REG_EXTENDED | REG_NOSUB | (self->any_case ? REG_ICASE : 0));
    if (code == 0)
        return 0;
    regerror (code, &self->regex, why, sizeof why);
    return error_set (err, ERR_INVALID_ARG, "'%.64s' is no regular expression: %s", text, why);
}

rpc_pattern_t *rpc_pattern_new (const char *text, uint32_t flags, error_t *err)
{
    if (strlen (text) > RPC_PATTERN_MAX) {
        error_set (err, ERR_INVALID_ARG,
                   "the name or expression for events has %zu bytes; at most %d are allowed",
                   strlen (text), RPC_PATTERN_MAX);
        return NULL;
    }
    rpc_pattern_t *self = memory_new (1, sizeof *self);
    self->any_case = flags & RPC_PATTERN_NOCASE;
    if (!(flags & RPC_PATTERN_REGEX))
        self->name = text_copy (text);
    else if (compile (self, text, err)) {
        free (self);
        return NULL;
    }
    return self;
}

void rpc_pattern_destroy (rpc_pattern_t **self_p)
{
    rpc_pattern_t *self = take (self_p);
    if (!self)
        return;
    if (!self->name)
        regfree (&self->regex);
    free (self->name);
    free (self);
}

bool rpc_pattern_fits (const rpc_pattern_t *self, const char *name)
{
    if (!self->name)
        return regexec (&self->regex, name, 0, NULL, 0) == 0;
    return self->any_case ? strcasecmp (self->name, name) == 0 : strcmp (self->name, name) == 0;
}
