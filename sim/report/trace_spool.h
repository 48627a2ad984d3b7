#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "trace/event_log.h"

namespace sim::report {

// Keeps the lines of a trace while a run is played: in memory, and what is more than that in a file without a
// name, which is gone when this is. So a run that is thrown away leaves nothing behind.
class TraceSpool final : public trace::Sink {
 public:
  TraceSpool() = default;
  ~TraceSpool() override;
  TraceSpool(const TraceSpool&) = delete;
  TraceSpool& operator=(const TraceSpool&) = delete;

  void write(std::string_view bytes) override;
  // Hands over all that was written, from the first line on. Fails if the temporary file could not be
  // written or read.
  std::optional<Problem> copy_to(trace::Sink& sink);

 private:
  static constexpr std::size_t kInMemory = 16 * 1024 * 1024;

  void spill();
  void note_error();

  std::string memory_;
  std::FILE* file_ = nullptr;  // null: all is in memory
  int error_ = 0;
};

}  // namespace sim::report
