//  save.c: guests saved to files and restored from them, dumps and screenshots, with virsh's
//  options. Paths are the daemon's, but relative ones are meant from here.

#include "cli/run.h"

#include "util/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *run_absolute_path (const char *path, error_t *err)
{
    char folder[PATH_MAX];
    if (!*path) {
        error_set (err, ERR_INVALID_ARG, "the name of the file is empty; give one");
        return NULL;
    }
    if (path[0] == '/')
        return text_copy (path);
    if (getcwd (folder, sizeof folder))
        return text_format ("%s/%s", folder, path);
    error_errno (err, ERR_SYSTEM_ERROR, "find out the current folder, for '%s'", path);
    return NULL;
}

static int add_path (troupe_args_t *args, const options_t *options, error_t *err)
{
    autofree char *path = run_absolute_path (options_str (options, "file"), err);
    if (path)
        troupe_args_str (args, "path", path);
    return path ? 0 : -1;
}

//  The flags and the document that the option xml names, as the verbs have them.
static int add_common (cli_t *cli, troupe_args_t *args, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "running", "paused",      "live",        "crash",
                                         "reset",   "memory_only", "bypass_cache" };
    const char *domain = options_str (options, "domain"), *xml = options_str (options, "xml");
    if (options_flag (options, "running") && options_flag (options, "paused"))
        return cli_usage (cli, err, "%s: --running does not go with --paused",
                          options->command->name);
    if (domain)
        troupe_args_str (args, "domain", domain);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    return xml ? options_add_file (args, "xml", xml, err) : 0;
}

static int run_with_file (cli_t *cli, const options_t *options, const char *verb, const char *said,
                          error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    if (add_path (args, options, err) || add_common (cli, args, options, err))
        return -1;
    const char *format = options_str (options, "format");
    if (format)
        troupe_args_str (args, "format", format);
    autofree char *name = run_domain_name (cli, options, err);
    if (!name || run_long (cli, options, verb, args, err))
        return -1;
    run_say (cli, options, said, name);
    return 0;
}

int run_save (cli_t *cli, const options_t *options, error_t *err)
{
    return run_with_file (cli, options, "domain.save", "Domain '{name}' saved to {file}", err);
}

int run_restore (cli_t *cli, const options_t *options, error_t *err)
{
    return run_with_file (cli, options, "domain.restore", "Domain restored from {file}", err);
}

int run_dump (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_str (options, "format") && !options_flag (options, "memory_only"))
        return cli_usage (cli, err, "dump: --format goes with --memory-only");
    return run_with_file (cli, options, "domain.dump", "Domain '{name}' dumped to {file}", err);
}

int run_save_image_define (cli_t *cli, const options_t *options, error_t *err)
{
    return run_with_file (cli, options, "image.define", "State file {file} updated", err);
}

int run_managedsave (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    if (add_common (cli, args, options, err))
        return -1;
    autofree char *name = run_domain_name (cli, options, err);
    if (!name || run_long (cli, options, "domain.managed_save", args, err))
        return -1;
    run_say (cli, options, "Domain '{name}' state saved by troupe", name);
    return 0;
}

//  As virsh's: without one there is nothing to do, and that is no failure.
int run_managedsave_remove (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) info =
        cli_call_domain (cli, "domain.info", options_str (options, "domain"), err);
    if (!info)
        return -1;
    const troupe_value_t *domain = troupe_message_value (info);
    bool saved = troupe_get_bool (domain, "managed_save", false);
    auto(troupe_message_t) reply = saved ? run_verb (cli, options, err) : NULL;
    if (saved && !reply)
        return -1;
    if (cli_json (cli, reply ? troupe_message_value (reply) : NULL))
        return 0;
    run_say (cli, options,
             saved ? options->command->done
                   : "Domain '{name}' has no managed save image; removal skipped",
             troupe_get_str (domain, "name"));
    return 0;
}

int run_managedsave_define (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    if (add_common (cli, args, options, err))
        return -1;
    autofree char *name = run_domain_name (cli, options, err);
    if (!name || run_long (cli, options, "domain.managed_save_define", args, err))
        return -1;
    run_say (cli, options, "Managed save state file of domain '{name}' updated.", name);
    return 0;
}

//  Of a domain's managed save, or of a file.
static int add_image (troupe_args_t *args, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain");
    if (!domain)
        return add_path (args, options, err);
    troupe_args_str (args, "domain", domain);
    return 0;
}

static int define_image (cli_t *cli, const options_t *options, const char *xml, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    bool managed = options_str (options, "domain") != NULL;
    if (add_common (cli, args, options, err) || (!managed && add_path (args, options, err)))
        return -1;
    troupe_args_str (args, "xml", xml);
    auto(troupe_message_t) reply =
        cli_call (cli, managed ? "domain.managed_save_define" : "image.define", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

//  save-image-edit and managedsave-edit.
int run_save_image_edit (cli_t *cli, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain");
    auto(troupe_args_t) args = troupe_args_new ();
    if (add_image (args, options, err))
        return -1;
    troupe_args_bool (args, "security_info", true);
    auto(troupe_message_t) reply =
        cli_call (cli, domain ? "domain.managed_save_xml" : "image.xml", args, err);
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    autofree char *what = domain ? text_format ("Managed save image of domain '%s'", domain)
                                 : text_format ("State file '%s'", options_str (options, "file"));
    return edit_document (cli, options, what, xml ? xml : "", define_image, err);
}

int run_save_image_dumpxml (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    if (add_path (args, options, err))
        return -1;
    if (options_flag (options, "security_info"))
        troupe_args_bool (args, "security_info", true);
    auto(troupe_message_t) reply = cli_call (cli, "image.xml", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    const char *xml = troupe_get_str (value, "xml");
    if (!cli_json (cli, value))
        printf ("%s\n", xml ? xml : "");
    return 0;
}

//  Without a name it is called as virsh does: DOMAIN and what kind of picture it is.
static char *picture_path (const options_t *options, const char *name, const char *mime)
{
    const char *file = options_str (options, "file");
    const char *kind = mime && strcmp (mime, "image/png") == 0 ? "png" : "ppm";
    return file ? text_copy (file) : text_format ("%s.%s", name, kind);
}

int run_screenshot (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_u64 (args, "screen", options_u64 (options, "screen", 0));
    autofree char *name = run_domain_name (cli, options, err);
    auto(troupe_message_t) reply = name ? cli_call (cli, "domain.screenshot", args, err) : NULL;
    if (!reply)
        return -1;
    size_t size = 0;
    const troupe_value_t *value = troupe_message_value (reply);
    const char *mime = troupe_get_str (value, "mime");
    const void *bytes = troupe_bin (troupe_get (value, "data"), &size);
    autofree char *path = picture_path (options, name, mime);
    if (!bytes || file_write (path, bytes, size, err))
        return -1;
    cli_say (cli, "Screenshot saved to %s, with type of %s\n", path, mime ? mime : "unknown");
    return 0;
}
