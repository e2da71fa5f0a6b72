#include "telemetry/log.hpp"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>

#include "telemetry/line_writer.hpp"
#include "telemetry/thread_signals.hpp"

namespace wsproxy::telemetry {
namespace {

using Clock = std::function<std::chrono::system_clock::time_point()>;
using SteadyClock = std::function<std::chrono::steady_clock::time_point()>;
using Sink = std::function<void(std::string_view)>;

constexpr std::chrono::seconds kPatienceAtEnd{1};
constexpr std::chrono::seconds kBetweenDropReports{1};

bool wants_json(const LogOptions& options) {
  if (options.format != LogFormat::automatic) return options.format == LogFormat::json;
  return options.sink || isatty(STDERR_FILENO) == 0;
}

Colour wants_colour(const LogOptions& options) {
  if (options.sink) return Colour::none;
  return colour_for(isatty(STDERR_FILENO) != 0, std::getenv("NO_COLOR"), std::getenv("TERM"));
}

}  // namespace

/// Lines are made on the caller's thread, so that borrowed values need not live on; spdlog only
/// carries them over.
class Log::Backend {
 public:
  explicit Backend(LogOptions options)
      : is_json_(wants_json(options)),
        colour_(wants_colour(options)),
        on_error_(std::move(options.on_error)),
        repetition_(options.repetition),
        steady_clock_(options.steady_clock ? std::move(options.steady_clock)
                                           : SteadyClock{std::chrono::steady_clock::now}),
        clock_(options.clock ? std::move(options.clock) : Clock{std::chrono::system_clock::now}),
        sink_(options.sink ? std::move(options.sink)
                           : Sink{[this](std::string_view line) { stderr_.write(line); }}),
        pool_(std::make_shared<spdlog::details::thread_pool>(options.queue_lines, 1,
                                                             leave_signals_to_main_thread)),
        logger_(std::make_shared<spdlog::async_logger>("wsproxy", std::make_shared<Carrier>(*this), pool_,
                                                       spdlog::async_overflow_policy::overrun_oldest)) {
    // For the log's thread; what is thrown to a caller is caught in Log::write().
    logger_->set_error_handler([this](const std::string&) { count_lost(); });
  }

  ~Backend() {
    for (const LeftOut& kind : repetition_.take_all()) write_left_out(kind);
    const auto dropped = this->dropped();
    stderr_.give_up_after(kPatienceAtEnd);
    pool_.reset();  // joins the thread after the last line
    report_dropped(dropped);
  }

  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  void write(Level level, std::string_view message, std::span<const LogField> fields) {
    if (!Repetition::concerns(level, message)) {
      write_now(level, message, fields);
      return;
    }
    std::vector<LeftOut> ended;
    bool is_admitted = false;
    {
      const std::lock_guard lock{repetition_mutex_};
      const auto now = steady_clock_();
      ended = repetition_.take_ended(now);
      is_admitted = repetition_.admit(level, message, fields, now);
    }
    for (const LeftOut& kind : ended) write_left_out(kind);
    if (is_admitted) write_now(level, message, fields);
  }

  void keep_house() {
    std::vector<LeftOut> ended;
    {
      const std::lock_guard lock{repetition_mutex_};
      ended = repetition_.take_ended(steady_clock_());
    }
    for (const LeftOut& kind : ended) write_left_out(kind);
  }

  void count_lost() { lost_.fetch_add(1, std::memory_order_relaxed); }

  std::uint64_t dropped() const { return queue_.overrun_counter() + lost_.load(std::memory_order_relaxed); }

 private:
  class Carrier : public spdlog::sinks::sink {
   public:
    explicit Carrier(Backend& backend) : backend_(backend) {}
    void log(const spdlog::details::log_msg& line) override {
      backend_.deliver({line.payload.data(), line.payload.size()});
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

   private:
    Backend& backend_;
  };

  void write_now(Level level, std::string_view message, std::span<const LogField> fields) {
    const LogLine line{clock_(), level, message, fields};
    logger_->log(spdlog::level::info, spdlog::string_view_t{format(line)});
    if (level == Level::error && on_error_) on_error_(line);
  }

  void write_left_out(const LeftOut& kind) {
    std::vector<LogField> fields;
    fields.reserve(kind.fields.size() + 1);
    for (const auto& [key, value] : kind.fields) fields.emplace_back(key, value);
    fields.emplace_back("repeated", kind.count);
    write_now(kind.level, kind.message, fields);
  }

  std::string format(const LogLine& line) const {
    return is_json_ ? json_line(line) : text_line(line, colour_);
  }

  void deliver(std::string_view line) {
    sink_(line);
    const auto now = std::chrono::steady_clock::now();
    if (now < next_report_) return;
    next_report_ = now + kBetweenDropReports;
    report_dropped(dropped());
  }

  void report_dropped(std::uint64_t dropped) {
    if (dropped == reported_) return;
    const LogField count{"count", dropped - reported_};
    sink_(format({clock_(), Level::warning, "log lines dropped", {&count, 1}}));
    reported_ = dropped;
  }

  bool is_json_;
  Colour colour_;
  std::function<void(const LogLine&)> on_error_;
  std::mutex repetition_mutex_;
  Repetition repetition_;
  SteadyClock steady_clock_;
  Clock clock_;
  LineWriter stderr_{STDERR_FILENO};
  Sink sink_;
  std::atomic<std::uint64_t> lost_ = 0;                // for want of memory, on any thread
  std::uint64_t reported_ = 0;                         // of the log's thread, then of the destructor
  std::chrono::steady_clock::time_point next_report_;  // of the log's thread
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  spdlog::details::thread_pool& queue_{*pool_};  // for the log's thread, which runs on inside pool_.reset()
  std::shared_ptr<spdlog::async_logger> logger_;
};

Log::Log(LogOptions options)
    : level_(options.level), backend_(std::make_unique<Backend>(std::move(options))) {
}

Log::~Log() = default;

void Log::write(Level level, std::string_view message, std::span<const LogField> fields) {
  if (!enabled(level)) return;
  try {
    backend_->write(level, message, fields);
  } catch (const std::bad_alloc&) {
    // A line for which there is no memory is lost. Who writes one because memory is short is not hurt again.
    backend_->count_lost();
  }
}

std::uint64_t Log::dropped() const {
  return backend_->dropped();
}

void Log::keep_house() {
  backend_->keep_house();
}

}  // namespace wsproxy::telemetry
