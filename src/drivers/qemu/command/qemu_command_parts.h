//  qemu_command_parts.h: one function a family of arguments, called by qemu_command in its order,
//  and what they share.

#ifndef TROUPE_QEMU_COMMAND_PARTS_H
#define TROUPE_QEMU_COMMAND_PARTS_H

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_models.h"

typedef struct {
    const xml_node_t *domain, *devices;
    const xml_t *record; //  NULL: none yet
    const qemu_caps_t *caps;
    qemu_machine_t machine;
    bool q35, kvm;
    bool plugged; //  it runs already: what it boots first was said at its start
    strings_t *args;
} command_t;

//  The families. A domain part:
int qemu_command_machine (command_t *self, error_t *err);
int qemu_command_memory (command_t *self, error_t *err);
int qemu_command_cpu (command_t *self, error_t *err);
int qemu_command_boot (command_t *self, error_t *err);
//  Of one device each:
int qemu_command_disk (command_t *self, const xml_node_t *disk, error_t *err);
int qemu_command_interface (command_t *self, const xml_node_t *interface, error_t *err);
int qemu_command_hostdev (command_t *self, const xml_node_t *hostdev, error_t *err);
int qemu_command_chardev (command_t *self, const xml_node_t *device, error_t *err);
int qemu_command_redirdev (command_t *self, const xml_node_t *redirdev, error_t *err);
int qemu_command_shmem (command_t *self, const xml_node_t *shmem, error_t *err);
int qemu_command_graphics (command_t *self, const xml_node_t *graphics, error_t *err);
int qemu_command_video (command_t *self, const xml_node_t *video, error_t *err);
int qemu_command_sound (command_t *self, const xml_node_t *sound, error_t *err);
int qemu_command_memory_device (command_t *self, const xml_node_t *device, error_t *err);
//  Of all controllers: those of PCI in the order of their buses.
int qemu_command_controllers (command_t *self, error_t *err);
int qemu_command_controller (command_t *self, const xml_node_t *controller, error_t *err);

//  Adds two arguments: the option, and its value.
void command_add (command_t *self, const char *option, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
//  The value as one line of JSON; takes it over.
void command_json (command_t *self, const char *option, json_t *value);

//  {"driver":DRIVER,"id":ALIAS}, to be filled and given to command_json.
json_t *command_device (const char *driver, const xml_node_t *device);
//  The same of its model's driver, with the options of <driver> that virtio devices have.
json_t *command_model (command_t *self, const xml_node_t *device, error_t *err);
//  Where it is plugged in: bus and addr, port or nr, from its <address>.
void command_address (command_t *self, json_t *json, const xml_node_t *device);
//  The same on a SCSI bus, of an address of type 'drive'.
void command_scsi_address (command_t *self, json_t *json, const xml_node_t *device);

//  What <rom> says of its ROM.
void command_rom (json_t *json, const xml_node_t *device);
//  Set KEY from the number, the flag, the text at PATH, if it is there.
void command_number (json_t *json, const char *key, const xml_node_t *node, const char *path);
void command_flag (json_t *json, const char *key, const xml_node_t *node, const char *path);
void command_string (json_t *json, const char *key, const xml_node_t *node, const char *path);

//  The place of DEVICE in the order of booting, from its own <boot> or that of <os>; 0: not in it.
int command_bootindex (command_t *self, const xml_node_t *device);
//  "a,b" as an option's value: "a,,b". The caller frees it.
char *command_escape (const char *text);

#endif
