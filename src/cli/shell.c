//  shell.c: commands read one after another, from a terminal or a file, over one connection.

#include "cli/run.h"

#include <string.h>
#include <unistd.h>

//  Reads words up to the end of one command: a semicolon, a newline or the end of the text. Blanks
//  part words, quotes and backslashes keep them together, # begins a comment. What follows the
//  command, or NULL if a quote has no end.
static const char *split_words (const char *at, strings_t *words)
{
    auto(text_t) word = text_new ();
    bool inside = false;
    char quote = 0;
    for (; *at && (quote || !strchr (";\n", *at)); at++) {
        bool blank = strchr (" \t", *at);
        if (quote ? *at == quote : !blank && (*at == '"' || *at == '\'')) {
            quote = quote ? 0 : *at;
            inside = true;
        } else if (!quote && blank) {
            if (inside)
                strings_add (words, word->data);
            inside = false;
            text_destroy (&word);
            word = text_new ();
        } else if (!quote && !inside && *at == '#') {
            at += strcspn (at, "\n") - 1;
        } else if (*at == '\\' && quote != '\'' && at[1] == '\n') {
            at++; //  the line goes on
        } else {
            if (*at == '\\' && quote != '\'' && at[1])
                at++;
            text_add_char (word, *at);
            inside = true;
        }
    }
    if (inside)
        strings_add (words, word->data);
    return quote ? NULL : at + (*at != 0);
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

//  Nothing is run of a text that can't be read to its end.
static bool is_complete (const char *text)
{
    while (text && *text) {
        auto(strings_t) words = strings_new ();
        text = split_words (text, words);
    }
    return text != NULL;
}

int cli_run_text (cli_t *self, const char *text, int last)
{
    if (!is_complete (text)) {
        fprintf (stderr, "error: a quote has no end\n");
        return EXIT_USAGE;
    }
    while (*text && !self->quit) {
        auto(strings_t) words = strings_new ();
        text = split_words (text, words);
        self->shell = self->shell || *text;
        if (words->count > 0)
            last = run_words (self, words);
    }
    return last;
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
        status = cli_run_text (self, line, status);
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
