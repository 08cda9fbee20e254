//  shell.c: commands read one after another, from a terminal or a file, over one connection.

#include "cli/run.h"

#include <string.h>
#include <unistd.h>

//  The words of the next command in *LINE, which is moved behind it: blanks part words, a semicolon
//  or a comment ends the command, quotes and backslashes keep together. False if a quote has no
//  end.
static bool next_command (const char **line, strings_t *words)
{
    auto(text_t) word = text_new ();
    bool inside = false;
    char quote = 0;
    const char *at = *line;
    for (; *at && (quote || *at != ';'); at++) {
        bool blank = strchr (" \t\n", *at);
        if (*at == '#' && !inside && words->count == 0)
            at += strlen (at) - 1;
        else if (quote ? *at == quote : !blank && (*at == '"' || *at == '\'')) {
            quote = quote ? 0 : *at;
            inside = true;
        } else if (!quote && blank) {
            if (inside)
                strings_add (words, word->data);
            inside = false;
            text_destroy (&word);
            word = text_new ();
        } else {
            if (*at == '\\' && quote != '\'' && at[1])
                at++;
            text_add_char (word, *at);
            inside = true;
        }
    }
    if (inside)
        strings_add (words, word->data);
    *line = *at ? at + 1 : at;
    return quote == 0;
}

//  Options that a command line gave count for that command only.
static int run_words (cli_t *cli, const strings_t *words)
{
    bool quiet = cli->quiet, json = cli->json;
    int timeout_ms = cli->timeout_ms;
    int status = cli_run (cli, (int) words->count, strings_list (words));
    cli->quiet = quiet;
    cli->json = json;
    cli->timeout_ms = timeout_ms;
    cli->help = false;
    return status;
}

//  The exit status of its last command; LAST if it has none.
static int run_line (cli_t *cli, const char *line, int last)
{
    while (*line && !cli->quit) {
        auto(strings_t) words = strings_new ();
        if (!next_command (&line, words)) {
            fprintf (stderr, "error: a quote has no end\n");
            return EXIT_USAGE;
        }
        if (words->count > 0)
            last = run_words (cli, words);
    }
    return last;
}

int cli_run_string (cli_t *self, const char *commands)
{
    self->shell = true;
    return run_line (self, commands, EXIT_OK);
}

int cli_shell (cli_t *self)
{
    bool terminal = isatty (STDIN_FILENO);
    if (terminal && !self->quiet)
        printf ("Welcome to troupe. 'help' lists the commands, 'quit' leaves.\n\n");
    self->shell = true;
    autofree char *line = NULL;
    size_t room = 0;
    int status = EXIT_OK;
    while (!self->quit) {
        if (terminal)
            fputs (self->read_only ? "troupe > " : "troupe # ", stdout);
        fflush (stdout);
        if (getline (&line, &room, stdin) < 0) {
            if (terminal)
                putchar ('\n');
            break;
        }
        status = run_line (self, line, status);
    }
    return status;
}

int run_quit (cli_t *cli, const options_t *options, error_t *err)
{
    (void) options;
    (void) err;
    cli->quit = true;
    return 0;
}
