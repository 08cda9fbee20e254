//  qemu_checkpoint_xml.h: the document that a checkpoint is asked for with, <domaincheckpoint>
//  (libvirt's checkpoint XML format). Pure.

#ifndef TROUPE_QEMU_CHECKPOINT_XML_H
#define TROUPE_QEMU_CHECKPOINT_XML_H

#include "drivers/checkpoint.h"

//  What is to be kept of a new checkpoint that TEXT (NULL: of all disks that can have a bitmap)
//  asks for: name, time (NOW_S, seconds since the epoch), parent, and each disk of LIVE. ALL: those
//  that there are. The caller owns it; ERR_XML_ERROR, ERR_CONFIG_UNSUPPORTED or ERR_INVALID_ARG.
xml_t *qemu_checkpoint_complete (const xml_t *live, const xml_t *all, const char *text,
                                 int64_t now_s, error_t *err);
//  The same of one that there is, or was: TEXT says all of it.
xml_t *qemu_checkpoint_redefine (const char *text, error_t *err);

#endif
