#include "cli/doctor.hpp"

#include <iostream>
#include <unistd.h>

#include "cli/url.hpp"
#include "doctor/examination.hpp"
#include "doctor/scorecard.hpp"

namespace wsproxy::cli {
namespace {

doctor::Target target_of(Url url, const DoctorOptions& options) {
  doctor::Target target;
  target.secure = url.scheme == "wss";
  target.host = std::move(url.host);
  target.port = std::move(url.port);
  target.authority = std::move(url.authority);
  if (!url.target.empty()) target.path = std::move(url.target);
  target.headers = options.headers;
  target.patience = options.patience;
  return target;
}

/// https://no-color.org, and nothing but text into files and pipes.
bool wants_colors() {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

}  // namespace

int doctor(const DoctorOptions& options) {
  auto url = parse_url(options.url);
  if (!url || (url->scheme != "ws" && url->scheme != "wss")) {
    std::cerr << "wsproxy doctor: " << options.url << " is no ws:// or wss:// URL" << std::endl;
    return 2;
  }
  doctor::Subject subject;
  subject.target = target_of(std::move(*url), options);
  if (!doctor::meet(subject)) {
    std::cerr << "wsproxy doctor: " << options.url << ": " << subject.problem << std::endl;
    return 1;
  }
  const auto results = doctor::examine(subject, {options.deep, options.only});
  std::cout << (options.as_json ? doctor::scorecard_json(options.url, subject, results)
                                : doctor::scorecard_text(options.url, subject, results, wants_colors()))
            << std::flush;
  return std::cout.good() && subject.has_handshake ? doctor::exit_code(results) : 1;
}

}  // namespace wsproxy::cli
