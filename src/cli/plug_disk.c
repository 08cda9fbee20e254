//  plug_disk.c: disks and media that come and go, with virsh's options.

#include "cli/plug.h"

#include <string.h>

//  Attaching.

static bool is_block (const options_t *options)
{
    const char *type = options_str (options, "sourcetype"),
               *source = options_str (options, "source");
    return type ? strcmp (type, "block") == 0 : source && text_starts (source, "/dev/");
}

static int set_source (xml_t *disk, const options_t *options, bool block, error_t *err)
{
    const char *source = options_str (options, "source");
    if (!source || !*source)
        return 0;
    autofree char *path = run_absolute_path (source, err);
    if (path)
        xml_set (xml_root (disk), block ? "source/@dev" : "source/@file", path);
    return path ? 0 : -1;
}

//  "pci:0000.00.03.0", "usb:0.1", "scsi:0.0.1" and "sata:0.0.1", as virsh writes addresses.
static const struct {
    const char *prefix, *type;
    const char *numbers[4]; //  attributes, in this order
    bool hexadecimal;
} addresses[] = {
    { "pci:", "pci", { "domain", "bus", "slot", "function" }, true },
    { "usb:", "usb", { "bus", "port" }, false },
    { "scsi:", "drive", { "controller", "bus", "unit" }, false },
    { "sata:", "drive", { "controller", "bus", "unit" }, false },
    { "ide:", "drive", { "controller", "bus", "unit" }, false },
};

static bool read_address (xml_node_t *disk, size_t i, const char *text)
{
    autofree char *words = text_copy (text);
    char *rest = words;
    xml_set (disk, "address/@type", addresses[i].type);
    for (size_t n = 0; n < 4 && addresses[i].numbers[n]; n++) {
        const char *word = strsep (&rest, ".");
        if (!word || !*word || strspn (word, "0123456789abcdefABCDEFx") != strlen (word))
            return false;
        autofree char *path = text_format ("address/@%s", addresses[i].numbers[n]);
        bool bare = addresses[i].hexadecimal && !text_starts (word, "0x");
        xml_setf (disk, path, "%s%s", bare ? "0x" : "", word);
    }
    return !rest;
}

static int set_address (cli_t *cli, xml_t *disk, const options_t *options, error_t *err)
{
    const char *text = options_str (options, "address");
    for (size_t i = 0; text && i < sizeof addresses / sizeof *addresses; i++)
        if (text_starts (text, addresses[i].prefix)) {
            if (!read_address (xml_root (disk), i, text + strlen (addresses[i].prefix)))
                break;
            if (options_flag (options, "multifunction"))
                xml_set (xml_root (disk), "address/@multifunction", "on");
            return 0;
        }
    return text ? cli_usage (cli, err,
                             "attach-disk: '%s' is no address: pci:0000.00.03.0, usb:0.1, "
                             "scsi:0.0.1 or sata:0.0.1",
                             text)
                : 0;
}

static int set_mode (cli_t *cli, xml_t *disk, const options_t *options, error_t *err)
{
    const char *mode = options_str (options, "mode");
    if (!mode)
        return 0;
    if (strcmp (mode, "readonly") != 0 && strcmp (mode, "shareable") != 0)
        return cli_usage (cli, err, "attach-disk: --mode is readonly or shareable, not '%s'", mode);
    xml_add (xml_root (disk), mode);
    return 0;
}

int run_attach_disk (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const paths[][2] = {
        { "@device", "type" },           { "driver/@name", "driver" },
        { "driver/@type", "subdriver" }, { "driver/@cache", "cache" },
        { "driver/@io", "io" },          { "driver/@iothread", "iothread" },
        { "target/@dev", "target" },     { "target/@bus", "targetbus" },
        { "serial", "serial" },          { "wwn", "wwn" },
        { "alias/@name", "alias" },
    };
    bool block = is_block (options);
    auto(xml_t) disk = plug_new ("disk");
    xml_set (xml_root (disk), "@type", block ? "block" : "file");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        plug_set (disk, paths[i][0], options, paths[i][1]);
    if (set_source (disk, options, block, err) || set_mode (cli, disk, options, err) ||
        set_address (cli, disk, options, err))
        return -1;
    return plug_call (cli, options, "domain.device_attach", disk, "Disk attached successfully",
                      err);
}

