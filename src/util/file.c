//  file.c: reading within bounds, folders, and removal. Replacing is in file_write.c.

#include "util/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define READ_CHUNK 4096

//  Opens a regular file. O_NONBLOCK, because opening a FIFO in its place must not wait for ever.
static int open_regular (const char *path, struct stat *status, error_t *err)
{
    autoclose int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat (fd, status))
        return error_errno (err, ERR_OPEN_FAILED, "open '%s'", path);
    if (!S_ISREG (status->st_mode)) {
        errno = EINVAL;
        return error_set (err, ERR_OPEN_FAILED, "open '%s': it is not a regular file", path);
    }
    int result = fd;
    fd = -1;
    return result;
}

//  As read, but only a failure or the end gives less than SIZE.
static ssize_t read_fully (int fd, char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read (fd, data + done, size - done);
        if (count == 0)
            break;
        if (count < 0 && errno != EINTR)
            return -1;
        if (count > 0)
            done += (size_t) count;
    }
    return (ssize_t) done;
}

//  Errors keep errno for the caller; what cleans up at the end of a scope may change it.
static char *read_whole (const char *path, size_t max_bytes, size_t *size, int *number,
                         error_t *err)
{
    struct stat status;
    autoclose int fd = open_regular (path, &status, err);
    *number = errno;
    if (fd < 0)
        return NULL;
    //  The size is a hint only: files in /proc and /sys say 0, others may grow.
    size_t room = status.st_size > 0 ? (size_t) status.st_size + 1 : READ_CHUNK;
    size_t done = 0;
    autofree char *data = NULL;
    while (true) {
        room = room > max_bytes ? max_bytes + 1 : room;
        data = memory_grow (data, room + 1, 1);
        ssize_t count = read_fully (fd, data + done, room - done);
        *number = errno;
        if (count < 0) {
            error_errno (err, ERR_READ_FAILED, "read '%s'", path);
            return NULL;
        }
        done += (size_t) count;
        if (done > max_bytes) {
            *number = EFBIG;
            error_set (err, ERR_READ_FAILED, "read '%s': it is larger than %zu bytes", path,
                       max_bytes);
            return NULL;
        }
        if (done < room)
            break;
        room *= 2;
    }
    data[done] = 0;
    if (size)
        *size = done;
    return take (&data);
}

char *file_read (const char *path, size_t max_bytes, size_t *size, error_t *err)
{
    int number = 0;
    char *data = read_whole (path, max_bytes, size, &number, err);
    if (!data)
        errno = number;
    return data;
}

char *file_tail (const char *path, unsigned lines, size_t max_bytes, error_t *err)
{
    struct stat status;
    autoclose int fd = open_regular (path, &status, err);
    if (fd < 0)
        return NULL;
    off_t start = status.st_size > (off_t) max_bytes ? status.st_size - (off_t) max_bytes : 0;
    autofree char *data = memory_new (max_bytes + 1, 1);
    ssize_t count = lseek (fd, start, SEEK_SET) < 0 ? -1 : read_fully (fd, data, max_bytes);
    if (count < 0) {
        error_errno (err, ERR_READ_FAILED, "read '%s'", path);
        return NULL;
    }
    if (lines == 0)
        return text_copy ("");
    const char *end = data + count;
    const char *first = data;
    if (start > 0) {
        const char *newline = memchr (data, '\n', (size_t) count);
        if (newline && newline + 1 < end)
            first = newline + 1;
    }
    first = text_last_lines (first, (size_t) (end - first), lines);
    return text_copy_bytes (first, (size_t) (end - first));
}

char *file_folder (const char *path)
{
    const char *slash = strrchr (path, '/');
    if (!slash)
        return text_copy (".");
    return text_copy_bytes (path, slash == path ? 1 : (size_t) (slash - path));
}

//  Where the part begins that two paths do not share.
static size_t shared_folders (const char *folder, const char *path)
{
    size_t shared = 0;
    for (size_t i = 0;; i++) {
        bool end = !folder[i] || folder[i] == '/';
        if (end && path[i] == '/')
            shared = i;
        if (!folder[i] || folder[i] != path[i])
            return shared;
    }
}

