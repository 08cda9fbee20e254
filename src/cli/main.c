//  main.c: the troupe command.

#include "cli/globals.h"
#include "cli/run.h"

#include <locale.h>

//  The options before the command. The index of the command, or -1.
static int take_globals (cli_t *cli, int argc, const char *const *argv, error_t *err)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-') {
        int used = globals_take (cli, (size_t) argc, argv, (size_t) at, err);
        if (used == 0)
            return cli_usage (cli, err, "there is no option '%s'; see 'troupe help'", argv[at]);
        if (used < 0)
            return -1;
        at += used;
    }
    return at;
}

static int start (cli_t *cli, int argc, const char *const *argv)
{
    error_t err;
    int at = take_globals (cli, argc, argv, &err);
    if (at < 0) {
        fprintf (stderr, "error: %s\n", err.message);
        return EXIT_USAGE;
    }
    if (cli->version) {
        puts (TROUPE_VERSION);
        return EXIT_OK;
    }
    //  One argument alone may be several commands: troupe "start web; console web".
    if (at + 1 == argc)
        return cli_run_text (cli, argv[at], EXIT_OK);
    if (at < argc)
        return cli_run (cli, argc - at, argv + at);
    if (cli->help) {
        cli->help = false;
        return cli_run (cli, 1, (const char *const[]){ "help", NULL });
    }
    return cli_shell (cli);
}

int main (int argc, char **argv)
{
    setlocale (LC_CTYPE, "");
    cli_t cli = { 0 };
    int status = start (&cli, argc, (const char *const *) argv);
    cli_close (&cli);
    return status;
}
