#pragma once

#include <span>
#include <string>

#include "doctor/examination.hpp"

namespace wsproxy::doctor {

/// The results for a reader at a terminal; `colored`: with ANSI colors.
std::string scorecard_text(const std::string& url, const Subject& subject, std::span<const Result> results,
                           bool colored);
/// The same for programs, one JSON object.
std::string scorecard_json(const std::string& url, const Subject& subject, std::span<const Result> results);

/// 0: all passed; 1: something failed; 3: nothing worse than warnings. What was skipped counts for nothing.
int exit_code(std::span<const Result> results);

}  // namespace wsproxy::doctor
