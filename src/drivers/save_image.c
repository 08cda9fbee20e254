//  save_image.c: see save_image.h.

#include "drivers/save_image.h"
#include "util/text.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "troupe-saved-vm"
#define LIBVIRT_MAGIC "LibvirtQemud" //  of its own files, which file(1) knows as well
#define FORMAT 1
#define COMPLETE 0x454e4f44u
#define PAGE 4096u
#define ALIGN 65536u
#define SPARE 65536u                     //  for documents that grow
#define DOCUMENT_MAX (4 * XML_MAX_BYTES) //  as xml_parse_own has it
#define STREAM_MAX_AT (64u * XML_MAX_BYTES)

//  All of it in the first sector, which disks write as a whole.
typedef struct {
    char magic[16];
    uint32_t format, state;
    uint64_t sum; //  of this header with 0 here, then of the documents
    uint32_t running, reserved;
    char token[32];
    uint64_t documents_at, live_size, definition_size, stream_at, stream_size;
} header_t;

_Static_assert(sizeof (header_t) == 112, "the header has no padding");

void save_image_destroy (save_image_t **self_p)
{
    save_image_t *self = take (self_p);
    if (!self)
        return;
    xml_destroy (&self->live);
    xml_destroy (&self->definition);
    free (self);
}

void save_image_make_token (job_t *job, char token[SAVE_IMAGE_TOKEN_SIZE])
{
    uint8_t random[(SAVE_IMAGE_TOKEN_SIZE - 1) / 2];
    job_random (job, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf (token + 2 * i, 3, "%02x", random[i]);
}

char *save_image_managed_path (const paths_t *paths, const char *driver, const char *uuid)
{
    return text_format ("%s/%s/save/%s.save", paths->lib, driver, uuid);
}

//  Numbers.

static uint64_t align_up (uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

//  FNV-1a: finds damage, keeps nobody from forging one.
static uint64_t add_sum (uint64_t sum, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const uint8_t *) bytes)[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t sum_of (const header_t *header, const char *documents, size_t size)
{
    header_t bare = *header;
    bare.sum = 0;
    return add_sum (add_sum (0xcbf29ce484222325u, &bare, sizeof bare), documents, size);
}

static uint64_t documents_size (const header_t *header)
{
    return le64toh (header->live_size) + le64toh (header->definition_size);
}

//  Writing.

static int write_at (int fd, const void *bytes, size_t size, uint64_t at, error_t *err)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t count = pwrite (fd, from, size, (off_t) at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno (err, ERR_WRITE_FAILED, "write the saved guest's file");
        from += count;
        at += (uint64_t) count;
        size -= (size_t) count;
    }
    return 0;
}

static int sync_file (int fd, error_t *err)
{
    return fsync (fd) ? error_errno (err, ERR_WRITE_FAILED, "sync the saved guest's file") : 0;
}

static char *documents_text (const save_image_t *self, header_t *header)
{
    autofree char *live = xml_text (self->live);
    autofree char *definition = self->definition ? xml_text (self->definition) : text_copy ("");
    header->live_size = htole64 (strlen (live));
    header->definition_size = htole64 (strlen (definition));
    return text_format ("%s%s", live, definition);
}

static void fill_header (const save_image_t *self, header_t *header, bool complete,
                         const char *documents)
{
    memcpy (header->magic, MAGIC, sizeof MAGIC);
    header->format = htole32 (FORMAT);
    header->state = htole32 (complete ? COMPLETE : 0);
    header->running = htole32 (self->running);
    memcpy (header->token, self->token, sizeof header->token);
    header->documents_at = htole64 (self->documents_at);
    header->stream_at = htole64 (self->stream_at);
    header->stream_size = htole64 (self->stream_size);
    header->sum = htole64 (sum_of (header, documents, strlen (documents)));
}

int save_image_begin (save_image_t *self, int fd, error_t *err)
{
    header_t header = { 0 };
    autofree char *documents = documents_text (self, &header);
    size_t size = strlen (documents);
    self->documents_at = PAGE;
    self->stream_at = align_up (PAGE + 2 * align_up (2 * size + SPARE, PAGE), ALIGN);
    self->stream_size = 0;
    fill_header (self, &header, false, documents);
    return write_at (fd, documents, size, self->documents_at, err) ||
                   write_at (fd, &header, sizeof header, 0, err)
               ? -1
               : 0;
}

//  In this order: a header that says "complete" never stands before what it promises.
int save_image_finish (save_image_t *self, int fd, error_t *err)
{
    struct stat status;
    if (fstat (fd, &status))
        return error_errno (err, ERR_SYSTEM_ERROR, "look at the saved guest's file");
    if ((uint64_t) status.st_size <= self->stream_at)
        return error_set (err, ERR_OPERATION_FAILED, "the hypervisor wrote no state of the guest");
    self->stream_size = (uint64_t) status.st_size - self->stream_at;
    header_t header = { 0 };
    autofree char *documents = documents_text (self, &header);
    fill_header (self, &header, true, documents);
    return sync_file (fd, err) || write_at (fd, &header, sizeof header, 0, err) ||
                   sync_file (fd, err)
               ? -1
               : 0;
}

//  Reading.

static int read_at (int fd, void *bytes, size_t size, uint64_t at, error_t *err)
{
    ssize_t count = pread (fd, bytes, size, (off_t) at);
    if (count < 0)
        return error_errno (err, ERR_READ_FAILED, "read it");
    if ((size_t) count < size)
        return error_set (err, ERR_OPERATION_FAILED, "it ends too early, after %" PRIu64 " bytes",
                          at + (uint64_t) count);
    return 0;
}

static int check_kind (const header_t *header, error_t *err)
{
    if (memcmp (header->magic, LIBVIRT_MAGIC, strlen (LIBVIRT_MAGIC)) == 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "it was saved by libvirt, whose files troupe does not restore");
    if (memcmp (header->magic, MAGIC, sizeof MAGIC) != 0)
        return error_set (err, ERR_OPERATION_FAILED, "it is no saved guest");
    if (le32toh (header->format) != FORMAT)
        return error_set (err, ERR_OPERATION_FAILED,
                          "it is of format %u, and this version of troupe reads format %u",
                          le32toh (header->format), FORMAT);
    if (le32toh (header->state) != COMPLETE)
        return error_set (err, ERR_OPERATION_FAILED,
                          "it is incomplete: its saving was interrupted; remove it");
    return 0;
}

static int check_bounds (const header_t *header, uint64_t file_size, error_t *err)
{
    uint64_t stream_at = le64toh (header->stream_at), stream_size = le64toh (header->stream_size);
    uint64_t documents_at = le64toh (header->documents_at);
    bool placed = stream_at <= STREAM_MAX_AT && stream_at % PAGE == 0 && documents_at >= PAGE &&
                  documents_at < stream_at && stream_size > 0 &&
                  le64toh (header->live_size) <= DOCUMENT_MAX &&
                  le64toh (header->definition_size) <= DOCUMENT_MAX &&
                  documents_size (header) <= stream_at - documents_at;
    if (!placed)
        return error_set (err, ERR_OPERATION_FAILED, "its header is damaged");
    if (file_size < stream_at || file_size - stream_at != stream_size)
        return error_set (err, ERR_OPERATION_FAILED,
                          "it has %" PRIu64 " bytes instead of %" PRIu64 "; it was cut or changed",
                          file_size, stream_at + stream_size);
    return 0;
}

static int read_header (int fd, header_t *header, error_t *err)
{
    struct stat status;
    if (fstat (fd, &status))
        return error_errno (err, ERR_SYSTEM_ERROR, "look at it");
    if (!S_ISREG (status.st_mode))
        return error_set (err, ERR_OPERATION_FAILED, "it is no regular file");
    if (status.st_size < (off_t) sizeof *header)
        return error_set (err, ERR_OPERATION_FAILED, "it is no saved guest");
    return read_at (fd, header, sizeof *header, 0, err) || check_kind (header, err) ||
                   check_bounds (header, (uint64_t) status.st_size, err)
               ? -1
               : 0;
}

//  Both documents one after the other, checked.
static char *read_documents (int fd, const header_t *header, error_t *err)
{
    size_t size = (size_t) documents_size (header);
    autofree char *text = memory_new (size + 1, 1);
    if (read_at (fd, text, size, le64toh (header->documents_at), err))
        return NULL;
    if (sum_of (header, text, size) != le64toh (header->sum)) {
        error_set (err, ERR_OPERATION_FAILED, "it is damaged: its checksum is wrong");
        return NULL;
    }
    return take (&text);
}

static int parse_documents (save_image_t *self, const header_t *header, const char *text,
                            error_t *err)
{
    size_t live = (size_t) le64toh (header->live_size);
    size_t definition = (size_t) le64toh (header->definition_size);
    self->live = xml_parse_own (text, live, "its document", err);
    if (!self->live)
        return -1;
    if (definition > 0)
        self->definition = xml_parse_own (text + live, definition, "its definition", err);
    return definition > 0 && !self->definition ? -1 : 0;
}

static save_image_t *read_image (int fd, error_t *err)
{
    header_t header;
    if (read_header (fd, &header, err))
        return NULL;
    autofree char *text = read_documents (fd, &header, err);
    if (!text)
        return NULL;
    auto(save_image_t) self = memory_new (1, sizeof *self);
    self->running = header.running != 0;
    memcpy (self->token, header.token, sizeof header.token);
    self->documents_at = le64toh (header.documents_at);
    self->stream_at = le64toh (header.stream_at);
    self->stream_size = le64toh (header.stream_size);
    return parse_documents (self, &header, text, err) ? NULL : take (&self);
}

static int open_file (const char *path, int flags, error_t *err)
{
    int fd = open (path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        error_errno (err, ERR_OPEN_FAILED, "open the saved guest '%s'", path);
    return fd;
}

save_image_t *save_image_open (const char *path, error_t *err)
{
    autoclose int fd = open_file (path, O_RDONLY, err);
    if (fd < 0)
        return NULL;
    save_image_t *self = read_image (fd, err);
    if (!self)
        error_prefix (err, "saved guest '%s'", path);
    return self;
}

bool save_image_is (const char *path, const char *token)
{
    error_t ignored;
    auto(save_image_t) image = save_image_open (path, &ignored);
    return image && strcmp (image->token, token) == 0;
}

bool save_image_recorded (const guest_t *guest)
{
    const xml_node_t *record = guest->record ? xml_root (guest->record) : NULL;
    const char *path = record ? xml_string (record, "save/@path") : NULL;
    const char *token = record ? xml_string (record, "save/@token") : NULL;
    return path && token && save_image_is (path, token);
}

//  Replacing.

//  There are two places for documents; the one that is not in use.
static uint64_t other_place (const save_image_t *self, uint64_t *room)
{
    *room = (self->stream_at - PAGE) / 2 / PAGE * PAGE;
    return self->documents_at == PAGE ? PAGE + *room : PAGE;
}

static int replace (save_image_t *self, int fd, error_t *err)
{
    header_t header = { 0 };
    uint64_t room;
    autofree char *documents = documents_text (self, &header);
    size_t size = strlen (documents);
    self->documents_at = other_place (self, &room);
    if (size > room)
        return error_set (err, ERR_OVERFLOW,
                          "its documents would have %zu bytes, and there is room for %" PRIu64,
                          size, room);
    fill_header (self, &header, true, documents);
    return write_at (fd, documents, size, self->documents_at, err) || sync_file (fd, err) ||
                   write_at (fd, &header, sizeof header, 0, err) || sync_file (fd, err)
               ? -1
               : 0;
}

int save_image_replace (const char *path, const xml_t *live, bool running, error_t *err)
{
    autoclose int fd = open_file (path, O_RDWR, err);
    if (fd < 0)
        return -1;
    auto(save_image_t) self = read_image (fd, err);
    if (!self)
        return error_prefix (err, "saved guest '%s'", path);
    xml_destroy (&self->live);
    self->live = xml_copy (live);
    self->running = running;
    return replace (self, fd, err) ? error_prefix (err, "saved guest '%s'", path) : 0;
}
