//  keys.c: see keys.h.

#include "client/keys.h"

#include "util/file.h"

#include <czmq.h>

DEFINE_AUTO (zcert_t, zcert_destroy)

enum {
    KEY_BYTES = 32
};

static char *known_path (const char *folder, const char *name)
{
    return text_format ("%s/known/%s", folder, name);
}

static int refuse_save (const char *path, error_t *err)
{
    return error_errno (err, ERR_WRITE_FAILED, "write the key '%s'", path);
}

//  NULL and ERR.
static zcert_t *load (const char *path, error_t *err)
{
    zcert_t *cert = zcert_load (path);
    if (!cert)
        error_set (err, ERR_AUTH_FAILED, "read the key '%s': %s", path,
                   access (path, R_OK) ? strerror (errno) : "it is no certificate");
    return cert;
}

static void copy_text (char *to, size_t size, const char *from)
{
    snprintf (to, size, "%s", from ? from : "");
}

//  This host's.

//  One that no command line takes for an option.
static zcert_t *new_pair (void)
{
    zcert_t *cert = zcert_new ();
    while (zcert_public_txt (cert)[0] == '-') {
        zcert_destroy (&cert);
        cert = zcert_new ();
    }
    return cert;
}

int keys_make (const char *folder, error_t *err)
{
    autofree char *path = text_format ("%s/own", folder);
    autofree char *secret = text_format ("%s_secret", path);
    if (access (secret, F_OK) == 0)
        return 0;
    if (file_make_folders (folder, 0700, err))
        return -1;
    //  It is there when all of it is: the secret comes last.
    autofree char *new = text_format ("%s/.new", folder);
    autofree char *new_secret = text_format ("%s_secret", new);
    auto(zcert_t) cert = new_pair ();
    bool failed = zcert_save (cert, new) || rename (new, path) || rename (new_secret, secret);
    return failed ? refuse_save (path, err) : 0;
}

int keys_own (const char *folder, curve_t *curve, error_t *err)
{
    autofree char *path = text_format ("%s/own_secret", folder);
    if (access (path, F_OK))
        return error_set (err, ERR_AUTH_FAILED,
                          "read the key '%s': there is none; 'troupe key-own' makes it", path);
    auto(zcert_t) cert = load (path, err);
    if (!cert)
        return -1;
    *curve = (curve_t){ .server = "" };
    copy_text (curve->public, sizeof curve->public, zcert_public_txt (cert));
    copy_text (curve->secret, sizeof curve->secret, zcert_secret_txt (cert));
    return 0;
}

//  Others'.

strings_t *keys_list (const char *folder, error_t *err)
{
    autofree char *path = text_format ("%s/known", folder);
    return file_list (path, "", err);
}

int keys_read (const char *folder, const char *name, known_key_t *known, error_t *err)
{
    autofree char *path = known_path (folder, name);
    auto(zcert_t) cert = load (path, err);
    if (!cert)
        return -1;
    copy_text (known->name, sizeof known->name, name);
    copy_text (known->role, sizeof known->role, zcert_meta (cert, "role"));
    copy_text (known->public, sizeof known->public, zcert_public_txt (cert));
    copy_text (known->endpoint, sizeof known->endpoint, zcert_meta (cert, "endpoint"));
    return 0;
}

static bool find_endpoint (const char *folder, const char *endpoint, char key[KEY_TEXT_SIZE])
{
    error_t ignored;
    known_key_t known;
    auto(strings_t) names = keys_list (folder, &ignored);
    for (size_t i = 0; names && i < names->count; i++)
        if (keys_read (folder, names->items[i], &known, &ignored) == 0 &&
            text_equals (known.endpoint, endpoint)) {
            copy_text (key, KEY_TEXT_SIZE, known.public);
            return true;
        }
    return false;
}

int keys_for (const char *folder, const char *endpoint, curve_t *curve, error_t *err)
{
    if (keys_own (folder, curve, err))
        return -1;
    if (find_endpoint (folder, endpoint, curve->server))
        return 0;
    return error_set (err, ERR_AUTH_FAILED,
                      "connect to %s: no key of it is in '%s/known'; add it: 'troupe key-add NAME "
                      "KEY --endpoint %s'",
                      endpoint, folder, endpoint);
}

//  It would be taken for the one or the other. NAME's own is replaced.
static int check_unknown (const char *folder, const known_key_t *known, error_t *err)
{
    known_key_t other;
    error_t ignored;
    auto(strings_t) names = keys_list (folder, err);
    if (!names)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp (names->items[i], known->name) != 0 &&
            keys_read (folder, names->items[i], &other, &ignored) == 0 &&
            strcmp (other.public, known->public) == 0)
            return error_set (err, ERR_INVALID_ARG, "key of '%s': it is known as '%s' already",
                              known->name, other.name);
    return 0;
}

static bool is_name (const char *name)
{
    size_t size =
        strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    return size > 0 && size < KEY_NAME_SIZE && name[size] == 0 && name[0] != '.';
}

static bool is_key (const char *text)
{
    uint8_t bytes[KEY_BYTES];
    return strlen (text) == KEY_TEXT_SIZE - 1 && zmq_z85_decode (bytes, text);
}

static int check (const known_key_t *known, error_t *err)
{
    static const char *const roles[] = { "read", "write", "admin" };
    bool is_role = false;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        is_role = is_role || strcmp (known->role, roles[i]) == 0;
    if (!is_name (known->name))
        return error_set (err, ERR_INVALID_ARG,
                          "key of '%s': a name has 1 to %d letters, digits, dots, - and _",
                          known->name, KEY_NAME_SIZE - 1);
    if (!is_key (known->public))
        return error_set (err, ERR_INVALID_ARG,
                          "key of '%s': '%s' is no public key (40 characters)", known->name,
                          known->public);
    if (!is_role)
        return error_set (err, ERR_INVALID_ARG, "key of '%s': its role is read, write or admin",
                          known->name);
    if (known->endpoint[0] && !text_starts (known->endpoint, "tcp://"))
        return error_set (err, ERR_INVALID_ARG, "key of '%s': an endpoint is tcp://HOST:PORT",
                          known->name);
    return 0;
}

int keys_add (const char *folder, const known_key_t *known, error_t *err)
{
    if (check (known, err) || check_unknown (folder, known, err))
        return -1;
    autofree char *above = text_format ("%s/known", folder);
    autofree char *path = known_path (folder, known->name);
    if (file_make_folders (folder, 0700, err) || file_make_folders (above, 0700, err))
        return -1;
    uint8_t public[KEY_BYTES];
    const uint8_t none[KEY_BYTES] = { 0 };
    zmq_z85_decode (public, known->public);
    auto(zcert_t) cert = zcert_new_from (public, none);
    zcert_set_meta (cert, "name", "%s", known->name);
    zcert_set_meta (cert, "role", "%s", known->role);
    if (known->endpoint[0])
        zcert_set_meta (cert, "endpoint", "%s", known->endpoint);
    return zcert_save_public (cert, path) ? refuse_save (path, err) : 0;
}

int keys_remove (const char *folder, const char *name, error_t *err)
{
    autofree char *path = known_path (folder, name);
    if (!is_name (name) || access (path, F_OK))
        return error_set (err, ERR_OPERATION_INVALID,
                          "remove the key of '%s': it is not known; "
                          "'troupe key-list' shows those that are",
                          name);
    return file_remove (path, err);
}
