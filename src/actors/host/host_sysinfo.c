//  host_sysinfo.c: see host_sysinfo.h. The tables are those of the SMBIOS reference specification
//  (DMTF's DSP0134): structures of a header (type, length, handle), LENGTH bytes, and the strings
//  that these number from 1.

#include "actors/host/host_sysinfo.h"

#include "util/file.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_BYTES = 1024 * 1024,
    HEADER_SIZE = 4,
    TYPE_PROCESSOR = 4,
    TYPE_OEM_STRINGS = 11,
    TYPE_MEMORY_DEVICE = 17
};

//  Which file of /sys/class/dmi/id each entry is from.
static const struct {
    const char *element, *entry, *file;
} entries[] = {
    { "bios", "vendor", "bios_vendor" },
    { "bios", "version", "bios_version" },
    { "bios", "date", "bios_date" },
    { "bios", "release", "bios_release" },
    { "system", "manufacturer", "sys_vendor" },
    { "system", "product", "product_name" },
    { "system", "version", "product_version" },
    { "system", "serial", "product_serial" },
    { "system", "uuid", "product_uuid" },
    { "system", "sku", "product_sku" },
    { "system", "family", "product_family" },
    { "baseBoard", "manufacturer", "board_vendor" },
    { "baseBoard", "product", "board_name" },
    { "baseBoard", "version", "board_version" },
    { "baseBoard", "serial", "board_serial" },
    { "baseBoard", "asset", "board_asset_tag" },
    { "chassis", "manufacturer", "chassis_vendor" },
    { "chassis", "version", "chassis_version" },
    { "chassis", "serial", "chassis_serial" },
    { "chassis", "asset", "chassis_asset_tag" },
};

static void add_entry (xml_node_t *element, const char *name, const char *value)
{
    xml_set (xml_add_text (element, "entry", value), "@name", name);
}

//  Without the blanks at the end, which firmware pads with.
static char *trimmed (const char *text, size_t size)
{
    while (size > 0 && isspace ((unsigned char) text[size - 1]))
        size--;
    return text_copy_bytes (text, size);
}

static void add_identity (xml_node_t *root, const char *folder)
{
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        error_t ignored; //  there is none, or not for us
        autofree char *path = text_format ("%s/%s", folder, entries[i].file);
        autofree char *text = file_read (path, MAX_BYTES, NULL, &ignored);
        autofree char *value = trimmed (text ? text : "", text ? strlen (text) : 0);
        if (*value)
            add_entry (xml_ensure (root, entries[i].element), entries[i].entry, value);
    }
}

//  The tables.

typedef struct {
    const uint8_t *bytes; //  with the header
    size_t size;          //  of these
    const char *strings, *end;
} structure_t;

static unsigned byte_at (const structure_t *self, size_t offset)
{
    return offset < self->size ? self->bytes[offset] : 0;
}

static unsigned word_at (const structure_t *self, size_t offset)
{
    return byte_at (self, offset) | byte_at (self, offset + 1) << 8;
}

//  The string with this number, from 1; the caller frees it. NULL: there is none.
static char *string_at (const structure_t *self, unsigned number)
{
    const char *at = self->strings;
    for (unsigned i = 1; number > 0 && at < self->end && *at; i++) {
        size_t size = strnlen (at, (size_t) (self->end - at));
        if (i == number)
            return trimmed (at, size);
        at += size + 1;
    }
    return NULL;
}

//  Strings end with an empty one; a structure without any has two zeros, too.
static const char *strings_end (const char *at, const char *limit)
{
    while (at + 1 < limit && (at[0] != 0 || at[1] != 0))
        at++;
    return at + 1 < limit ? at + 2 : limit;
}

//  Takes the structure at *AT_P. False after the last.
static bool next_structure (const char **at_p, const char *limit, structure_t *self)
{
    const char *at = *at_p;
    if (limit - at < HEADER_SIZE)
        return false;
    size_t size = (uint8_t) at[1];
    if (size < HEADER_SIZE || size > (size_t) (limit - at))
        return false;
    *self = (structure_t){ .bytes = (const uint8_t *) at, .size = size, .strings = at + size };
    self->end = strings_end (self->strings, limit);
    *at_p = self->end;
    return true;
}

//  Entries that are strings, and where their number stands.
typedef struct {
    const char *name;
    size_t offset;
} string_entry_t;

static void add_strings (xml_node_t *element, const structure_t *structure,
                         const string_entry_t *wanted)
{
    for (; wanted->name; wanted++) {
        autofree char *value = string_at (structure, byte_at (structure, wanted->offset));
        if (value && *value)
            add_entry (element, wanted->name, value);
    }
}

//  A word of a table that begins with value 1.
static void add_word (xml_node_t *element, const char *name, unsigned value,
                      const char *const *words, size_t count)
{
    if (value >= 1 && value <= count && words[value - 1])
        add_entry (element, name, words[value - 1]);
}

static void add_number (xml_node_t *element, const char *name, unsigned value, const char *unit)
{
    autofree char *text = text_format ("%u %s", value, unit);
    if (value > 0)
        add_entry (element, name, text);
}

