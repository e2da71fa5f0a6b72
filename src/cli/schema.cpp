#include "cli/schema.hpp"

#include <iostream>

#include <nlohmann/json.hpp>

#include "config/schema.hpp"

namespace wsproxy::cli {

int schema() {
  std::cout << config::schema().dump(2) << std::endl;
  return std::cout.good() ? 0 : 1;
}

}  // namespace wsproxy::cli
