# Warnings are errors. Library headers come in as SYSTEM and are not judged.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wcast-qual -Wformat=2 -Wundef -Wvla -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns of overlapping copies inside std::string's own operator+ (GCC PR 105651).
  add_compile_options(-Wno-restrict)
endif()