static void add_processor (xml_node_t *root, const structure_t *structure)
{
    static const char *const types[] = { "Other",          "Unknown",       "Central Processor",
                                         "Math Processor", "DSP Processor", "Video Processor" };
    static const char *const states[] = { "Enabled", "Disabled By User", "Disabled By BIOS",
                                          "Idle" };
    static const string_entry_t strings[] = {
        { "socket_destination", 0x04 }, { "manufacturer", 0x07 }, { "version", 0x10 },
        { "serial_number", 0x20 },      { "part_number", 0x22 },  { NULL, 0 },
    };
    unsigned status = byte_at (structure, 0x18);
    xml_node_t *element = xml_add (root, "processor");
    add_strings (element, structure, strings);
    add_word (element, "type", byte_at (structure, 0x05), types, sizeof types / sizeof *types);
    add_number (element, "external_clock", word_at (structure, 0x12), "MHz");
    add_number (element, "max_speed", word_at (structure, 0x14), "MHz");
    if (!(status & 0x40)) //  the socket is empty
        add_entry (element, "status", "Unpopulated");
    else if ((status & 7) >= 1 && (status & 7) <= 4) {
        autofree char *text = text_format ("Populated, %s", states[(status & 7) - 1]);
        add_entry (element, "status", text);
    }
}

//  In MiB, or with the highest bit in KiB; what does not fit into a word stands elsewhere.
static void add_memory_size (xml_node_t *element, const structure_t *structure)
{
    unsigned size = word_at (structure, 0x0c);
    if (size == 0x7fff)
        add_number (element, "size",
                    word_at (structure, 0x1c) | (word_at (structure, 0x1e) & 0x7fff) << 16, "MB");
    else
        add_number (element, "size", size & 0x7fff, size & 0x8000 ? "kB" : "MB");
}

static void add_memory_device (xml_node_t *root, const structure_t *structure)
{
    static const char *const forms[] = {
        "Other",  "Unknown", "SIMM",         "SIP",
        "Chip",   "DIP",     "ZIP",          "Proprietary Card",
        "DIMM",   "TSOP",    "Row Of Chips", "RIMM",
        "SODIMM", "SRIMM",   "FB-DIMM",      "Die",
    };
    static const char *const types[] = {
        "Other",
        "Unknown",
        "DRAM",
        "EDRAM",
        "VRAM",
        "SRAM",
        "RAM",
        "ROM",
        "Flash",
        "EEPROM",
        "FEPROM",
        "EPROM",
        "CDRAM",
        "3DRAM",
        "SDRAM",
        "SGRAM",
        "RDRAM",
        "DDR",
        "DDR2",
        "DDR2 FB-DIMM",
        NULL,
        NULL,
        NULL,
        "DDR3",
        "FBD2",
        "DDR4",
        "LPDDR",
        "LPDDR2",
        "LPDDR3",
        "LPDDR4",
        "Logical non-volatile device",
        "HBM",
        "HBM2",
        "DDR5",
        "LPDDR5",
    };
    static const string_entry_t strings[] = {
        { "locator", 0x10 },       { "bank_locator", 0x11 }, { "manufacturer", 0x17 },
        { "serial_number", 0x18 }, { "part_number", 0x1a },  { NULL, 0 },
    };
    if (word_at (structure, 0x0c) == 0) //  nothing is in that socket
        return;
    xml_node_t *element = xml_add (root, "memory_device");
    add_memory_size (element, structure);
    add_word (element, "form_factor", byte_at (structure, 0x0e), forms,
              sizeof forms / sizeof *forms);
    add_word (element, "type", byte_at (structure, 0x12), types, sizeof types / sizeof *types);
    add_number (element, "speed", word_at (structure, 0x15), "MT/s");
    add_strings (element, structure, strings);
}

static void add_oem_strings (xml_node_t *root, const structure_t *structure)
{
    xml_node_t *element = xml_ensure (root, "oemStrings");
    for (unsigned i = 1; i <= byte_at (structure, 0x04); i++) {
        autofree char *value = string_at (structure, i);
        if (value && *value)
            xml_add_text (element, "entry", value);
    }
}

static const struct {
    unsigned type;
    void (*add) (xml_node_t *root, const structure_t *structure);
} tables[] = {
    { TYPE_PROCESSOR, add_processor },
    { TYPE_MEMORY_DEVICE, add_memory_device },
    { TYPE_OEM_STRINGS, add_oem_strings },
};

static void add_tables (xml_node_t *root, const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        structure_t structure;
        for (const char *at = text; next_structure (&at, text + size, &structure);)
            if (structure.bytes[0] == tables[i].type)
                tables[i].add (root, &structure);
    }
}

xml_t *host_sysinfo (const char *root, error_t *err)
{
    static const char empty[] = "<sysinfo type='smbios'/>";
    autofree char *folder = text_format ("%s/sys/class/dmi/id", root);
    autofree char *path = text_format ("%s/sys/firmware/dmi/tables/DMI", root);
    error_t ignored; //  the tables are root's
    size_t size = 0;
    autofree char *text = file_read (path, MAX_BYTES, &size, &ignored);
    if (!text && access (folder, F_OK)) {
        error_set (err, ERR_NO_SUPPORT,
                   "not supported: this host's firmware tells nothing of the machine: there is no "
                   "SMBIOS (%s)",
                   folder);
        return NULL;
    }
    xml_t *doc = xml_parse (empty, sizeof empty - 1, "sysinfo", err);
    if (!doc)
        return NULL;
    add_identity (xml_root (doc), folder);
    if (text)
        add_tables (xml_root (doc), text, size);
    return doc;
}
