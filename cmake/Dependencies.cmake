# Everything comes from Debian's packages; scripts/install-packages has their names.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
# All of it is in its header.
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
# ISA-L comes without a package file of CMake's. Without it zlib does all.
option(WSPROXY_ISAL "Compress with ISA-L as well as zlib, where it is installed" ON)
if(WSPROXY_ISAL)
  find_path(ISAL_INCLUDE_DIR isa-l/igzip_lib.h)
  find_library(ISAL_LIBRARY isal)
endif()
if(WSPROXY_ISAL AND ISAL_INCLUDE_DIR AND ISAL_LIBRARY)
  add_library(ISAL::ISAL UNKNOWN IMPORTED)
  set_target_properties(ISAL::ISAL PROPERTIES IMPORTED_LOCATION ${ISAL_LIBRARY}
                                              INTERFACE_INCLUDE_DIRECTORIES ${ISAL_INCLUDE_DIR})
else()
  message(STATUS "Without ISA-L: zlib compresses alone")
endif()
if(BUILD_TESTING)
  find_package(Catch2 2 REQUIRED)
endif()

# Asio and Beast are used header-only. No handler may outlive its loop by way of a second thread
# pool, and nothing of Boost is linked.
add_library(wsproxy_boost INTERFACE)
target_link_libraries(wsproxy_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(wsproxy_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ALLOW_DEPRECATED_HEADERS)
