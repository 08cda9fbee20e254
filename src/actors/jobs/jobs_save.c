//  jobs_save.c: guests saved to files and restored from them, and what is dumped from them.

#include "actors/jobs/jobs.h"

#include "actors/domain/summary.h"
#include "drivers/save_image.h"
#include "drivers/state.h"
#include "util/file.h"

enum {
    RESTORE_MS = 24 * 3600000,
    PEEK_MAX_BYTES = 4 * 1024 * 1024, //  as libvirt has it
    PICTURE_MAX_BYTES = 4 * 1024 * 1024,
    SCREENS_MAX = 256
};

static int read_go_on (const job_actor_t *self, go_on_t *go_on, error_t *err)
{
    bool running = value_bool (job_arg (self, "running"), false);
    bool paused = value_bool (job_arg (self, "paused"), false);
    if (running && paused)
        return error_set (err, ERR_INVALID_ARG, "'running' and 'paused' contradict each other");
    *go_on = running ? GO_ON_RUNNING : paused ? GO_ON_PAUSED : GO_ON_AS_SAVED;
    return 0;
}

static int check_path (const char *path, error_t *err)
{
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "the path '%s' is not absolute", path);
    return 0;
}

//  O_DIRECT takes whole blocks only, and hypervisors write a stream of any sizes.
static int check_cache (const job_actor_t *self, error_t *err)
{
    if (!value_bool (job_arg (self, "bypass_cache"), false))
        return 0;
    return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                      "not supported: bypass_cache: the hypervisor's stream does not go around the "
                      "host's cache; leave it out (what is written is on disk at the end anyway)");
}

//  Saving.

static int save_to (job_actor_t *self, const char *path, error_t *err)
{
    save_options_t options = { .xml = value_str (job_arg (self, "xml")) };
    value_u64 (job_arg (self, "bandwidth"), &options.bandwidth);
    if (!self->driver->save)
        return job_unsupported (self, "save", err);
    if (check_path (path, err) || read_go_on (self, &options.go_on, err) || check_cache (self, err))
        return error_prefix (err, "save domain '%s'", self->base.guest->name);
    return self->driver->save (&self->base, path, &options, err);
}

int job_run_save (job_actor_t *self, error_t *err)
{
    return save_to (self, value_str (job_arg (self, "path")), err);
}

char *job_managed_save (const job_actor_t *self, bool *there)
{
    char *path =
        save_image_managed_path (self->config->paths, self->driver->name, self->base.guest->uuid);
    *there = access (path, F_OK) == 0;
    return path;
}

void job_tell_managed_save (job_actor_t *self)
{
    bool there;
    autofree char *path = job_managed_save (self, &there);
    auto(msg_t) msg = msg_request ("job.managed_save");
    pack_key_bool (msg_args (msg), "there", there);
    actor_send (self->actor, self->owner, &msg);
}

int job_run_managed_save (job_actor_t *self, error_t *err)
{
    bool there;
    autofree char *path = job_managed_save (self, &there);
    autofree char *folder = file_folder (path);
    if (file_make_folders (folder, 0700, err))
        return error_prefix (err, "save domain '%s'", self->base.guest->name);
    int rc = save_to (self, path, err);
    job_tell_managed_save (self);
    return rc;
}

int job_run_managed_save_remove (job_actor_t *self, error_t *err)
{
    bool there;
    autofree char *path = job_managed_save (self, &there);
    int rc = there ? job_remove_file (&self->base, path, err) : 0;
    job_tell_managed_save (self);
    return rc;
}

//  Restoring.

static int restore_from (job_actor_t *self, const char *path, const restore_options_t *options,
                         error_t *err)
{
    if (!self->driver->restore)
        return job_unsupported (self, "restore", err);
    if (job_next_id (self, err) || self->driver->restore (&self->base, path, options, err))
        return -1;
    self->parts = PART_LIVE | PART_STATUS;
    return 0;
}

