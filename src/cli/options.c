//  options.c: the arguments of one command.

#include "cli/options.h"
#include "cli/globals.h"

#include <libxml/xmlstring.h>
#include <string.h>

enum {
    MAX_FILE_BYTES = 4 * 1024 * 1024
};

typedef struct {
    cli_t *cli;
    size_t count, at;
    const char *const *words;
    options_t *options;
} parser_t;

char *option_name (const verb_arg_t *arg)
{
    char *name = text_copy (arg->type == TYPE_XML ? "file" : arg->name);
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = '-';
    return name;
}

static size_t find_given (const options_t *self, const verb_arg_t *arg)
{
    size_t i = 0;
    while (i < self->count && self->given[i].arg != arg)
        i++;
    return i;
}

static bool is_given (const options_t *self, const verb_arg_t *arg)
{
    return find_given (self, arg) < self->count;
}

static const verb_arg_t *arg_named (const command_t *command, const char *word, size_t size)
{
    const verb_arg_t *arg;
    for (size_t i = 0; (arg = command_arg (command, i)); i++) {
        autofree char *name = option_name (arg);
        if (strlen (name) == size && strncmp (name, word, size) == 0)
            return arg;
    }
    return NULL;
}

//  The option that a word without "--" is for. Text of many words takes all that come.
static const verb_arg_t *next_positional (const options_t *self)
{
    const verb_arg_t *arg;
    for (size_t i = 0; (arg = command_arg (self->command, i)); i++)
        if (arg->type != TYPE_BOOL && !(arg->flags & ARG_NAMED) &&
            (!is_given (self, arg) || (arg->flags & (ARG_REST | ARG_MANY))))
            return arg;
    return NULL;
}

static int check_text (parser_t *self, const verb_arg_t *arg, const char *text, error_t *err)
{
    const char *command = self->options->command->name;
    autofree char *name = option_name (arg);
    uint64_t number;
    if (!xmlCheckUTF8 ((const xmlChar *) text))
        return cli_usage (self->cli, err, "%s: --%s is no text in UTF-8", command, name);
    if (arg->type == TYPE_U64 && !text_to_u64 (text, &number))
        return cli_usage (self->cli, err, "%s: --%s '%s' is no whole number (%s)", command, name,
                          text, arg->help);
    if (arg->choices && !verb_is_choice (arg->choices, text))
        return cli_usage (self->cli, err, "%s: --%s '%s': it may be one of %s", command, name, text,
                          arg->choices);
    return 0;
}

//  Takes TEXT (NULL for a flag) over.
static int give (parser_t *self, const verb_arg_t *arg, char *text, error_t *err)
{
    autofree char *mine = text;
    options_t *options = self->options;
    autofree char *name = option_name (arg);
    bool again = is_given (options, arg) && !(arg->flags & ARG_MANY);
    if (options->count == OPTIONS_MAX)
        return cli_usage (self->cli, err, "%s: more than %d words", options->command->name,
                          OPTIONS_MAX);
    if (again)
        return cli_usage (self->cli, err, "%s: --%s is given twice", options->command->name, name);
    if (mine && check_text (self, arg, mine, err))
        return -1;
    options->given[options->count].arg = arg;
    options->given[options->count].text = take (&mine);
    options->count++;
    return 0;
}

//  One more word of a text of many.
static int append (parser_t *self, const verb_arg_t *arg, const char *word, error_t *err)
{
    options_t *options = self->options;
    size_t i = find_given (options, arg);
    if (i == options->count)
        return give (self, arg, text_copy (word), err);
    char *before = options->given[i].text;
    options->given[i].text = text_format ("%s %s", before, word);
    free (before);
    return check_text (self, arg, word, err);
}

static int take_positional (parser_t *self, error_t *err)
{
    const char *word = self->words[self->at];
    const verb_arg_t *arg = next_positional (self->options);
    if (!arg)
        return cli_usage (self->cli, err, "%s: '%s' is one word too many; see 'troupe help %s'",
                          self->options->command->name, word, self->options->command->name);
    self->at++;
    return arg->flags & ARG_REST ? append (self, arg, word, err)
                                 : give (self, arg, text_copy (word), err);
}

//  In the midst of such a text a word with one dash is text: "info registers -a".
static bool is_in_text (const options_t *self, const char *word)
{
    const verb_arg_t *arg = next_positional (self);
    if (!arg || !is_given (self, arg))
        return false;
    return (arg->flags & ARG_WORDS) || (!text_starts (word, "--") && (arg->flags & ARG_REST));
}

//  WORD starts with "--": 1 if it is an option of the command and was taken, 0 if not, or -1.
static int take_named (parser_t *self, error_t *err)
{
    const command_t *command = self->options->command;
    const char *word = self->words[self->at] + 2;
    size_t size = strcspn (word, "=");
    const verb_arg_t *arg = arg_named (command, word, size);
    if (!arg)
        return 0;
    self->at++;
    if (arg->type == TYPE_BOOL) {
        if (word[size])
            return cli_usage (self->cli, err, "%s: --%s is a flag and takes no value",
                              command->name, word);
        return give (self, arg, NULL, err) ? -1 : 1;
    }
    if (word[size])
        return give (self, arg, text_copy (word + size + 1), err) ? -1 : 1;
    if (self->at >= self->count)
        return cli_usage (self->cli, err, "%s: --%s: its value is missing (%s)", command->name,
                          word, arg->help);
    return give (self, arg, text_copy (self->words[self->at++]), err) ? -1 : 1;
}

