#include "app/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace sim::app {
namespace {

constexpr auto kShowEvery = std::chrono::milliseconds(200);

// 1840 -> "1 840"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), " ");
  return digits;
}

}  // namespace

void ProgressLine::on(const play::Progress& progress) {
  const Clock::time_point now = Clock::now();
  if (now - shown_ < kShowEvery) return;
  shown_ = now;
  const double wall = std::chrono::duration<double>(now - started_).count();
  const double simulated = static_cast<double>(nanos(progress.now)) / 1e9;
  const double whole = std::max(static_cast<double>(nanos(progress.end)) / 1e9, 1e-9);
  const double share = std::min(simulated / whole, 1.0);
  const double left = share > 0 ? wall / share - wall : 0;
  const std::string line =
      fmt::format("{:.0f} % · sim {:.1f}/{:.0f} s · {}x real time · {:.1f} M events/s · ETA {:.0f} s",
                  100 * share, simulated, whole, grouped(static_cast<std::int64_t>(simulated / wall)),
                  static_cast<double>(progress.events) / wall / 1e6, left);
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  visible_ = true;
}

void ProgressLine::clear() {
  if (!visible_) return;
  std::fputs("\r\033[K", stderr);
  visible_ = false;
}

}  // namespace sim::app
