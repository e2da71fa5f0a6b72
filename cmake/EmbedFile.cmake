# embed_file(TARGET FILE SYMBOL): makes the bytes of FILE a `const std::string_view SYMBOL` of namespace
# wsproxy::server, in a source of TARGET that is written again when FILE changes.
set(WSPROXY_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(embed_file target file symbol)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp)
    add_custom_command(
      OUTPUT ${source}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${source} -DSYMBOL=${symbol} -P ${WSPROXY_EMBED_SCRIPT}
      DEPENDS ${file} ${WSPROXY_EMBED_SCRIPT}
      VERBATIM)
    target_sources(${target} PRIVATE ${source})
  endfunction()
  return()
endif()

# As numbers: compilers need not take a literal of more than 64 KiB.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT}
"#include <string_view>

namespace wsproxy::server {

namespace {
constexpr char kBytes[] = {${bytes}};
}  // namespace

extern const std::string_view ${SYMBOL};
const std::string_view ${SYMBOL}{kBytes, sizeof(kBytes)};

}  // namespace wsproxy::server
")
