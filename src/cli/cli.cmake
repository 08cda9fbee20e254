#   The command line: one library, so that its unit tests reach it, and a main.
file (GLOB cli_sources CONFIGURE_DEPENDS cli/*.c)
list (FILTER cli_sources EXCLUDE REGEX "/(main|protocol_doc)\\.c$")
add_library (troupe_cli STATIC ${cli_sources})
target_link_libraries (troupe_cli PUBLIC troupe_client)

add_executable (troupe_command cli/main.c)
set_target_properties (troupe_command PROPERTIES OUTPUT_NAME troupe)
target_link_libraries (troupe_command PRIVATE troupe_cli)

#   docs/protocol.md comes from the verb table: "cmake --build ... --target protocol" writes it,
#   and a test notices when that was forgotten.
add_executable (gen-protocol cli/protocol_doc.c)
target_link_libraries (gen-protocol PRIVATE troupe_msg)
set_target_properties (gen-protocol PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
add_custom_target (protocol
    COMMAND ${PROJECT_SOURCE_DIR}/tools/gen-protocol $<TARGET_FILE:gen-protocol>
    DEPENDS gen-protocol)
if (TROUPE_TESTS)
    enable_testing ()
    add_test (NAME docs_protocol_current
        COMMAND ${PROJECT_SOURCE_DIR}/tools/gen-protocol --check $<TARGET_FILE:gen-protocol>)
    set_tests_properties (docs_protocol_current PROPERTIES LABELS unit TIMEOUT 30)
endif ()