int job_restore_managed (job_actor_t *self, const char *path, bool paused, error_t *err)
{
    restore_options_t options = { .go_on = paused ? GO_ON_PAUSED : GO_ON_AS_SAVED, .remove = true };
    return restore_from (self, path, &options, err);
}

int job_run_restore (job_actor_t *self, error_t *err)
{
    restore_options_t options = { .xml = value_str (job_arg (self, "new_xml")) };
    if (read_go_on (self, &options.go_on, err))
        return error_prefix (err, "restore domain '%s'", self->base.guest->name);
    return restore_from (self, value_str (job_arg (self, "path")), &options, err);
}

static save_image_t *open_image (const job_actor_t *self, error_t *err)
{
    const char *path = value_str (job_arg (self, "path"));
    return check_path (path, err) ? NULL : save_image_open (path, err);
}

//  Of the host: which domain it is, only the file says.
int job_run_restore_file (job_actor_t *self, error_t *err)
{
    go_on_t go_on = GO_ON_AS_SAVED;
    auto(save_image_t) image = open_image (self, err);
    if (!image || read_go_on (self, &go_on, err) || check_cache (self, err))
        return error_prefix (err, "restore");
    autofree char *text = xml_text (image->live);
    auto(xml_t) doc = job_complete_definition (self, text, err);
    if (!doc)
        return error_prefix (err, "restore '%s'", value_str (job_arg (self, "path")));
    return job_hand_over (self, "domain.restore_from", doc, RESTORE_MS, err);
}

//  Files of saved guests: of the path that is given or, of a domain, its managed save.

static char *image_path (const job_actor_t *self, error_t *err)
{
    bool there;
    const char *given = value_str (job_arg (self, "path"));
    if (!self->base.guest)
        return check_path (given, err) ? NULL : text_copy (given);
    autofree char *path = job_managed_save (self, &there);
    if (there)
        return take (&path);
    error_set (err, ERR_OPERATION_INVALID,
               "domain '%s' has no managed save; 'troupe managedsave' makes one",
               self->base.guest->name);
    return NULL;
}

int job_run_image_xml (job_actor_t *self, error_t *err)
{
    autofree char *path = image_path (self, err);
    auto(save_image_t) image = path ? save_image_open (path, err) : NULL;
    if (!image)
        return -1;
    bool secure = value_bool (job_arg (self, "security_info"), false);
    autofree char *text = secure ? xml_text (image->live) : summary_public_text (image->live);
    pack_map (&self->value);
    pack_key_str (&self->value, "xml", text);
    pack_end (&self->value);
    return 0;
}

int job_run_image_define (job_actor_t *self, error_t *err)
{
    go_on_t go_on = GO_ON_AS_SAVED;
    autofree char *path = image_path (self, err);
    auto(save_image_t) image = path ? save_image_open (path, err) : NULL;
    if (!image || read_go_on (self, &go_on, err))
        return -1;
    const char *type = xml_string (xml_root (image->live), "@type");
    const driver_t *driver = type ? driver_for_type (type) : NULL;
    if (!driver || !driver->image_define)
        return error_set (err, ERR_NO_SUPPORT, "saved guest '%s': there is no driver for it", path);
    return driver->image_define (&self->base, path, value_str (job_arg (self, "xml")), go_on, err);
}

//  Dumps.

static dump_format_t format_of (const char *name)
{
    static const char *const names[] = {
        [DUMP_RAW] = "elf",
        [DUMP_KDUMP_ZLIB] = "kdump-zlib",
        [DUMP_KDUMP_LZO] = "kdump-lzo",
        [DUMP_KDUMP_SNAPPY] = "kdump-snappy",
        [DUMP_WIN_DMP] = "win-dmp",
    };
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp (names[i], name) == 0)
            return (dump_format_t) i;
    return DUMP_RAW;
}