static int take_word (parser_t *self, error_t *err)
{
    const char *word = self->words[self->at];
    if (word[0] != '-' || word[1] == 0 || is_in_text (self->options, word))
        return take_positional (self, err);
    if (strcmp (word, "--") == 0) {
        for (self->at++; self->at < self->count;)
            if (take_positional (self, err))
                return -1;
        return 0;
    }
    int used = text_starts (word, "--") ? take_named (self, err) : 0;
    if (used)
        return used < 0 ? -1 : 0;
    used = globals_take (self->cli, self->count, self->words, self->at, err);
    if (used == 0)
        return cli_usage (self->cli, err, "%s: there is no option '%s'; see 'troupe help %s'",
                          self->options->command->name, word, self->options->command->name);
    self->at += used > 0 ? (size_t) used : 0;
    return used < 0 ? -1 : 0;
}

static int check_required (parser_t *self, error_t *err)
{
    const command_t *command = self->options->command;
    const verb_arg_t *arg;
    for (size_t i = 0; (arg = command_arg (command, i)); i++)
        if ((arg->flags & ARG_REQUIRED) && !is_given (self->options, arg)) {
            autofree char *name = option_name (arg);
            return cli_usage (self->cli, err, "%s: <%s> is missing (%s); see 'troupe help %s'",
                              command->name, name, arg->help, command->name);
        }
    return 0;
}

options_t *options_parse (cli_t *cli, const command_t *command, size_t count,
                          const char *const *words, error_t *err)
{
    auto(options_t) options = memory_new (1, sizeof *options);
    options->command = command;
    parser_t parser = { .cli = cli, .count = count, .words = words, .options = options };
    while (parser.at < count)
        if (take_word (&parser, err))
            return NULL;
    if (!cli->help && check_required (&parser, err))
        return NULL;
    return take (&options);
}

void options_destroy (options_t **self_p)
{
    options_t *self = take (self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free (self->given[i].text);
    free (self);
}

const char *options_str (const options_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->given[i].arg->name, name) == 0)
            return self->given[i].text;
    return NULL;
}

bool options_flag (const options_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->given[i].arg->name, name) == 0)
            return true;
    return false;
}

uint64_t options_u64 (const options_t *self, const char *name, uint64_t otherwise)
{
    const char *text = options_str (self, name);
    uint64_t number;
    return text && text_to_u64 (text, &number) ? number : otherwise;
}

static char *read_all (FILE *file, const char *path, error_t *err)
{
    auto(text_t) text = text_new ();
    char part[4096];
    for (size_t size; (size = fread (part, 1, sizeof part, file)) > 0;) {
        text_add_bytes (text, part, size);
        if (text->size > MAX_FILE_BYTES) {
            error_set (err, ERR_INVALID_ARG, "read '%s': a document may have 4 MiB at most", path);
            return NULL;
        }
    }
    if (ferror (file)) {
        error_errno (err, ERR_READ_FAILED, "read '%s'", path);
        return NULL;
    }
    if (strlen (text->data) != text->size || !xmlCheckUTF8 ((const xmlChar *) text->data)) {
        error_set (err, ERR_INVALID_ARG, "read '%s': it is no text in UTF-8", path);
        return NULL;
    }
    return text_finish (&text);
}

//  Any readable thing, also a pipe: "-" is stdin.
char *options_read_file (const char *path, error_t *err)
{
    bool standard = strcmp (path, "-") == 0;
    FILE *file = standard ? stdin : fopen (path, "re");
    if (!file) {
        error_errno (err, ERR_OPEN_FAILED, "open '%s'", path);
        return NULL;
    }
    char *text = read_all (file, path, err);
    if (!standard)
        fclose (file);
    return text;
}

int options_add_file (troupe_args_t *args, const char *name, const char *path, error_t *err)
{
    autofree char *text = options_read_file (path, err);
    if (!text)
        return -1;
    troupe_args_str (args, name, text);
    return 0;
}

static int add_arg (troupe_args_t *args, const verb_arg_t *arg, const char *text, error_t *err)
{
    uint64_t number = 0;
    switch (arg->type) {
    case TYPE_BOOL:
        troupe_args_bool (args, arg->name, !text || strcmp (text, "false") != 0);
        return 0;
    case TYPE_XML:
        return options_add_file (args, arg->name, text, err);
    case TYPE_U64:
        text_to_u64 (text, &number);
        troupe_args_u64 (args, arg->name, number);
        return 0;
    case TYPE_I64:
        troupe_args_i64 (args, arg->name, strtoll (text, NULL, 10));
        return 0;
    case TYPE_BIN:
        troupe_args_bin (args, arg->name, text, strlen (text));
        return 0;
    case TYPE_STRS:
        troupe_args_strs (args, arg->name, &text, 1);
        return 0;
    default:
        troupe_args_str (args, arg->name, text);
        return 0;
    }
}

troupe_args_t *options_args (const options_t *self, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    const verb_t *verb = self->command->verb;
    for (const verb_arg_t *arg = verb->args; arg->name; arg++)
        for (size_t i = 0; i < self->count; i++)
            if (self->given[i].arg == arg && add_arg (args, arg, self->given[i].text, err))
                return NULL;
    return take (&args);
}
