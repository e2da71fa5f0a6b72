# What every distribution turns on for a network daemon; debug and sanitizer builds go without.
set(hardened $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
add_compile_options($<${hardened}:-fstack-protector-strong> $<${hardened}:-fstack-clash-protection>)
add_compile_definitions($<${hardened}:_FORTIFY_SOURCE=2> _GLIBCXX_ASSERTIONS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options($<${hardened}:-fcf-protection=full>)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  add_compile_options($<${hardened}:-mbranch-protection=standard>)
endif()
add_link_options($<${hardened}:-pie> $<${hardened}:-Wl,-z,relro,-z,now,-z,noexecstack>)
# What names a build: a crash is told with it, and it is in the program as well as in its debug symbols.
add_link_options(-Wl,--build-id=sha1)
