//  metadata.c: desc and metadata, net-desc and net-metadata: description, title and metadata
//  elements of a domain or a network.

#include "cli/run.h"

#include <string.h>
#include <unistd.h>

//  What of the metadata a command is about.
typedef struct {
    cli_t *cli;
    const options_t *options;
    const char *type, *uri, *key; //  as the verbs take them
} subject_t;

//  "domain" or "network": what the command is about, and the first part of its verbs.
static const char *noun_of (const subject_t *self)
{
    return text_starts (self->options->command->name, "net-") ? "network" : "domain";
}

static troupe_message_t *call (const subject_t *self, const char *verb, const troupe_args_t *args,
                               error_t *err)
{
    autofree char *full = text_format ("%s.%s", noun_of (self), verb);
    return cli_call (self->cli, full, args, err);
}

static troupe_args_t *subject_args (const subject_t *self)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, noun_of (self), options_str (self->options, noun_of (self)));
    troupe_args_str (args, "type", self->type);
    if (self->uri)
        troupe_args_str (args, "uri", self->uri);
    if (options_flag (self->options, "config"))
        troupe_args_bool (args, "config", true);
    return args;
}

static bool is_absent (const error_t *err)
{
    return err->code == ERR_NO_DOMAIN_METADATA || err->code == ERR_NO_NETWORK_METADATA;
}

//  NULL and ERR, which is_absent when there is none.
static troupe_message_t *subject_get (const subject_t *self, error_t *err)
{
    auto(troupe_args_t) args = subject_args (self);
    return call (self, "metadata_get", args, err);
}

//  VALUE NULL: removes it.
static int subject_set (const subject_t *self, const char *value, error_t *err)
{
    auto(troupe_args_t) args = subject_args (self);
    if (value)
        troupe_args_str (args, "value", value);
    if (value && self->key)
        troupe_args_str (args, "key", self->key);
    if (options_flag (self->options, "live"))
        troupe_args_bool (args, "live", true);
    auto(troupe_message_t) reply = call (self, "metadata_set", args, err);
    if (reply)
        cli_json (self->cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

static int subject_edit (const subject_t *self, error_t *err)
{
    auto(troupe_message_t) reply = subject_get (self, err);
    if (!reply && !is_absent (err))
        return -1;
    const char *old = reply ? troupe_get_str (troupe_message_value (reply), "metadata") : "";
    autofree char *path = NULL;
    autofree char *text = edit_text (old, ".txt", &path, err);
    if (path)
        unlink (path);
    if (!text)
        return -1;
    size_t size = strlen (text);
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = 0; //  the editor's
    return subject_set (self, *text ? text : NULL, err);
}

static int show_desc (const subject_t *self, const char *what, error_t *err)
{
    auto(troupe_message_t) reply = subject_get (self, err);
    if (!reply && !is_absent (err))
        return -1;
    const troupe_value_t *value = reply ? troupe_message_value (reply) : NULL;
    if (cli_json (self->cli, value))
        return 0;
    const char *text = troupe_get_str (value, "metadata");
    if (text && *text)
        puts (text);
    else
        cli_say (self->cli, "No %s for %s: %s\n", what, noun_of (self),
                 options_str (self->options, noun_of (self)));
    return 0;
}

int run_desc (cli_t *cli, const options_t *options, error_t *err)
{
    bool title = options_flag (options, "title");
    const char *text = options_str (options, "new_desc");
    subject_t subject = { cli, options, title ? "title" : "description", NULL, NULL };
    if (run_check_scope (cli, options, err))
        return -1;
    if (text && options_flag (options, "edit"))
        return cli_usage (cli, err, "desc: --edit does not go with a new text");
    if (!text && !options_flag (options, "edit"))
        return show_desc (&subject, subject.type, err);
    int rc = text ? subject_set (&subject, *text ? text : NULL, err) : subject_edit (&subject, err);
    if (rc == 0)
        cli_say (cli, "%s %s updated successfully\n",
                 strcmp (noun_of (&subject), "network") == 0 ? "Network" : "Domain", subject.type);
    return rc;
}

static int show_metadata (const subject_t *self, error_t *err)
{
    auto(troupe_message_t) reply = subject_get (self, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    const char *text = troupe_get_str (value, "metadata");
    if (!cli_json (self->cli, value))
        printf ("%s%s", text ? text : "", text && text_ends (text, "\n") ? "" : "\n");
    return 0;
}

int run_metadata (cli_t *cli, const options_t *options, error_t *err)
{
    const char *set = options_str (options, "set");
    bool remove = options_flag (options, "remove"), edit = options_flag (options, "edit");
    subject_t subject = { cli, options, "element", options_str (options, "uri"),
                          options_str (options, "key") };
    if (run_check_scope (cli, options, err))
        return -1;
    if ((set != NULL) + remove + edit > 1)
        return cli_usage (cli, err, "metadata: --set, --edit and --remove exclude each other");
    if ((set || edit) && !subject.key)
        return cli_usage (cli, err, "metadata: --key, the namespace's prefix, is missing");
    if (!set && !remove && !edit)
        return show_metadata (&subject, err);
    int rc = edit ? subject_edit (&subject, err) : subject_set (&subject, set, err);
    if (rc == 0)
        cli_say (cli, "Metadata %s\n", remove ? "removed" : "modified");
    return rc;
}
