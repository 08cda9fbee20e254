//  edit.c: the user's editor, and the command edit.

#include "cli/run.h"
#include "util/file.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_BYTES = 4 * 1024 * 1024
};

static const char *editor (void)
{
    static const char *const names[] = { "VISUAL", "EDITOR" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv (names[i]);
        if (value && *value)
            return value;
    }
    return "vi";
}

//  The variable may hold a command with arguments, so a shell runs it; the path is no part of the
//  shell's text.
static int run_editor (const char *path, error_t *err)
{
    autofree char *command = text_format ("%s \"$0\"", editor ());
    pid_t child = fork ();
    if (child < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "start the editor '%s'", editor ());
    if (child == 0) {
        execl ("/bin/sh", "sh", "-c", command, path, (char *) NULL);
        _exit (127);
    }
    int status;
    while (waitpid (child, &status, 0) < 0)
        if (errno != EINTR)
            return error_errno (err, ERR_SYSTEM_ERROR, "wait for the editor '%s'", editor ());
    if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the editor '%s' failed: nothing was changed; set EDITOR to another one",
                          editor ());
    return 0;
}

char *edit_again (const char *path, error_t *err)
{
    return run_editor (path, err) ? NULL : file_read (path, MAX_BYTES, NULL, err);
}

static int write_all (int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t count = write (fd, text, size);
        if (count < 0 && errno != EINTR)
            return -1;
        text += count > 0 ? count : 0;
        size -= count > 0 ? (size_t) count : 0;
    }
    return 0;
}

char *edit_text (const char *text, const char *suffix, char **path, error_t *err)
{
    const char *folder = getenv ("TMPDIR");
    *path = text_format ("%s/troupe-XXXXXX%s", folder && *folder ? folder : "/tmp", suffix);
    autoclose int fd = mkstemps (*path, (int) strlen (suffix));
    if (fd < 0 || write_all (fd, text, strlen (text))) {
        error_errno (err, ERR_WRITE_FAILED, "write '%s'", *path);
        return NULL;
    }
    return edit_again (*path, err);
}

//  After an error of the daemon: does the user want to go on?
static bool wants_again (const error_t *err)
{
    if (!isatty (STDIN_FILENO))
        return false;
    fprintf (stderr, "error: %s\nFailed. Try again? [y,n]: ", err->message);
    char answer[16] = "";
    return fgets (answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int finish_edit (cli_t *cli, const char *path, const char *what, const char *outcome)
{
    unlink (path);
    cli_say (cli, "%s %s.\n", what, outcome);
    return 0;
}

int edit_document (cli_t *cli, const options_t *options, const char *what, const char *xml,
                   edit_apply_fn *apply, error_t *err)
{
    autofree char *path = NULL;
    autofree char *text = edit_text (xml, ".xml", &path, err);
    for (;;) {
        if (!text) {
            unlink (path);
            return -1;
        }
        if (strcmp (text, xml) == 0)
            return finish_edit (cli, path, what, "not changed");
        if (apply (cli, options, text, err) == 0)
            return finish_edit (cli, path, what, "edited");
        if (!wants_again (err)) {
            autofree char *message = text_copy (err->message);
            return error_set (err, err->code, "%s (your text is kept in %s)", message, path);
        }
        free (text);
        text = edit_again (path, err);
    }
}

static int define (cli_t *cli, const options_t *options, const char *xml, error_t *err)
{
    (void) options;
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "xml", xml);
    auto(troupe_message_t) reply = cli_call (cli, "domain.define", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

int run_edit (cli_t *cli, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain");
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", domain);
    troupe_args_bool (args, "inactive", true);
    troupe_args_bool (args, "security_info", true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.xml", args, err);
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    autofree char *what = text_format ("Domain '%s' XML configuration", domain);
    return edit_document (cli, options, what, xml ? xml : "", define, err);
}
