#   The command line: one library, so that its unit tests reach it, and a main.
file (GLOB cli_sources CONFIGURE_DEPENDS cli/*.c)
list (FILTER cli_sources EXCLUDE REGEX "/(main|protocol_doc)\\.c$")
add_library (troupe_cli STATIC ${cli_sources})
target_link_libraries (troupe_cli PUBLIC troupe_client)

add_executable (troupe_command cli/main.c)
set_target_properties (troupe_command PROPERTIES OUTPUT_NAME troupe)
target_link_libraries (troupe_command PRIVATE troupe_cli)
