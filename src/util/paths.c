//  paths.c: where a daemon keeps its things.

#include "util/paths.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <libxml/xmlstring.h>
#include <string.h>
#include <sys/un.h>

//  The system's folders, and below PREFIX all of them.
static void set_below (paths_t *self, const char *prefix)
{
    self->etc = text_format ("%s/etc/troupe", prefix);
    self->run = text_format ("%s/run/troupe", prefix);
    self->libvirt = text_format ("%s/run/libvirt", prefix);
    self->lib = text_format ("%s/var/lib/troupe", prefix);
    self->log = text_format ("%s/var/log/troupe", prefix);
    self->cache = text_format ("%s/var/cache/troupe", prefix);
}

//  The XDG base directory specification: a variable that holds no absolute path is ignored.
static const char *absolute_from_environment (const char *name)
{
    const char *value = getenv (name);
    return value && value[0] == '/' ? value : NULL;
}

static char *home_folder (error_t *err)
{
    const char *home = absolute_from_environment ("HOME");
    if (home)
        return text_copy (home);
    char buffer[4096];
    struct passwd entry, *found = NULL;
    getpwuid_r (getuid (), &entry, buffer, sizeof buffer, &found);
    if (found && found->pw_dir[0] == '/')
        return text_copy (found->pw_dir);
    error_set (err, ERR_OPEN_FAILED,
               "find the folders of user %d: it has no home folder; set HOME, or use --root",
               (int) getuid ());
    return NULL;
}

static char *xdg_folder (const char *variable, const char *home, const char *otherwise)
{
    const char *value = absolute_from_environment (variable);
    return value ? text_format ("%s/troupe", value) : text_format ("%s/%s/troupe", home, otherwise);
}

static int set_session (paths_t *self, error_t *err)
{
    autofree char *home = home_folder (err);
    if (!home)
        return -1;
    self->etc = xdg_folder ("XDG_CONFIG_HOME", home, ".config");
    self->lib = xdg_folder ("XDG_STATE_HOME", home, ".local/state");
    self->log = text_format ("%s/log", self->lib);
    self->cache = xdg_folder ("XDG_CACHE_HOME", home, ".cache");
    //  The specification has no folder for a missing XDG_RUNTIME_DIR. What runs must be found
    //  again after a restart, so the replacement can't be a new one each time.
    const char *run = absolute_from_environment ("XDG_RUNTIME_DIR");
    self->run = run ? text_format ("%s/troupe", run) : text_format ("%s/run", self->cache);
    self->libvirt =
        run ? text_format ("%s/libvirt", run) : text_format ("%s/../libvirt", self->cache);
    return 0;
}

//  ROOT as an absolute path, whether it exists already or not. The caller frees it.
static char *absolute_root (const char *root, error_t *err)
{
    autofree char *known = realpath (root, NULL);
    if (known)
        return take (&known);
    if (errno != ENOENT) {
        error_errno (err, ERR_OPEN_FAILED, "use '%s' as --root", root);
        return NULL;
    }
    autofree char *here = root[0] == '/' ? text_copy ("") : getcwd (NULL, 0);
    if (!here) {
        error_errno (err, ERR_OPEN_FAILED, "use '%s' as --root: find the current folder", root);
        return NULL;
    }
    autofree char *path = root[0] == '/' ? text_copy (root) : text_format ("%s/%s", here, root);
    for (size_t size = strlen (path); size > 1 && path[size - 1] == '/'; size--)
        path[size - 1] = 0;
    return take (&path);
}

static int set_root (paths_t *self, const char *root, error_t *err)
{
    if (!root || !*root)
        return error_set (err, ERR_INVALID_ARG, "use '' as --root: it names no folder");
    autofree char *path = absolute_root (root, err);
    if (!path)
        return -1;
    set_below (self, strcmp (path, "/") == 0 ? "" : path);
    return 0;
}

//  Paths are in documents and messages, which are text.
static int check_text (const paths_t *self, error_t *err)
{
    const char *const all[] = { self->etc, self->run, self->lib, self->log, self->cache };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!xmlCheckUTF8 ((const xmlChar *) all[i]))
            return error_set (err, ERR_INVALID_ARG,
                              "use the folder '%s': its name is no text in UTF-8", all[i]);
    return 0;
}

paths_t *paths_new (paths_mode_t mode, const char *root, error_t *err)
{
    auto(paths_t) self = memory_new (1, sizeof *self);
    self->mode = mode;
    if (mode == PATHS_SYSTEM)
        set_below (self, "");
    if ((mode == PATHS_SESSION && set_session (self, err)) ||
        (mode == PATHS_ROOT && set_root (self, root, err)) || check_text (self, err))
        return NULL;
    self->keys = text_format ("%s/keys", self->etc);
    return take (&self);
}

void paths_destroy (paths_t **self_p)
{
    paths_t *self = *self_p;
    if (!self)
        return;
    free (self->etc);
    free (self->run);
    free (self->libvirt);
    free (self->lib);
    free (self->log);
    free (self->cache);
    free (self->keys);
    free (self);
    *self_p = NULL;
}

int paths_create (const paths_t *self, error_t *err)
{
    //  Others pass through to the sockets, and a guest's own user to its files, but can't list.
    const mode_t mode = self->mode == PATHS_SESSION ? 0700 : 0711;
    if (file_make_folders (self->etc, mode, err) || file_make_folders (self->run, mode, err) ||
        file_make_folders (self->lib, mode, err) || file_make_folders (self->log, mode, err) ||
        file_make_folders (self->cache, mode, err))
        return -1;
    return 0;
}

char *paths_endpoint (const paths_t *self, const char *socket, error_t *err)
{
    const size_t room = sizeof ((struct sockaddr_un *) NULL)->sun_path - 1;
    autofree char *endpoint = text_format ("ipc://%s/%s", self->run, socket);
    const size_t size = strlen (endpoint) - strlen ("ipc://");
    if (size <= room)
        return take (&endpoint);
    error_set (err, ERR_INVALID_ARG,
               "use socket '%s': its path is %zu bytes long, and a UNIX socket's address has room "
               "for %zu; choose a shorter %s",
               endpoint + strlen ("ipc://"), size, room,
               self->mode == PATHS_ROOT ? "--root" : "XDG_RUNTIME_DIR");
    return NULL;
}
