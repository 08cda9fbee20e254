//  host_uuid.c: see host_uuid.h.

#include "drivers/host_uuid.h"

#include "util/file.h"
#include "util/text.h"

void host_uuid_read (const char *sysfs, char uuid[UUID_TEXT_SIZE])
{
    autofree char *smbios = text_format ("%s/class/dmi/id/product_uuid", sysfs);
    const char *const sources[] = { smbios, "/etc/machine-id" };
    *uuid = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        error_t ignored; //  then the next source
        autofree char *text = file_read (sources[i], 256, NULL, &ignored);
        if (text && uuid_normalize (text, uuid))
            return;
    }
}
