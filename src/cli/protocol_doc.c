//  protocol_doc.c: prints docs/protocol.md from its hand-written part (a template) and the tables
//  of verbs and errors: gen-protocol docs/protocol.md.in > docs/protocol.md
//
//  The lines @VERBS@ and @ERRORS@ of the template are replaced.

#include "msg/verbs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int number;
    const char *name, *text;
} errors[] = {
#define ERROR_CODE(name, number, text) { number, "VIR_ERR_" #name, text },
#include "util/error_codes.def"
#undef ERROR_CODE
};

static void print_errors (void)
{
    printf ("| code | name | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        printf ("| %d | %s | %s |\n", errors[i].number, errors[i].name, errors[i].text);
}

static const char *const class_words[CLASS_COUNT] = {
    [CLASS_QUERY] = "a query: it never waits for a job",
    [CLASS_MODIFY] = "a change: one at a time on a domain",
    [CLASS_SUSPEND] = "a change: one at a time on a domain",
    [CLASS_START] = "a job: the only one on its domain",
    [CLASS_JOB] = "a job: the only one on its domain",
    [CLASS_DESTROY] = "at once, whatever runs",
    [CLASS_STREAM] = "a stream",
    [CLASS_MIGRATION] = "while the domain migrates",
    [CLASS_HOTPLUG] = "a change: one at a time on a domain",
    [CLASS_AGENT] = "asked of the guest's agent, beside all others",
    [CLASS_LIMITS] = "a change: one at a time on a domain, also while it migrates",
};

//  A '|' would end a cell of the table.
static void print_cell (const char *text)
{
    for (const char *c = text; *c; c++)
        printf (*c == '|' ? "\\%c" : "%c", *c);
}

static void print_arg (const verb_arg_t *arg)
{
    printf ("| `%s` | %s | %s | ", arg->name, arg_type_name (arg->type),
            arg->flags & ARG_REQUIRED ? "yes" : "");
    print_cell (arg->help);
    if (arg->choices) {
        printf ("; one of ");
        print_cell (arg->choices);
    }
    printf (" |\n");
}

static void print_verb (const verb_t *verb)
{
    printf ("### %s\n\n%c%s.\n\n", verb->name, toupper (verb->help[0]), verb->help + 1);
    printf ("Access: %s; %s.", access_name (verb->access), class_words[verb->class]);
    if (verb->command)
        printf (" Command: `troupe %s`.", verb->command);
    printf ("\n\n");
    if (verb->args->name)
        printf ("| argument | type | required | |\n|---|---|---|---|\n");
    for (const verb_arg_t *arg = verb->args; arg->name; arg++)
        print_arg (arg);
    if (verb->args->name)
        printf ("\n");
    printf ("Result: %s\n\n", verb->result);
}

static void print_verbs (void)
{
    for (const verb_t *verb = verbs; verb->name; verb++)
        print_verb (verb);
}

int main (int argc, char **argv)
{
    FILE *template = argc == 2 ? fopen (argv[1], "r") : NULL;
    if (!template) {
        fprintf (stderr, "error: %s\n",
                 argc == 2 ? "the template can't be read" : "give one argument, the template");
        return 2;
    }
    char line[1024];
    while (fgets (line, sizeof line, template)) {
        if (strcmp (line, "@VERBS@\n") == 0)
            print_verbs ();
        else if (strcmp (line, "@ERRORS@\n") == 0)
            print_errors ();
        else
            fputs (line, stdout);
    }
    fclose (template);
    return fflush (stdout) ? 1 : 0;
}