int job_run_dump (job_actor_t *self, error_t *err)
{
    const char *path = value_str (job_arg (self, "path"));
    dump_options_t options = { .format = format_of (value_str (job_arg (self, "format"))),
                               .memory_only = value_bool (job_arg (self, "memory_only"), false),
                               .live = value_bool (job_arg (self, "live"), false),
                               .crash = value_bool (job_arg (self, "crash"), false),
                               .reset = value_bool (job_arg (self, "reset"), false) };
    value_u64 (job_arg (self, "bandwidth"), &options.bandwidth);
    if (check_path (path, err) || check_cache (self, err))
        return error_prefix (err, "dump domain '%s'", self->base.guest->name);
    if (!self->driver->dump)
        return job_unsupported (self, "dump", err);
    return self->driver->dump (&self->base, path, &options, err);
}

static int pack_picture (job_actor_t *self, const screenshot_t *shot, error_t *err)
{
    size_t size;
    autofree char *bytes = file_read (shot->path, PICTURE_MAX_BYTES, &size, err);
    if (!bytes)
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "mime", shot->mime);
    pack_key (&self->value, "data");
    pack_bin (&self->value, bytes, size);
    pack_end (&self->value);
    return 0;
}

int job_run_screenshot (job_actor_t *self, error_t *err)
{
    uint64_t screen = 0;
    screenshot_t shot = { 0 };
    value_u64 (job_arg (self, "screen"), &screen);
    if (!self->driver->screenshot)
        return job_unsupported (self, "take a screenshot of", err);
    if (screen >= SCREENS_MAX)
        return error_set (err, ERR_INVALID_ARG,
                          "take a screenshot of domain '%s': it has no screen %llu",
                          self->base.guest->name, (unsigned long long) screen);
    if (self->driver->screenshot (&self->base, value_str (job_arg (self, "device")),
                                  (unsigned) screen, &shot, err))
        return -1;
    error_t ignored = { 0 };
    int rc = pack_picture (self, &shot, err);
    int removed = job_remove_file (&self->base, shot.path, rc ? &ignored : err);
    free (shot.path);
    return rc || removed ? -1 : 0;
}

//  Pieces of memory and of disks.

static int pack_bytes (job_actor_t *self, const char *what, const char *bytes, error_t *err)
{
    uint64_t size = 0;
    value_u64 (job_arg (self, "size"), &size);
    if (!bytes)
        return error_prefix (err, "peek at %s of domain '%s'", what, self->base.guest->name);
    pack_map (&self->value);
    pack_key (&self->value, "data");
    pack_bin (&self->value, bytes, size);
    pack_end (&self->value);
    return 0;
}

//  How much is wanted, and from where on: the argument FROM.
static int peek_range (const job_actor_t *self, const char *from, uint64_t *first, size_t *size,
                       error_t *err)
{
    uint64_t wanted = 0;
    value_u64 (job_arg (self, from), first);
    value_u64 (job_arg (self, "size"), &wanted);
    *size = wanted;
    return wanted <= PEEK_MAX_BYTES
               ? 0
               : error_set (err, ERR_INVALID_ARG, "peek at domain '%s': %llu bytes; at most %d",
                            self->base.guest->name, (unsigned long long) wanted, PEEK_MAX_BYTES);
}

int job_run_memory_peek (job_actor_t *self, error_t *err)
{
    size_t size;
    uint64_t address = 0;
    if (peek_range (self, "address", &address, &size, err))
        return -1;
    if (!self->driver->peek_memory)
        return job_unsupported (self, "peek at the memory of", err);
    bool virtual = value_bool (job_arg (self, "virtual"), false);
    autofree char *bytes = self->driver->peek_memory (&self->base, address, size, virtual, err);
    return pack_bytes (self, "the memory", bytes, err);
}

int job_run_block_peek (job_actor_t *self, error_t *err)
{
    size_t size;
    uint64_t offset = 0;
    if (peek_range (self, "offset", &offset, &size, err))
        return -1;
    if (!self->driver->peek_block)
        return job_unsupported (self, "peek at a disk of", err);
    autofree char *bytes = self->driver->peek_block (
        &self->base, value_str (job_arg (self, "disk")), offset, size, err);
    return pack_bytes (self, "a disk", bytes, err);
}
