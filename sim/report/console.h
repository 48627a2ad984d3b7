#pragma once

#include <optional>
#include <string>

#include "judge/summary.h"

// The verdict of a run as text: verdict first, the limit beside the value, where the time went, and last how
// to see it again.
namespace sim::report {

struct TextOptions {
  bool color = false;
  // What only this machine and call know; left out of summary.txt.
  std::optional<Duration> wall{};
  std::string folder{};
  std::string repro{};  // with the file as it was typed; empty: as in the summary
};

std::string to_text(const judge::Summary& summary, const TextOptions& options);
// Its first line alone.
std::string verdict_line(const judge::Summary& summary, const TextOptions& options);

}  // namespace sim::report
