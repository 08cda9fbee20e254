//  plug.h: what the commands that change devices share.

#ifndef TROUPE_CLI_PLUG_H
#define TROUPE_CLI_PLUG_H

#include "cli/run.h"

//  An empty element NAME. The caller owns it.
xml_t *plug_new (const char *name);

//  Asks for VERB of the device, of what --live, --config, --current and --persistent say; and says
//  DONE. With --print-xml it only prints the device.
int plug_call (cli_t *cli, const options_t *options, const char *verb, const xml_t *device,
               const char *done, error_t *err);

//  The document that --config and the like mean: which device there is to be changed. The caller
//  owns it; NULL and ERR.
xml_t *plug_domain_xml (cli_t *cli, const options_t *options, error_t *err);

//  Sets PATH to what was given for OPTION, if it was.
void plug_set (xml_t *device, const char *path, const options_t *options, const char *option);

#endif
