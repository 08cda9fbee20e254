//  qemu_port.h: addresses on virtio-serial and USB controllers.

#ifndef TROUPE_QEMU_PORT_H
#define TROUPE_QEMU_PORT_H

#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/command/qemu_models.h"

int qemu_complete_virtio_ports (completion_t *self, error_t *err);
int qemu_complete_usb_ports (completion_t *self, error_t *err);

//  A new controller with the next free index.
xml_node_t *qemu_new_controller (completion_t *self, const char *type, const char *model);

#endif