char *file_relative (const char *folder, const char *path)
{
    auto(text_t) text = text_new ();
    if (strcmp (folder, "/") == 0)
        folder = "";
    size_t shared = shared_folders (folder, path);
    for (const char *at = folder + shared; *at; at++)
        if (*at == '/')
            text_add (text, "../");
    text_add (text, path + shared + 1);
    return text_finish (&text);
}

int file_sync_folder (const char *folder, error_t *err)
{
    autoclose int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open folder '%s'", folder);
    if (fsync (fd))
        return error_errno (err, ERR_WRITE_FAILED, "make folder '%s' durable", folder);
    return 0;
}

bool file_is_missing (const char *path)
{
    return access (path, F_OK) && (errno == ENOENT || errno == ENOTDIR);
}

int file_remove (const char *path, error_t *err)
{
    struct stat status;
    if (unlink (path) == 0 || errno == ENOENT)
        return 0;
    error_errno (err, ERR_WRITE_FAILED, "remove '%s'", path);
    //  A file system that is read-only says so before it looks whether the file is there.
    return lstat (path, &status) && errno == ENOENT ? 0 : -1;
}

static void folder_close (DIR **folder_p)
{
    if (*folder_p)
        closedir (*folder_p);
}

static strings_t *list_folder (const char *folder, const char *prefix, const char *suffix,
                               error_t *err)
{
    __attribute__ ((cleanup (folder_close))) DIR *entries = opendir (folder);
    auto(strings_t) names = strings_new ();
    if (!entries && errno == ENOENT)
        return take (&names);
    if (!entries) {
        error_errno (err, ERR_OPEN_FAILED, "list folder '%s'", folder);
        return NULL;
    }
    struct dirent *entry;
    while ((errno = 0, entry = readdir (entries)))
        if (text_starts (entry->d_name, prefix) && text_ends (entry->d_name, suffix))
            strings_add (names, entry->d_name);
    if (errno) {
        error_errno (err, ERR_READ_FAILED, "list folder '%s'", folder);
        return NULL;
    }
    strings_sort (names); //  nothing may depend on readdir's order
    return take (&names);
}

strings_t *file_list (const char *folder, const char *suffix, error_t *err)
{
    auto(strings_t) all = list_folder (folder, "", suffix, err);
    if (!all)
        return NULL;
    strings_t *shown = strings_new ();
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i][0] != '.')
            strings_add (shown, all->items[i]);
    return shown;
}

int file_sweep (const char *folder, const char *prefix, const char *suffix, error_t *err)
{
    auto(strings_t) names = list_folder (folder, prefix, suffix, err);
    for (size_t i = 0; names && i < names->count; i++) {
        autofree char *path = text_format ("%s/%s", folder, names->items[i]);
        if (file_remove (path, err))
            return -1;
    }
    return names ? 0 : -1;
}

int file_remove_folder (const char *folder, error_t *err)
{
    auto(strings_t) names = file_list (folder, "", err);
    if (!names)
        return -1;
    for (size_t i = 0; i < names->count; i++) {
        autofree char *path = text_format ("%s/%s", folder, names->items[i]);
        if (file_remove (path, err))
            return -1;
    }
    if (rmdir (folder) && errno != ENOENT)
        return error_errno (err, ERR_SYSTEM_ERROR, "remove the folder '%s'", folder);
    return 0;
}

static int make_folder (const char *folder, mode_t mode, error_t *err)
{
    if (mkdir (folder, mode) == 0) {
        if (chmod (folder, mode)) //  whatever the umask took
            return error_errno (err, ERR_WRITE_FAILED, "set the mode of folder '%s'", folder);
        return 0;
    }
    int number = errno;
    struct stat status;
    if (number == EEXIST && stat (folder, &status) == 0) {
        if (S_ISDIR (status.st_mode))
            return 0;
        number = ENOTDIR;
    }
    errno = number;
    return error_errno (err, ERR_WRITE_FAILED, "create folder '%s'", folder);
}

int file_make_folders (const char *folder, mode_t mode, error_t *err)
{
    autofree char *path = text_copy (folder);
    for (char *slash = strchr (path + 1, '/'); slash; slash = strchr (slash + 1, '/')) {
        *slash = 0;
        struct stat status;
        if (stat (path, &status) && make_folder (path, mode, err))
            return -1;
        *slash = '/';
    }
    return make_folder (path, mode, err);
}
