//  host_uuid.c: see host_uuid.h.

#include "util/host_uuid.h"

#include "util/file.h"

bool host_uuid_read (char uuid[UUID_TEXT_SIZE])
{
    static const char *const sources[] = { "/sys/class/dmi/id/product_uuid", "/etc/machine-id" };
    *uuid = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        error_t ignored; //  then the next source
        autofree char *text = file_read (sources[i], 256, NULL, &ignored);
        if (text && uuid_normalize (text, uuid))
            return true;
    }
    return false;
}
