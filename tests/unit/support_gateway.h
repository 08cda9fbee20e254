//  support_gateway.h: for tests of the native gateway: fake owners behind it, and clients in front,
//  all driven from one scene.

#ifndef TROUPE_SUPPORT_GATEWAY_H
#define TROUPE_SUPPORT_GATEWAY_H

#include "actors/config.h"
#include "actors/gateway/zap.h"
#include "actors/gateway/zmq_gateway.h"
#include "folder.h"
#include "scene.h"

#include <string.h>

#define WEB "aaaaaaaa-0000-4000-8000-000000000001"
#define DB "bbbbbbbb-0000-4000-8000-000000000002"
#define CONSOLE "console/" WEB "/serial0"

//  Starts zap, a gateway below a new folder, the fake host and a running domain "web" (and its
//  console) and one that is shut off, "db". house_close stops the gateway and removes the folder.
typedef struct {
    paths_t *paths;
    config_t config;
    char folder[UNIT_PATH_SIZE];
} house_t;

void house_open (actor_t *self, house_t *house);
void house_close (actor_t *self, house_t *house);
int house_start_gateway (actor_t *self, house_t *house);
void house_stop_gateway (actor_t *self);

//  One connection. It notes what comes, as "verb" for events, "=id" for replies and "!id" for
//  errors, a blank before each; pings are left out.
typedef struct {
    void *context, *socket;
    uint64_t last_id;
    char notes[4096];
    document_t *last; //  message
    bool quiet;       //  no notes
} client_t;

void client_open (client_t *client, const house_t *house, const char *socket);
void client_close (client_t *client);
void client_send (client_t *client, const void *bytes, size_t size);
//  ARGS as "key=text,flag,number=#5". The request's id.
uint64_t client_ask (client_t *client, const char *verb, const char *args);
uint64_t client_ask_within (client_t *client, const char *verb, const char *args, uint64_t ms);
//  Waits for the next message, and notes it. NULL if none comes within MS.
const value_t *client_next (actor_t *self, client_t *client, int ms);
//  Receives up to the answer of ID (0: one with id nil). Its error's code; 0 for a reply.
int client_wait (actor_t *self, client_t *client, uint64_t id);
//  Asks and waits.
int client_call (actor_t *self, client_t *client, const char *verb, const char *args);
const value_t *client_result (const client_t *client);
const char *client_message (const client_t *client); //  of the error

#endif