//  Those that are there.

static xml_node_t *find_disk (const xml_t *domain, const char *name)
{
    static const char *const paths[] = { "target/@dev", "source/@file", "source/@dev" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        xml_foreach (disk, xml_find (xml_root (domain), "devices"), "disk")
            if (xml_equals (disk, paths[i], name))
                return disk;
    return NULL;
}

//  A copy of the disk that OPTION names. The caller owns it; NULL and ERR.
static xml_t *copy_disk (cli_t *cli, const options_t *options, const char *option, error_t *err)
{
    const char *name = options_str (options, option);
    auto(xml_t) domain = plug_domain_xml (cli, options, err);
    const xml_node_t *disk = domain ? find_disk (domain, name) : NULL;
    if (domain && !disk)
        error_set (err, ERR_DEVICE_MISSING,
                   "domain '%s' has no disk '%s'; 'troupe domblklist' shows them",
                   options_str (options, "domain"), name);
    return disk ? xml_from_node (disk) : NULL;
}

int run_detach_disk (cli_t *cli, const options_t *options, error_t *err)
{
    auto(xml_t) disk = copy_disk (cli, options, "target", err);
    return disk ? plug_call (cli, options, "domain.device_detach", disk,
                             "Disk detached successfully", err)
                : -1;
}

//  Media.

typedef enum {
    MEDIA_UPDATE, //  whatever is in it
    MEDIA_INSERT, //  nothing is
    MEDIA_EJECT
} media_t;

static const char *const media_done[] = {
    [MEDIA_UPDATE] = "Successfully updated media.",
    [MEDIA_INSERT] = "Successfully inserted media.",
    [MEDIA_EJECT] = "Successfully ejected media.",
};

static int read_media (cli_t *cli, const options_t *options, media_t *media, error_t *err)
{
    bool ejects = options_flag (options, "eject"), inserts = options_flag (options, "insert");
    bool updates = options_flag (options, "update"), source = options_str (options, "source");
    if (ejects + inserts + updates > 1)
        return cli_usage (cli, err, "change-media: one of --eject, --insert and --update");
    if (ejects == source)
        return cli_usage (cli, err,
                          ejects ? "change-media: --eject takes no source"
                                 : "change-media: the source is missing");
    *media = ejects ? MEDIA_EJECT : inserts ? MEDIA_INSERT : MEDIA_UPDATE;
    return 0;
}

static int change_source (xml_t *disk, const options_t *options, media_t media, error_t *err)
{
    xml_node_t *root = xml_root (disk);
    bool block = options_flag (options, "block"), full = xml_find (root, "source") != NULL;
    const char *target = xml_string (root, "target/@dev");
    if (xml_equals (root, "@device", "disk"))
        return error_set (err, ERR_OPERATION_INVALID,
                          "the disk '%s' is no cdrom and no floppy: its medium stays", target);
    if (media == MEDIA_INSERT && full)
        return error_set (err, ERR_OPERATION_INVALID,
                          "there is a medium in '%s' already; --update changes it", target);
    if (media == MEDIA_EJECT && !full)
        return error_set (err, ERR_OPERATION_INVALID, "there is no medium in '%s'", target);
    xml_remove_path (root, "source");
    xml_remove_path (root, "backingStore");
    xml_set (root, "@type", block ? "block" : "file");
    return set_source (disk, options, block, err);
}

int run_change_media (cli_t *cli, const options_t *options, error_t *err)
{
    media_t media = MEDIA_UPDATE;
    if (read_media (cli, options, &media, err))
        return -1;
    auto(xml_t) disk = copy_disk (cli, options, "path", err);
    if (!disk || change_source (disk, options, media, err))
        return -1;
    return plug_call (cli, options, "domain.device_update", disk, media_done[media], err);
}
