//  folder.h: where a unit test's files are: in a folder that tests/unit/run removes once the test
//  has ended, however it did. Whoever starts it by hand gets them in /tmp, where those of a test
//  that aborts stay.

#ifndef TROUPE_UNIT_FOLDER_H
#define TROUPE_UNIT_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

//  Short enough for a socket's name behind it: 108 bytes at most.
#define UNIT_PATH_SIZE 48

//  The path of a file that is not there yet: of NAME, once in each test.
static inline void unit_path (char path[UNIT_PATH_SIZE], const char *name)
{
    const char *folder = getenv ("TROUPE_UNIT_FOLDER");
    snprintf (path, UNIT_PATH_SIZE, "%s/%d-%s", folder ? folder : "/tmp", (int) getpid (), name);
}

//  A new folder, and a new file, which is open; the test may remove them itself.
static inline void unit_new_folder (char path[UNIT_PATH_SIZE])
{
    unit_path (path, "t-XXXXXX");
    if (!mkdtemp (path))
        abort ();
}

static inline int unit_new_file (char path[UNIT_PATH_SIZE])
{
    unit_path (path, "t-XXXXXX");
    int fd = mkstemp (path);
    if (fd < 0)
        abort ();
    return fd;
}

#endif
