if(WSPROXY_SANITIZE)
  add_compile_options(-fsanitize=${WSPROXY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WSPROXY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumentation makes GCC 12 warn of libstdc++'s <regex> (inside Catch), and of the fences in Asio
    # that ThreadSanitizer does not model.
    add_compile_options(-Wno-maybe-uninitialized -Wno-tsan)
  endif()
endif()
if(WSPROXY_FUZZ)
  # Every object is instrumented for coverage; only the fuzz targets get libFuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
