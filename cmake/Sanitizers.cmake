if(WSPROXY_SANITIZE)
  add_compile_options(-fsanitize=${WSPROXY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WSPROXY_SANITIZE})
endif()
if(WSPROXY_FUZZ)
  # Every object is instrumented for coverage; only the fuzz targets get libFuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
